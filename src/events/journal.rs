//! The journal of events in SQL: the database's triggers write what happened to articles, the worker what the index did.
//!
//! Events are read in the order of their commits, each once, by every process for itself.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use serde::Deserialize;

use super::{ArticleEvent, ArticleEventKind};
use crate::article::{ArticleFacets, ArticleId};

/// A place in the journal.
///
/// PostgreSQL's numbers become visible out of order, so the transaction goes first, and only transactions older than any
/// still under way are read. On SQLite there is one writer, and the number is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    transaction: i64,
    seq: i64,
}

#[derive(FromQueryResult)]
struct EventRow {
    transaction: i64,
    seq: i64,
    kind: String,
    article_id: i64,
    facets: String,
}

#[derive(Deserialize)]
struct FacetsJson {
    category: Option<String>,
    tags: Vec<String>,
    created_at: DateTime<Utc>,
}

/// Where the journal ends now.
pub async fn end<C>(connection: &C) -> Result<Position, DbErr>
where
    C: ConnectionTrait,
{
    let sql = match connection.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT transaction::text::bigint AS transaction, seq FROM article_event
             WHERE transaction < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY article_event.transaction DESC, seq DESC LIMIT 1"
        }
        _ => "SELECT 0 AS \"transaction\", seq FROM article_event ORDER BY seq DESC LIMIT 1",
    };
    let row =
        connection.query_one_raw(Statement::from_string(connection.get_database_backend(), sql)).await?;
    row.map_or(Ok(Position::default()), |row| {
        Ok(Position { transaction: row.try_get("", "transaction")?, seq: row.try_get("", "seq")? })
    })
}

/// Up to `most` events after `after`, and the place to go on from.
pub async fn read<C>(
    connection: &C,
    after: Position,
    most: u32,
) -> Result<(Vec<ArticleEvent>, Position), DbErr>
where
    C: ConnectionTrait,
{
    let backend = connection.get_database_backend();
    let (sql, values): (_, Vec<Value>) = match backend {
        DbBackend::Postgres => (
            "SELECT transaction::text::bigint AS transaction, seq, kind, article_id, facets FROM article_event
             WHERE (transaction, seq) > ($1::text::xid8, $2)
               AND transaction < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY article_event.transaction, seq LIMIT $3",
            vec![after.transaction.to_string().into(), after.seq.into(), i64::from(most).into()],
        ),
        // Whether a row that may have given way is still there is known when its transaction has ended.
        _ => (
            "SELECT 0 AS \"transaction\", seq, kind, article_id, facets FROM article_event
             WHERE seq > $1
               AND (kind <> 'displaced'
                 OR NOT EXISTS (SELECT 1 FROM article WHERE article.id = article_event.article_id))
             ORDER BY seq LIMIT $2",
            vec![after.seq.into(), i64::from(most).into()],
        ),
    };
    let statement = Statement::from_sql_and_values(backend, sql, values);
    let rows = EventRow::find_by_statement(statement).all(connection).await?;
    let position = rows.last().map_or(after, |row| Position { transaction: row.transaction, seq: row.seq });
    Ok((rows.into_iter().filter_map(event).collect(), position))
}

/// Adds an event of the index. Call it in the transaction that records what it names.
pub async fn append<C>(connection: &C, kind: ArticleEventKind, articles: &[ArticleId]) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    if articles.is_empty() {
        return Ok(());
    }
    let backend = connection.get_database_backend();
    let ids = serde_json::json!(articles.iter().map(|article| article.0).collect::<Vec<_>>()).to_string();
    let sql = match backend {
        DbBackend::Postgres => {
            "INSERT INTO article_event (kind, article_id, facets, recorded_at)
             SELECT $1, id, jsonb_build_object('category', category, 'tags', tags, 'created_at', created_at), $2
             FROM article WHERE id IN (SELECT jsonb_array_elements_text($3::jsonb)::bigint)"
        }
        _ => {
            "INSERT INTO article_event (kind, article_id, facets, recorded_at)
             SELECT $1, id, json_object('category', category, 'tags', json(tags), 'created_at', created_at), $2
             FROM article WHERE id IN (SELECT value FROM json_each($3))"
        }
    };
    let values = [name(kind).into(), Utc::now().timestamp_millis().into(), ids.into()];
    connection.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
}

/// Removes events recorded before `before`, in unix milliseconds.
pub async fn trim<C>(connection: &C, before: i64) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "DELETE FROM article_event WHERE recorded_at < $1",
        [before.into()],
    );
    connection.execute_raw(statement).await?;
    Ok(())
}

fn name(kind: ArticleEventKind) -> &'static str {
    match kind {
        ArticleEventKind::Created => "created",
        ArticleEventKind::Updated => "updated",
        ArticleEventKind::Deleted => "deleted",
        ArticleEventKind::Indexed => "indexed",
        ArticleEventKind::Failed => "failed",
    }
}

/// `None` for a row that no version of Sentio wrote.
fn event(row: EventRow) -> Option<ArticleEvent> {
    let kind = match row.kind.as_str() {
        "created" => ArticleEventKind::Created,
        "updated" => ArticleEventKind::Updated,
        "deleted" | "displaced" => ArticleEventKind::Deleted,
        "indexed" => ArticleEventKind::Indexed,
        "failed" => ArticleEventKind::Failed,
        _ => return None,
    };
    let facets: FacetsJson = serde_json::from_str(&row.facets).ok()?;
    let facets =
        ArticleFacets { category: facets.category, tags: facets.tags, created_at: facets.created_at };
    Some(ArticleEvent { kind, article: ArticleId(row.article_id), facets })
}
