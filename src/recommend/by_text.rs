//! A text → articles: the passages nearest to it, grouped by article and mixed with the articles' own vectors.

use std::collections::HashMap;

use super::{BestPassage, Ranked, RecommendError, RecommendOptions, Recommender, rank};
use crate::article::{ArticleFilter, ArticleId};
use crate::index::{IndexError, PassageHit, Snapshot};

/// Passages searched for each article wanted: an article fills several places with passages of its own.
const PASSAGES_PER_ARTICLE: usize = 4;
/// Searches of passages before the rest is taken from the articles' own vectors.
const ROUNDS: usize = 3;
/// The share of an article's best passage in its score; the rest is the article's vector.
const PASSAGE_SHARE: f32 = 0.5;

/// Articles recommended for a text, with the passages that fit it best.
pub struct TextMatches {
    pub ranked: Vec<Ranked>,
    pub passages: HashMap<ArticleId, BestPassage>,
    /// What was searched, to read the passages' texts from.
    pub snapshot: Snapshot,
}

impl Recommender {
    /// The `k` articles nearest in meaning to `query`.
    ///
    /// An article's score is the mean of two cosines: of its best passage and of its own vector.
    pub async fn by_text(
        &self,
        query: &str,
        k: usize,
        options: &RecommendOptions,
    ) -> Result<TextMatches, RecommendError> {
        // The model is the generation's, also when another one becomes live meanwhile.
        let generation = self.index.live()?;
        let model = self.models.with_fingerprint(generation.fingerprint()).ok_or(IndexError::NotOpen)?;
        let vector = model.embed_query(query).await?;
        let snapshot = generation.snapshot();
        let best = nearest_articles(&snapshot, vector.as_slice(), k, options).await?;
        let articles: Vec<_> = best.keys().copied().collect();
        let article_vectors = snapshot.article_vectors(&articles).await?;

        let mut ranked: Vec<_> = best
            .values()
            .map(|hit| {
                let whole = article_vectors
                    .get(&hit.article)
                    .map_or(hit.cosine, |article| dot(article, vector.as_slice()));
                let score = PASSAGE_SHARE * hit.cosine + (1.0 - PASSAGE_SHARE) * whole;
                Ranked { article: hit.article, score }
            })
            .filter(|ranked| options.keeps(ranked.score))
            .collect();
        rank(&mut ranked, k);
        let passages = ranked
            .iter()
            .filter_map(|ranked| best.get(&ranked.article))
            .map(|hit| (hit.article, BestPassage { revision: hit.revision, start: hit.start, end: hit.end }));
        Ok(TextMatches { passages: passages.collect(), ranked, snapshot })
    }
}

/// The best passage of each article, of at least `k` articles where there are as many.
///
/// An article may fill all places with passages of its own, so each further round leaves out the articles found.
async fn nearest_articles(
    snapshot: &Snapshot,
    vector: &[f32],
    k: usize,
    options: &RecommendOptions,
) -> Result<HashMap<ArticleId, PassageHit>, RecommendError> {
    let limit = k * PASSAGES_PER_ARTICLE;
    let mut best: HashMap<ArticleId, PassageHit> = HashMap::new();
    for _ in 0..ROUNDS {
        let excluded: Vec<_> = options.exclude.iter().copied().chain(best.keys().copied()).collect();
        let hits = snapshot.nearest_passages(vector, limit, &options.filter, &excluded).await?;
        let exhausted = hits.len() < limit;
        for hit in hits {
            let known = best.entry(hit.article).or_insert(hit);
            if hit.cosine > known.cosine {
                *known = hit;
            }
        }
        if exhausted || best.len() >= k {
            return Ok(best);
        }
    }
    fill_up(snapshot, vector, k, options, &mut best).await?;
    Ok(best)
}

/// Adds the articles whose own vectors are nearest; the best passage is looked for in each alone.
async fn fill_up(
    snapshot: &Snapshot,
    vector: &[f32],
    k: usize,
    options: &RecommendOptions,
    best: &mut HashMap<ArticleId, PassageHit>,
) -> Result<(), RecommendError> {
    let excluded: Vec<_> = options.exclude.iter().copied().chain(best.keys().copied()).collect();
    let missing = k - best.len();
    let found = snapshot.nearest_articles(&[vector.to_vec()], missing, &options.filter, &excluded).await?;
    for hit in found.into_iter().flatten() {
        let only = ArticleFilter { ids_in: Some(vec![hit.article]), ..ArticleFilter::default() };
        let passages = snapshot.nearest_passages(vector, 1, &only, &[]).await?;
        best.extend(passages.into_iter().map(|passage| (hit.article, passage)));
    }
    Ok(())
}

/// The cosine of two unit vectors.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
