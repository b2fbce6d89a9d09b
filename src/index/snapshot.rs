//! One pinned pair of versions of the two tables, and how rows are read from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use futures::{Stream, TryStreamExt};
use lancedb::Table;
use lancedb::query::{ExecutableQuery, QueryBase, Select};
use tokio::sync::Notify;

use super::error::is_missing;
use super::location::of_article_table;
use super::versions::Versions;
use super::{IndexError, predicate};
use crate::article::ArticleId;
use crate::search::View;

/// One pair of versions of the two tables; what is written later is not seen through it.
#[derive(Clone)]
pub struct Snapshot {
    pub(super) articles: Table,
    pub(super) passages: Table,
    log: Arc<SearchLog>,
    /// The same in memory, where searches use it.
    view: Option<View>,
    /// Whether searches look at every vector.
    pub(super) exact: bool,
    /// The version of the articles, where it may be removed while it is read.
    past: Option<u64>,
}

/// How much a generation holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    pub articles: u64,
    pub passages: u64,
    /// Data files of both tables; grows with each write until compaction.
    pub fragments: u64,
}

/// What happened to searches since the start.
#[derive(Debug, Default)]
pub struct SearchLog {
    /// Searches and scans that LanceDB was asked for.
    pub calls: AtomicU64,
    /// Articles that were otherwise in memory than SQL says.
    pub mismatches: AtomicU64,
    /// Notified when one failed: a file may be missing or damaged.
    pub failed: Notify,
}

impl Snapshot {
    pub(super) fn new(articles: Table, passages: Table, log: Arc<SearchLog>) -> Self {
        Self { articles, passages, log, view: None, exact: false, past: None }
    }

    /// The same with what is in memory of it.
    pub(super) fn in_memory(self, view: Option<View>) -> Self {
        Self { view, ..self }
    }

    /// What is in memory of it; fails with [`IndexError::NotOpen`] in a generation that searches do not use.
    pub fn view(&self) -> Result<&View, IndexError> {
        self.view.as_ref().ok_or(IndexError::NotOpen)
    }

    /// The same with vectors looked for in LanceDB, each of them.
    pub fn exact(self) -> Self {
        Self { exact: true, ..self }
    }

    /// The same, known to be removed before long.
    pub(super) fn of_the_past(self, version: u64) -> Self {
        Self { past: Some(version), ..self }
    }

    /// Which versions it looks at.
    pub async fn versions(&self) -> Result<Versions, IndexError> {
        Versions::of(&self.articles, &self.passages).await
    }

    /// What the names of its tables begin with.
    pub fn location(&self) -> &str {
        of_article_table(self.articles.name())
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

    pub(super) async fn rows_of(
        &self,
        table: &Table,
        articles: &[ArticleId],
        columns: &[&str],
    ) -> Result<Vec<RecordBatch>, IndexError> {
        let mut batches = Vec::new();
        let keep = |batch| {
            batches.push(batch);
            Ok(())
        };
        self.each_batch_of(table, articles, columns, keep).await?;
        Ok(batches)
    }

    /// Gives the rows of `articles` to `take`, batch by batch, so that those of long articles are not in memory as a whole.
    pub(super) async fn each_batch_of(
        &self,
        table: &Table,
        articles: &[ArticleId],
        columns: &[&str],
        mut take: impl FnMut(RecordBatch) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        if articles.is_empty() {
            return Ok(());
        }
        let query = table.query().only_if(predicate::of_articles(articles)).select(Select::columns(columns));
        let mut batches = self.stream(query, "read rows").await?;
        while let Some(batch) = batches.try_next().await? {
            take(batch)?;
        }
        Ok(())
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
        let past = self.past.map(|version| (self.location().to_owned(), version));
        move |source| match &past {
            Some((table, version)) if is_missing(&source) => {
                IndexError::VersionMissing { table: table.clone(), version: *version, source }
            }
            past => {
                // Of files that are removed before long it is no wonder.
                if past.is_none() {
                    log.failed.notify_one();
                }
                IndexError::during(action)(source)
            }
        }
    }
}
