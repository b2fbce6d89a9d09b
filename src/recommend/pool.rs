//! The articles among which a list is ranked: a fixed number from each leg, however many are asked for, so that a longer
//! list begins as a shorter one and what is far down changes nothing above.

use std::collections::{HashMap, HashSet};

use super::phrases::Phrases;
use super::semantic::{self, Found, Nearness, search};
use super::tier::Tiers;
use super::{Mode, RecommendError, RecommendOptions, Tier};
use crate::article::ArticleId;
use crate::index::{Snapshot, Words};

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

/// What a list is ranked among.
pub struct Pool {
    pub candidates: Vec<Candidate>,
    /// Whether it has every article that fits: neither leg has found as many as it may bring, nor have the names.
    pub complete: bool,
    /// What was searched for in meaning.
    pub vector: Option<Vec<f32>>,
}

/// Both legs search one snapshot side by side; what a leg did not find of the other's articles is then asked for by id, all
/// at once. Without the text's `vector`, by words alone, nothing is told of nearness.
pub async fn gather(
    snapshot: &Snapshot,
    text: &str,
    phrases: Phrases,
    vector: Option<impl Future<Output = Result<Vec<f32>, RecommendError>>>,
    options: &RecommendOptions,
) -> Result<Pool, RecommendError> {
    let semantic = async {
        let Some(vector) = vector else { return Ok((None, Found::default())) };
        let vector = vector.await?;
        let found = match options.mode {
            Mode::Semantic | Mode::Hybrid => search(snapshot, &vector, POOL, options).await?,
            Mode::Keyword => Found::default(),
        };
        Ok((Some(vector), found))
    };
    let keyword = async {
        let matching = match options.mode {
            Mode::Keyword | Mode::Hybrid => {
                snapshot.best_matches(text, Words::Any, POOL, &options.filter, &options.exclude).await?
            }
            Mode::Semantic => Vec::new(),
        };
        Ok::<_, RecommendError>(matching)
    };
    let ((vector, found), matching, mut tiers) =
        futures::try_join!(semantic, keyword, Tiers::find(snapshot, text, phrases, options))?;
    let found_near = found.articles();
    // Fewer than asked for are all that there are.
    let all_matches = matching.len() < POOL;
    let complete = all_matches && found_near.len() < POOL && !tiers.more_are_named();
    let mut matching: HashMap<_, _> = matching.into_iter().map(|hit| (hit.article, hit.bm25)).collect();
    let mut articles: HashSet<_> = matching.keys().chain(tiers.articles()).copied().collect();
    let not_near: Vec<_> = articles.iter().copied().collect();
    let not_matching = match options.mode {
        Mode::Hybrid | Mode::Keyword if !all_matches => {
            lacking(found_near.iter().chain(tiers.articles()), &matching)
        }
        _ => Vec::new(),
    };
    let near = async {
        match &vector {
            Some(vector) => semantic::complete(snapshot, vector, found, &not_near),
            None => Ok(HashMap::new()),
        }
    };
    let more_matching = async { Ok(snapshot.matches_of(text, &not_matching).await?) };
    let (near, more_matching) = futures::try_join!(near, more_matching)?;
    matching.extend(more_matching);
    articles.extend(nearest(&found_near, &near));
    tiers.examine(snapshot, text, articles.iter().copied()).await?;
    let mut articles: Vec<_> = articles.into_iter().collect();
    articles.sort_unstable();
    // Where meaning counts nothing, what it has brought matches nothing.
    if options.mode == Mode::Hybrid && options.weights.semantic == 0.0 {
        articles.retain(|article| matching.contains_key(article) || tiers.of(*article) < Tier::Rest);
    }
    let candidate = |article| Candidate {
        article,
        tier: tiers.of(article),
        nearness: near.get(&article).copied(),
        bm25: matching.get(&article).copied().unwrap_or(0.0),
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

/// Those of `articles` that are not in `known`, each once.
fn lacking<'a, T>(
    articles: impl Iterator<Item = &'a ArticleId>,
    known: &HashMap<ArticleId, T>,
) -> Vec<ArticleId> {
    let lacking: HashSet<_> = articles.copied().filter(|article| !known.contains_key(article)).collect();
    lacking.into_iter().collect()
}
