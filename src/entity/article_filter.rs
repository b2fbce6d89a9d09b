//! The article filter as SQL.

use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, DbBackend, Value};

use super::article::Column;
use crate::article::{ArticleFilter, ArticleId};

/// The condition that holds for exactly the articles that pass `filter`.
pub fn condition(filter: &ArticleFilter, backend: DbBackend) -> Condition {
    let ids = |ids: &Vec<ArticleId>| ids.iter().map(|id| id.0).collect::<Vec<_>>();
    let tag = |tags: &Vec<String>| tags.iter().map(|tag| has_tag(tag, backend)).collect::<Vec<_>>();
    Condition::all()
        .add_option(filter.category_in.as_ref().map(|categories| Column::Category.is_in(categories.clone())))
        .add_option(
            filter.category_not_in.as_ref().map(|categories| {
                Column::Category.is_null().or(Column::Category.is_not_in(categories.clone()))
            }),
        )
        .add_option(filter.tags_any.as_ref().map(|tags| join(tag(tags), Condition::any())))
        .add_option(filter.tags_all.as_ref().map(|tags| join(tag(tags), Condition::all())))
        .add_option(filter.tags_none.as_ref().map(|tags| join(tag(tags), Condition::any()).not()))
        .add_option(filter.created_from.map(|time| Column::CreatedAt.gte(time)))
        .add_option(filter.created_before.map(|time| Column::CreatedAt.lt(time)))
        .add_option(filter.ids_in.as_ref().map(|list| Column::Id.is_in(ids(list))))
        .add_option(filter.ids_not_in.as_ref().map(|list| Column::Id.is_not_in(ids(list))))
}

fn join(expressions: Vec<SimpleExpr>, empty: Condition) -> Condition {
    // An empty ANY is false; SeaQuery would leave an empty condition out.
    if expressions.is_empty() && empty == Condition::any() {
        return Condition::all().add(Expr::cust("1 = 0"));
    }
    expressions.into_iter().fold(empty, Condition::add)
}

fn has_tag(tag: &str, backend: DbBackend) -> SimpleExpr {
    match backend {
        DbBackend::Postgres => Expr::cust_with_values(
            "\"article\".\"tags\" @> $1",
            [Value::Json(Some(Box::new(serde_json::json!([tag]))))],
        ),
        _ => Expr::cust_with_values(
            "EXISTS (SELECT 1 FROM json_each(\"article\".\"tags\") WHERE value = ?)",
            [tag],
        ),
    }
}
