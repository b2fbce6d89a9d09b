//! The indexes of a table: made when they pay, and extended by the rows outside of them.

use lance::index::DatasetIndexExt;
use lance::table::format::IndexMetadata;
use lancedb::index::scalar::{BTreeIndexBuilder, BitmapIndexBuilder, LabelListIndexBuilder};
use lancedb::index::vector::IvfSqIndexBuilder;
use lancedb::index::{Index, IndexConfig};
use lancedb::table::{OptimizeAction, OptimizeOptions};
use lancedb::{DistanceType, Table};

use super::tolerance::Tolerance;
use super::{IndexError, full_text};
use crate::config::TextLanguage;

/// Rows from which columns are indexed.
const ROWS_BEFORE_COLUMN_INDEXES: u64 = 2_000;
/// Rows from which the vectors are indexed; below, a scan of all is as fast and exact.
const ROWS_BEFORE_VECTOR_INDEX: u64 = 8_000;
/// Vectors of one partition of that index when it is made.
const ROWS_PER_PARTITION: u64 = 1_000;
/// Vectors of one partition from which the index is made anew. What it takes in goes to the partitions that it has: at
/// 145,000 rows a search of an index of 8,000 would look at every vector. So it is made anew when the table has doubled, and
/// a row costs the same however large the table becomes.
const ROWS_PER_PARTITION_MAX: u64 = 2_000;

/// What of a table an index covers, in rows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Coverage {
    /// Of each part, the oldest first.
    parts: Vec<u64>,
    outside: u64,
}

