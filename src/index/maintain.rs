//! Upkeep in small steps, between writes: indexes take in new rows, small files are merged, old versions removed.
//!
//! Run by the writer only; a compaction loses to any update beside it.

use chrono::TimeDelta;
use lancedb::index::Index;
use lancedb::index::scalar::{BTreeIndexBuilder, BitmapIndexBuilder, FtsIndexBuilder, LabelListIndexBuilder};
use lancedb::index::vector::IvfSqIndexBuilder;
use lancedb::table::{CompactionOptions, OptimizeAction, OptimizeOptions};
use lancedb::{DistanceType, Table};

use super::IndexError;
use super::generation::Generation;

/// Rows outside the indexes from which they take them in: a search scans what they do not cover.
const ROWS_BEFORE_APPEND: usize = 2_000;
/// Data files outside the indexes from which they take them in.
const FRAGMENTS_BEFORE_APPEND: usize = 64;
/// Data files from which the small ones are merged.
const FRAGMENTS_BEFORE_COMPACTION: usize = 32;
/// Larger files are left alone, so that one step stays short.
const ROWS_PER_FRAGMENT: usize = 65_536;
/// Rows from which the vectors are indexed; below, a scan of all is as fast and exact.
const ROWS_BEFORE_VECTOR_INDEX: usize = 8_000;
/// Vectors of one partition of that index when it is made.
const ROWS_PER_PARTITION: usize = 1_000;
/// How long a replaced version can still be read.
const VERSIONS_KEPT: TimeDelta = TimeDelta::minutes(30);

impl Generation {
    /// Does what is due; `true` when it changed something.
    pub async fn maintain(&self) -> Result<bool, IndexError> {
        let mut changed = false;
        for (table, text) in [(&self.passages, false), (&self.articles, true)] {
            changed |= maintain(table, text).await?;
        }
        if changed {
            self.publish().await?;
        }
        Ok(changed)
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

async fn maintain(table: &Table, text: bool) -> Result<bool, IndexError> {
    let stats = table.stats().await.map_err(IndexError::during("count its rows"))?;
    let indices = table.list_indices().await.map_err(IndexError::during("list its indexes"))?;
    if indices.is_empty() {
        if stats.num_rows < ROWS_BEFORE_APPEND {
            return Ok(false);
        }
        create_indexes(table, text).await?;
        return Ok(true);
    }
    let vectors_indexed = indices.iter().any(|index| index.columns == ["vector"]);
    if !vectors_indexed && stats.num_rows >= ROWS_BEFORE_VECTOR_INDEX {
        create_vector_index(table, stats.num_rows).await?;
        return Ok(true);
    }
    let fragments = stats.fragment_stats.num_fragments;
    let compact = fragments >= FRAGMENTS_BEFORE_COMPACTION;
    if compact {
        let options =
            CompactionOptions { target_rows_per_fragment: ROWS_PER_FRAGMENT, ..CompactionOptions::default() };
        let compact = OptimizeAction::Compact { options, remap_options: None };
        table.optimize(compact).await.map_err(IndexError::during("merge small files"))?;
    }
    let uncovered = unindexed_rows(table, &indices[0].name).await?;
    let append = uncovered >= ROWS_BEFORE_APPEND || (uncovered > 0 && fragments >= FRAGMENTS_BEFORE_APPEND);
    if append {
        let append = OptimizeAction::Index(OptimizeOptions::append());
        table.optimize(append).await.map_err(IndexError::during("extend its indexes"))?;
    }
    Ok(compact || append)
}

async fn unindexed_rows(table: &Table, index: &str) -> Result<usize, IndexError> {
    let stats = table.index_stats(index).await.map_err(IndexError::during("read an index's statistics"))?;
    Ok(stats.map_or(0, |stats| stats.num_unindexed_rows))
}

async fn create_indexes(table: &Table, text: bool) -> Result<(), IndexError> {
    let mut indexes = vec![
        ("article_id", Index::BTree(BTreeIndexBuilder::default())),
        ("category", Index::Bitmap(BitmapIndexBuilder::default())),
        ("tags", Index::LabelList(LabelListIndexBuilder::default())),
    ];
    if text {
        indexes.push(("text", Index::FTS(FtsIndexBuilder::default())));
    }
    for (column, index) in indexes {
        table
            .create_index(&[column], index)
            .execute()
            .await
            .map_err(IndexError::during("create an index"))?;
    }
    Ok(())
}

/// Scalar quantisation keeps .99 of the nearest ten at a twentieth of a scan's time (40,000 abstracts, 384 dimensions);
/// searches compute the distances of what it finds anew.
async fn create_vector_index(table: &Table, rows: usize) -> Result<(), IndexError> {
    let partitions = u32::try_from(rows / ROWS_PER_PARTITION).unwrap_or(u32::MAX);
    let index = IvfSqIndexBuilder::default().distance_type(DistanceType::Cosine).num_partitions(partitions);
    let created = table.create_index(&["vector"], Index::IvfSq(index)).execute().await;
    created.map_err(IndexError::during("index its vectors"))
}
