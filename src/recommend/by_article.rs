//! Articles → articles like them, by the articles' own vectors: one row is one article, and nothing is embedded.

use std::collections::HashMap;
use std::slice;

use super::arrange::{Ranked, arrange, hide_copies_of};
use super::examples::Examples;
use super::pool::POOL;
use super::{BestPassage, Contributions, Moment, RecommendError, RecommendOptions, Recommender, Tier};
use crate::article::ArticleId;
use crate::index::{IndexError, Snapshot};
use crate::search::ArticleHit;

/// Lists that are arranged together: each may need its own two hundred articles, vectors included.
const LISTS_ARRANGED: usize = 50;

/// What articles are wanted for: an article, or, without one, the articles of `options.like`.
pub type Source = Option<ArticleId>;

/// For each of several sources the articles like it.
pub struct SimilarArticles {
    /// Absent: the article is not indexed yet.
    pub ranked: HashMap<Source, Vec<Ranked>>,
    /// Whether every article that fits was ranked for each source, not only the best of them.
    pub complete: bool,
    vectors: HashMap<Source, Vec<f32>>,
    /// What was searched.
    pub snapshot: Snapshot,
}

impl Recommender {
    /// The `k` articles most like each of `articles`, none of them itself. The number of calls to the index does not
    /// grow with theirs.
    pub async fn by_articles(
        &self,
        articles: &[ArticleId],
        k: usize,
        options: &RecommendOptions,
        moment: Moment,
    ) -> Result<SimilarArticles, RecommendError> {
        let _turn = self.turns.take().await;
        let snapshot = self.snapshot(&self.index.live()?, moment).await?;
        let examples = options.like.iter().chain(&options.dislike);
        let wanted: Vec<_> = articles.iter().chain(examples).copied().collect();
        let mut stored = snapshot.article_vectors(&wanted)?;
        let examples = Examples::among(&stored, options);
        let wanted = articles.iter().filter_map(|article| {
            let own = stored.remove(article)?;
            let known = [slice::from_ref(&own), examples.liked()].concat();
            Some(Wanted { source: Some(*article), vector: examples.moved(own), known })
        });
        let wanted: Vec<_> = wanted.collect();
        let all_indexed = wanted.len() == articles.len();
        let mut similar = similar(snapshot, wanted, k, options, moment).await?;
        similar.complete &= all_indexed;
        Ok(similar)
    }

    /// The `k` articles most like those of `options.like` and least like those of `options.dislike`.
    pub async fn by_examples(
        &self,
        k: usize,
        options: &RecommendOptions,
        moment: Moment,
    ) -> Result<SimilarArticles, RecommendError> {
        let _turn = self.turns.take().await;
        let snapshot = self.snapshot(&self.index.live()?, moment).await?;
        let examples = Examples::of(&snapshot, options)?;
        let vector = examples.centre().ok_or(RecommendError::NoExample)?;
        let wanted = Wanted { source: None, vector, known: examples.liked().to_vec() };
        similar(snapshot, vec![wanted], k, options, moment).await
    }
}

/// What one list is for.
struct Wanted {
    source: Source,
    vector: Vec<f32>,
    /// The vectors of the articles that it was made from.
    known: Vec<Vec<f32>>,
}

async fn similar(
    snapshot: Snapshot,
    wanted: Vec<Wanted>,
    k: usize,
    options: &RecommendOptions,
    moment: Moment,
) -> Result<SimilarArticles, RecommendError> {
    let options = options.without_examples();
    // A list is the same however much of it is wanted. One more, because the nearest article is the article itself.
    let limit = 1 + POOL;
    let queries: Vec<_> = wanted.iter().map(|wanted| wanted.vector.clone()).collect();
    let hits = snapshot.nearest_articles(&queries, limit, &options.filter, &options.exclude).await?;
    let complete = hits.iter().all(|hits| hits.len() < limit);
    let mut lists: Vec<_> = wanted.into_iter().zip(hits).collect();
    let (mut ranked, mut vectors) = (HashMap::new(), HashMap::new());
    while !lists.is_empty() {
        let lists: Vec<_> = lists.drain(..lists.len().min(LISTS_ARRANGED)).collect();
        vectors.extend(lists.iter().map(|(wanted, _)| (wanted.source, wanted.vector.clone())));
        ranked.extend(arranged(&snapshot, lists, k, &options, moment).await?);
    }
    Ok(SimilarArticles { ranked, complete, vectors, snapshot })
}

/// The lists of the articles that were found, on a thread that may be held up.
async fn arranged(
    snapshot: &Snapshot,
    lists: Vec<(Wanted, Vec<ArticleHit>)>,
    k: usize,
    options: &RecommendOptions,
    moment: Moment,
) -> Result<Vec<(Source, Vec<Ranked>)>, RecommendError> {
    let portraits = if options.looks_at_articles() {
        let mut articles: Vec<_> = lists.iter().flat_map(|(_, hits)| hits).map(|hit| hit.article).collect();
        articles.sort_unstable();
        articles.dedup();
        snapshot.portraits(&articles)?
    } else {
        HashMap::new()
    };
    let options = options.clone();
    let list = move |(Wanted { source, known, .. }, hits): (Wanted, Vec<ArticleHit>)| {
        let others = hits.into_iter().filter(|hit| Some(hit.article) != source).take(POOL);
        let mut candidates = others.map(Ranked::from).collect();
        hide_copies_of(&known, &mut candidates, &portraits, &options);
        (source, arrange(candidates, &portraits, &options, moment.time, k))
    };
    let lists = tokio::task::spawn_blocking(move || lists.into_iter().map(list).collect());
    Ok(lists.await.map_err(IndexError::from)?)
}

impl From<ArticleHit> for Ranked {
    fn from(hit: ArticleHit) -> Self {
        let semantic = f64::from(hit.cosine);
        Self {
            article: hit.article,
            tier: Tier::Rest,
            cosine: Some(hit.cosine),
            contributions: Contributions { semantic, ..Contributions::default() },
            reasons: Vec::new(),
        }
    }
}

impl SimilarArticles {
    /// For every recommendation, by what it is for and the article recommended, the passage nearest to the former.
    pub fn best_passages(&self) -> Result<HashMap<(Source, ArticleId), BestPassage>, RecommendError> {
        let mut best = HashMap::new();
        for (source, ranked) in &self.ranked {
            let articles: Vec<_> = ranked.iter().map(|ranked| ranked.article).collect();
            let nearest = self.snapshot.nearest_passage_of_each(&self.vectors[source], &articles)?;
            best.extend(nearest.into_iter().map(|(article, hit)| ((*source, article), hit.span.into())));
        }
        Ok(best)
    }
}
