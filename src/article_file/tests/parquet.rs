//! Parquet: the types in which other programs write the columns.

use std::fs::File;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::builder::{LargeListBuilder, LargeStringBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, DictionaryArray, Int64Array, LargeStringArray, NullArray,
    RecordBatch, StringArray, StringViewArray, TimestampMillisecondArray, TimestampNanosecondArray,
};
use chrono::SecondsFormat;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

use super::{Format, Yield, article};
use crate::article_file::{ArticleReader, ArticleWriter, OpenError, ReadError, RecordError};

fn write(columns: Vec<(&str, ArrayRef)>, compression: Compression) -> (TempDir, PathBuf) {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    );
    let batch = batch.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("articles.parquet");
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    (folder, path)
}

fn read(columns: Vec<(&str, ArrayRef)>) -> Yield {
    let (_folder, path) = write(columns, Compression::SNAPPY);
    Yield::of(ArticleReader::open(&path).unwrap())
}

fn strings(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn every_string_list_and_time_type_is_read_under_every_codec() {
    let mut tags = LargeListBuilder::new(LargeStringBuilder::new());
    tags.append_value([Some("x"), Some("y, z")]);
    tags.append_null();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("Unknown", Arc::new(BooleanArray::from(vec![true, false]))),
        ("date", Arc::new(TimestampMillisecondArray::from(vec![Some(-1), None]).with_timezone("+02:00"))),
        ("Text", Arc::new(StringViewArray::from(vec!["C", "a longer content that is not inlined"]))),
        ("title", Arc::new(LargeStringArray::from(vec!["T", "U"]))),
        ("category", Arc::new(DictionaryArray::<Int32Type>::from_iter([Some("Tech"), None]))),
        ("id", Arc::new(Int64Array::from(vec![Some(i64::MAX), None]))),
        ("tags", Arc::new(tags.finish())),
    ];
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let (_folder, path) = write(columns.clone(), compression);
        let records = Yield::of(ArticleReader::open(&path).unwrap());
        assert_eq!(records.titles(), [(1, "T"), (2, "U")], "{compression}");
        let [(_, Ok(first)), (_, Ok(second))] = &records.lines[..] else { panic!("two good records") };
        assert_eq!(first.id.as_deref(), Some("9223372036854775807"));
        assert_eq!(first.category.as_deref(), Some("Tech"));
        assert_eq!(first.tags, ["x", "y, z"]);
        let created_at = first.created_at.unwrap().to_rfc3339_opts(SecondsFormat::Micros, true);
        assert_eq!(created_at, "1969-12-31T23:59:59.999000Z");
        assert_eq!(second.content, "a longer content that is not inlined");
        assert_eq!((&second.id, &second.category, &second.created_at), (&None, &None, &None));
        assert!(second.tags.is_empty());
    }
}

#[test]
fn days_nanoseconds_and_text_are_dates_too() {
    let columns: [ArrayRef; 3] = [
        Arc::new(Date32Array::from(vec![19_874])),
        Arc::new(TimestampNanosecondArray::from(vec![1_717_113_600_000_000_999])),
        strings(&["2024-05-31"]),
    ];
    for created_at in columns {
        let record =
            read(vec![("title", strings(&["T"])), ("text", strings(&["C"])), ("created_at", created_at)]);
        assert_eq!(record.single().unwrap().created_at.unwrap().timestamp_micros(), 1_717_113_600_000_000);
    }
}

#[test]
fn tags_may_be_a_cell_and_a_column_may_be_all_null() {
    let columns = vec![
        ("title", strings(&["T"])),
        ("text", strings(&["C"])),
        ("tags", strings(&["a; b"])),
        ("category", Arc::new(NullArray::new(1)) as ArrayRef),
    ];
    let record = read(columns).single().unwrap();
    assert_eq!(record.tags, ["a", "b"]);
    assert_eq!(record.category, None);
}

#[test]
fn a_bad_row_is_reported_by_number_and_the_rest_is_read() {
    let result = read(vec![
        ("title", Arc::new(StringArray::from(vec![Some("a"), None, Some("c"), Some("d")])) as ArrayRef),
        ("content", Arc::new(StringArray::from(vec![Some("C"), Some("C"), None, Some("C")]))),
        ("date", Arc::new(Date32Array::from(vec![Some(0), Some(0), Some(0), Some(i32::MAX)]))),
    ]);
    assert_eq!(result.titles(), [(1, "a")]);
    let expected = [
        (2, &RecordError::Missing { expected: "`title`" }),
        (3, &RecordError::Missing { expected: "`content` (or `text`)" }),
        (4, &RecordError::Year { field: "date" }),
    ];
    assert_eq!(result.errors(), expected);
}

#[test]
fn a_column_of_another_type_is_refused() {
    let (_folder, path) = write(
        vec![("title", strings(&["T"])), ("text", Arc::new(BooleanArray::from(vec![true])))],
        Compression::SNAPPY,
    );
    let error = ArticleReader::open(&path).err().unwrap();
    assert_eq!(error.to_string(), "column `text` has the type Boolean; it must hold strings");

    let (_folder, path) = write(vec![("name", strings(&["T"]))], Compression::SNAPPY);
    let error = ArticleReader::open(&path).err().unwrap();
    assert_eq!(error.to_string(), "no column `title`; the columns found are: \"name\"");
}

#[test]
fn rows_and_position_run_on_over_batches_and_a_pipe_is_read_as_a_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("articles.parquet");
    let mut writer = ArticleWriter::create(&path).unwrap();
    for row in 1..=1_000 {
        writer.write(&article(&row.to_string())).unwrap();
    }
    writer.finish().unwrap();

    let mut reader = ArticleReader::open(&path).unwrap();
    let total = reader.total_bytes().unwrap();
    assert_eq!(reader.by_ref().take(250).count(), 250);
    assert_eq!(reader.bytes_read(), total / 4);
    let last = reader.by_ref().last().unwrap().unwrap();
    assert_eq!((last.number, last.record.unwrap().title.as_str()), (1_000, "1000"));
    assert_eq!(reader.bytes_read(), total);

    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(Yield::of_bytes(Format::Parquet, bytes).titles().len(), 1_000);
}

#[test]
fn a_file_that_is_cut_off_is_no_parquet_file() {
    let (_folder, path) =
        write(vec![("title", strings(&["T"])), ("text", strings(&["C"]))], Compression::SNAPPY);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() / 2);
    let error = ArticleReader::from_pipe(Cursor::new(bytes), Format::Parquet).err().unwrap();
    assert!(matches!(error, OpenError::Parquet(_)), "{error}");
}

#[test]
fn damage_in_a_later_row_group_ends_reading_after_the_batches_before() {
    let text = || strings(&["T"; 300]);
    let rows = RecordBatch::try_from_iter([("title", text()), ("text", text())]).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.flush().unwrap();
    let first_group_end = writer.bytes_written();
    writer.write(&rows).unwrap();
    writer.flush().unwrap();
    let second_group_end = writer.bytes_written();
    let mut bytes = writer.into_inner().unwrap();
    bytes[first_group_end..second_group_end].fill(0xff);

    let result = Yield::of_bytes(Format::Parquet, bytes);
    assert_eq!(result.lines.len(), 256);
    assert!(matches!(result.end, Some(ReadError::Parquet { after_row: 256, .. })), "{:?}", result.end);
}
