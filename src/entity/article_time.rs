//! Times of articles as SQL compares them.
//!
//! SQLite keeps them as text with no, three or six digits of a second, as drivers and `strftime` write them; compared as
//! they are, `…:00.000` would differ from `…:00`. The key has six digits always.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ColumnTrait, DbBackend, IdenStatic};

use super::article::Column;

/// What `column` is compared and sorted by; on SQLite an expression that has an index.
pub fn key(column: Column, backend: DbBackend) -> SimpleExpr {
    match backend {
        DbBackend::Postgres => column.into_expr(),
        _ => {
            let name = column.as_str();
            Expr::cust(format!(
                "substr(substr(\"{name}\", 1, length(\"{name}\") - 6) || \
                 CASE WHEN substr(\"{name}\", 20, 1) = '.' THEN '000000' ELSE '.000000' END, 1, 26)"
            ))
        }
    }
}

/// A time to compare a key with.
pub fn value(time: DateTime<Utc>, backend: DbBackend) -> SimpleExpr {
    match backend {
        DbBackend::Postgres => Expr::value(time),
        _ => Expr::value(time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()),
    }
}
