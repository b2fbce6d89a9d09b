//! The index of a table's ids: made when it pays, and extended by the rows outside of it.

use lance::index::DatasetIndexExt;
use lance::table::format::IndexMetadata;
use lancedb::Table;
use lancedb::index::scalar::BTreeIndexBuilder;
use lancedb::index::{Index, IndexConfig};
use lancedb::table::{OptimizeAction, OptimizeOptions};

use super::IndexError;

/// Rows from which ids are indexed.
const ROWS_BEFORE_INDEX: u64 = 2_000;
/// Rows outside an index from which it takes them in: writes scan what is outside.
const ROWS_OUTSIDE_MAX: u64 = 2_000;
/// Parts of an index, one for each time it took rows in, from which some are made one: each write asks all of them.
const PARTS_MAX: usize = 8;
/// An older part is rewritten with the newer ones once it has at most this many times their rows.
const TIMES_NEWER_ROWS: u64 = 2;
const ID: &str = "article_id";

/// What of a table an index covers, in rows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Coverage {
    /// Of each part, the oldest first.
    parts: Vec<u64>,
    outside: u64,
}

/// Indexes the ids, from so many rows on that writes find old rows faster, and extends the index; `true` when it changed something.
pub async fn cover(table: &Table) -> Result<bool, IndexError> {
    let mut changed = create_missing(table).await?;
    for index in indices(table).await? {
        changed |= extend(table, index).await?;
    }
    Ok(changed)
}

async fn indices(table: &Table) -> Result<Vec<IndexConfig>, IndexError> {
    table.list_indices().await.map_err(IndexError::during("list its indexes"))
}

/// Takes the rows outside an index in and makes parts of it one, where that is due; `true` when it changed something.
async fn extend(table: &Table, index: IndexConfig) -> Result<bool, IndexError> {
    let before = coverage(table, &index.name).await?;
    let takes_in = before.outside >= ROWS_OUTSIDE_MAX;
    let merged = parts_to_merge(&before.parts, if takes_in { before.outside } else { 0 });
    if !takes_in && merged == 0 {
        return Ok(false);
    }
    let options = OptimizeOptions::merge(merged).index_names(vec![index.name.clone()]);
    let done = table.optimize(OptimizeAction::Index(options)).await;
    done.map_err(IndexError::during("extend an index"))?;
    // What changes nothing must not be tried again and again.
    Ok(coverage(table, &index.name).await? != before)
}

async fn create_missing(table: &Table) -> Result<bool, IndexError> {
    let rows = table.count_rows(None).await.map_err(IndexError::during("count its rows"))? as u64;
    if rows < ROWS_BEFORE_INDEX || indices(table).await?.iter().any(|index| index.columns == [ID]) {
        return Ok(false);
    }
    let created = table.create_index(&[ID], Index::BTree(BTreeIndexBuilder::default())).execute().await;
    created.map_err(IndexError::during("create an index"))?;
    Ok(true)
}

async fn coverage(table: &Table, index: &str) -> Result<Coverage, IndexError> {
    let failed = IndexError::during("tell what an index covers");
    let Some(dataset) = table.dataset() else { return Ok(Coverage::default()) };
    let dataset = dataset.get().await.map_err(&failed)?;
    let parts = dataset.load_indices_by_name(index).await.map_err(|error| failed(error.into()))?;
    let rows = |is_meant: &dyn Fn(u32) -> bool| {
        let fragments = dataset.fragments().iter().filter(|fragment| is_meant(fragment.id as u32));
        fragments.map(|fragment| fragment.num_rows().unwrap_or(0) as u64).sum()
    };
    let is_in = |part: &IndexMetadata, fragment| {
        part.fragment_bitmap.as_ref().is_some_and(|fragments| fragments.contains(fragment))
    };
    Ok(Coverage {
        parts: parts.iter().map(|part| rows(&|fragment| is_in(part, fragment))).collect(),
        outside: rows(&|fragment| !parts.iter().any(|part| is_in(part, fragment))),
    })
}

/// How many of the newest parts of an index to make one, with the rows that it takes in: as in a log-structured merge tree, an older part
/// joins when the newer ones have grown to a share of it, so that a row is rewritten a few times and not with each extension. `parts`
/// are the rows of each, the oldest first.
fn parts_to_merge(parts: &[u64], taken_in: u64) -> usize {
    if parts.len() < PARTS_MAX {
        return 0;
    }
    let (mut merged, mut newer_rows) = (0, taken_in);
    for (newer_parts, rows) in parts.iter().rev().enumerate() {
        if *rows <= TIMES_NEWER_ROWS * newer_rows {
            merged = newer_parts + 1;
        }
        newer_rows += rows;
    }
    merged
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, RecordBatch};
    use arrow_schema::{DataType, Field, Schema};
    use tempfile::TempDir;

    use super::*;

    const NAME: &str = "number_index";

    fn numbers(rows: i64) -> RecordBatch {
        let schema = Schema::new(vec![Field::new("number", DataType::Int64, false)]);
        let numbers = Int64Array::from_iter_values(0..rows);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(numbers)]).unwrap()
    }

    async fn table(folder: &TempDir, rows: i64) -> Table {
        let connection = lancedb::connect(&folder.path().display().to_string()).execute().await.unwrap();
        connection.create_table("numbers", numbers(rows)).execute().await.unwrap()
    }

    #[tokio::test]
    async fn an_index_takes_in_rows_once_they_are_many() {
        let folder = tempfile::tempdir().unwrap();
        let table = table(&folder, 600).await;
        let index = Index::BTree(BTreeIndexBuilder::default());
        table.create_index(&["number"], index).name(NAME.to_owned()).execute().await.unwrap();
        let extended = async || {
            let index = indices(&table).await.unwrap().remove(0);
            extend(&table, index).await.unwrap()
        };
        table.add(numbers(1_999)).execute().await.unwrap();
        assert!(!extended().await, "few rows are outside");
        table.add(numbers(1)).execute().await.unwrap();
        assert!(extended().await);
        assert!(!extended().await, "nothing is left to do");
        let after = coverage(&table, NAME).await.unwrap();
        assert_eq!(after, Coverage { parts: vec![600, 2_000], outside: 0 });
    }

    #[test]
    fn small_parts_are_made_one_and_large_ones_left_alone() {
        let merged = |parts: &[u64]| parts_to_merge(parts, 32);
        assert_eq!(merged(&[40_000, 32, 32, 32, 32, 32, 32, 32]), 7);
        assert_eq!(merged(&[40_000, 224, 32, 32, 32, 32, 32, 32]), 7);
        assert_eq!(merged(&[40_000, 800, 64, 64, 64, 64, 32, 32]), 6);
        assert_eq!(merged(&[500, 300, 200, 32, 32, 32, 32, 32]), 8);
        assert_eq!(merged(&[40_000, 32, 32, 32, 32, 32, 32]), 0, "few enough");
    }

    /// However many rows arrive, each write reads few parts, and a row is rewritten only a few times.
    #[test]
    fn a_row_is_written_a_few_times() {
        let (mut parts, mut written) = (Vec::new(), 0);
        for _ in 0..10_000 {
            let merged = parts_to_merge(&parts, 32);
            let rows: u64 = parts.drain(parts.len() - merged..).sum::<u64>() + 32;
            parts.push(rows);
            written += rows;
        }
        let rows = 10_000 * 32;
        assert_eq!(parts.iter().sum::<u64>(), rows);
        assert!(parts.len() <= 16 && written < 12 * rows, "{parts:?}, {written}");
    }
}
