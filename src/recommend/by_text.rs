//! A text → articles.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::arrange::{Ranked, arrange};
use super::examples::Examples;
use super::fusion::contributions;
use super::pool::gather;
use super::{BestPassage, RecommendError, RecommendOptions, Recommender};
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
    /// The `k` articles that fit `query` best, their ages counted up to `now`.
    pub async fn by_text(
        &self,
        query: &str,
        k: usize,
        options: &RecommendOptions,
        now: DateTime<Utc>,
    ) -> Result<TextMatches, RecommendError> {
        // The model is the generation's, also when another one becomes live meanwhile.
        let generation = self.index.live()?;
        let model = self.models.with_fingerprint(generation.fingerprint()).ok_or(IndexError::NotOpen)?;
        let snapshot = self.snapshot(&generation);
        let options = options.without_examples();
        let vector = async {
            let embed = async { Ok(model.embed_query(query).await?) };
            let (vector, examples) = futures::try_join!(embed, Examples::of(&snapshot, &options))?;
            Ok(examples.moved(vector.as_slice().to_vec()))
        };
        let candidates = gather(&snapshot, query, vector, &options).await?;
        let passages: HashMap<_, _> = candidates
            .iter()
            .filter_map(|candidate| Some((candidate.article, candidate.nearness?.passage)))
            .collect();
        let contributions = contributions(&candidates, &options);
        let candidates: Vec<_> = candidates
            .into_iter()
            .zip(contributions)
            .map(|(candidate, contributions)| Ranked {
                article: candidate.article,
                tier: candidate.tier,
                cosine: candidate.nearness.map(|nearness| nearness.cosine),
                contributions,
                reasons: Vec::new(),
            })
            .collect();
        let portraits = if options.looks_at_articles() {
            let articles: Vec<_> = candidates.iter().map(|candidate| candidate.article).collect();
            snapshot.portraits(&articles).await?
        } else {
            HashMap::new()
        };
        let ranked = arrange(candidates, &portraits, &options, now, k);
        Ok(TextMatches { ranked, passages, snapshot })
    }
}
