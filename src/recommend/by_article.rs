//! Articles → articles like them, by the articles' own vectors: one row is one article, and nothing is embedded.

use std::collections::HashMap;

use super::{BestPassage, Contributions, Ranked, RecommendError, RecommendOptions, Recommender, Tier, rank};
use crate::article::ArticleId;
use crate::index::Snapshot;

/// For each of several articles the articles like it.
pub struct SimilarArticles {
    /// Absent: the article is not indexed yet.
    pub ranked: HashMap<ArticleId, Vec<Ranked>>,
    vectors: HashMap<ArticleId, Vec<f32>>,
    /// What was searched.
    pub snapshot: Snapshot,
}

impl Recommender {
    /// The `k` articles most like each of `articles`, none of them itself; two calls to the index however many there are.
    pub async fn by_articles(
        &self,
        articles: &[ArticleId],
        k: usize,
        options: &RecommendOptions,
    ) -> Result<SimilarArticles, RecommendError> {
        let snapshot = self.snapshot(&self.index.live()?);
        let vectors = snapshot.article_vectors(articles).await?;
        let indexed: Vec<_> =
            articles.iter().copied().filter(|article| vectors.contains_key(article)).collect();
        let queries: Vec<_> = indexed.iter().map(|article| vectors[article].clone()).collect();
        // One more than asked for, because the nearest article is the article itself.
        let hits = snapshot.nearest_articles(&queries, k + 1, &options.filter, &options.exclude).await?;

        let ranked = indexed.into_iter().zip(hits).map(|(article, hits)| {
            let mut ranked: Vec<_> = hits
                .into_iter()
                .filter(|hit| hit.article != article && options.keeps(Some(hit.cosine)))
                .map(|hit| Ranked {
                    article: hit.article,
                    tier: Tier::Rest,
                    score: hit.cosine,
                    cosine: Some(hit.cosine),
                    contributions: Contributions { semantic: hit.cosine, keyword: 0.0 },
                })
                .collect();
            rank(&mut ranked, k);
            (article, ranked)
        });
        Ok(SimilarArticles { ranked: ranked.collect(), vectors, snapshot })
    }
}

impl SimilarArticles {
    /// For every recommendation, by the article it is for and the one recommended, the passage nearest to the former;
    /// one call to the index.
    pub async fn best_passages(
        &self,
    ) -> Result<HashMap<(ArticleId, ArticleId), BestPassage>, RecommendError> {
        let mut wanted: HashMap<ArticleId, Vec<ArticleId>> = HashMap::new();
        for (source, ranked) in &self.ranked {
            for target in ranked {
                wanted.entry(target.article).or_default().push(*source);
            }
        }
        let targets: Vec<_> = wanted.keys().copied().collect();
        let mut best: HashMap<_, (f32, BestPassage)> = HashMap::new();
        for passage in self.snapshot.passages_of(&targets).await? {
            for source in &wanted[&passage.article] {
                let cosine = dot(&self.vectors[source], &passage.vector);
                let key = (*source, passage.article);
                if best.get(&key).is_none_or(|(known, _)| cosine > *known) {
                    let (revision, start, end) = (passage.revision, passage.start, passage.end);
                    best.insert(key, (cosine, BestPassage { revision, start, end }));
                }
            }
        }
        Ok(best.into_iter().map(|(key, (_, passage))| (key, passage)).collect())
    }
}

/// The cosine of two unit vectors.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
