//! The copy in memory that searches of a generation run on, and how it follows the tables.

mod read;
mod rows;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use sentio_nearest::Instructions;

use self::rows::{Rows, rows_of};
use super::IndexError;
use super::rows::Batch;
use super::snapshot::Snapshot;
use super::versions::Versions;
use crate::article::ArticleId;
use crate::memory;
use crate::search::{FileReport, Searcher, SegmentFiles, View};
use crate::words::Analyzer;

/// Articles that are read together.
const ARTICLES_READ: usize = 4_096;
/// Articles that are read again for a cursor whose version is no longer in memory; of more it counts as one that is no longer kept.
const REREAD_MAX: usize = 4_096;
/// Between two lines on how a load goes.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// What a generation has in memory.
pub struct Memory {
    dimension: usize,
    analyzer: Analyzer,
    files: SegmentFiles,
    /// Absent in a generation that searches do not use.
    searcher: RwLock<Option<Arc<Searcher<Versions>>>>,
    /// What was written and is not shown yet, the oldest first: it need not be read again.
    written: Mutex<Vec<Written>>,
}

/// A batch as it was written.
struct Written {
    rows: Rows,
    gone: Vec<ArticleId>,
    /// Before it, and after it.
    from: Versions,
    to: Versions,
}

/// How much of searches is in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resident {
    /// Bytes that the rows take of memory, those of dead ones too.
    pub bytes: usize,
    /// Whether a part is read from files alone, because there is no room or because the settings say so.
    pub is_on_disk: bool,
}

/// Adds `rows`, from which `gone` ones are taken; on a thread that may be held up.
async fn change(
    searcher: &Arc<Searcher<Versions>>,
    analyzer: Analyzer,
    rows: Rows,
    gone: Vec<ArticleId>,
    versions: Versions,
) -> Result<(), IndexError> {
    let searcher = Arc::clone(searcher);
    let change =
        move || searcher.change(rows.iter().map(|(id, row)| row.to_new(*id, &analyzer)), &gone, versions);
    Ok(tokio::task::spawn_blocking(change).await?)
}

impl Memory {
    pub fn new(dimension: usize, analyzer: Analyzer, files: SegmentFiles) -> Self {
        Self { dimension, analyzer, files, searcher: RwLock::default(), written: Mutex::default() }
    }

    /// Keeps a batch that was written, until it is shown.
    pub fn wrote(&self, batch: &Batch, write: i64, from: Versions, to: Versions) {
        if self.searcher().is_none() {
            return;
        }
        let gone = batch.deleted.iter().copied().map(ArticleId).collect();
        self.written().push(Written { rows: rows_of(batch, write), gone, from, to });
    }

    /// Brings all that `snapshot` has into memory: what files have, and the rest from the tables. Searches use it from then on.
    pub async fn load(&self, snapshot: &Snapshot) -> Result<(), IndexError> {
        if self.searcher().is_some() {
            return Ok(());
        }
        let began = Instant::now();
        let versions = snapshot.versions().await?;
        let pairs = snapshot.pairs().await?;
        let (files, dimension, stored) = (self.files.clone(), self.dimension, pairs.clone());
        let of_files = move || {
            let (segments, unusable) = files.open();
            for (path, error) in unusable {
                tracing::warn!(path = %path.display(), %error, "search.file_not_used: its rows are read from the tables");
            }
            Searcher::of_stored(dimension, Instructions::fastest(), versions, segments, &stored)
        };
        let (searcher, missing) = tokio::task::spawn_blocking(of_files).await?;
        let searcher = Arc::new(searcher);
        self.read(&searcher, snapshot, &missing, &pairs).await?;
        tracing::info!(
            articles = pairs.len(),
            of_files = pairs.len() - missing.len(),
            mebibytes = searcher.memory() >> 20,
            peak_mebibytes = memory::peak().map(|peak| peak >> 20),
            seconds = began.elapsed().as_secs_f64(),
            "search.loaded"
        );
        *self.searcher.write().unwrap_or_else(PoisonError::into_inner) = Some(searcher);
        Ok(())
    }

