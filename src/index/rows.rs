//! The rows of the two tables and their layout in Arrow.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::Float32Type;
use arrow_array::{
    ArrayRef, FixedSizeBinaryArray, FixedSizeListArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::IndexError;

/// Bytes of a content hash.
pub const HASH_BYTES: i32 = 32;

/// One article as the index holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct ArticleRow {
    pub article_id: i64,
    pub revision: i64,
    /// Hash of everything that is indexed of the article.
    pub content_hash: [u8; HASH_BYTES as usize],
    /// Made of the passages' vectors, the first of which counts most (`sync/article_vector.rs`); of unit length.
    pub vector: Vec<f32>,
    /// Title, a line break, and content: for words, and for passages of this revision.
    pub text: String,
    /// Equal for titles that are meant to be the same ([`crate::words::title_key`]).
    pub title_key: String,
    pub external_id: Option<String>,
    pub facets: Facets,
}

/// One passage of an article.
#[derive(Clone, Debug, PartialEq)]
pub struct PassageRow {
    pub article_id: i64,
    /// Position among the article's passages, from 0.
    pub ordinal: i32,
    pub revision: i64,
    pub vector: Vec<f32>,
    /// Where the passage begins in the content, in UTF-16 code units.
    pub start: i32,
    /// Where it ends.
    pub end: i32,
}

/// What articles can be filtered by.
#[derive(Clone, Debug, PartialEq)]
pub struct Facets {
    pub category: Option<String>,
    pub tags: Arc<[String]>,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Characters of the content.
    pub content_length: i32,
}

/// Changes that become visible together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// New and changed articles, each at most once.
    pub articles: Vec<ArticleRow>,
    /// All passages of `articles`.
    pub passages: Vec<PassageRow>,
    /// Articles to remove; none of them in `articles`.
    pub deleted: Vec<i64>,
}

fn facet_fields() -> [Field; 4] {
    [
        Field::new("category", DataType::Utf8, true),
        Field::new("tags", DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))), false),
        Field::new("created_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        Field::new("content_length", DataType::Int32, false),
    ]
}

fn vector_field(dimension: usize) -> Field {
    let length = i32::try_from(dimension).unwrap_or(i32::MAX);
    let item = Arc::new(Field::new_list_field(DataType::Float32, true));
    Field::new("vector", DataType::FixedSizeList(item, length), false)
}

/// `write` numbers the write that a row came with: rows of the same article from other writes are stale.
pub fn article_schema(dimension: usize, metadata: HashMap<String, String>) -> SchemaRef {
    let mut fields = vec![
        Field::new("article_id", DataType::Int64, false),
        Field::new("write", DataType::Int64, false),
        Field::new("revision", DataType::Int64, false),
        Field::new("content_hash", DataType::FixedSizeBinary(HASH_BYTES), false),
        vector_field(dimension),
        Field::new("text", DataType::Utf8, false),
        Field::new("title_key", DataType::Utf8, false),
        Field::new("external_id", DataType::Utf8, true),
    ];
    fields.extend(facet_fields());
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

pub fn passage_schema(dimension: usize, metadata: HashMap<String, String>) -> SchemaRef {
    let fields = vec![
        Field::new("article_id", DataType::Int64, false),
        Field::new("write", DataType::Int64, false),
        Field::new("ordinal", DataType::Int32, false),
        Field::new("revision", DataType::Int64, false),
        vector_field(dimension),
        Field::new("start", DataType::Int32, false),
        Field::new("end", DataType::Int32, false),
    ];
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

pub fn article_batch(rows: &[ArticleRow], dimension: usize, write: i64) -> Result<RecordBatch, IndexError> {
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.article_id))),
        Arc::new(Int64Array::from_value(write, rows.len())),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.revision))),
        Arc::new(FixedSizeBinaryArray::try_from_iter(rows.iter().map(|row| row.content_hash))?),
        vectors(rows.iter().map(|row| row.vector.as_slice()), dimension),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.text))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.title_key))),
        Arc::new(rows.iter().map(|row| row.external_id.as_deref()).collect::<StringArray>()),
    ];
    columns.extend(facets(rows.iter().map(|row| &row.facets)));
    Ok(RecordBatch::try_new(article_schema(dimension, HashMap::new()), columns)?)
}

pub fn passage_batch(rows: &[PassageRow], dimension: usize, write: i64) -> Result<RecordBatch, IndexError> {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.article_id))),
        Arc::new(Int64Array::from_value(write, rows.len())),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.ordinal))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.revision))),
        vectors(rows.iter().map(|row| row.vector.as_slice()), dimension),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.start))),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.end))),
    ];
    Ok(RecordBatch::try_new(passage_schema(dimension, HashMap::new()), columns)?)
}

fn vectors<'a>(rows: impl Iterator<Item = &'a [f32]>, dimension: usize) -> ArrayRef {
    let length = i32::try_from(dimension).unwrap_or(i32::MAX);
    let rows = rows.map(|vector| Some(vector.iter().copied().map(Some)));
    Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, length))
}

fn facets<'a>(rows: impl Iterator<Item = &'a Facets> + Clone) -> [ArrayRef; 4] {
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in rows.clone() {
        for tag in row.tags.iter() {
            tags.values().append_value(tag);
        }
        tags.append(true);
    }
    let created_at = rows.clone().map(|row| row.created_at);
    let content_length = rows.clone().map(|row| row.content_length);
    [
        Arc::new(rows.map(|row| row.category.as_deref()).collect::<StringArray>()),
        Arc::new(tags.finish()),
        Arc::new(TimestampMicrosecondArray::from_iter_values(created_at).with_timezone("UTC")),
        Arc::new(Int32Array::from_iter_values(content_length)),
    ]
}
