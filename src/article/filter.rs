//! Which articles a client wants: one shape for lists (SQL) and for recommendations (the index).

use chrono::{DateTime, Utc};

use super::ArticleId;

/// A conjunction: an article passes when every part that is set lets it pass.
///
/// An empty `…_in` list lets nothing pass; an empty exclusion excludes nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArticleFilter {
    /// The category is one of these.
    pub category_in: Option<Vec<String>>,
    /// The category is none of these; an article without a category passes.
    pub category_not_in: Option<Vec<String>>,
    /// At least one of these tags.
    pub tags_any: Option<Vec<String>>,
    /// All of these tags.
    pub tags_all: Option<Vec<String>>,
    /// None of these tags.
    pub tags_none: Option<Vec<String>>,
    /// Created at this time or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Created before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// At least as many characters of content: code points, as both databases count.
    pub content_length_min: Option<u32>,
    /// At most as many characters of content.
    pub content_length_max: Option<u32>,
    /// One of these articles.
    pub ids_in: Option<Vec<ArticleId>>,
    /// None of these articles.
    pub ids_not_in: Option<Vec<ArticleId>>,
}

/// What a filter looks at, apart from the id.
#[derive(Clone, Debug, PartialEq)]
pub struct ArticleFacets {
    pub category: Option<String>,
    pub tags: Vec<String>,
    pub created_at: DateTime<Utc>,
    /// In characters.
    pub content_length: u32,
}

impl ArticleFilter {
    /// Whether an article passes: the same answer as SQL's and the index's.
    pub fn passes(&self, article: ArticleId, facets: &ArticleFacets) -> bool {
        let category_in =
            |list: &Vec<String>| facets.category.as_ref().is_some_and(|category| list.contains(category));
        let has_any = |list: &Vec<String>| list.iter().any(|tag| facets.tags.contains(tag));
        self.category_in.as_ref().is_none_or(category_in)
            && !self.category_not_in.as_ref().is_some_and(category_in)
            && self.tags_any.as_ref().is_none_or(has_any)
            && self.tags_all.as_ref().is_none_or(|list| list.iter().all(|tag| facets.tags.contains(tag)))
            && !self.tags_none.as_ref().is_some_and(has_any)
            && self.created_from.is_none_or(|from| facets.created_at >= from)
            && self.created_before.is_none_or(|before| facets.created_at < before)
            && self.content_length_min.is_none_or(|least| facets.content_length >= least)
            && self.content_length_max.is_none_or(|most| facets.content_length <= most)
            && self.ids_in.as_ref().is_none_or(|list| list.contains(&article))
            && !self.ids_not_in.as_ref().is_some_and(|list| list.contains(&article))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_must_let_it_pass() {
        let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let facets = ArticleFacets {
            category: Some("Food".to_owned()),
            tags: vec!["a".to_owned(), "b".to_owned()],
            created_at: time("2026-11-01T00:00:00Z"),
            content_length: 100,
        };
        let plain = ArticleFacets { category: None, tags: Vec::new(), content_length: 0, ..facets.clone() };
        let list = |values: &[&str]| Some(values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>());
        let ids = |values: &[i64]| Some(values.iter().copied().map(ArticleId).collect::<Vec<_>>());
        let any = ArticleFilter::default;
        let cases = [
            (any(), true, true),
            (ArticleFilter { category_in: list(&["Food"]), ..any() }, true, false),
            (ArticleFilter { category_in: list(&[]), ..any() }, false, false),
            (ArticleFilter { category_not_in: list(&["Food"]), ..any() }, false, true),
            (ArticleFilter { tags_any: list(&["b", "x"]), ..any() }, true, false),
            (ArticleFilter { tags_all: list(&["a", "x"]), ..any() }, false, false),
            (ArticleFilter { tags_all: list(&[]), ..any() }, true, true),
            (ArticleFilter { tags_none: list(&["b"]), ..any() }, false, true),
            (ArticleFilter { created_from: Some(facets.created_at), ..any() }, true, true),
            (ArticleFilter { created_before: Some(facets.created_at), ..any() }, false, false),
            (ArticleFilter { content_length_min: Some(100), ..any() }, true, false),
            (ArticleFilter { content_length_min: Some(101), ..any() }, false, false),
            (ArticleFilter { content_length_max: Some(100), ..any() }, true, true),
            (ArticleFilter { content_length_max: Some(99), ..any() }, false, true),
            (ArticleFilter { ids_in: ids(&[7]), ..any() }, true, true),
            (ArticleFilter { ids_not_in: ids(&[7]), ..any() }, false, false),
        ];
        for (filter, with_facets, without) in cases {
            assert_eq!(filter.passes(ArticleId(7), &facets), with_facets, "{filter:?}");
            assert_eq!(filter.passes(ArticleId(7), &plain), without, "{filter:?}");
        }
    }
}
