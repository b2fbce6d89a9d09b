//! Conditions in the SQL that LanceDB understands.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};

use super::rows::Batch;
use crate::article::{ArticleFilter, ArticleId};

/// The rows of a batch's articles that came with another write; empty for an empty batch.
pub fn of_other_writes(batch: &Batch, write: i64) -> String {
    let ids = batch.articles.iter().map(|row| row.article_id).chain(batch.deleted.iter().copied());
    let ids = numbers(ids);
    if ids.is_empty() { ids } else { format!("article_id IN ({ids}) AND \"write\" <> {write}") }
}

/// The rows of these articles.
pub fn of_articles(ids: &[ArticleId]) -> String {
    if ids.is_empty() {
        return "false".to_owned();
    }
    format!("article_id IN ({})", numbers(ids.iter().map(|id| id.0)))
}

/// The rows of articles between two ids, both included; true when the ends of the range of numbers are meant.
pub fn between(first: ArticleId, last: ArticleId) -> String {
    // The query planner computes with the bounds and overflows at the ends.
    let lower = (first.0 > i64::MIN).then(|| format!("article_id >= {first}"));
    let upper = (last.0 < i64::MAX).then(|| format!("article_id <= {last}"));
    let parts: Vec<_> = lower.into_iter().chain(upper).collect();
    if parts.is_empty() { "true".to_owned() } else { parts.join(" AND ") }
}

/// The rows that pass `filter` and belong to none of `excluded`; `None` when all do.
pub fn of_filter(filter: &ArticleFilter, excluded: &[ArticleId]) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(categories) = &filter.category_in {
        parts.push(one_of("category", categories));
    }
    if let Some(categories) = filter.category_not_in.as_ref().filter(|categories| !categories.is_empty()) {
        parts.push(format!("(category IS NULL OR category NOT IN ({}))", strings(categories)));
    }
    if let Some(tags) = &filter.tags_any {
        parts.push(if tags.is_empty() { "false".to_owned() } else { has_any(tags) });
    }
    if let Some(tags) = filter.tags_all.as_ref().filter(|tags| !tags.is_empty()) {
        parts.push(format!("array_has_all(tags, make_array({}))", strings(tags)));
    }
    if let Some(tags) = filter.tags_none.as_ref().filter(|tags| !tags.is_empty()) {
        parts.push(format!("NOT {}", has_any(tags)));
    }
    if let Some(from) = filter.created_from {
        parts.push(format!("created_at >= {}", timestamp(from)));
    }
    if let Some(before) = filter.created_before {
        parts.push(format!("created_at < {}", timestamp(before)));
    }
    if let Some(least) = filter.content_length_min {
        parts.push(format!("content_length >= {least}"));
    }
    if let Some(most) = filter.content_length_max {
        parts.push(format!("content_length <= {most}"));
    }
    if let Some(ids) = &filter.ids_in {
        parts.push(of_articles(ids));
    }
    if let Some(ids) = filter.ids_not_in.as_ref().filter(|ids| !ids.is_empty()) {
        parts.push(not_articles(ids));
    }
    if !excluded.is_empty() {
        parts.push(not_articles(excluded));
    }
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

fn not_articles(ids: &[ArticleId]) -> String {
    format!("article_id NOT IN ({})", numbers(ids.iter().map(|id| id.0)))
}

fn one_of(column: &str, values: &[String]) -> String {
    if values.is_empty() { "false".to_owned() } else { format!("{column} IN ({})", strings(values)) }
}

fn has_any(tags: &[String]) -> String {
    format!("array_has_any(tags, make_array({}))", strings(tags))
}

fn timestamp(time: DateTime<Utc>) -> String {
    format!("timestamp '{}'", time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

fn strings(values: &[String]) -> String {
    let quoted: Vec<_> = values.iter().map(|value| format!("'{}'", value.replace('\'', "''"))).collect();
    quoted.join(", ")
}

/// The parser reads a minus as an operation on a positive number, which the smallest one does not have.
fn number(value: i64) -> String {
    if value == i64::MIN { format!("({} - 1)", value + 1) } else { value.to_string() }
}

fn numbers(values: impl Iterator<Item = i64>) -> String {
    values.fold(String::new(), |mut list, value| {
        let separator = if list.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(list, "{separator}{}", number(value));
        list
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_becomes_one_conjunction() {
        let filter = ArticleFilter {
            category_in: Some(vec!["it's".to_owned()]),
            category_not_in: Some(vec!["x".to_owned()]),
            tags_any: Some(vec!["a".to_owned(), "b".to_owned()]),
            content_length_min: Some(1),
            content_length_max: Some(9),
            ids_not_in: Some(vec![ArticleId(3)]),
            ..ArticleFilter::default()
        };
        assert_eq!(
            of_filter(&filter, &[ArticleId(-1), ArticleId(2)]).as_deref(),
            Some(
                "category IN ('it''s') AND (category IS NULL OR category NOT IN ('x')) \
                 AND array_has_any(tags, make_array('a', 'b')) AND content_length >= 1 \
                 AND content_length <= 9 AND article_id NOT IN (3) \
                 AND article_id NOT IN (-1, 2)"
            )
        );
    }

    #[test]
    fn an_empty_inclusion_lets_nothing_pass_and_an_empty_exclusion_everything() {
        let nothing = ArticleFilter { tags_any: Some(Vec::new()), ..ArticleFilter::default() };
        assert_eq!(of_filter(&nothing, &[]).as_deref(), Some("false"));
        let everything = ArticleFilter {
            category_not_in: Some(Vec::new()),
            tags_none: Some(Vec::new()),
            tags_all: Some(Vec::new()),
            ids_not_in: Some(Vec::new()),
            ..ArticleFilter::default()
        };
        assert_eq!(of_filter(&everything, &[]), None);
    }
}
