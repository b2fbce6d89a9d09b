//! SQL's record of the index: what each generation holds, at which versions of its tables.

use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, Set, Statement, Value};

use crate::article::ArticleId;
use crate::db::placeholders;
use crate::entity::index_generation;
use crate::index::Versions;
use crate::outbox;

/// What is recorded about an article once it is written.
#[derive(Clone, Copy, Debug)]
pub struct IndexedArticle {
    pub article: ArticleId,
    pub seq: i64,
    pub revision: i64,
    pub content_hash: [u8; 32],
    /// Those that are in the index.
    pub passages: usize,
    pub passages_in_all: usize,
}

/// Stores which versions of the generation's tables belong together.
pub async fn record_versions<C>(connection: &C, generation: i64, versions: Versions) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let row = index_generation::ActiveModel {
        id: Set(generation),
        article_version: Set(as_sql(versions.articles)),
        passage_version: Set(as_sql(versions.passages)),
        version_stamp: Set(versions.stamp),
        ..Default::default()
    };
    row.update(connection).await?;
    Ok(())
}

/// Stores how fast a generation is being filled, in articles per second.
pub async fn record_rate<C>(connection: &C, generation: i64, rate: Option<f64>) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let row = index_generation::ActiveModel { id: Set(generation), rate: Set(rate), ..Default::default() };
    row.update(connection).await?;
    Ok(())
}

/// Stores what a generation holds of some articles.
pub async fn record_indexed<C>(
    connection: &C,
    generation: i64,
    indexed: &[IndexedArticle],
) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    if indexed.is_empty() {
        return Ok(());
    }
    let now = outbox::unix_millis();
    let rows: Vec<_> = (0..indexed.len())
        .map(|row| {
            let first = row * 6 + 3;
            let [a, b, c, d, e, f] = [first, first + 1, first + 2, first + 3, first + 4, first + 5];
            format!("($1, ${a}, ${b}, ${c}, ${d}, ${e}, ${f}, $2)")
        })
        .collect();
    let sql = format!(
        "INSERT INTO article_index
           (generation_id, article_id, seq, revision, content_hash, passages, passages_in_all, indexed_at)
         VALUES {}
         ON CONFLICT (generation_id, article_id) DO UPDATE
         SET seq = excluded.seq, revision = excluded.revision, content_hash = excluded.content_hash,
             passages = excluded.passages, passages_in_all = excluded.passages_in_all,
             indexed_at = excluded.indexed_at",
        rows.join(", ")
    );
    let values =
        [Value::from(generation), now.into()].into_iter().chain(indexed.iter().flat_map(|indexed| {
            [
                Value::from(indexed.article.0),
                indexed.seq.into(),
                indexed.revision.into(),
                indexed.content_hash.to_vec().into(),
                i32::try_from(indexed.passages).unwrap_or(i32::MAX).into(),
                i32::try_from(indexed.passages_in_all).unwrap_or(i32::MAX).into(),
            ]
        }));
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await?;
    Ok(())
}

/// Takes back that a generation holds `articles`.
pub async fn forget<C>(connection: &C, generation: i64, articles: &[ArticleId]) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    if articles.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM article_index WHERE generation_id = $1 AND article_id IN ({})",
        placeholders(2, articles.len())
    );
    let ids = articles.iter().map(|article| Value::from(article.0));
    let values = std::iter::once(Value::from(generation)).chain(ids);
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await?;
    Ok(())
}

/// A LanceDB version as SQL stores it.
pub fn as_sql(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
