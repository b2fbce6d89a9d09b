//! A page of recommendations.

use async_graphql::{Object, SimpleObject};

use super::{PageInfo, Recommendation};
use crate::graphql::recommendation_cursor::RecommendationCursor;

/// A page of recommendations (a Relay connection).
pub struct RecommendationConnection {
    /// An article that was deleted since the list began is left out, its place stays.
    pub edges: Vec<(RecommendationCursor, Recommendation)>,
    /// How many places lie before the page.
    pub before: usize,
    /// How many places lie before its end.
    pub end: usize,
    /// Places in all.
    pub length: usize,
    /// The same, when all that fit are among them.
    pub total_count: Option<usize>,
    /// The cursor of the beginning.
    pub begin: RecommendationCursor,
}

/// A recommendation of a page and its place in the list.
#[derive(SimpleObject)]
pub struct RecommendationEdge<'a> {
    /// The recommendation.
    node: &'a Recommendation,
    /// The place, for `after`.
    cursor: String,
}

/// A page of recommendations (a Relay connection).
#[Object]
impl RecommendationConnection {
    /// The recommendations with their places, best first.
    async fn edges(&self) -> Vec<RecommendationEdge<'_>> {
        self.edges.iter().map(|(cursor, node)| RecommendationEdge { node, cursor: cursor.encode() }).collect()
    }

    /// The recommendations, best first.
    async fn nodes(&self) -> Vec<&Recommendation> {
        self.edges.iter().map(|(_, recommendation)| recommendation).collect()
    }

    /// Where this page lies in the list.
    async fn page_info(&self) -> PageInfo {
        let cursor = |places: usize| (self.end > self.before).then(|| self.begin.after(places).encode());
        PageInfo::Known {
            has_previous: self.before > 0,
            has_next: self.end < self.length,
            start: cursor(self.before + 1),
            end: cursor(self.end),
        }
    }

    /// How many the whole list has, without those that `perCategory`, `nearDuplicates` and `autocut` keep out, and with those
    /// that were deleted since its first page. Null when that is not known: the list ends after the best 200 by each likeness, and there are more; or the article is not indexed yet.
    async fn total_count(&self) -> Option<usize> {
        self.total_count
    }
}
