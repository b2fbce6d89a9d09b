//! The article filter as SQL. Each list is bound as one JSON value, whatever its length.

use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, DbBackend, Value};
use serde_json::json;

use super::article::Column;
use super::article_time;
use crate::article::{ArticleFilter, ArticleId};

/// The condition that holds for exactly the articles that pass `filter`.
pub fn condition(filter: &ArticleFilter, backend: DbBackend) -> Condition {
    let list = |template: Template, values: serde_json::Value| template.bind(&values, backend);
    let texts = |values: &Vec<String>| json!(values);
    let ids = |ids: &Vec<ArticleId>| json!(ids.iter().map(|id| id.0).collect::<Vec<_>>());
    let created = article_time::key(Column::CreatedAt, backend);
    let length = Expr::cust("length(\"article\".\"content\")");
    let time = |time| article_time::value(time, backend);
    Condition::all()
        .add_option(filter.category_in.as_ref().map(|values| list(CATEGORY_IN, texts(values))))
        .add_option(
            filter
                .category_not_in
                .as_ref()
                .map(|values| Column::Category.is_null().or(list(CATEGORY_IN, texts(values)).not())),
        )
        .add_option(filter.tags_any.as_ref().map(|values| list(TAGS_ANY, texts(values))))
        .add_option(filter.tags_all.as_ref().map(|values| list(TAGS_ALL, texts(values))))
        .add_option(filter.tags_none.as_ref().map(|values| list(TAGS_ANY, texts(values)).not()))
        .add_option(filter.created_from.map(|from| created.clone().gte(time(from))))
        .add_option(filter.created_before.map(|before| created.clone().lt(time(before))))
        .add_option(filter.content_length_min.map(|least| length.clone().gte(least)))
        .add_option(filter.content_length_max.map(|most| length.clone().lte(most)))
        .add_option(filter.ids_in.as_ref().map(|values| list(ID_IN, ids(values))))
        .add_option(filter.ids_not_in.as_ref().map(|values| list(ID_IN, ids(values)).not()))
}

/// A condition with one place for a JSON array, in both dialects.
#[derive(Clone, Copy)]
struct Template {
    sqlite: &'static str,
    postgres: &'static str,
}

const CATEGORY_IN: Template = Template {
    sqlite: "(\"article\".\"category\" IN (SELECT value FROM json_each(?)))",
    postgres: "(\"article\".\"category\" IN (SELECT jsonb_array_elements_text($1)))",
};

const ID_IN: Template = Template {
    sqlite: "(\"article\".\"id\" IN (SELECT value FROM json_each(?)))",
    postgres: "(\"article\".\"id\" IN (SELECT jsonb_array_elements_text($1)::bigint))",
};

const TAGS_ANY: Template = Template {
    sqlite: "EXISTS (SELECT 1 FROM json_each(\"article\".\"tags\") AS tag \
             WHERE tag.value IN (SELECT value FROM json_each(?)))",
    postgres: "EXISTS (SELECT 1 FROM jsonb_array_elements_text(\"article\".\"tags\") AS tag \
               WHERE tag IN (SELECT jsonb_array_elements_text($1)))",
};

const TAGS_ALL: Template = Template {
    sqlite: "NOT EXISTS (SELECT 1 FROM json_each(?) AS wanted \
             WHERE wanted.value NOT IN (SELECT value FROM json_each(\"article\".\"tags\")))",
    postgres: "(\"article\".\"tags\" @> $1)",
};

impl Template {
    fn bind(self, values: &serde_json::Value, backend: DbBackend) -> SimpleExpr {
        match backend {
            DbBackend::Postgres => {
                Expr::cust_with_values(self.postgres, [Value::Json(Some(Box::new(values.clone())))])
            }
            _ => Expr::cust_with_values(self.sqlite, [values.to_string()]),
        }
    }
}
