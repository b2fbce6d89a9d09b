//! Reading: nearest passages and articles, stored vectors and texts, all on one pinned pair of versions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type, Int64Type};
use arrow_array::{Array, FixedSizeListArray, RecordBatch};
use futures::{Stream, TryStreamExt};
use lancedb::query::{ExecutableQuery, QueryBase, Select, VectorQuery};
use lancedb::{DistanceType, Table};
use tokio::sync::Notify;

use super::generation::{Size, Versions};
use super::store::ARTICLE_TABLE;
use super::stored::{PassageSpan, spans};
use super::{IndexError, predicate};
use crate::article::{ArticleFilter, ArticleId};

/// Fewest partitions of the vector index that a search looks into; more through a filter.
const PARTITIONS_PROBED: usize = 24;
/// When a filter lets no more rows pass, each of them is looked at: the index would end its search with the first rows found,
/// which need not be the nearest.
const ROWS_LOOKED_AT: usize = 8_000;
/// How many rows, for each one wanted, have their distance computed from the whole vector, which reads it from the disk's cache.
const CANDIDATES_PER_RESULT: u32 = 2;
/// Rows from which a search computes no more distances than it has rows: what it may miss then lies at the end of a long list.
const LONG: usize = 100;

/// One pair of versions of the two tables; what is written later is not seen through it.
#[derive(Clone)]
pub struct Snapshot {
    pub(super) articles: Table,
    pub(super) passages: Table,
    log: Arc<SearchLog>,
    /// Whether searches look at every vector.
    exact: bool,
}

/// How much of the vector index a search looks into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Every vector that passes, without the index.
    Every,
    /// At least so many partitions.
    Partitions(usize),
}

/// What happened to searches since the start.
#[derive(Debug, Default)]
pub struct SearchLog {
    /// Searches and scans that LanceDB was asked for.
    pub calls: AtomicU64,
    /// Notified when one failed: a file may be missing or damaged.
    pub failed: Notify,
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
    pub(super) fn new(articles: Table, passages: Table, log: Arc<SearchLog>) -> Self {
        Self { articles, passages, log, exact: false }
    }

    /// The same without the vector index.
    pub fn exact(self) -> Self {
        Self { exact: true, ..self }
    }

    /// Which versions it looks at.
    pub async fn versions(&self) -> Result<Versions, IndexError> {
        Versions::of(&self.articles, &self.passages).await
    }

    /// What the names of its tables begin with.
    pub fn location(&self) -> &str {
        let name = self.articles.name();
        name.strip_suffix(ARTICLE_TABLE).unwrap_or(name)
    }

    /// Counts rows and data files.
    pub async fn size(&self) -> Result<Size, IndexError> {
        let articles = self.articles.stats().await.map_err(IndexError::during("count its rows"))?;
        let passages = self.passages.stats().await.map_err(IndexError::during("count its rows"))?;
        Ok(Size {
            articles: articles.num_rows as u64,
            passages: passages.num_rows as u64,
            fragments: (articles.fragment_stats.num_fragments + passages.fragment_stats.num_fragments) as u64,
        })
    }

    /// The `limit` passages nearest to `vector` that pass `filter`, nearest first.
    pub async fn nearest_passages(
        &self,
        vector: &[f32],
        limit: usize,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Result<Vec<PassageHit>, IndexError> {
        let reach = self.reach(&self.passages, filter).await?;
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
        let reach = self.reach(&self.articles, filter).await?;
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
    async fn reach(&self, table: &Table, filter: &ArticleFilter) -> Result<Reach, IndexError> {
        if self.exact {
            return Ok(Reach::Every);
        }
        let Some(predicate) = predicate::of_filter(filter, &[]) else {
            return Ok(Reach::Partitions(PARTITIONS_PROBED));
        };
        self.log.calls.fetch_add(1, Ordering::Relaxed);
        let count =
            async |predicate| table.count_rows(predicate).await.map_err(IndexError::during("count its rows"));
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

    pub(super) async fn rows_of(
        &self,
        table: &Table,
        articles: &[ArticleId],
        columns: &[&str],
    ) -> Result<Vec<RecordBatch>, IndexError> {
        if articles.is_empty() {
            return Ok(Vec::new());
        }
        let query = table.query().only_if(predicate::of_articles(articles)).select(Select::columns(columns));
        self.collect(query, "read rows").await
    }

    pub(super) async fn collect(
        &self,
        query: impl ExecutableQuery,
        action: &'static str,
    ) -> Result<Vec<RecordBatch>, IndexError> {
        self.stream(query, action).await?.try_collect().await
    }

    pub(super) async fn stream(
        &self,
        query: impl ExecutableQuery,
        action: &'static str,
    ) -> Result<impl Stream<Item = Result<RecordBatch, IndexError>> + Unpin, IndexError> {
        let failed = self.called(action);
        let batches = query.execute().await.map_err(&failed)?;
        Ok(batches.map_err(failed))
    }

    /// Counts a call of LanceDB for `action`, and gives what makes an error of its failure and tells of it.
    pub(super) fn called(&self, action: &'static str) -> impl Fn(lancedb::Error) -> IndexError + use<> {
        self.log.calls.fetch_add(1, Ordering::Relaxed);
        let log = Arc::clone(&self.log);
        move |error| {
            log.failed.notify_one();
            IndexError::during(action)(error)
        }
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

pub(super) fn named<'a>(
    batch: &'a RecordBatch,
    name: &'static str,
) -> Result<&'a Arc<dyn Array>, IndexError> {
    batch.column_by_name(name).ok_or(IndexError::Column { name })
}

pub(super) fn column<'a, T>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a [T::Native], IndexError>
where
    T: arrow_array::ArrowPrimitiveType,
{
    let array = named(batch, name)?.as_primitive_opt::<T>().ok_or(IndexError::Column { name })?;
    Ok(array.values())
}

pub(super) fn vector_column(batch: &RecordBatch) -> Result<&FixedSizeListArray, IndexError> {
    named(batch, "vector")?.as_fixed_size_list_opt().ok_or(IndexError::Column { name: "vector" })
}
