//! Parquet: columns of a table, read in batches of rows.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch, downcast_integer_array};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::{DateTime, Utc};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_writer::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::column::{Column, Columns};
use super::field::{created_at, created_at_from_text, tags_from_cell, unless_blank};
use super::input::Position;
use super::{ArticleRecord, Line, OpenError, ReadError, RecordError, WriteError};

/// Rows decoded or encoded together. Articles may be 1 MiB long each: a batch of the longest takes 256 MiB.
const BATCH_ROWS: usize = 256;

/// The compressed size at which a row group ends, in bytes: it is held in memory until then.
const ROW_GROUP_BYTES: usize = 64 << 20;

pub(super) struct Reader {
    batches: ParquetRecordBatchReader,
    columns: Columns,
    batch: RecordBatch,
    /// The next row in `batch`.
    next: usize,
    rows_read: u64,
    rows: u64,
    file_bytes: u64,
    position: Position,
}

impl Reader {
    /// `position` moves in proportion to the rows: which bytes belong to a row cannot be told.
    pub fn new(file: File, position: Position) -> Result<Self, OpenError> {
        let file_bytes = file.metadata().map_err(OpenError::Io)?.len();
        // Without the Arrow schema that its writer may have put there, all strings of a file are `Utf8` and all lists
        // `List`, be they dictionaries, views or large ones by that schema.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .map_err(OpenError::Parquet)?;
        let wanted = Columns::find(names(builder.schema()))?;
        check_types(&wanted, builder.schema())?;
        let projection =
            ProjectionMask::roots(builder.parquet_schema(), wanted.iter().map(|column| column.index));
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let batches = builder
            .with_projection(projection)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(OpenError::Parquet)?;
        let schema = arrow_array::RecordBatchReader::schema(&batches);
        let columns = Columns::find(names(&schema))?;
        let batch = RecordBatch::new_empty(schema);
        Ok(Self { batches, columns, batch, next: 0, rows_read: 0, rows, file_bytes, position })
    }

    fn record(&self, row: usize) -> Result<ArticleRecord, RecordError> {
        let columns = &self.columns;
        let cell = |column: Column| Cell { array: self.batch.column(column.index), row, field: column.field };
        let optional = |column: Option<Column>| column.map(cell).filter(|cell| !cell.is_null());
        let text = |column, expected| optional(Some(column)).ok_or(RecordError::Missing { expected });
        Ok(ArticleRecord {
            id: optional(columns.id).and_then(|cell| unless_blank(cell.identifier())),
            title: text(columns.title, "`title`")?.text().to_owned(),
            content: text(columns.content, "`content` (or `text`)")?.text().to_owned(),
            category: optional(columns.category).and_then(|cell| unless_blank(cell.text().into())),
            tags: optional(columns.tags).map_or(Ok(Vec::new()), |cell| cell.tags())?,
            created_at: match optional(columns.created_at) {
                Some(cell) => cell.created_at()?,
                None => None,
            },
        })
    }

    fn advance(&mut self) {
        self.next += 1;
        self.rows_read += 1;
        let bytes = u128::from(self.file_bytes) * u128::from(self.rows_read)
            / u128::from(self.rows.max(self.rows_read));
        self.position.set(u64::try_from(bytes).unwrap_or(self.file_bytes));
    }
}

impl Iterator for Reader {
    type Item = Result<Line, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.next == self.batch.num_rows() {
            match self.batches.next()? {
                Ok(batch) => self.batch = batch,
                Err(source) => return Some(Err(ReadError::Parquet { after_row: self.rows_read, source })),
            }
            self.next = 0;
        }
        let record = self.record(self.next);
        self.advance();
        Some(Ok(Line { number: self.rows_read, record }))
    }
}

fn names(schema: &Schema) -> impl Iterator<Item = &str> {
    schema.fields().iter().map(|field| field.name().as_str())
}

/// Makes sure that every cell can be read as what [`Cell`] takes it for. A column of nulls has a type of its own.
fn check_types(columns: &Columns, schema: &Schema) -> Result<(), OpenError> {
    for Column { index, field } in columns.iter() {
        let data_type = schema.field(index).data_type();
        let (fits, expected) = match field {
            "id" => (is_text(data_type) || data_type.is_integer(), "strings or integers"),
            "tags" => (is_text(data_type) || is_text_list(data_type), "lists of strings, or strings"),
            "created_at" | "date" => (
                is_text(data_type) || matches!(data_type, DataType::Timestamp(..) | DataType::Date32),
                "timestamps, dates or strings",
            ),
            _ => (is_text(data_type), "strings"),
        };
        if !fits && *data_type != DataType::Null {
            return Err(OpenError::ColumnType { column: field, found: data_type.to_string(), expected });
        }
    }
    Ok(())
}

fn is_text(data_type: &DataType) -> bool {
    *data_type == DataType::Utf8
}

fn is_text_list(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(item) if is_text(item.data_type()))
}

