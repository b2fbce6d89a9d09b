//! The worker's side of the outbox: claim, complete, postpone.

use std::collections::HashSet;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};

use super::unix_millis;
use crate::article::ArticleId;

/// A claimed change of one article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub article: ArticleId,
    /// Numbers the change; a higher number is a later change of the same article.
    pub seq: i64,
    /// How often indexing it has failed.
    pub attempts: u32,
}

#[derive(FromQueryResult)]
struct ChangeRow {
    article_id: i64,
    seq: i64,
    attempts: i32,
}

const CLAIM_SQLITE: &str = "
UPDATE index_change SET leased_until = $1
WHERE article_id IN (SELECT article_id FROM index_change
                     WHERE leased_until <= $2
                       AND lane = (SELECT MIN(lane) FROM index_change WHERE leased_until <= $2)
                     ORDER BY seq LIMIT $3)
RETURNING article_id, seq, attempts";

const CLAIM_POSTGRES: &str = "
UPDATE index_change SET leased_until = $1
WHERE article_id IN (SELECT article_id FROM index_change
                     WHERE leased_until <= $2
                       AND lane = (SELECT MIN(lane) FROM index_change WHERE leased_until <= $2)
                     ORDER BY seq LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING article_id, seq, attempts";

/// Takes up to `most` changes, oldest first, that nobody else holds; they are free again after `lease`.
///
/// All are of one lane: what clients wait for is never in one batch with the rest of an import.
pub async fn claim<C>(connection: &C, most: u32, lease: Duration) -> Result<Vec<Change>, DbErr>
where
    C: ConnectionTrait,
{
    let backend = connection.get_database_backend();
    let sql = if backend == DbBackend::Postgres { CLAIM_POSTGRES } else { CLAIM_SQLITE };
    let now = unix_millis();
    let values = [(now + millis(lease)).into(), now.into(), i64::from(most).into()];
    let rows = ChangeRow::find_by_statement(Statement::from_sql_and_values(backend, sql, values))
        .all(connection)
        .await?;
    let mut changes: Vec<_> = rows
        .into_iter()
        .map(|row| Change {
            article: ArticleId(row.article_id),
            seq: row.seq,
            attempts: u32::try_from(row.attempts).unwrap_or(0),
        })
        .collect();
    changes.sort_by_key(|change| change.seq);
    Ok(changes)
}

/// Removes the rows of `changes` that are indexed; returns those that another transaction holds and that are still there,
/// to be completed later: on PostgreSQL a client may keep its transaction open for as long as it likes, and nobody else's
/// change waits for it. A row that changed again meanwhile has a higher `seq`, stays, and is not returned.
pub async fn complete<C>(connection: &C, changes: &[Change]) -> Result<Vec<Change>, DbErr>
where
    C: ConnectionTrait,
{
    match connection.get_database_backend() {
        DbBackend::Postgres => complete_unlocked(connection, changes).await,
        _ => {
            for change in changes {
                let sql = "DELETE FROM index_change WHERE article_id = $1 AND seq = $2";
                run(connection, sql, [change.article.0.into(), change.seq.into()]).await?;
            }
            Ok(Vec::new())
        }
    }
}

async fn complete_unlocked<C>(connection: &C, changes: &[Change]) -> Result<Vec<Change>, DbErr>
where
    C: ConnectionTrait,
{
    // A statement sees its own deletions as not yet made, so it can tell those it passed over.
    let sql = "
        WITH done AS (SELECT * FROM jsonb_to_recordset($1) AS done (article_id bigint, seq bigint)),
        unlocked AS (
          SELECT article_id FROM index_change JOIN done USING (article_id, seq)
          FOR UPDATE OF index_change SKIP LOCKED),
        deleted AS (
          DELETE FROM index_change WHERE article_id IN (SELECT article_id FROM unlocked) RETURNING article_id)
        SELECT article_id FROM index_change JOIN done USING (article_id, seq)
        WHERE article_id NOT IN (SELECT article_id FROM deleted)";
    let done: Vec<_> = changes
        .iter()
        .map(|change| serde_json::json!({ "article_id": change.article.0, "seq": change.seq }))
        .collect();
    let done = Value::from(serde_json::Value::from(done));
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, [done]);
    let rows = connection.query_all_raw(statement).await?;
    let locked: HashSet<i64> =
        rows.iter().map(|row| row.try_get("", "article_id")).collect::<Result<_, _>>()?;
    Ok(changes.iter().filter(|change| locked.contains(&change.article.0)).copied().collect())
}

/// Gives back a change that needs further steps: at once, but behind those that clients wait for.
pub async fn set_back<C>(connection: &C, change: Change) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let sql = "UPDATE index_change SET leased_until = 0, lane = 1 WHERE article_id = $1 AND seq = $2";
    run(connection, sql, [change.article.0.into(), change.seq.into()]).await
}

/// Gives a change back, to be tried again after `wait`. With a `reason` that counts as a failed attempt of its own.
pub async fn postpone<C>(
    connection: &C,
    change: Change,
    wait: Duration,
    reason: Option<&str>,
) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let until = unix_millis() + millis(wait);
    let (article, seq) = (change.article.0.into(), change.seq.into());
    match reason {
        Some(reason) => {
            // Nobody waits for another attempt.
            let sql =
                "UPDATE index_change SET leased_until = $1, attempts = attempts + 1, last_error = $2, lane = 1
                 WHERE article_id = $3 AND seq = $4";
            run(connection, sql, [until.into(), reason.into(), article, seq]).await
        }
        None => {
            let sql = "UPDATE index_change SET leased_until = $1 WHERE article_id = $2 AND seq = $3";
            run(connection, sql, [until.into(), article, seq]).await
        }
    }
}

/// Frees all leases. For the holder of the index's writer lock when it begins: whoever held them is gone.
pub async fn release_leases<C>(connection: &C) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    run(connection, "UPDATE index_change SET leased_until = 0 WHERE leased_until > 0", []).await
}

async fn run<C, const N: usize>(connection: &C, sql: &str, values: [Value; N]) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await?;
    Ok(())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}
