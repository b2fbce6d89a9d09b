//! Upkeep in small steps, between writes: indexes take in new rows, small files are merged, old versions removed.
//!
//! Run by the writer only; a compaction loses to any update beside it.

use chrono::TimeDelta;
use lancedb::Table;
use lancedb::table::{CompactionOptions, OptimizeAction};

use super::IndexError;
use super::coverage::{cover, index_vectors};
use super::generation::Generation;

/// Data files from which small ones are merged to middle ones, or middle ones to large ones.
const FRAGMENTS_BEFORE_COMPACTION: usize = 16;
/// A file of so many rows is a middle one. What single writes make is rewritten a few times until it has this size, and
/// the rest of the table is left alone meanwhile.
const ROWS_PER_MIDDLE_FRAGMENT: usize = 1_024;
/// A file of so many rows is a large one.
const ROWS_PER_LARGE_FRAGMENT: usize = 65_536;
/// The share of deleted rows from which a file is written anew when middle ones are merged.
const DELETED_BEFORE_REWRITE: f32 = 0.1;
/// Most rows of one such step, so that it stays short.
const ROWS_PER_STEP: usize = 262_144;
/// How long a replaced version can still be read: longer than any search that began with it, and than another process
/// needs to notice that there is a newer one.
const VERSIONS_KEPT: TimeDelta = TimeDelta::minutes(2);

impl Generation {
    /// Does what is due; `true` when it changed something.
    pub async fn maintain(&self) -> Result<bool, IndexError> {
        let mut changed = false;
        for (table, language) in [(&self.passages, None), (&self.articles, Some(self.text_language))] {
            changed |= compact(table).await?;
            changed |= cover(table, language).await?;
        }
        if changed {
            self.publish().await?;
        }
        Ok(changed)
    }

    /// Makes the index of the vectors of both tables, however few rows they have, and shows it to searches: to measure it. For
    /// the holder of the writer lock.
    pub async fn index_vectors(&self) -> Result<(), IndexError> {
        for table in [&self.passages, &self.articles] {
            index_vectors(table).await?;
        }
        self.publish().await
    }

    /// Removes versions that nobody can be reading any more.
    pub async fn prune(&self) -> Result<(), IndexError> {
        for table in [&self.passages, &self.articles] {
            let prune = OptimizeAction::Prune {
                older_than: Some(VERSIONS_KEPT),
                delete_unverified: None,
                error_if_tagged_old_versions: None,
            };
            table.optimize(prune).await.map_err(IndexError::during("remove old versions"))?;
        }
        Ok(())
    }
}

/// Merges small files, and middle ones when there are many of them; `true` when it changed something.
async fn compact(table: &Table) -> Result<bool, IndexError> {
    if fragments(table).await? < FRAGMENTS_BEFORE_COMPACTION {
        return Ok(false);
    }
    let small = CompactionOptions {
        target_rows_per_fragment: ROWS_PER_MIDDLE_FRAGMENT,
        materialize_deletions: false,
        ..CompactionOptions::default()
    };
    let mut changed = run_compaction(table, small).await?;
    if fragments(table).await? >= FRAGMENTS_BEFORE_COMPACTION {
        let large = CompactionOptions {
            target_rows_per_fragment: ROWS_PER_LARGE_FRAGMENT,
            materialize_deletions_threshold: DELETED_BEFORE_REWRITE,
            max_source_rows: Some(ROWS_PER_STEP),
            ..CompactionOptions::default()
        };
        changed |= run_compaction(table, large).await?;
    }
    Ok(changed)
}

async fn fragments(table: &Table) -> Result<usize, IndexError> {
    let stats = table.stats().await.map_err(IndexError::during("count its data files"))?;
    Ok(stats.fragment_stats.num_fragments)
}

async fn run_compaction(table: &Table, options: CompactionOptions) -> Result<bool, IndexError> {
    let compact = OptimizeAction::Compact { options, remap_options: None };
    let done = table.optimize(compact).await.map_err(IndexError::during("merge small files"))?;
    Ok(done.compaction.is_some_and(|metrics| metrics.fragments_removed > 0))
}
