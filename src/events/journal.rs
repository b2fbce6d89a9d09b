//! The journal of events in SQL: the database's triggers write what happened to articles, the worker what the index did.
//!
//! Events are read after their commits, each once, by every process for itself.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use serde::Deserialize;

use super::{ArticleEvent, ArticleEventKind};
use crate::article::{ArticleFacets, ArticleId};

/// What of the journal was read.
///
/// On SQLite there is one writer, and a number is enough. PostgreSQL's numbers become visible out of order, so there it is
/// the transactions that are remembered: all before a horizon, and those after it that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    seq: i64,
    horizon: i64,
    read: BTreeSet<i64>,
    reading: Option<Reading>,
}

/// Transactions of PostgreSQL that are being read, page by page.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reading {
    transactions: Vec<i64>,
    /// The first transaction that was still under way when they were found.
    horizon: i64,
}

/// Events read at a time.
#[derive(Debug, Default)]
pub struct Page {
    pub events: Vec<ArticleEvent>,
    /// Whether it is worth reading on at once.
    pub more: bool,
}

#[derive(FromQueryResult)]
struct EventRow {
    seq: i64,
    kind: String,
    article_id: i64,
    facets: String,
}

#[derive(FromQueryResult)]
struct TransactionRow {
    horizon: i64,
    transaction: Option<i64>,
}

#[derive(Deserialize)]
struct FacetsJson {
    category: Option<String>,
    tags: Vec<String>,
    created_at: DateTime<Utc>,
    content_length: u32,
}

/// Where the journal ends now.
pub async fn end<C>(connection: &C) -> Result<Position, DbErr>
where
    C: ConnectionTrait,
{
    let backend = connection.get_database_backend();
    if backend == DbBackend::Postgres {
        // Nothing was read yet: from the first transaction that is under way.
        let Reading { transactions, horizon } = find(connection, None).await?;
        return Ok(Position { horizon, read: transactions.into_iter().collect(), ..Position::default() });
    }
    let sql = "SELECT seq FROM article_event ORDER BY seq DESC LIMIT 1";
    let row = connection.query_one_raw(Statement::from_string(backend, sql)).await?;
    let seq = row.map_or(Ok(0), |row| row.try_get("", "seq"))?;
    Ok(Position { seq, ..Position::default() })
}

/// Up to `most` events that were not read yet, in an order that is right for each article.
pub async fn read<C>(connection: &C, position: &mut Position, most: u32) -> Result<Page, DbErr>
where
    C: ConnectionTrait,
{
    match connection.get_database_backend() {
        DbBackend::Postgres => read_postgres(connection, position, most).await,
        _ => {
            // A row that is left as displaced did not give way.
            let sql = "SELECT seq, kind, article_id, facets FROM article_event
                       WHERE seq > $1 AND kind <> 'displaced' ORDER BY seq LIMIT $2";
            let values = [position.seq.into(), i64::from(most).into()];
            page(connection, position, sql, values, most).await
        }
    }
}

/// Events are read when their transactions have committed, whatever others are under way: nobody can change an article in a
/// second transaction before the first one has ended, so the numbers of an article's events are in order.
async fn read_postgres<C>(connection: &C, position: &mut Position, most: u32) -> Result<Page, DbErr>
where
    C: ConnectionTrait,
{
    let reading = match &position.reading {
        Some(reading) => reading.clone(),
        None => {
            let mut found = find(connection, Some(position.horizon)).await?;
            found.transactions.retain(|transaction| !position.read.contains(transaction));
            position.seq = 0;
            position.reading.insert(found).clone()
        }
    };
    let mut read = Page::default();
    if !reading.transactions.is_empty() {
        let sql = "SELECT seq, kind, article_id, facets FROM article_event
                   WHERE transaction IN (SELECT value::xid8 FROM jsonb_array_elements_text($1::jsonb))
                     AND seq > $2 ORDER BY seq LIMIT $3";
        let transactions = serde_json::json!(reading.transactions).to_string();
        let values = [transactions.into(), position.seq.into(), i64::from(most).into()];
        read = page(connection, position, sql, values, most).await?;
    }
    if !read.more {
        position.reading = None;
        position.read.extend(reading.transactions);
        position.horizon = reading.horizon;
        position.read = position.read.split_off(&position.horizon);
    }
    Ok(read)
}

