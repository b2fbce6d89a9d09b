//! A text → articles.

use std::collections::HashMap;

use tokio::sync::OnceCell;

use super::arrange::{Ranked, arrange, hide_copies_of};
use super::examples::Examples;
use super::fusion::contributions;
use super::phrases::Phrases;
use super::pool::{Pool, Query, gather};
use super::semantic::{Nearness, nearness_of};
use super::{Mode, Moment, RecommendError, RecommendOptions, Recommender, Weights};
use crate::article::ArticleId;
use crate::embedding::Embedder;
use crate::index::{IndexError, Snapshot};
use crate::search::LookedFor;
use crate::words::{Analyzer, QueryWords};

/// Articles recommended for a text.
pub struct TextMatches {
    pub ranked: Vec<Ranked>,
    /// Whether every article that fits was ranked, not only the best of them.
    pub complete: bool,
    pub mode: Mode,
    pub(super) weights: Weights,
    pub(super) phrases: Phrases,
    query: String,
    pub(super) analyzer: Analyzer,
    pub(super) words: QueryWords,
    pub(super) looked_for: LookedFor,
    model: Embedder,
    /// What was searched for in meaning: the text, moved by examples. By words alone, the text when meaning is asked for.
    vector: OnceCell<Vec<f32>>,
    nearness: OnceCell<HashMap<ArticleId, Nearness>>,
    /// What was searched, to read the passages' texts from.
    pub snapshot: Snapshot,
}

impl TextMatches {
    /// Whether other passages than the nearest may be the best.
    pub fn words_tell_passages(&self) -> bool {
        self.mode != Mode::Semantic || !self.phrases.are_none()
    }

    /// How near a listed article is; absent when the index has no vector of it. By words alone, the text is embedded, and all
    /// listed articles looked up, when the first is asked for.
    pub async fn nearness(&self, article: ArticleId) -> Result<Option<Nearness>, RecommendError> {
        let look_up = || async {
            let listed: Vec<_> = self.ranked.iter().map(|ranked| ranked.article).collect();
            nearness_of(&self.snapshot, self.vector().await?, &listed)
        };
        Ok(self.nearness.get_or_try_init(look_up).await?.get(&article).copied())
    }

    pub(super) async fn vector(&self) -> Result<&[f32], RecommendError> {
        let embed = || async {
            Ok::<_, RecommendError>(self.model.embed_query(&self.query).await?.as_slice().to_vec())
        };
        Ok(self.vector.get_or_try_init(embed).await?)
    }
}

impl Recommender {
    /// The `k` articles that fit `query` best. By words alone examples change nothing.
    pub async fn by_text(
        &self,
        query: &str,
        k: usize,
        options: &RecommendOptions,
        moment: Moment,
    ) -> Result<TextMatches, RecommendError> {
        let _turn = self.turns.take().await;
        // The model is the generation's, also when another one becomes live meanwhile.
        let generation = self.index.live()?;
        let model = self.models.with_fingerprint(generation.fingerprint()).ok_or(IndexError::NotOpen)?;
        let snapshot = self.snapshot(&generation, moment).await?;
        let options = options.without_examples();
        let analyzer = generation.analyzer();
        let words = analyzer.query(query);
        let looked_for = snapshot.view()?.looked_for(&words);
        let phrases = Phrases::of(query, &analyzer, &snapshot)?;
        let mut liked = Vec::new();
        let vector = async {
            let vector = model.embed_query(query).await?;
            let examples = Examples::of(&snapshot, &options)?;
            liked = examples.liked().to_vec();
            Ok(examples.moved(vector.as_slice().to_vec()))
        };
        let needs_vector = options.mode != Mode::Keyword || options.min_score.is_some();
        let vector = needs_vector.then_some(vector);
        let Pool { candidates, complete, vector } = gather(
            &snapshot,
            &Query { text: query, looked_for: &looked_for, phrases: &phrases },
            vector,
            &options,
        )
        .await?;
        let nearness =
            candidates.iter().filter_map(|candidate| Some((candidate.article, candidate.nearness?)));
        let nearness = needs_vector.then(|| nearness.collect());
        let contributions = contributions(&candidates, &looked_for, &options);
        let mut candidates: Vec<_> = candidates
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
            snapshot.portraits(&articles)?
        } else {
            HashMap::new()
        };
        hide_copies_of(&liked, &mut candidates, &portraits, &options);
        let ranked = arrange(candidates, &portraits, &options, moment.time, k);
        Ok(TextMatches {
            ranked,
            complete,
            mode: options.mode,
            weights: options.weights,
            phrases,
            query: query.to_owned(),
            analyzer,
            words,
            looked_for,
            model,
            vector: OnceCell::new_with(vector),
            nearness: OnceCell::new_with(nearness),
            snapshot,
        })
    }
}
