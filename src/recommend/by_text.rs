//! A text → articles.

use std::collections::HashMap;

use super::fusion::contributions;
use super::pool::gather;
use super::{BestPassage, Ranked, RecommendError, RecommendOptions, Recommender, rank};
use crate::article::ArticleId;
use crate::index::{IndexError, Snapshot};

/// Articles recommended for a text, with the passages that fit it best.
pub struct TextMatches {
    pub ranked: Vec<Ranked>,
    pub passages: HashMap<ArticleId, BestPassage>,
    /// What was searched, to read the passages' texts from.
    pub snapshot: Snapshot,
}

impl Recommender {
    /// The `k` articles that fit `query` best.
    pub async fn by_text(
        &self,
        query: &str,
        k: usize,
        options: &RecommendOptions,
    ) -> Result<TextMatches, RecommendError> {
        // The model is the generation's, also when another one becomes live meanwhile.
        let generation = self.index.live()?;
        let model = self.models.with_fingerprint(generation.fingerprint()).ok_or(IndexError::NotOpen)?;
        let snapshot = self.snapshot(&generation);
        let candidates = gather(&snapshot, query, model.embed_query(query), options).await?;
        let contributions = contributions(&candidates, options);
        let mut passages = HashMap::new();
        let mut ranked = Vec::with_capacity(candidates.len());
        for (candidate, contributions) in candidates.iter().zip(contributions) {
            let cosine = candidate.nearness.map(|nearness| nearness.cosine);
            if !options.keeps(cosine) {
                continue;
            }
            passages.extend(candidate.nearness.map(|nearness| (candidate.article, nearness.passage)));
            ranked.push(Ranked {
                article: candidate.article,
                tier: candidate.tier,
                score: contributions.score(),
                cosine,
                contributions,
            });
        }
        rank(&mut ranked, k);
        passages.retain(|article, _| ranked.iter().any(|ranked| ranked.article == *article));
        Ok(TextMatches { ranked, passages, snapshot })
    }
}
