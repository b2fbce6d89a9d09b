//! What searches in memory find of what a look at every vector in LanceDB finds.
//!
//! Queries are titles of articles, embedded.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use anyhow::Context;
use sea_orm::EntityTrait;
use sentio::article::ArticleFilter;
use sentio::entity::article;
use sentio::index::Snapshot;

use crate::filled::Filled;

const QUERIES: usize = 300;
/// Of articles and of passages: what a list shows, and what each leg brings to the pool.
const ARTICLES: [usize; 2] = [10, 200];
const PASSAGES: [usize; 2] = [10, 400];

/// What searches found, with cosines.
type Hits<K> = Vec<(K, f32)>;

/// Shares of what an exact search finds, and how far cosines are off.
#[derive(Default)]
struct Comparison {
    recalls: Vec<f64>,
    farthest: f32,
}

impl Comparison {
    fn add<K: Copy + Eq + Hash>(&mut self, found: &Hits<K>, exact: &Hits<K>) {
        let cosines: HashMap<_, _> = exact.iter().copied().collect();
        let keys: HashSet<_> = found.iter().map(|(key, _)| *key).collect();
        let common = exact.iter().filter(|(key, _)| keys.contains(key)).count();
        self.recalls.push(common as f64 / exact.len().max(1) as f64);
        for (key, cosine) in found {
            let off = cosines.get(key).map_or(0.0, |exact| (exact - cosine).abs());
            self.farthest = self.farthest.max(off);
        }
    }

    fn print(&self, name: &str) {
        let mean = self.recalls.iter().sum::<f64>() / self.recalls.len() as f64;
        let least = self.recalls.iter().copied().fold(1.0, f64::min);
        println!(
            "{name:<16} recall {mean:.5}, least {least:.3}; cosines off by {:.2e} at most",
            self.farthest
        );
    }
}

pub async fn measure(filled: &Filled) -> anyhow::Result<()> {
    let live = filled.app.index.live()?;
    let model = filled.app.models.with_fingerprint(live.fingerprint()).context("no model")?;
    let (found, exact) = (live.snapshot(), live.snapshot().exact());
    let mut vectors = Vec::new();
    for number in 0..QUERIES {
        let id = filled.articles[number * 97 % filled.articles.len()];
        let row =
            article::Entity::find_by_id(id.0).one(filled.app.db.reader()).await?.context("no such row")?;
        vectors.push(model.embed_query(&row.title).await?.as_slice().to_vec());
    }
    for limit in ARTICLES {
        let mut comparison = Comparison::default();
        for vector in &vectors {
            comparison.add(&articles(&found, vector, limit).await?, &articles(&exact, vector, limit).await?);
        }
        comparison.print(&format!("{limit} articles"));
    }
    for limit in PASSAGES {
        let mut comparison = Comparison::default();
        for vector in &vectors {
            comparison.add(&passages(&found, vector, limit).await?, &passages(&exact, vector, limit).await?);
        }
        comparison.print(&format!("{limit} passages"));
    }
    Ok(())
}

async fn articles(snapshot: &Snapshot, vector: &[f32], limit: usize) -> anyhow::Result<Hits<i64>> {
    let hits = snapshot.nearest_articles(&[vector.to_vec()], limit, &ArticleFilter::default(), &[]).await?;
    Ok(hits.into_iter().flatten().map(|hit| (hit.article.0, hit.cosine)).collect())
}

async fn passages(snapshot: &Snapshot, vector: &[f32], limit: usize) -> anyhow::Result<Hits<(i64, i32)>> {
    let hits = snapshot.nearest_passages(vector, limit, &ArticleFilter::default(), &[]).await?;
    Ok(hits.into_iter().map(|hit| ((hit.span.article.0, hit.span.start), hit.cosine)).collect())
}
