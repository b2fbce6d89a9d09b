//! The articles among which a list is ranked: a fixed number from each leg, however many are asked for, so that a longer
//! list begins as a shorter one and what is far down changes nothing above.

use std::collections::{HashMap, HashSet};

use super::phrases::Phrases;
use super::semantic::{self, Found, Nearness, search};
use super::tier::Tiers;
use super::{Mode, RecommendError, RecommendOptions, Tier};
use crate::article::ArticleId;
use crate::index::Snapshot;
use crate::search::LookedFor;

/// Articles that each leg brings.
pub const POOL: usize = 200;

/// An article of the pool, with both likenesses to the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    pub article: ArticleId,
    pub tier: Tier,
    /// Absent for an article of which the index has no vector, and where nothing is told of nearness.
    pub nearness: Option<Nearness>,
    /// 0 for an article that shares no word with the text.
    pub bm25: f32,
}

/// A text, and what is looked for of it.
pub struct Query<'a> {
    pub text: &'a str,
    pub looked_for: &'a LookedFor,
    pub phrases: &'a Phrases,
}

/// What a list is ranked among.
pub struct Pool {
    pub candidates: Vec<Candidate>,
    /// Whether it has every article that fits: neither leg has found as many as it may bring, nor have the names.
    pub complete: bool,
    /// What was searched for in meaning.
    pub vector: Option<Vec<f32>>,
}

/// Both legs search the same snapshot, and each article that either finds gets both scores. Without the text's `vector`, candidates
/// have no `nearness`.
pub async fn gather(
    snapshot: &Snapshot,
    query: &Query<'_>,
    vector: Option<impl Future<Output = Result<Vec<f32>, RecommendError>>>,
    options: &RecommendOptions,
) -> Result<Pool, RecommendError> {
    let Query { text, looked_for, phrases } = query;
    let RecommendOptions { mode, filter, exclude, weights, .. } = options;
    let counts_words = *mode != Mode::Semantic;
    let matches = (counts_words || !phrases.are_none()).then(|| looked_for.matches());
    let tiers = Tiers::find(snapshot, text, phrases, options)?;
    let matching = matches.as_ref().filter(|_| counts_words);
    let best = matching.map_or_else(Vec::new, |matches| matches.best(POOL, filter, exclude));
    let vector = match vector {
        Some(vector) => Some(vector.await?),
        None => None,
    };
    let found = match (mode, &vector) {
        (Mode::Semantic | Mode::Hybrid, Some(vector)) => search(snapshot, vector, POOL, options).await?,
        _ => Found::default(),
    };
    let found_near = found.articles();
    // Fewer than asked for are all that there are.
    let complete = best.len() < POOL && found_near.len() < POOL && !tiers.are_many();
    let mut articles: HashSet<_> =
        best.iter().map(|hit| hit.article).chain(tiers.best(matches.as_ref())).collect();
    let not_near: Vec<_> = articles.iter().copied().collect();
    let near = match &vector {
        Some(vector) => semantic::complete(snapshot, vector, found, &not_near)?,
        None => HashMap::new(),
    };
    articles.extend(nearest(&found_near, &near));
    let mut articles: Vec<_> = articles.into_iter().collect();
    articles.sort_unstable();
    let bm25 = |article| matching.map_or(0.0, |matches| matches.of(article));
    // Where meaning counts nothing, what it has brought matches nothing.
    if *mode == Mode::Hybrid && weights.semantic == 0.0 {
        articles.retain(|article| bm25(*article) > 0.0 || tiers.of(*article) < Tier::Rest);
    }
    let candidate = |article| Candidate {
        article,
        tier: tiers.of(article),
        nearness: near.get(&article).copied(),
        bm25: bm25(article),
    };
    Ok(Pool { candidates: articles.into_iter().map(candidate).collect(), complete, vector })
}

/// The first of `found`, as many as a leg brings.
fn nearest(found: &HashSet<ArticleId>, near: &HashMap<ArticleId, Nearness>) -> Vec<ArticleId> {
    let mut nearest: Vec<_> =
        found.iter().filter_map(|article| Some((near.get(article)?.cosine, *article))).collect();
    nearest.sort_by(|(one, a), (other, b)| other.total_cmp(one).then(a.cmp(b)));
    nearest.into_iter().take(POOL).map(|(_, article)| article).collect()
}