/// A value of a column whose type [`check_types`] has let through. All but `is_null` need one that is not null.
struct Cell<'a> {
    array: &'a ArrayRef,
    row: usize,
    field: &'static str,
}

impl<'a> Cell<'a> {
    fn is_null(&self) -> bool {
        *self.array.data_type() == DataType::Null || self.array.is_null(self.row)
    }

    fn text(&self) -> &'a str {
        self.array.as_string::<i32>().value(self.row)
    }

    fn identifier(&self) -> Cow<'a, str> {
        let array = self.array;
        downcast_integer_array!(
            array => Cow::Owned(array.value(self.row).to_string()),
            _ => Cow::Borrowed(self.text())
        )
    }

    fn tags(&self) -> Result<Vec<String>, RecordError> {
        let Some(lists) = self.array.as_list_opt::<i32>() else { return tags_from_cell(self.text()) };
        let tag = |tag: Option<&str>| {
            tag.map(str::to_owned).ok_or(RecordError::Type {
                field: self.field,
                expected: "a list of strings",
                found: "a list with a null",
            })
        };
        lists.value(self.row).as_string::<i32>().iter().map(tag).collect()
    }

    fn created_at(&self) -> Result<Option<DateTime<Utc>>, RecordError> {
        let (array, row) = (self.array, self.row);
        let instant = match array.data_type() {
            DataType::Timestamp(TimeUnit::Second, _) => {
                DateTime::from_timestamp_secs(array.as_primitive::<TimestampSecondType>().value(row))
            }
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                DateTime::from_timestamp_millis(array.as_primitive::<TimestampMillisecondType>().value(row))
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                DateTime::from_timestamp_micros(array.as_primitive::<TimestampMicrosecondType>().value(row))
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Some(DateTime::from_timestamp_nanos(
                array.as_primitive::<TimestampNanosecondType>().value(row),
            )),
            DataType::Date32 => DateTime::from_timestamp_secs(
                i64::from(array.as_primitive::<Date32Type>().value(row)) * 86_400,
            ),
            _ => return created_at_from_text(self.field, self.text()),
        };
        created_at(self.field, instant).map(Some)
    }
}

/// Writes the columns with Zstandard compression; `tags` is a list of strings, `created_at` in UTC microseconds.
pub(super) struct Writer<W: Write + Send> {
    output: ArrowWriter<W>,
    batch: Batch,
}

impl<W: Write + Send> Writer<W> {
    pub fn new(output: W) -> Result<Self, WriteError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            .build();
        let batch = Batch::new();
        let output = ArrowWriter::try_new(output, Arc::clone(&batch.schema), Some(properties))?;
        Ok(Self { output, batch })
    }

    pub fn write(&mut self, record: &ArticleRecord) -> Result<(), WriteError> {
        self.batch.append(record);
        if self.batch.rows == BATCH_ROWS {
            self.write_batch()?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<W, WriteError> {
        self.write_batch()?;
        Ok(self.output.into_inner()?)
    }

    fn write_batch(&mut self) -> Result<(), WriteError> {
        let batch = self.batch.take().map_err(ParquetError::from)?;
        Ok(self.output.write(&batch)?)
    }
}

/// Rows on their way to the file.
struct Batch {
    schema: SchemaRef,
    rows: usize,
    id: StringBuilder,
    title: StringBuilder,
    content: StringBuilder,
    category: StringBuilder,
    tags: ListBuilder<StringBuilder>,
    created_at: TimestampMicrosecondBuilder,
}

impl Batch {
    fn new() -> Self {
        let tag = Arc::new(Field::new("element", DataType::Utf8, false));
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let schema = Schema::new(vec![
            Field::new("id", DataType::Utf8, true),
            Field::new("title", DataType::Utf8, false),
            Field::new("content", DataType::Utf8, false),
            Field::new("category", DataType::Utf8, true),
            Field::new("tags", DataType::List(Arc::clone(&tag)), false),
            Field::new("created_at", instant.clone(), true),
        ]);
        Self {
            schema: Arc::new(schema),
            rows: 0,
            id: StringBuilder::new(),
            title: StringBuilder::new(),
            content: StringBuilder::new(),
            category: StringBuilder::new(),
            tags: ListBuilder::new(StringBuilder::new()).with_field(tag),
            created_at: TimestampMicrosecondBuilder::new().with_data_type(instant),
        }
    }

    fn append(&mut self, record: &ArticleRecord) {
        self.rows += 1;
        self.id.append_option(record.id.as_ref());
        self.title.append_value(&record.title);
        self.content.append_value(&record.content);
        self.category.append_option(record.category.as_ref());
        self.tags.append_value(record.tags.iter().map(Some));
        self.created_at.append_option(record.created_at.map(|instant| instant.timestamp_micros()));
    }

    fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.title.finish()),
            Arc::new(self.content.finish()),
            Arc::new(self.category.finish()),
            Arc::new(self.tags.finish()),
            Arc::new(self.created_at.finish()),
        ];
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }
}
