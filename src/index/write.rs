//! Writing: one append and one delete per table, passages before articles.

use std::time::{SystemTime, UNIX_EPOCH};

use arrow_array::RecordBatch;
use lancedb::Table;

use super::generation::Generation;
use super::rows::{Batch, article_batch, passage_batch};
use super::versions::Versions;
use super::{IndexError, predicate};

/// Whether rows of the written articles may lie in the tables already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Previous {
    /// Old rows must be looked for and removed.
    Possible,
    /// The articles are known to be new.
    None,
}

impl Generation {
    /// Writes `batch` so that the tables hold exactly its rows of its articles. Searches see it after
    /// [`Generation::publish`].
    ///
    /// New rows are appended before the old ones are deleted: a stop in between leaves both, and the change is still in
    /// the outbox, so that writing it again removes whatever came from another write. Only one writer may call this at a
    /// time. Cancelling it leaves a state that the next write of the same articles mends.
    pub async fn write(&self, batch: &Batch, previous: Previous) -> Result<Versions, IndexError> {
        let write = write_number();
        let before = self.versions().await?;
        if !batch.passages.is_empty() {
            append(&self.passages, passage_batch(&batch.passages, self.dimension, write)?).await?;
        }
        let stale = predicate::of_other_writes(batch, write);
        let delete = (previous == Previous::Possible || !batch.deleted.is_empty()) && !stale.is_empty();
        if delete {
            remove(&self.passages, &stale).await?;
        }
        if !batch.articles.is_empty() {
            append(&self.articles, article_batch(&batch.articles, self.dimension, write)?).await?;
        }
        if delete {
            remove(&self.articles, &stale).await?;
        }
        let versions = self.versions().await?;
        self.memory.wrote(batch, write, before, versions);
        Ok(versions)
    }
}

async fn append(table: &Table, rows: RecordBatch) -> Result<(), IndexError> {
    table.add(rows).execute().await.map_err(IndexError::during("append rows"))?;
    Ok(())
}

async fn remove(table: &Table, predicate: &str) -> Result<(), IndexError> {
    table.delete(predicate).await.map_err(IndexError::during("delete rows"))?;
    Ok(())
}

/// A number that no other write has: the writer lock leaves one writer, and its clock's nanoseconds do not repeat.
fn write_number() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX)
}
