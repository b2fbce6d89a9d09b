//! Shared tags as relevance: articles that share some should be like each other.

use std::collections::{HashMap, HashSet};

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
        let shared = |other: &usize| self.0[article].intersection(&self.0[*other]).count() as f64;
        let gain = |gains: &[f64]| -> f64 {
            gains.iter().take(10).enumerate().map(|(rank, gain)| gain / (rank as f64 + 2.0).log2()).sum()
        };
        let others: Vec<_> = (0..self.0.len()).filter(|other| *other != article).collect();
        let mut ideal: Vec<_> = others.iter().map(shared).collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        let best = gain(&ideal);
        (best > 0.0).then(|| gain(&ranked.iter().map(shared).collect::<Vec<_>>()) / best)
    }
}
