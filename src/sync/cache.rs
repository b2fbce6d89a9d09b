//! The vector cache in SQL: a text that was embedded once by a model needs no inference again.
//!
//! Each row belongs to an article that holds the text and goes with it, so the cache is never larger than the articles.

use std::collections::{HashMap, HashSet};

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement, Value};

use crate::article::ArticleId;
use crate::db::{ROWS_PER_STATEMENT, placeholders};
use crate::embedding::Embedding;

/// A passage text's place in the cache: its BLAKE3 hash.
pub type TextHash = [u8; 32];

/// The hash that a text is cached under.
pub fn text_hash(text: &str) -> TextHash {
    *blake3::hash(text.as_bytes()).as_bytes()
}

/// What the cache holds of some texts.
#[derive(Debug, Default)]
pub struct Cached {
    pub vectors: HashMap<TextHash, Embedding>,
    /// Which articles have a row of their own for a text.
    owned: HashSet<(TextHash, ArticleId)>,
}

/// The texts of an article as it is now, with their vectors.
#[derive(Debug)]
pub struct ArticleVectors {
    pub article: ArticleId,
    /// Every text of the article.
    pub hashes: Vec<TextHash>,
    /// Those that have no row yet.
    pub fresh: Vec<(TextHash, Embedding)>,
}

#[derive(FromQueryResult)]
struct CachedRow {
    text_hash: Vec<u8>,
    article_id: i64,
    vector: Vec<u8>,
}

impl Cached {
    /// The cached vectors among `hashes`.
    pub async fn load<C>(connection: &C, fingerprint: &str, hashes: &[TextHash]) -> Result<Self, DbErr>
    where
        C: ConnectionTrait,
    {
        let mut cached = Self::default();
        for hashes in hashes.chunks(ROWS_PER_STATEMENT) {
            let sql = format!(
                "SELECT text_hash, article_id, vector FROM embedding
                 WHERE fingerprint = $1 AND text_hash IN ({})",
                placeholders(2, hashes.len())
            );
            let values = std::iter::once(Value::from(fingerprint))
                .chain(hashes.iter().map(|hash| hash.to_vec().into()));
            let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
            for row in CachedRow::find_by_statement(statement).all(connection).await? {
                // A row that is no vector (an interrupted restore, a hand-made change) is computed again.
                if let (Ok(hash), Ok(vector)) =
                    (TextHash::try_from(row.text_hash), Embedding::from_le_bytes(&row.vector))
                {
                    cached.owned.insert((hash, ArticleId(row.article_id)));
                    cached.vectors.insert(hash, vector);
                }
            }
        }
        Ok(cached)
    }

    /// Whether `article` has a row of its own for the text.
    pub fn is_owned(&self, hash: TextHash, article: ArticleId) -> bool {
        self.owned.contains(&(hash, article))
    }
}

/// Stores the fresh vectors of an article.
pub async fn store<C>(connection: &C, fingerprint: &str, vectors: &ArticleVectors) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let backend = connection.get_database_backend();
    for fresh in vectors.fresh.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<_> =
            (0..fresh.len()).map(|row| format!("($1, $2, ${}, ${})", row * 2 + 3, row * 2 + 4)).collect();
        let sql = format!(
            "INSERT INTO embedding (fingerprint, article_id, text_hash, vector) VALUES {}
             ON CONFLICT (fingerprint, text_hash, article_id) DO UPDATE SET vector = excluded.vector",
            rows.join(", ")
        );
        let values = [Value::from(fingerprint), vectors.article.0.into()].into_iter().chain(
            fresh
                .iter()
                .flat_map(|(hash, vector)| [Value::from(hash.to_vec()), Value::from(vector.to_le_bytes())]),
        );
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct OwnedRow {
    fingerprint: String,
    article_id: i64,
    text_hash: Vec<u8>,
}

/// Drops the vectors of texts that the articles no longer hold.
pub async fn drop_stale<C>(
    connection: &C,
    fingerprint: &str,
    articles: &[ArticleVectors],
) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let backend = connection.get_database_backend();
    let kept: HashSet<_> = articles
        .iter()
        .flat_map(|vectors| vectors.hashes.iter().map(|hash| (vectors.article.0, hash.as_slice())))
        .collect();
    for articles in articles.chunks(ROWS_PER_STATEMENT) {
        // Asked by article alone: with the fingerprint SQLite would walk through all vectors of the model.
        let sql = format!(
            "SELECT fingerprint, article_id, text_hash FROM embedding WHERE article_id IN ({})",
            placeholders(1, articles.len())
        );
        let ids = articles.iter().map(|vectors| Value::from(vectors.article.0));
        let statement = Statement::from_sql_and_values(backend, sql, ids);
        for row in OwnedRow::find_by_statement(statement).all(connection).await? {
            if row.fingerprint != fingerprint || kept.contains(&(row.article_id, row.text_hash.as_slice())) {
                continue;
            }
            let statement = Statement::from_sql_and_values(
                backend,
                "DELETE FROM embedding WHERE fingerprint = $1 AND text_hash = $2 AND article_id = $3",
                [fingerprint.into(), row.text_hash.into(), row.article_id.into()],
            );
            connection.execute_raw(statement).await?;
        }
    }
    Ok(())
}

/// Drops all vectors of deleted articles.
pub async fn forget<C>(connection: &C, articles: &[ArticleId]) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    for articles in articles.chunks(ROWS_PER_STATEMENT) {
        let sql = format!("DELETE FROM embedding WHERE article_id IN ({})", placeholders(1, articles.len()));
        let values = articles.iter().map(|article| Value::from(article.0));
        let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
        connection.execute_raw(statement).await?;
    }
    Ok(())
}

/// Drops the vectors of models that no generation belongs to.
pub async fn forget_unused_models<C>(connection: &C) -> Result<u64, DbErr>
where
    C: ConnectionTrait,
{
    let sql = "DELETE FROM embedding WHERE fingerprint NOT IN (SELECT fingerprint FROM index_generation)";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    Ok(connection.execute_raw(statement).await?.rows_affected())
}
