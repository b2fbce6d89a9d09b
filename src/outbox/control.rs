//! The one row about the index as a whole.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

/// The identity of this database, to tell its index from another's.
pub async fn database_uuid<C>(connection: &C) -> Result<String, DbErr>
where
    C: ConnectionTrait,
{
    select(connection, "SELECT database_uuid FROM index_control").await?.try_get("", "database_uuid")
}

/// Why the index can't be written at present; `None` when it can.
pub async fn last_error<C>(connection: &C) -> Result<Option<String>, DbErr>
where
    C: ConnectionTrait,
{
    select(connection, "SELECT last_error FROM index_control").await?.try_get("", "last_error")
}

/// Says why the index can't be written, or that it can again.
pub async fn set_last_error<C>(connection: &C, error: Option<&str>) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    execute(connection, "UPDATE index_control SET last_error = $1", [error.into()]).await?;
    Ok(())
}

/// What anyone may ask of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Compare every article with the index and index what differs.
    Reconcile,
    /// Make a new index of every article.
    Rebuild,
    /// Go back to the generation that was live before.
    Rollback,
    /// Remove the generations that are no longer used.
    Prune,
}

impl Request {
    fn column(self) -> &'static str {
        match self {
            Self::Reconcile => "reconcile",
            Self::Rebuild => "rebuild",
            Self::Rollback => "rollback",
            Self::Prune => "prune",
        }
    }
}

/// Asks the worker for `request`, whichever process it runs in.
pub async fn submit<C>(connection: &C, request: Request) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let sql = format!("UPDATE index_control SET {} = (1 = 1)", request.column());
    execute(connection, &sql, []).await?;
    Ok(())
}

/// Whether `request` was asked for and is not carried out yet.
pub async fn is_submitted<C>(connection: &C, request: Request) -> Result<bool, DbErr>
where
    C: ConnectionTrait,
{
    let under_way = if request == Request::Reconcile { " OR comparing = (1 = 1)" } else { "" };
    let sql = format!(
        "SELECT CASE WHEN {} = (1 = 1){under_way} THEN 1 ELSE 0 END AS asked FROM index_control",
        request.column()
    );
    let asked: i32 = select(connection, &sql).await?.try_get("", "asked")?;
    Ok(asked == 1)
}

/// Takes `request` off; in the transaction that carries it out.
pub async fn withdraw<C>(connection: &C, request: Request) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let sql = format!("UPDATE index_control SET {} = (1 = 0)", request.column());
    execute(connection, &sql, []).await?;
    Ok(())
}

/// Says that the comparison asked for has begun. One asked for from now on is another one.
pub async fn begin_comparison<C>(connection: &C) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    execute(connection, "UPDATE index_control SET comparing = (1 = 1), reconcile = (1 = 0)", []).await?;
    Ok(())
}

/// Says that the comparison has ended.
pub async fn end_comparison<C>(connection: &C) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    execute(connection, "UPDATE index_control SET comparing = (1 = 0)", []).await?;
    Ok(())
}

/// Asks again for a comparison that was interrupted. For the holder of the writer lock when it begins.
pub async fn resume_comparison<C>(connection: &C) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let sql = "UPDATE index_control SET reconcile = (1 = 1) WHERE comparing = (1 = 1)";
    execute(connection, sql, []).await?;
    Ok(())
}

/// Whether anything was asked for that is not under way.
pub async fn any_submitted<C>(connection: &C) -> Result<bool, DbErr>
where
    C: ConnectionTrait,
{
    let no = if connection.get_database_backend() == DbBackend::Postgres { "false" } else { "0" };
    let sql = format!(
        "SELECT CASE WHEN reconcile = {no} AND rebuild = {no} AND rollback = {no} AND prune = {no}
                     THEN 0 ELSE 1 END AS asked FROM index_control"
    );
    let asked: i32 = select(connection, &sql).await?.try_get("", "asked")?;
    Ok(asked == 1)
}

/// The model setting that a rollback turned down, until the setting changes.
pub async fn declined_model<C>(connection: &C) -> Result<Option<String>, DbErr>
where
    C: ConnectionTrait,
{
    select(connection, "SELECT declined_model FROM index_control").await?.try_get("", "declined_model")
}

/// Sets what [`declined_model`] tells.
pub async fn set_declined_model<C>(connection: &C, model: Option<&str>) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    execute(connection, "UPDATE index_control SET declined_model = $1", [model.into()]).await?;
    Ok(())
}

async fn select<C>(connection: &C, sql: &str) -> Result<QueryResult, DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("index_control has no row: run `sentio migrate`".to_owned()))
}

async fn execute<C, const N: usize>(connection: &C, sql: &str, values: [Value; N]) -> Result<u64, DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(connection.execute_raw(statement).await?.rows_affected())
}
