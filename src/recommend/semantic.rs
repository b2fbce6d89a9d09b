//! How near articles are in meaning to a text: the mean of two cosines, of an article's best passage and of the article as
//! a whole.

use std::collections::{HashMap, HashSet};

use super::{BestPassage, RecommendError, RecommendOptions};
use crate::article::ArticleId;
use crate::index::Snapshot;
use crate::search::PassageHit;

/// Passages searched for each article wanted: an article fills several places with passages of its own. The articles' own vectors
/// are searched beside them, so that few articles are missed.
const PASSAGES_PER_ARTICLE: usize = 2;

/// How near one article is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearness {
    /// The mean of the two cosines, -1 to 1.
    pub cosine: f32,
    pub passage: BestPassage,
}

/// What a search has found: of some articles the best passage, of some the article as a whole, of some both.
#[derive(Default)]
pub struct Found {
    passages: HashMap<ArticleId, PassageHit>,
    wholes: HashMap<ArticleId, f32>,
}

impl Found {
    /// Each once.
    pub fn articles(&self) -> HashSet<ArticleId> {
        self.passages.keys().chain(self.wholes.keys()).copied().collect()
    }
}

/// Articles near to `vector`, of those that pass: the `count` nearest as wholes, and those of the nearest passages, which may be
/// fewer where articles are long.
pub async fn search(
    snapshot: &Snapshot,
    vector: &[f32],
    count: usize,
    options: &RecommendOptions,
) -> Result<Found, RecommendError> {
    let RecommendOptions { filter, exclude, .. } = options;
    let vectors = [vector.to_vec()];
    let passages = snapshot.nearest_passages(vector, count * PASSAGES_PER_ARTICLE, filter, exclude).await?;
    let wholes = snapshot.nearest_articles(&vectors, count, filter, exclude).await?;
    Ok(Found {
        passages: best_of_each(passages),
        wholes: wholes.into_iter().flatten().map(|hit| (hit.article, hit.cosine)).collect(),
    })
}

/// How near the articles of `found` and `others` are: what is lacking is asked for by id.
pub fn complete(
    snapshot: &Snapshot,
    vector: &[f32],
    mut found: Found,
    others: &[ArticleId],
) -> Result<HashMap<ArticleId, Nearness>, RecommendError> {
    let mut articles = found.articles();
    articles.extend(others);
    let lack_passage = missing(articles.iter(), &found.passages);
    let lack_whole = missing(articles.iter(), &found.wholes);
    found.passages.extend(snapshot.nearest_passage_of_each(vector, &lack_passage)?);
    found.wholes.extend(snapshot.cosines_of(vector, &lack_whole)?);
    Ok(joined(&found.passages, &found.wholes).collect())
}

/// How near each of `articles` is; those that are not indexed are absent.
pub fn nearness_of(
    snapshot: &Snapshot,
    vector: &[f32],
    articles: &[ArticleId],
) -> Result<HashMap<ArticleId, Nearness>, RecommendError> {
    complete(snapshot, vector, Found::default(), articles)
}

fn best_of_each(hits: Vec<PassageHit>) -> HashMap<ArticleId, PassageHit> {
    let mut best = HashMap::new();
    for hit in hits {
        // The nearest come first.
        best.entry(hit.span.article).or_insert(hit);
    }
    best
}

fn missing<'a, T>(
    articles: impl Iterator<Item = &'a ArticleId>,
    known: &HashMap<ArticleId, T>,
) -> Vec<ArticleId> {
    articles.copied().filter(|article| !known.contains_key(article)).collect()
}

fn joined<'a>(
    passages: &'a HashMap<ArticleId, PassageHit>,
    wholes: &'a HashMap<ArticleId, f32>,
) -> impl Iterator<Item = (ArticleId, Nearness)> + 'a {
    passages.iter().filter_map(|(article, hit)| {
        let cosine = f32::midpoint(hit.cosine, *wholes.get(article)?);
        Some((*article, Nearness { cosine, passage: hit.span.into() }))
    })
}
