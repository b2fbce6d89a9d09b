//! The index of a table's ids: made when it pays, and extended by the rows outside of it.

use lance::index::DatasetIndexExt;
use lance::table::format::IndexMetadata;
use lancedb::Table;
use lancedb::index::scalar::BTreeIndexBuilder;
use lancedb::index::{Index, IndexConfig};
use lancedb::table::{OptimizeAction, OptimizeOptions};

use super::IndexError;
use super::tolerance::Tolerance;

/// Rows from which ids are indexed.
const ROWS_BEFORE_INDEX: u64 = 2_000;
const ID: &str = "article_id";

/// What of a table an index covers, in rows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Coverage {
    /// Of each part, the oldest first.
    parts: Vec<u64>,
    outside: u64,
}

/// Indexes the ids, from so many rows on that writes find old rows faster, and extends the index; `true` when it changed something.
pub async fn cover(table: &Table, tolerance: &Tolerance) -> Result<bool, IndexError> {
    let mut changed = create_missing(table).await?;
    for index in indices(table).await? {
        changed |= extend(table, index, tolerance).await?;
    }
    Ok(changed)
}

/// Extends the first index that needs it; `false` when none does.
pub async fn extend_next(table: &Table, tolerance: &Tolerance) -> Result<bool, IndexError> {
    for index in indices(table).await? {
        if extend(table, index, tolerance).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn indices(table: &Table) -> Result<Vec<IndexConfig>, IndexError> {
    table.list_indices().await.map_err(IndexError::during("list its indexes"))
}

/// Takes the rows outside an index in and makes parts of it one, where that is due; `true` when it changed something.
async fn extend(table: &Table, index: IndexConfig, tolerance: &Tolerance) -> Result<bool, IndexError> {
    let before = coverage(table, &index.name).await?;
    let takes_in = before.outside >= tolerance.rows_outside;
    let merged = tolerance.parts_to_merge(&before.parts, if takes_in { before.outside } else { 0 });
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
    async fn in_quiet_an_index_takes_in_all_rows_and_has_few_parts() {
        let folder = tempfile::tempdir().unwrap();
        let table = table(&folder, 600).await;
        let index = Index::BTree(BTreeIndexBuilder::default());
        table.create_index(&["number"], index).name(NAME.to_owned()).execute().await.unwrap();
        for rows in [200, 100, 1] {
            table.add(numbers(rows)).execute().await.unwrap();
            assert!(!extend_next(&table, &Tolerance::WHILE_WRITTEN).await.unwrap(), "few rows are outside");
            let appended = OptimizeAction::Index(OptimizeOptions::append());
            table.optimize(appended).await.unwrap();
        }
        table.add(numbers(1)).execute().await.unwrap();
        let before = coverage(&table, NAME).await.unwrap();
        assert_eq!(before, Coverage { parts: vec![600, 200, 100, 1], outside: 1 });
        assert!(extend_next(&table, &Tolerance::IN_QUIET).await.unwrap());
        assert!(!extend_next(&table, &Tolerance::IN_QUIET).await.unwrap(), "nothing is left to do");
        let after = coverage(&table, NAME).await.unwrap();
        assert_eq!(after, Coverage { parts: vec![902], outside: 0 });
    }
}
