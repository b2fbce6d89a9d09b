//! How near articles are in meaning to a text: the mean of two cosines, of an article's best passage and of the article as
//! a whole.

use std::collections::{HashMap, HashSet};

use super::{BestPassage, RecommendError, RecommendOptions};
use crate::article::ArticleId;
use crate::index::{PassageHit, Snapshot};

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
pub struct Found {
    passages: HashMap<ArticleId, PassageHit>,
    wholes: HashMap<ArticleId, f32>,
    /// The largest cosine that a passage, and an article as a whole, can have that the search has not brought.
    passage_beyond: f32,
    whole_beyond: f32,
}

impl Default for Found {
    /// Nothing, and all may have been missed.
    fn default() -> Self {
        Self { passages: HashMap::new(), wholes: HashMap::new(), passage_beyond: 1.0, whole_beyond: 1.0 }
    }
}

impl Found {
    /// Each once.
    pub fn articles(&self) -> HashSet<ArticleId> {
        self.passages.keys().chain(self.wholes.keys()).copied().collect()
    }

    /// Leaves out what cannot be among the `wanted` nearest, whatever the cosine is that it lacks: no larger than the
    /// least that its search has brought. (The threshold algorithm of Fagin, Lotem and Naor, 2003.)
    pub fn leave_out_far(&mut self, wanted: usize) {
        let mut known: Vec<_> =
            joined(&self.passages, &self.wholes).map(|(_, nearness)| nearness.cosine).collect();
        if wanted == 0 || known.len() < wanted {
            return;
        }
        let (_, least, _) = known.select_nth_unstable_by(wanted - 1, |a, b| b.total_cmp(a));
        let least = *least;
        let Self { passages, wholes, passage_beyond, whole_beyond } = self;
        passages.retain(|article, hit| {
            wholes.contains_key(article) || f32::midpoint(hit.cosine, *whole_beyond) >= least
        });
        wholes.retain(|article, cosine| {
            passages.contains_key(article) || f32::midpoint(*cosine, *passage_beyond) >= least
        });
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
    let passages_wanted = count * PASSAGES_PER_ARTICLE;
    let (passages, wholes) = futures::try_join!(
        snapshot.nearest_passages(vector, passages_wanted, filter, exclude),
        snapshot.nearest_articles(&vectors, count, filter, exclude),
    )?;
    let wholes: Vec<_> = wholes.into_iter().flatten().collect();
    Ok(Found {
        passage_beyond: beyond(passages.iter().map(|hit| hit.cosine), passages_wanted),
        whole_beyond: beyond(wholes.iter().map(|hit| hit.cosine), count),
        passages: best_of_each(passages),
        wholes: wholes.into_iter().map(|hit| (hit.article, hit.cosine)).collect(),
    })
}

/// The least of as many cosines as were wanted. Fewer are all that there are: what lacks one is not indexed as it should be.
fn beyond(cosines: impl ExactSizeIterator<Item = f32>, wanted: usize) -> f32 {
    if cosines.len() < wanted { 1.0 } else { cosines.fold(1.0, f32::min) }
}

/// How near the articles of `found` and `others` are: what is lacking is asked for by id.
pub async fn complete(
    snapshot: &Snapshot,
    vector: &[f32],
    mut found: Found,
    others: &[ArticleId],
) -> Result<HashMap<ArticleId, Nearness>, RecommendError> {
    let mut articles = found.articles();
    articles.extend(others);
    let lack_passage = missing(articles.iter(), &found.passages);
    let lack_whole = missing(articles.iter(), &found.wholes);
    let (passages, wholes) = futures::try_join!(
        snapshot.nearest_passage_of_each(vector, &lack_passage),
        snapshot.cosines_of(vector, &lack_whole),
    )?;
    found.passages.extend(passages);
    found.wholes.extend(wholes);
    Ok(joined(&found.passages, &found.wholes).collect())
}

/// How near each of `articles` is; those that are not indexed are absent.
pub async fn nearness_of(
    snapshot: &Snapshot,
    vector: &[f32],
    articles: &[ArticleId],
) -> Result<HashMap<ArticleId, Nearness>, RecommendError> {
    complete(snapshot, vector, Found::default(), articles).await
}

fn best_of_each(hits: Vec<PassageHit>) -> HashMap<ArticleId, PassageHit> {
    let mut best = HashMap::new();
    for hit in hits {
        hit.keep_nearest(&mut best);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::PassageSpan;

    fn passage(article: i64, cosine: f32) -> PassageHit {
        let span = PassageSpan { article: ArticleId(article), revision: 1, start: 0, end: 1 };
        PassageHit { span, cosine }
    }

    /// The searches bring the best by each cosine; what is left out is never among the best by their mean.
    #[test]
    fn what_may_be_among_the_nearest_is_left() {
        let both = |article: i64| {
            let cosine = |factor: i64| (article * factor % 997) as f32 / 997.0;
            (ArticleId(article), cosine(389), cosine(617))
        };
        let articles: Vec<_> = (1..997).map(both).collect();
        let mut by_passage = articles.clone();
        by_passage.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut by_whole = articles.clone();
        by_whole.sort_by(|a, b| b.2.total_cmp(&a.2));
        let mut lefts = Vec::new();
        for (passages, wholes, wanted) in [(400, 200, 10), (100, 50, 1), (50, 50, 3), (10, 10, 10), (3, 2, 0)]
        {
            let mut found = Found {
                passages: by_passage[..passages]
                    .iter()
                    .map(|(id, cosine, _)| (*id, passage(id.0, *cosine)))
                    .collect(),
                wholes: by_whole[..wholes].iter().map(|(id, _, cosine)| (*id, *cosine)).collect(),
                passage_beyond: by_passage[passages - 1].1,
                whole_beyond: by_whole[wholes - 1].2,
            };
            let all = found.articles();
            let mut best: Vec<_> = articles.iter().filter(|article| all.contains(&article.0)).collect();
            best.sort_by(|a, b| (b.1 + b.2).total_cmp(&(a.1 + a.2)));
            found.leave_out_far(wanted);
            let left = found.articles();
            assert!(
                best[..wanted].iter().all(|article| left.contains(&article.0)),
                "{passages} {wholes} {wanted}"
            );
            lefts.push((all.len(), left.len()));
        }
        assert!(lefts[0].1 < lefts[0].0 / 2, "much is left out: {lefts:?}");
        assert_eq!(lefts[4].0, lefts[4].1, "nothing is known of how far is too far");
    }

    #[test]
    fn a_search_that_has_brought_all_tells_nothing_of_what_is_not_indexed() {
        assert!((beyond([0.5, 0.25].into_iter(), 2) - 0.25).abs() < f32::EPSILON);
        assert!((beyond([0.5, 0.25].into_iter(), 3) - 1.0).abs() < f32::EPSILON);
    }
}
