//! How like each other passages are that have nothing to do with each other: random ones.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type};
use lancedb::query::Select;

use super::IndexError;
use super::columns::{column, vector_column};
use super::dot;
use super::snapshot::Snapshot;

/// Pairs of a sample.
const PAIRS: usize = 10_000;
/// Passages that the pairs are drawn from: few enough to be in memory together.
const PASSAGES: usize = 2_000;
/// Draws until there are enough pairs of different articles.
const DRAWS_MAX: usize = 4 * PAIRS;

impl Snapshot {
    /// How many passages it has.
    pub async fn passage_count(&self) -> Result<u64, IndexError> {
        Ok(self.passages.count_rows(None).await.map_err(IndexError::during("count its rows"))? as u64)
    }

    /// The cosines of 10,000 random pairs of passages of different articles, in ascending order; none without two articles. The
    /// same `seed` draws the same pairs of the same versions.
    pub async fn background_cosines(&self, seed: u64) -> Result<Vec<f32>, IndexError> {
        let count = usize::try_from(self.passage_count().await?).unwrap_or(usize::MAX);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut offsets: Vec<_> = random.choose_multiple(0..count as u64, PASSAGES);
        offsets.sort_unstable();
        let query = self.passages.take_offsets(offsets).select(Select::columns(&["article_id", "vector"]));
        let (mut articles, mut vectors) = (Vec::new(), Vec::new());
        for batch in self.collect(query, "sample passages").await? {
            articles.extend_from_slice(column::<Int64Type>(&batch, "article_id")?);
            let stored = vector_column(&batch)?;
            vectors.extend(
                stored.iter().flatten().map(|vector| vector.as_primitive::<Float32Type>().values().to_vec()),
            );
        }
        let mut cosines = Vec::with_capacity(PAIRS);
        for _ in 0..DRAWS_MAX {
            if cosines.len() == PAIRS || articles.len() < 2 {
                break;
            }
            let (one, other) = (random.usize(..articles.len()), random.usize(..articles.len()));
            if articles[one] != articles[other] {
                cosines.push(dot(&vectors[one], &vectors[other]));
            }
        }
        cosines.sort_unstable_by(f32::total_cmp);
        Ok(cosines)
    }
}