/// Makes the indexes that are missing and extends the others; `true` when it changed something. Texts are in the
/// article table alone, in that `language`.
pub async fn cover(
    table: &Table,
    language: Option<TextLanguage>,
    tolerance: &Tolerance,
) -> Result<bool, IndexError> {
    let mut changed = create_missing(table, language).await?;
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
    let most = if index.columns == ["text"] { tolerance.texts_outside } else { tolerance.rows_outside };
    let before = coverage(table, &index.name).await?;
    let takes_in = before.outside >= most;
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

async fn create_missing(table: &Table, language: Option<TextLanguage>) -> Result<bool, IndexError> {
    let indices = indices(table).await?;
    let has = |column: &str| indices.iter().any(|index| index.columns == [column]);
    let rows = table.count_rows(None).await.map_err(IndexError::during("count its rows"))? as u64;
    let mut missing = Vec::new();
    if rows >= ROWS_BEFORE_COLUMN_INDEXES {
        missing.push(("article_id", Index::BTree(BTreeIndexBuilder::default())));
        missing.push(("category", Index::Bitmap(BitmapIndexBuilder::default())));
        missing.push(("tags", Index::LabelList(LabelListIndexBuilder::default())));
        if language.is_some() {
            missing.push(("title_key", Index::BTree(BTreeIndexBuilder::default())));
            missing.push(("external_id", Index::BTree(BTreeIndexBuilder::default())));
        }
    }
    missing.retain(|(column, _)| !has(column));
    let mut changed = !missing.is_empty();
    let partitions = indices.iter().find_map(|index| index.name.strip_prefix(VECTOR_INDEX)?.parse().ok());
    if is_vector_index_due(rows, partitions) {
        index_vectors(table, None).await?;
        changed = true;
    }
    for (column, index) in missing {
        let created = table.create_index(&[column], index).execute().await;
        created.map_err(IndexError::during("create an index"))?;
    }
    if let Some(language) = language {
        changed |= full_text::create(table, language).await?;
    }
    Ok(changed)
}

/// Whether to make the index of vectors, or to make it anew where it has so many partitions.
fn is_vector_index_due(rows: u64, partitions: Option<u64>) -> bool {
    rows >= ROWS_BEFORE_VECTOR_INDEX.max(ROWS_PER_PARTITION_MAX * partitions.unwrap_or(0))
}

/// What the name of the vectors' index begins with; the number of its partitions follows.
const VECTOR_INDEX: &str = "vector_ivf_sq_";

/// Scalar quantisation keeps .99 of the nearest ten at a twentieth of a scan's time (40,000 abstracts, 384 dimensions);
/// searches compute the distances of what it finds anew.
fn vector_index(partitions: u32) -> Index {
    Index::IvfSq(IvfSqIndexBuilder::default().distance_type(DistanceType::Cosine).num_partitions(partitions))
}

/// Indexes the vectors of a table that has any, in `wanted` partitions or in as many as it should have, in place of the index
/// that there is.
pub async fn index_vectors(table: &Table, wanted: Option<u32>) -> Result<(), IndexError> {
    let failed = IndexError::during("index its vectors");
    let rows = table.count_rows(None).await.map_err(&failed)? as u64;
    if rows == 0 {
        return Ok(());
    }
    let should_have = u32::try_from(rows / ROWS_PER_PARTITION).unwrap_or(u32::MAX).max(1);
    let partitions = wanted.unwrap_or(should_have);
    let name = format!("{VECTOR_INDEX}{partitions}");
    let other = table.list_indices().await.map_err(&failed)?;
    let other = other.into_iter().filter(|index| index.columns == ["vector"] && index.name != name);
    let create = table.create_index(&["vector"], vector_index(partitions)).name(name.clone());
    create.execute().await.map_err(&failed)?;
    // Searches that have begun keep the version with the other one.
    for index in other {
        table.drop_index(&index.name).await.map_err(&failed)?;
    }
    Ok(())
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

    use arrow_array::types::Float32Type;
    use arrow_array::{FixedSizeListArray, RecordBatch};
    use arrow_schema::{DataType, Field, Schema};
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn the_vector_index_is_made_anew_each_time_the_table_has_doubled() {
        let (mut partitions, mut made) = (None, Vec::new());
        for rows in (0..100_000).step_by(100) {
            if is_vector_index_due(rows, partitions) {
                made.push(rows);
                partitions = Some(rows / ROWS_PER_PARTITION);
            }
        }
        assert_eq!(made, [8_000, 16_000, 32_000, 64_000]);
        assert!(!is_vector_index_due(7_000, Some(8)), "rows that go are no reason");
    }

    /// So many rows with vectors of 8 numbers.
    fn vectors(rows: i64) -> RecordBatch {
        let item = Arc::new(Field::new_list_field(DataType::Float32, true));
        let schema = Schema::new(vec![Field::new("vector", DataType::FixedSizeList(item, 8), false)]);
        let vectors =
            (0..rows).map(|row| Some((0..8).map(move |at| Some(((row * 7 + at * 13) % 29) as f32 - 14.0))));
        let vectors = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(vectors, 8);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(vectors)]).unwrap()
    }

    async fn table(folder: &TempDir, rows: i64) -> Table {
        let connection = lancedb::connect(&folder.path().display().to_string()).execute().await.unwrap();
        connection.create_table("vectors", vectors(rows)).execute().await.unwrap()
    }

    #[tokio::test]
    async fn a_new_vector_index_takes_the_place_of_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let table = table(&folder, 600).await;
        for (wanted, name) in
            [(Some(2), "vector_ivf_sq_2"), (Some(3), "vector_ivf_sq_3"), (None, "vector_ivf_sq_1")]
        {
            index_vectors(&table, wanted).await.unwrap();
            let names: Vec<_> =
                table.list_indices().await.unwrap().into_iter().map(|index| index.name).collect();
            assert_eq!(names, [name]);
        }
    }

    #[tokio::test]
    async fn in_quiet_an_index_takes_in_all_rows_and_has_few_parts() {
        let folder = tempfile::tempdir().unwrap();
        let table = table(&folder, 600).await;
        index_vectors(&table, Some(2)).await.unwrap();
        for rows in [200, 100, 1] {
            table.add(vectors(rows)).execute().await.unwrap();
            assert!(!extend_next(&table, &Tolerance::WHILE_WRITTEN).await.unwrap(), "few rows are outside");
            let appended = OptimizeAction::Index(OptimizeOptions::append());
            table.optimize(appended).await.unwrap();
        }
        table.add(vectors(1)).execute().await.unwrap();
        let before = coverage(&table, "vector_ivf_sq_2").await.unwrap();
        assert_eq!(before, Coverage { parts: vec![600, 200, 100, 1], outside: 1 });
        assert!(extend_next(&table, &Tolerance::IN_QUIET).await.unwrap());
        assert!(!extend_next(&table, &Tolerance::IN_QUIET).await.unwrap(), "nothing is left to do");
        let after = coverage(&table, "vector_ivf_sq_2").await.unwrap();
        assert_eq!(after, Coverage { parts: vec![902], outside: 0 });
    }
}
