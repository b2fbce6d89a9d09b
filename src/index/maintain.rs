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
/// Parts of an index, one for each time it took rows in, from which they are made one: each search asks all of them.
const PARTS_BEFORE_MERGE: u32 = 8;
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
/// Rows from which the vectors are indexed; below, a scan of all is as fast and exact.
const ROWS_BEFORE_VECTOR_INDEX: usize = 8_000;
/// Vectors of one partition of that index when it is made.
const ROWS_PER_PARTITION: usize = 1_000;
/// How long a replaced version can still be read: longer than any search that began with it, and than another process
/// needs to notice that there is a newer one.
const VERSIONS_KEPT: TimeDelta = TimeDelta::minutes(2);

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
    let compacted = compact(table).await?;
    let stats = table.stats().await.map_err(IndexError::during("count its rows"))?;
    let indices = table.list_indices().await.map_err(IndexError::during("list its indexes"))?;
    if indices.is_empty() {
        if stats.num_rows < ROWS_BEFORE_APPEND {
            return Ok(compacted);
        }
        create_indexes(table, text).await?;
        return Ok(true);
    }
    let vectors_indexed = indices.iter().any(|index| index.columns == ["vector"]);
    if !vectors_indexed && stats.num_rows >= ROWS_BEFORE_VECTOR_INDEX {
        create_vector_index(table, stats.num_rows).await?;
        return Ok(true);
    }
    let coverage = table.index_stats(&indices[0].name).await;
    let coverage = coverage.map_err(IndexError::during("read an index's statistics"))?;
    let (uncovered, parts) =
        coverage.map_or((0, 0), |stats| (stats.num_unindexed_rows, stats.num_indices.unwrap_or(1)));
    if uncovered < ROWS_BEFORE_APPEND {
        return Ok(compacted);
    }
    let options = if parts >= PARTS_BEFORE_MERGE {
        OptimizeOptions::merge(parts as usize)
    } else {
        OptimizeOptions::append()
    };
    let extended = table.optimize(OptimizeAction::Index(options)).await;
    extended.map_err(IndexError::during("extend its indexes"))?;
    Ok(true)
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
