//! Shared tags as relevance: articles that share some should be like each other.

use std::collections::{HashMap, HashSet};

use sentio::evaluation::{Grades, QueryScores};

use crate::corpus::Article;

/// The tags of each article that fewer than a fifth of the articles have.
pub struct SharedTags<'a>(Vec<HashSet<&'a str>>);

impl<'a> SharedTags<'a> {
    pub fn of(articles: &'a [Article]) -> Self {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for tag in articles.iter().flat_map(|article| &article.tags) {
            *counts.entry(tag).or_default() += 1;
        }
        let telling = |tag: &&str| counts[tag] * 5 < articles.len();
        let of_article =
            |article: &'a Article| article.tags.iter().map(String::as_str).filter(telling).collect();
        Self(articles.iter().map(of_article).collect())
    }

    /// nDCG@10 of the articles `ranked` for `article`, which is none of them: the gain is how many tags they share. `None` when
    /// no article shares any.
    pub fn ndcg(&self, article: usize, ranked: &[usize]) -> Option<f64> {
        let shared = |other: usize| self.0[article].intersection(&self.0[other]).count() as f64;
        let others = (0..self.0.len()).filter(|other| *other != article);
        let grades: Grades = others
            .map(|other| (other.to_string(), shared(other)))
            .filter(|(_, shared)| *shared > 0.0)
            .collect();
        let ranked: Vec<_> = ranked.iter().map(usize::to_string).collect();
        let ndcg = || QueryScores::of(ranked.iter().map(String::as_str), &grades).ndcg_at_10;
        (!grades.is_empty()).then(ndcg)
    }
}