    /// Reads `missing` articles, which ascend.
    async fn read(
        &self,
        searcher: &Arc<Searcher<Versions>>,
        snapshot: &Snapshot,
        missing: &[ArticleId],
        pairs: &[(ArticleId, i64)],
    ) -> Result<(), IndexError> {
        let (began, mut reported) = (Instant::now(), Instant::now());
        for (number, articles) in missing.chunks(ARTICLES_READ).enumerate() {
            let rows = snapshot.rows_of_articles(articles, pairs).await?;
            change(searcher, self.analyzer, rows, Vec::new(), searcher.versions()).await?;
            let merged = Arc::clone(searcher);
            tokio::task::spawn_blocking(move || while merged.merge() {}).await?;
            if reported.elapsed() >= PROGRESS_EVERY {
                reported = Instant::now();
                let done = number * ARTICLES_READ + articles.len();
                let rate = done as f64 / began.elapsed().as_secs_f64();
                tracing::info!(
                    done,
                    total = missing.len(),
                    rate_per_second = rate.round(),
                    seconds_left = ((missing.len() - done) as f64 / rate).round(),
                    "search.loading: /readyz answers 503 until all is read"
                );
            }
        }
        Ok(())
    }

    /// Writes what has no file yet, where searches use the generation; `written` is called when one is complete and not used yet. For the
    /// holder of the writer lock.
    pub async fn save(&self, written: impl Fn() + Send + 'static) -> Result<(), IndexError> {
        let Some(searcher) = self.searcher() else { return Ok(()) };
        let files = self.files.clone();
        let saved = tokio::task::spawn_blocking(move || files.save(&searcher, written)).await?;
        saved.map_err(|source| IndexError::SearchFiles { source })
    }

    /// What the files are like.
    pub async fn report(&self) -> Result<FileReport, IndexError> {
        let files = self.files.clone();
        Ok(tokio::task::spawn_blocking(move || files.report()).await?)
    }

    /// How much of searches is in memory; nothing where searches do not use the generation.
    pub fn resident(&self) -> Resident {
        self.searcher().map_or_else(Resident::default, |searcher| Resident {
            bytes: searcher.memory(),
            is_on_disk: searcher.is_on_disk(),
        })
    }

    /// Goes on to what `snapshot` has; absent in a generation that searches do not use.
    pub async fn follow(&self, snapshot: &Snapshot) -> Result<Option<View>, IndexError> {
        let written = std::mem::take(&mut *self.written());
        let Some(searcher) = self.searcher() else { return Ok(None) };
        let versions = snapshot.versions().await?;
        for Written { rows, gone, from, to } in written {
            if searcher.versions() == from {
                change(&searcher, self.analyzer, rows, gone, to).await?;
            }
        }
        if searcher.versions() != versions {
            let pairs = snapshot.pairs().await?;
            let difference = searcher.difference(&pairs);
            let rows = snapshot.rows_of_articles(&difference.missing, &pairs).await?;
            change(&searcher, self.analyzer, rows, difference.gone, versions).await?;
        }
        let view = searcher.view();
        // Beside searches and the next change.
        tokio::task::spawn_blocking(move || while searcher.merge() {});
        Ok(Some(view))
    }

    /// What searches of an earlier `snapshot` saw.
    pub async fn view_at(&self, snapshot: &Snapshot) -> Result<Option<View>, IndexError> {
        let Some(searcher) = self.searcher() else { return Ok(None) };
        if let Some(view) = searcher.view_at(snapshot.versions().await?) {
            return Ok(Some(view));
        }
        let pairs = snapshot.pairs().await?;
        let (view, missing) = searcher.view_of(&pairs);
        if missing.len() > REREAD_MAX {
            return Err(IndexError::VersionForgotten);
        }
        let rows = snapshot.rows_of_articles(&missing, &pairs).await?;
        let (dimension, analyzer) = (self.dimension, self.analyzer);
        let with = move || view.with(dimension, rows.iter().map(|(id, row)| row.to_new(*id, &analyzer)));
        Ok(Some(tokio::task::spawn_blocking(with).await?))
    }

    fn searcher(&self) -> Option<Arc<Searcher<Versions>>> {
        self.searcher.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn written(&self) -> MutexGuard<'_, Vec<Written>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
