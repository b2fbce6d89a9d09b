//! Recording a change: the same upsert that the database triggers do.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::claim::{Change, postpone};
use super::unix_millis;
use crate::article::ArticleId;

const NEXT_SEQ_SQLITE: &str = "UPDATE index_control SET last_seq = last_seq + 1";

const UPSERT_SQLITE: &str = "
INSERT INTO index_change (article_id, seq, recorded_at)
VALUES ($1, (SELECT last_seq FROM index_control), $2)
ON CONFLICT (article_id) DO UPDATE
SET seq = excluded.seq, attempts = 0, leased_until = 0, last_error = NULL";

const UPSERT_POSTGRES: &str = "
INSERT INTO index_change (article_id, seq, recorded_at)
VALUES ($1, nextval('index_change_seq'), $2)
ON CONFLICT (article_id) DO UPDATE
SET seq = excluded.seq, attempts = 0, leased_until = 0, last_error = NULL";

/// Records that `article` changed. Call it in the transaction of the change.
pub async fn record<C>(connection: &C, article: ArticleId) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let backend = connection.get_database_backend();
    let upsert = match backend {
        DbBackend::Postgres => UPSERT_POSTGRES,
        _ => {
            connection.execute_raw(Statement::from_string(backend, NEXT_SEQ_SQLITE)).await?;
            UPSERT_SQLITE
        }
    };
    let values = [article.0.into(), unix_millis().into()];
    connection.execute_raw(Statement::from_sql_and_values(backend, upsert, values)).await?;
    Ok(())
}

/// Records that all of `articles` are to be indexed anew; inside one transaction.
pub async fn record_all<C>(connection: &C, articles: &[ArticleId]) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    for article in articles {
        record(connection, *article).await?;
    }
    Ok(())
}

const EVERYTHING_SQLITE: &str = "
INSERT INTO index_change (article_id, seq, recorded_at)
SELECT id, (SELECT last_seq FROM index_control), $1 FROM article WHERE true
ON CONFLICT (article_id) DO UPDATE
SET seq = excluded.seq, attempts = 0, leased_until = 0, last_error = NULL";

const EVERYTHING_POSTGRES: &str = "
INSERT INTO index_change (article_id, seq, recorded_at)
SELECT id, nextval('index_change_seq'), $1 FROM article
ON CONFLICT (article_id) DO UPDATE
SET seq = excluded.seq, attempts = 0, leased_until = 0, last_error = NULL";

/// Records that every article is to be indexed anew.
pub async fn record_everything<C>(connection: &C) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let backend = connection.get_database_backend();
    let upsert = match backend {
        DbBackend::Postgres => EVERYTHING_POSTGRES,
        _ => {
            connection.execute_raw(Statement::from_string(backend, NEXT_SEQ_SQLITE)).await?;
            EVERYTHING_SQLITE
        }
    };
    let statement = Statement::from_sql_and_values(backend, upsert, [unix_millis().into()]);
    connection.execute_raw(statement).await?;
    Ok(())
}

/// Records that the present state of `article` cannot be indexed, unless a change of it is recorded already; it is tried
/// again after `wait`.
pub async fn record_failed<C>(
    connection: &C,
    article: ArticleId,
    reason: &str,
    wait: Duration,
) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let known = seq_of(connection, article).await?;
    if known.is_none() {
        record(connection, article).await?;
        let seq = seq_of(connection, article).await?.unwrap_or_default();
        postpone(connection, Change { article, seq, attempts: 0 }, wait, Some(reason)).await?;
    }
    Ok(())
}

/// The number of the recorded change of `article`; `None` when nothing is recorded.
pub async fn seq_of<C>(connection: &C, article: ArticleId) -> Result<Option<i64>, DbErr>
where
    C: ConnectionTrait,
{
    select_seq(connection, "SELECT seq FROM index_change WHERE article_id = $1", article).await
}

/// The number of the recorded change of `article`, to wait for it; the change goes ahead of those nobody waits for.
pub async fn expedite<C>(connection: &C, article: ArticleId) -> Result<Option<i64>, DbErr>
where
    C: ConnectionTrait,
{
    let sql = "UPDATE index_change SET lane = 0 WHERE article_id = $1 RETURNING seq";
    select_seq(connection, sql, article).await
}

async fn select_seq<C>(connection: &C, sql: &str, article: ArticleId) -> Result<Option<i64>, DbErr>
where
    C: ConnectionTrait,
{
    let statement =
        Statement::from_sql_and_values(connection.get_database_backend(), sql, [article.0.into()]);
    connection.query_one_raw(statement).await?.map(|row| row.try_get("", "seq")).transpose()
}
