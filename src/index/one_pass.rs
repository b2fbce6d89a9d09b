//! The articles nearest to each of several vectors, by one pass over all articles: LanceDB makes a search of its own for each
//! vector of a query, and reads the table anew for each where it has no vector index.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type};
use futures::TryStreamExt;
use lance_linalg::distance::cosine::cosine_distance_batch;
use lancedb::query::{QueryBase, Select};

use super::IndexError;
use super::search::{ArticleHit, Snapshot, column, vector_column};
use crate::article::ArticleId;

/// How many articles there may be for each vector that is looked for. Beyond, as many searches of the vector index take less
/// time (`docs/decisions/0021-vector-index.md`).
const ARTICLES_PER_VECTOR: usize = 1_000;
/// Rows that are compared with one vector after the other while the processor's cache holds them.
const BLOCK: usize = 64;

impl Snapshot {
    /// Whether one pass is faster than a search for each of `vectors`.
    pub(super) async fn one_pass_pays(&self, vectors: usize) -> Result<bool, IndexError> {
        if vectors < 2 {
            return Ok(false);
        }
        let articles = self.articles.count_rows(None).await.map_err(IndexError::during("count its rows"))?;
        Ok(articles <= vectors * ARTICLES_PER_VECTOR)
    }

    /// For each of `vectors` the `limit` nearest articles that pass `predicate`, nearest first, of equal ones the lowest id;
    /// exact.
    pub(super) async fn nearest_by_one_pass(
        &self,
        vectors: &[Vec<f32>],
        limit: usize,
        predicate: Option<String>,
    ) -> Result<Vec<Vec<ArticleHit>>, IndexError> {
        let query = self.articles.query().select(Select::columns(&["article_id", "vector"]));
        let query = match predicate {
            Some(predicate) => query.only_if(predicate),
            None => query,
        };
        let shared: Arc<[Vec<f32>]> = vectors.into();
        let parts = self.stream(query, "search articles").await?.map_ok(|batch| {
            let vectors = Arc::clone(&shared);
            async move { tokio::task::spawn_blocking(move || nearest_of(&batch, &vectors, limit)).await? }
        });
        let mut parts = parts.try_buffer_unordered(available_parallelism().map_or(1, NonZero::get));
        let mut nearest = vec![Vec::new(); vectors.len()];
        while let Some(part) = parts.try_next().await? {
            for (nearest, part) in nearest.iter_mut().zip(part) {
                nearest.extend(part);
                keep_nearest(nearest, limit);
            }
        }
        for nearest in &mut nearest {
            nearest.sort_unstable_by(ArticleHit::by_nearness);
        }
        Ok(nearest)
    }
}

/// For each of `vectors` the `limit` nearest articles of `batch`, in no particular order.
fn nearest_of(
    batch: &RecordBatch,
    vectors: &[Vec<f32>],
    limit: usize,
) -> Result<Vec<Vec<ArticleHit>>, IndexError> {
    let articles = column::<Int64Type>(batch, "article_id")?;
    let stored = vector_column(batch)?.values();
    let stored = stored.as_primitive_opt::<Float32Type>().ok_or(IndexError::Column { name: "vector" })?;
    let mut nearest = vec![Vec::new(); vectors.len()];
    let Some(dimension) = vectors.first().map(Vec::len) else { return Ok(nearest) };
    for (articles, stored) in articles.chunks(BLOCK).zip(stored.values().chunks(BLOCK * dimension)) {
        for (nearest, vector) in nearest.iter_mut().zip(vectors) {
            let distances = cosine_distance_batch(vector.as_slice(), stored, dimension);
            nearest.extend(articles.iter().zip(distances).map(|(article, distance)| ArticleHit {
                article: ArticleId(*article),
                cosine: 1.0 - distance,
            }));
        }
    }
    for nearest in &mut nearest {
        keep_nearest(nearest, limit);
    }
    Ok(nearest)
}

/// Takes out all but the `limit` nearest.
fn keep_nearest(hits: &mut Vec<ArticleHit>, limit: usize) {
    if hits.len() > limit {
        hits.select_nth_unstable_by(limit, ArticleHit::by_nearness);
        hits.truncate(limit);
    }
}
