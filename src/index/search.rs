//! The passages and articles nearest to vectors, of those that pass a filter.

use arrow_array::types::{Float32Type, Int32Type, Int64Type};
use lancedb::query::{QueryBase, Select, VectorQuery};
use lancedb::{DistanceType, Table};

use super::columns::{PassageSpan, column, spans};
use super::snapshot::Snapshot;
use super::{IndexError, predicate};
use crate::article::{ArticleFilter, ArticleId};

/// Fewest partitions of the vector index that a search looks into; more through a filter.
const PARTITIONS_PROBED: usize = 24;
/// When a filter lets no more rows pass, each of them is looked at: the index would end its search with the first rows found,
/// which need not be the nearest.
const ROWS_LOOKED_AT: usize = 8_000;
/// So many excluded articles change nothing of where the nearest of the others are.
const EXCLUDED_FEW: usize = 100;
/// How many rows, for each one wanted, have their distance computed from the whole vector, which reads it from the disk's cache.
const CANDIDATES_PER_RESULT: u32 = 2;
/// Rows from which a search computes no more distances than it has rows: what it may miss then lies at the end of a long list.
const LONG: usize = 100;

/// How much of the vector index a search looks into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Every vector that passes, without the index.
    Every,
    /// At least so many partitions.
    Partitions(usize),
}

/// A passage near a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PassageHit {
    pub span: PassageSpan,
    /// Cosine similarity, −1 to 1.
    pub cosine: f32,
}

/// An article near a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArticleHit {
    pub article: ArticleId,
    /// Cosine similarity, −1 to 1.
    pub cosine: f32,
}

impl ArticleHit {
    /// The nearest first, of equal ones the lowest id.
    pub(super) fn by_nearness(&self, other: &Self) -> std::cmp::Ordering {
        other.cosine.total_cmp(&self.cosine).then(self.article.cmp(&other.article))
    }
}

impl Snapshot {
    /// The `limit` passages nearest to `vector` that pass `filter`, nearest first.
    pub async fn nearest_passages(
        &self,
        vector: &[f32],
        limit: usize,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Result<Vec<PassageHit>, IndexError> {
        let reach = self.reach(&self.passages, filter, excluded).await?;
        let query = self.passages.query().nearest_to(vector).map_err(IndexError::during("take a query"))?;
        let query = prepared(query, limit, reach, predicate::of_filter(filter, excluded));
        self.passage_hits(query.map_err(IndexError::during("take a query"))?).await
    }

    async fn passage_hits(&self, query: VectorQuery) -> Result<Vec<PassageHit>, IndexError> {
        let columns = ["article_id", "revision", "start", "end", "_distance"];
        let mut hits = Vec::new();
        for batch in self.collect(query.select(Select::columns(&columns)), "search passages").await? {
            let distances = column::<Float32Type>(&batch, "_distance")?;
            let spans = spans(&batch)?.into_iter().zip(distances);
            hits.extend(spans.map(|(span, distance)| PassageHit { span, cosine: 1.0 - distance }));
        }
        Ok(hits)
    }

    /// For each of `vectors` the `limit` nearest articles that pass `filter`, nearest first, in one call.
    pub async fn nearest_articles(
        &self,
        vectors: &[Vec<f32>],
        limit: usize,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Result<Vec<Vec<ArticleHit>>, IndexError> {
        let mut hits = vec![Vec::new(); vectors.len()];
        let Some((first, others)) = vectors.split_first() else { return Ok(hits) };
        if self.one_pass_pays(vectors.len()).await? {
            return self.nearest_by_one_pass(vectors, limit, predicate::of_filter(filter, excluded)).await;
        }
        let reach = self.reach(&self.articles, filter, excluded).await?;
        let take = IndexError::during;
        let mut query = self.articles.query().nearest_to(first.as_slice()).map_err(take("take a query"))?;
        for vector in others {
            query = query.add_query_vector(vector.as_slice()).map_err(take("take a query"))?;
        }
        let mut columns = vec!["article_id", "_distance"];
        if !others.is_empty() {
            columns.push("query_index");
        }
        let query = prepared(query, limit, reach, predicate::of_filter(filter, excluded))
            .map_err(take("take a query"))?;
        for batch in self.collect(query.select(Select::columns(&columns)), "search articles").await? {
            let articles = column::<Int64Type>(&batch, "article_id")?;
            let distances = column::<Float32Type>(&batch, "_distance")?;
            let queries =
                (!others.is_empty()).then(|| column::<Int32Type>(&batch, "query_index")).transpose()?;
            for row in 0..batch.num_rows() {
                let query = queries.map_or(0, |queries| usize::try_from(queries[row]).unwrap_or(usize::MAX));
                let Some(hits) = hits.get_mut(query) else { continue };
                hits.push(ArticleHit { article: ArticleId(articles[row]), cosine: 1.0 - distances[row] });
            }
        }
        for hits in &mut hits {
            hits.sort_unstable_by(ArticleHit::by_nearness);
        }
        Ok(hits)
    }

    /// Few rows are looked at one by one. Where a share of the rows passes, the nearest of them are spread over more
    /// partitions: as many more as the root of the share says, which keeps .99 of the nearest ten
    /// (`docs/decisions/0021-vector-index.md`).
    async fn reach(
        &self,
        table: &Table,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Result<Reach, IndexError> {
        if self.exact {
            return Ok(Reach::Every);
        }
        let counted = if excluded.len() > EXCLUDED_FEW { excluded } else { &[] };
        let Some(predicate) = predicate::of_filter(filter, counted) else {
            return Ok(Reach::Partitions(PARTITIONS_PROBED));
        };
        let failed = self.called("count its rows");
        let count = async |predicate| table.count_rows(predicate).await.map_err(&failed);
        let passing = count(Some(predicate)).await?;
        if passing <= ROWS_LOOKED_AT {
            return Ok(Reach::Every);
        }
        #[expect(clippy::cast_precision_loss, reason = "a share of rows")]
        let rows_for_each = count(None).await? as f64 / passing as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most the root of the rows"
        )]
        let times = rows_for_each.max(1.0).sqrt().ceil() as usize;
        Ok(Reach::Partitions(PARTITIONS_PROBED * times))
    }
}

/// The distance is named in each query: one that differs from the vector index's would silently scan. The number of
/// partitions has no upper bound: a search goes on until a filter has let enough rows pass.
fn prepared(
    query: VectorQuery,
    limit: usize,
    reach: Reach,
    predicate: Option<String>,
) -> Result<VectorQuery, lancedb::Error> {
    let query = query
        .column("vector")
        .distance_type(DistanceType::Cosine)
        .refine_factor(if limit < LONG { CANDIDATES_PER_RESULT } else { 1 })
        .limit(limit);
    let query = match reach {
        Reach::Every => query.bypass_vector_index(),
        Reach::Partitions(partitions) => query.minimum_nprobes(partitions)?.maximum_nprobes(None)?,
    };
    Ok(match predicate {
        Some(predicate) => query.only_if(predicate),
        None => query,
    })
}
