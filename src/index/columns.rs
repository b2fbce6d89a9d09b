//! What rows that were read have in their columns.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, FixedSizeListArray, RecordBatch, StringArray};

use super::IndexError;
use crate::article::ArticleId;
use crate::search::PassageSpan;

/// A column of any type.
pub(super) fn named<'a>(
    batch: &'a RecordBatch,
    name: &'static str,
) -> Result<&'a Arc<dyn Array>, IndexError> {
    batch.column_by_name(name).ok_or(IndexError::Column { name })
}

/// The values of a column of numbers.
pub(super) fn column<'a, T>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a [T::Native], IndexError>
where
    T: arrow_array::ArrowPrimitiveType,
{
    let array = named(batch, name)?.as_primitive_opt::<T>().ok_or(IndexError::Column { name })?;
    Ok(array.values())
}

/// The values of a column of texts.
pub(super) fn texts<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a StringArray, IndexError> {
    named(batch, name)?.as_string_opt().ok_or(IndexError::Column { name })
}

/// The vectors, one a row.
pub(super) fn vector_column(batch: &RecordBatch) -> Result<&FixedSizeListArray, IndexError> {
    named(batch, "vector")?.as_fixed_size_list_opt().ok_or(IndexError::Column { name: "vector" })
}

/// Where the passages of `batch` lie.
pub(super) fn spans(batch: &RecordBatch) -> Result<Vec<PassageSpan>, IndexError> {
    let articles = column::<Int64Type>(batch, "article_id")?;
    let revisions = column::<Int64Type>(batch, "revision")?;
    let starts = column::<Int32Type>(batch, "start")?;
    let ends = column::<Int32Type>(batch, "end")?;
    let span = |row: usize| PassageSpan {
        article: ArticleId(articles[row]),
        revision: revisions[row],
        start: starts[row],
        end: ends[row],
    };
    Ok((0..batch.num_rows()).map(span).collect())
}