/// The committed transactions from `from` on that have events; without `from`, from the first that is under way on.
async fn find<C>(connection: &C, from: Option<i64>) -> Result<Reading, DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "WITH snapshot AS (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon)
         SELECT snapshot.horizon::text::bigint AS horizon, found.transaction::text::bigint AS transaction
         FROM snapshot LEFT JOIN LATERAL (
           SELECT DISTINCT article_event.transaction FROM article_event
           WHERE article_event.transaction >= COALESCE($1::text::xid8, snapshot.horizon)) AS found ON true",
        [from.map(|from| from.to_string()).into()],
    );
    let rows = TransactionRow::find_by_statement(statement).all(connection).await?;
    let horizon = rows.first().map_or(0, |row| row.horizon);
    Ok(Reading { transactions: rows.into_iter().filter_map(|row| row.transaction).collect(), horizon })
}

async fn page<C, const N: usize>(
    connection: &C,
    position: &mut Position,
    sql: &str,
    values: [Value; N],
    most: u32,
) -> Result<Page, DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let rows = EventRow::find_by_statement(statement).all(connection).await?;
    position.seq = rows.last().map_or(position.seq, |row| row.seq);
    let more = rows.len() as u64 >= u64::from(most);
    Ok(Page { events: rows.into_iter().filter_map(event).collect(), more })
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
             SELECT $1, id, jsonb_build_object('category', category, 'tags', tags, 'created_at', created_at,
               'content_length', length(content)), $2
             FROM article WHERE id IN (SELECT jsonb_array_elements_text($3::jsonb)::bigint)"
        }
        _ => {
            "INSERT INTO article_event (kind, article_id, facets, recorded_at)
             SELECT $1, id, json_object('category', category, 'tags', json(tags), 'created_at', created_at,
               'content_length', length(content)), $2
             FROM article WHERE id IN (SELECT value FROM json_each($3))"
        }
    };
    let values = [name(kind).into(), Utc::now().timestamp_millis().into(), ids.into()];
    connection.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
}

/// Removes events recorded before `before`, in unix milliseconds, and committed before the last call, of which `settled`
/// is the result: a transaction may be open for longer than events are kept.
pub async fn trim<C>(connection: &C, before: i64, settled: Option<i64>) -> Result<Option<i64>, DbErr>
where
    C: ConnectionTrait,
{
    let backend = connection.get_database_backend();
    if backend != DbBackend::Postgres {
        let sql = "DELETE FROM article_event WHERE recorded_at < $1";
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, [before.into()])).await?;
        return Ok(None);
    }
    if let Some(settled) = settled {
        let sql = "DELETE FROM article_event WHERE recorded_at < $1 AND transaction < $2::text::xid8";
        let values = [before.into(), settled.to_string().into()];
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    }
    let sql = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon";
    let row = connection.query_one_raw(Statement::from_string(backend, sql)).await?;
    row.map(|row| row.try_get("", "horizon")).transpose()
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
        "deleted" => ArticleEventKind::Deleted,
        "indexed" => ArticleEventKind::Indexed,
        "failed" => ArticleEventKind::Failed,
        _ => return None,
    };
    let facets: FacetsJson = serde_json::from_str(&row.facets).ok()?;
    let facets = ArticleFacets {
        category: facets.category,
        tags: facets.tags,
        created_at: facets.created_at,
        content_length: facets.content_length,
    };
    Some(ArticleEvent { kind, article: ArticleId(row.article_id), facets })
}
