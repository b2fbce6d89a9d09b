//! The articles among which a list is ranked: a fixed number from each leg, however many are asked for, so that a longer
//! list begins as a shorter one and what is far down changes nothing above.

use std::collections::{HashMap, HashSet};

use super::semantic::{Nearness, nearest, nearness_of};
use super::tier::tiers;
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
    /// Absent for an article without any passage that is near.
    pub nearness: Option<Nearness>,
    /// 0 for an article that shares no word with the text.
    pub bm25: f32,
}

/// What a list is ranked among.
pub struct Pool {
    pub candidates: Vec<Candidate>,
    /// Whether it has every article that fits: neither leg has found as many as it may bring.
    pub complete: bool,
    /// Of the text.
    pub vector: Vec<f32>,
}

/// Both legs search one snapshot side by side; what a leg did not find of the other's articles is asked for by id.
pub async fn gather(
    snapshot: &Snapshot,
    text: &str,
    vector: impl Future<Output = Result<Vec<f32>, RecommendError>>,
    options: &RecommendOptions,
) -> Result<Pool, RecommendError> {
    let semantic = async {
        let vector = vector.await?;
        let near = match options.mode {
            Mode::Semantic | Mode::Hybrid => nearest(snapshot, &vector, POOL, options).await?,
            Mode::Keyword => HashMap::new(),
        };
        Ok((vector, near))
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
    let ((vector, mut near), matching, tiers) =
        futures::try_join!(semantic, keyword, tiers(snapshot, text, options))?;
    // Fewer than asked for are all that there are.
    let all_matches = matching.len() < POOL;
    let complete = all_matches && near.len() < POOL;
    let mut matching: HashMap<_, _> = matching.into_iter().map(|hit| (hit.article, hit.bm25)).collect();
    // By words alone, how near an article is matters where it is told: of the few that are listed.
    let not_near = match options.mode {
        Mode::Keyword if options.min_score.is_none() => Vec::new(),
        _ => lacking(matching.keys().chain(tiers.keys()), &near),
    };
    let not_matching = match options.mode {
        Mode::Hybrid | Mode::Keyword if !all_matches => lacking(near.keys().chain(tiers.keys()), &matching),
        _ => Vec::new(),
    };
    let (more_near, more_matching) = futures::try_join!(nearness_of(snapshot, &vector, &not_near), async {
        Ok(snapshot.matches_of(text, &not_matching).await?)
    },)?;
    near.extend(more_near);
    matching.extend(more_matching);
    let mut articles: Vec<_> = near.keys().chain(matching.keys()).chain(tiers.keys()).copied().collect();
    articles.sort_unstable();
    articles.dedup();
    let candidate = |article| Candidate {
        article,
        tier: tiers.get(&article).copied().unwrap_or(Tier::Rest),
        nearness: near.get(&article).copied(),
        bm25: matching.get(&article).copied().unwrap_or(0.0),
    };
    Ok(Pool { candidates: articles.into_iter().map(candidate).collect(), complete, vector })
}

/// Those of `articles` that are not in `known`, each once.
fn lacking<'a, T>(
    articles: impl Iterator<Item = &'a ArticleId>,
    known: &HashMap<ArticleId, T>,
) -> Vec<ArticleId> {
    let lacking: HashSet<_> = articles.copied().filter(|article| !known.contains_key(article)).collect();
    lacking.into_iter().collect()
}
