//! A text → articles.

use std::collections::HashMap;

use super::arrange::{Ranked, arrange, hide_copies_of};
use super::examples::Examples;
use super::fusion::contributions;
use super::phrases::Phrases;
use super::pool::{POOL, Pool, gather};
use super::semantic::nearness_of;
use super::{BestPassage, Mode, Moment, RecommendError, RecommendOptions, Recommender};
use crate::article::ArticleId;
use crate::index::{Generation, IndexError, QueryWords, Snapshot};

/// Articles recommended for a text, with the passages that fit it best.
pub struct TextMatches {
    pub ranked: Vec<Ranked>,
    pub passages: HashMap<ArticleId, BestPassage>,
    /// Whether every article that fits was ranked, not only the best of them.
    pub complete: bool,
    pub mode: Mode,
    pub(super) phrases: Phrases,
    query: String,
    generation: Generation,
    /// What was searched, to read the passages' texts from.
    pub snapshot: Snapshot,
}

impl TextMatches {
    /// Whether other passages than the nearest may be the best.
    pub fn words_tell_passages(&self) -> bool {
        self.mode != Mode::Semantic || !self.phrases.are_none()
    }

    /// The query's words, as full-text search sees them; cut when they are wanted.
    pub fn words(&self) -> Result<QueryWords, RecommendError> {
        Ok(self.generation.words_of(&self.query)?)
    }
}

impl Recommender {
    /// The `k` articles that fit `query` best.
    pub async fn by_text(
        &self,
        query: &str,
        k: usize,
        options: &RecommendOptions,
        moment: Moment,
    ) -> Result<TextMatches, RecommendError> {
        // The model is the generation's, also when another one becomes live meanwhile.
        let generation = self.index.live()?;
        let model = self.models.with_fingerprint(generation.fingerprint()).ok_or(IndexError::NotOpen)?;
        let snapshot = self.snapshot(&generation, moment).await?;
        let options = options.without_examples();
        let phrases = Phrases::of(query, &generation)?;
        let mut liked = Vec::new();
        let vector = async {
            let embed = async { Ok(model.embed_query(query).await?) };
            let (vector, examples) = futures::try_join!(embed, Examples::of(&snapshot, &options))?;
            liked = examples.liked().to_vec();
            Ok(examples.moved(vector.as_slice().to_vec()))
        };
        // Whatever rearranges the list, or looks for its end, takes articles from anywhere in the pool.
        let rearranged = options.looks_at_articles() || options.autocut.is_some() || !phrases.are_none();
        let wanted = if rearranged { POOL } else { k };
        let Pool { candidates, complete, vector } =
            gather(&snapshot, query, phrases.clone(), vector, wanted, &options).await?;
        let mut passages: HashMap<_, _> = candidates
            .iter()
            .filter_map(|candidate| Some((candidate.article, candidate.nearness?.passage)))
            .collect();
        let contributions = contributions(&candidates, &options);
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
            snapshot.portraits(&articles).await?
        } else {
            HashMap::new()
        };
        hide_copies_of(&liked, &mut candidates, &portraits, &options);
        let mut ranked = arrange(candidates, &portraits, &options, moment.time, k);
        if options.mode == Mode::Keyword {
            let unknown = ranked.iter().filter(|ranked| ranked.cosine.is_none());
            let unknown: Vec<_> = unknown.map(|ranked| ranked.article).collect();
            let near = nearness_of(&snapshot, &vector, &unknown).await?;
            for ranked in &mut ranked {
                ranked.cosine = near.get(&ranked.article).map(|nearness| nearness.cosine).or(ranked.cosine);
            }
            passages.extend(near.into_iter().map(|(article, nearness)| (article, nearness.passage)));
        }
        let (query, mode) = (query.to_owned(), options.mode);
        Ok(TextMatches { ranked, passages, complete, mode, phrases, query, generation, snapshot })
    }
}
