//! How far the index is behind, in total and for single articles.

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement, Value};

use super::unix_millis;
use crate::article::ArticleId;

/// Attempts after which a document's own error counts as final until the document changes. It is still retried.
pub const ATTEMPTS_UNTIL_FAILED: u32 = 3;

/// SQLite compares each name of a parameter with all before it.
const IDS_PER_STATEMENT: usize = 500;

/// The state of the outbox as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Changes that have not reached the index, failed ones left out.
    pub pending: u64,
    /// Articles that could not be indexed because of an error of their own.
    pub failed: u64,
    /// When the oldest pending change was made, in unix milliseconds.
    pub oldest_pending: Option<i64>,
}

/// The state of one article's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeState {
    pub seq: i64,
    pub attempts: u32,
    pub last_error: Option<String>,
}

impl ChangeState {
    /// Whether the article counts as failed and no longer as pending.
    pub fn failed(&self) -> bool {
        self.attempts >= ATTEMPTS_UNTIL_FAILED
    }
}

#[derive(FromQueryResult)]
struct LagRow {
    pending: i64,
    failed: i64,
    oldest_pending: Option<i64>,
}

/// Counts the outbox.
pub async fn lag<C>(connection: &C) -> Result<Lag, DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "SELECT COUNT(CASE WHEN attempts < $1 THEN 1 END) AS pending,
                COUNT(CASE WHEN attempts >= $1 THEN 1 END) AS failed,
                MIN(CASE WHEN attempts < $1 THEN recorded_at END) AS oldest_pending
         FROM index_change",
        [i64::from(ATTEMPTS_UNTIL_FAILED).into()],
    );
    let row = LagRow::find_by_statement(statement).one(connection).await?;
    Ok(row.map_or_else(Lag::default, |row| Lag {
        pending: u64::try_from(row.pending).unwrap_or(0),
        failed: u64::try_from(row.failed).unwrap_or(0),
        oldest_pending: row.oldest_pending,
    }))
}

/// The highest number of a recorded change; `None` when the outbox is empty.
pub async fn newest_seq<C>(connection: &C) -> Result<Option<i64>, DbErr>
where
    C: ConnectionTrait,
{
    let sql = "SELECT MAX(seq) AS seq FROM index_change";
    let row =
        connection.query_one_raw(Statement::from_string(connection.get_database_backend(), sql)).await?;
    row.map_or(Ok(None), |row| row.try_get("", "seq"))
}

/// In how long the next change can be claimed: zero when one can now, `None` when none is recorded.
pub async fn due_in<C>(connection: &C) -> Result<Option<Duration>, DbErr>
where
    C: ConnectionTrait,
{
    let now = unix_millis();
    let select = |sql: &str, values: Vec<Value>| {
        Statement::from_sql_and_values(connection.get_database_backend(), sql, values)
    };
    // Asked first, because it stops at the first row of a long outbox.
    let due = select("SELECT 1 AS due FROM index_change WHERE leased_until <= $1 LIMIT 1", vec![now.into()]);
    if connection.query_one_raw(due).await?.is_some() {
        return Ok(Some(Duration::ZERO));
    }
    let next = select("SELECT MIN(leased_until) AS next FROM index_change", Vec::new());
    let row = connection.query_one_raw(next).await?;
    let next: Option<i64> = row.map_or(Ok(None), |row| row.try_get("", "next"))?;
    Ok(next.map(|next| Duration::from_millis(u64::try_from(next - now).unwrap_or(0))))
}

/// One article that could not be indexed, and why: the one that was recorded last.
pub async fn last_failure<C>(connection: &C) -> Result<Option<(ArticleId, String)>, DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "SELECT article_id, last_error FROM index_change
         WHERE attempts >= $1 AND last_error IS NOT NULL ORDER BY seq DESC LIMIT 1",
        [i64::from(ATTEMPTS_UNTIL_FAILED).into()],
    );
    let Some(row) = connection.query_one_raw(statement).await? else { return Ok(None) };
    Ok(Some((ArticleId(row.try_get("", "article_id")?), row.try_get("", "last_error")?)))
}

/// How many changes numbered up to `seq` are still to be indexed, failed ones left out.
pub async fn pending_among<C>(connection: &C, seq: i64) -> Result<u64, DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "SELECT COUNT(*) AS pending FROM index_change WHERE seq <= $1 AND attempts < $2",
        [seq.into(), i64::from(ATTEMPTS_UNTIL_FAILED).into()],
    );
    let row = connection.query_one_raw(statement).await?;
    let pending: i64 = row.map_or(Ok(0), |row| row.try_get("", "pending"))?;
    Ok(u64::try_from(pending).unwrap_or(0))
}

#[derive(FromQueryResult)]
struct StateRow {
    article_id: i64,
    seq: i64,
    attempts: i32,
    last_error: Option<String>,
}

/// The outbox rows of `articles`, in one statement for every 500; articles that are not waiting are absent.
pub async fn states<C>(
    connection: &C,
    articles: &[ArticleId],
) -> Result<HashMap<ArticleId, ChangeState>, DbErr>
where
    C: ConnectionTrait,
{
    let mut states = HashMap::new();
    for articles in articles.chunks(IDS_PER_STATEMENT) {
        let select = Query::select()
            .columns(["article_id", "seq", "attempts", "last_error"])
            .from("index_change")
            .and_where(Expr::col("article_id").is_in(articles.iter().map(|article| article.0)))
            .to_owned();
        for row in connection.query_all(&select).await? {
            let row = StateRow::from_query_result(&row, "")?;
            let attempts = u32::try_from(row.attempts).unwrap_or(0);
            let state = ChangeState { seq: row.seq, attempts, last_error: row.last_error };
            states.insert(ArticleId(row.article_id), state);
        }
    }
    Ok(states)
}
