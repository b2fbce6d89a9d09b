//! Upkeep in small steps, between writes: the index of ids takes in new rows, small files are merged, old versions are removed.
//!
//! Run by the writer only; a compaction loses to any update beside it.

use chrono::{DateTime, Utc};
use lance::dataset::cleanup::CleanupPolicy;
use lance::table::format::Fragment;
use lancedb::Table;
use lancedb::table::{CompactionOptions, OptimizeAction};

use super::IndexError;
use super::coverage::cover;
use super::generation::Generation;

/// Files that are not full from which they are merged: each change of an article opens some of them.
const FILES_TO_MERGE: usize = 16;
/// A file of so many rows is a middle one. What single writes make is rewritten a few times until it has this size, and
/// the rest of the table is left alone meanwhile.
const ROWS_PER_MIDDLE_FRAGMENT: usize = 1_024;
/// A file of so many rows is a large one.
const ROWS_PER_LARGE_FRAGMENT: usize = 65_536;
/// A file is written anew, when middle ones are merged, with more than one deleted row in so many.
const ROWS_FOR_EACH_DELETED: usize = 10;
/// Most rows of one such step, so that it stays short.
const ROWS_PER_STEP: usize = 262_144;

impl Generation {
    /// Does what is due; `true` when it changed something.
    pub async fn maintain(&self) -> Result<bool, IndexError> {
        let mut changed = false;
        for table in [&self.passages, &self.articles] {
            changed |= compact(table).await?;
            changed |= cover(table).await?;
        }
        if changed {
            self.publish().await?;
        }
        Ok(changed)
    }

    /// Removes the versions that were replaced before `time`: searches of them fail from then on.
    pub async fn prune(&self, time: DateTime<Utc>) -> Result<(), IndexError> {
        for table in [&self.passages, &self.articles] {
            prune(table, time).await.map_err(IndexError::during("remove old versions"))?;
        }
        Ok(())
    }
}

/// Removes the versions that were replaced before `time`. LanceDB's own step goes by when versions were written: it would
/// remove one of an hour ago as soon as it is replaced, under the searches that read it.
async fn prune(table: &Table, time: DateTime<Utc>) -> lancedb::Result<()> {
    let Some(dataset) = table.dataset() else { return Ok(()) };
    let dataset = dataset.get().await?;
    let versions = dataset.versions().await?;
    let current_then =
        versions.iter().filter(|version| version.timestamp < time).map(|version| version.version);
    let policy = CleanupPolicy { before_version: current_then.max(), ..CleanupPolicy::default() };
    if policy.before_version.is_some() {
        dataset.cleanup_with_policy(policy).await?;
    }
    Ok(())
}

/// Merges small files, and middle ones, when there are many of them; `true` when it changed something.
async fn compact(table: &Table) -> Result<bool, IndexError> {
    let small = CompactionOptions {
        target_rows_per_fragment: ROWS_PER_MIDDLE_FRAGMENT,
        materialize_deletions: false,
        ..CompactionOptions::default()
    };
    let middle = CompactionOptions {
        target_rows_per_fragment: ROWS_PER_LARGE_FRAGMENT,
        materialize_deletions_threshold: 1.0 / ROWS_FOR_EACH_DELETED as f32,
        max_source_rows: Some(ROWS_PER_STEP),
        ..CompactionOptions::default()
    };
    let mut changed = false;
    for options in [small, middle] {
        if files_to_merge(table, &options).await? >= FILES_TO_MERGE {
            changed |= run_compaction(table, options).await?;
        }
    }
    Ok(changed)
}

/// How many files are not full, or have many deleted rows if those are to go.
async fn files_to_merge(table: &Table, options: &CompactionOptions) -> Result<usize, IndexError> {
    let Some(dataset) = table.dataset() else { return Ok(0) };
    let dataset = dataset.get().await.map_err(IndexError::during("count its data files"))?;
    let is_to_merge = |file: &&Fragment| {
        let rows = file.physical_rows.unwrap_or(0);
        let deleted = file.deletion_file.as_ref().and_then(|deleted| deleted.num_deleted_rows).unwrap_or(0);
        rows < options.target_rows_per_fragment
            || options.materialize_deletions && deleted * ROWS_FOR_EACH_DELETED > rows
    };
    Ok(dataset.fragments().iter().filter(is_to_merge).count())
}

async fn run_compaction(table: &Table, options: CompactionOptions) -> Result<bool, IndexError> {
    let compact = OptimizeAction::Compact { options, remap_options: None };
    let done = table.optimize(compact).await.map_err(IndexError::during("merge small files"))?;
    Ok(done.compaction.is_some_and(|metrics| metrics.fragments_removed > 0))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, RecordBatch};
    use arrow_schema::{DataType, Field, Schema};
    use tempfile::TempDir;

    use super::*;

    /// A table of files with so many rows.
    async fn table_of(folder: &TempDir, files: &[usize]) -> Table {
        let connection = lancedb::connect(&folder.path().display().to_string()).execute().await.unwrap();
        let schema = Arc::new(Schema::new(vec![Field::new("number", DataType::Int64, false)]));
        let table = connection.create_empty_table("numbers", Arc::clone(&schema)).execute().await.unwrap();
        for rows in files {
            let column = Arc::new(Int64Array::from(vec![7; *rows]));
            let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]).unwrap();
            table.add(batch).execute().await.unwrap();
        }
        table
    }

    #[tokio::test]
    async fn full_files_are_no_reason_to_merge() {
        let folder = tempfile::tempdir().unwrap();
        let full = [ROWS_PER_LARGE_FRAGMENT; 4];
        let table = table_of(&folder, &[&full[..], &[10; FILES_TO_MERGE - 1]].concat()).await;
        assert!(!compact(&table).await.unwrap(), "fifteen small ones are few");
        let folder = tempfile::tempdir().unwrap();
        let table = table_of(&folder, &[&full[..], &[10; FILES_TO_MERGE]].concat()).await;
        assert!(compact(&table).await.unwrap());
        assert_eq!(table.stats().await.unwrap().fragment_stats.num_fragments, 5);
    }

    #[tokio::test]
    async fn a_version_is_kept_for_as_long_after_it_was_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let table = table_of(&folder, &[1; 3]).await;
        let versions = table.list_versions().await.unwrap();
        assert_eq!(versions.iter().map(|version| version.version).collect::<Vec<_>>(), [1, 2, 3, 4]);
        // Just before the last one was written the one before was current.
        prune(&table, versions[3].timestamp).await.unwrap();
        let kept = table.list_versions().await.unwrap();
        assert_eq!(kept.iter().map(|version| version.version).collect::<Vec<_>>(), [3, 4]);
        prune(&table, versions[0].timestamp).await.unwrap();
        assert_eq!(table.list_versions().await.unwrap().len(), 2);
        prune(&table, Utc::now()).await.unwrap();
        assert_eq!(table.list_versions().await.unwrap().len(), 1);
    }
}
