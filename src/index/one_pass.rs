//! The articles nearest to each of several vectors, by one pass over all articles: LanceDB makes a search of its own for each
//! vector of a query, and reads the table anew for each where it has no vector index.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type};
use futures::{Stream, TryStreamExt};
use lance_linalg::distance::cosine::cosine_distance_batch;
use ndarray::{ArrayView2, Axis};

use super::IndexError;
use super::columns::{column, vector_column};
use super::search::ArticleHit;
use super::snapshot::Snapshot;
use crate::article::ArticleId;

/// How many articles there may be for each vector that is looked for. Beyond, as many searches of the vector index take less
/// time (`docs/decisions/0021-vector-index.md`).
const ARTICLES_PER_VECTOR: usize = 1_000;
/// Rows that are read, and looked through, as one piece.
const ROWS_PER_BATCH: usize = 4_096;
/// What may be read before it is looked through.
const READ_AHEAD_BYTES: u64 = 4 * 1024 * 1024;
/// Rows that are multiplied at a time, so that what comes of them stays in the processor's cache.
const BLOCK: usize = 512;
/// Articles that are kept beyond those wanted until their cosines are computed: products of unit vectors differ from cosines
/// in the last bits.
const SPARE: usize = 8;

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
        let shared: Arc<[Vec<f32>]> = vectors.into();
        let parts = self.all_vectors(predicate).await?.map_ok(|batch| {
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

    /// The vectors of all articles that pass `predicate`. LanceDB's own queries read two gigabytes ahead.
    async fn all_vectors(
        &self,
        predicate: Option<String>,
    ) -> Result<impl Stream<Item = Result<RecordBatch, IndexError>> + Unpin + use<>, IndexError> {
        let failed = self.called("search articles");
        let lance_failed = |error: lance::Error| failed(error.into());
        let dataset = self.articles.dataset().ok_or(IndexError::NotOpen)?.get().await.map_err(&failed)?;
        let mut scan = dataset.scan();
        scan.project(&["article_id", "vector"]).map_err(lance_failed)?;
        scan.batch_size(ROWS_PER_BATCH).io_buffer_size(READ_AHEAD_BYTES).scan_in_order(false);
        if let Some(predicate) = predicate {
            scan.filter(&predicate).map_err(lance_failed)?;
        }
        let batches = scan.try_into_stream().await.map_err(lance_failed)?;
        Ok(batches.map_err(move |error| failed(error.into())))
    }
}

/// For each of `vectors` the `limit` nearest articles of `batch`, in no particular order: the best by the products of the
/// vectors, which a product of matrices gives for all of them at once, then those by the function of LanceDB's own
/// searches, so that an article has the same cosine whichever way it was found.
fn nearest_of(
    batch: &RecordBatch,
    vectors: &[Vec<f32>],
    limit: usize,
) -> Result<Vec<Vec<ArticleHit>>, IndexError> {
    let articles = column::<Int64Type>(batch, "article_id")?;
    let stored = vector_column(batch)?.values();
    let stored = stored.as_primitive_opt::<Float32Type>().ok_or(IndexError::Column { name: "vector" })?;
    let stored = stored.values();
    let Some(dimension) = vectors.first().map(Vec::len) else { return Ok(Vec::new()) };
    let wanted = vectors.concat();
    let (Ok(rows), Ok(wanted)) = (
        ArrayView2::from_shape((articles.len(), dimension), stored),
        ArrayView2::from_shape((vectors.len(), dimension), &wanted),
    ) else {
        return Err(IndexError::Column { name: "vector" });
    };
    let mut best = vec![Best::of(limit + SPARE); vectors.len()];
    for (block, rows) in rows.axis_chunks_iter(Axis(0), BLOCK).enumerate() {
        let products = wanted.dot(&rows.t());
        for (best, products) in best.iter_mut().zip(products.outer_iter()) {
            for (row, product) in products.iter().enumerate() {
                best.offer(*product, block * BLOCK + row, articles);
            }
        }
    }
    let nearest = best.into_iter().zip(vectors).map(|(mut best, vector)| {
        best.cut(articles);
        let hit = |(_, row): (f32, usize)| {
            let stored = &stored[row * dimension..][..dimension];
            let distance = cosine_distance_batch(vector.as_slice(), stored, dimension).next();
            ArticleHit { article: ArticleId(articles[row]), cosine: 1.0 - distance.unwrap_or(f32::NAN) }
        };
        let mut hits: Vec<_> = best.rows.into_iter().map(hit).collect();
        keep_nearest(&mut hits, limit);
        hits
    });
    Ok(nearest.collect())
}

/// The rows with the largest products so far, and a few more until they are cut.
#[derive(Clone)]
struct Best {
    count: usize,
    rows: Vec<(f32, usize)>,
    /// What a row must have at least.
    least: f32,
}

impl Best {
    fn of(count: usize) -> Self {
        Self { count, rows: Vec::new(), least: f32::NEG_INFINITY }
    }

    fn offer(&mut self, product: f32, row: usize, articles: &[i64]) {
        if product >= self.least {
            self.rows.push((product, row));
            if self.rows.len() >= 4 * self.count {
                self.cut(articles);
            }
        }
    }

    /// Leaves the best, of equal ones those with the lowest ids.
    fn cut(&mut self, articles: &[i64]) {
        if self.rows.len() > self.count {
            let order = |(a, a_row): &(f32, usize), (b, b_row): &(f32, usize)| {
                b.total_cmp(a).then(articles[*a_row].cmp(&articles[*b_row]))
            };
            self.rows.select_nth_unstable_by(self.count - 1, order);
            self.rows.truncate(self.count);
            self.least = self.rows[self.count - 1].0;
        }
    }
}

/// Takes out all but the `limit` nearest.
fn keep_nearest(hits: &mut Vec<ArticleHit>, limit: usize) {
    if hits.len() > limit {
        hits.select_nth_unstable_by(limit, ArticleHit::by_nearness);
        hits.truncate(limit);
    }
}
