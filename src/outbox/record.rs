//! Recording a change: the same upsert that the database triggers do.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

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

/// The number of the recorded change of `article`, to wait for it; `None` when nothing is recorded.
pub async fn seq_of<C>(connection: &C, article: ArticleId) -> Result<Option<i64>, DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "SELECT seq FROM index_change WHERE article_id = $1",
        [article.0.into()],
    );
    connection.query_one_raw(statement).await?.map(|row| row.try_get("", "seq")).transpose()
}
