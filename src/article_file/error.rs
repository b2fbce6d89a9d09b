//! What can be wrong with a file's name, with the file, and with one record of it.

use std::io;

use ::parquet::errors::ParquetError;
use arrow_schema::ArrowError;

/// The file's name does not lead to a format.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    #[error(
        "the name {name:?} does not tell the format: it must end in .jsonl, .ndjson, .json, .csv or .parquet, \
         the text formats optionally followed by .gz"
    )]
    Unknown { name: String },
    #[error("a Parquet file is compressed inside and cannot be gzipped as a whole: use .parquet without .gz")]
    GzippedParquet,
}

/// The file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error("cannot open the file and read its beginning")]
    Io(#[source] io::Error),
    #[error("cannot keep standard input in a temporary file, which Parquet needs")]
    Spool(#[source] io::Error),
    #[error("cannot read the header row")]
    Header(#[source] ReadError),
    #[error("not a readable Parquet file")]
    Parquet(#[source] ParquetError),
    #[error("no column {expected}; the columns found are: {found}")]
    MissingColumn { expected: &'static str, found: String },
    #[error("several columns are called `{column}` (case does not count): keep one of them")]
    DuplicateColumn { column: &'static str },
    #[error("column `{column}` has the type {found}; it must hold {expected}")]
    ColumnType { column: &'static str, found: String, expected: &'static str },
}

/// The file cannot be read any further. What stands before was delivered, of Parquet only whole batches of rows.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read on after line {after_line}")]
    Io { after_line: u64, source: io::Error },
    #[error(
        "the gzip data is damaged or cut off after line {after_line}: fetch the file again, or compress it anew"
    )]
    Gzip { after_line: u64, source: io::Error },
    #[error(
        "the file is one JSON array, not JSON Lines: convert it first, for example with `jq -c '.[]' in.json > out.jsonl`"
    )]
    JsonArray,
    #[error(
        "the record after line {after_line} is longer than {limit_mib} MiB: is one of its quotes never closed?"
    )]
    EndlessRecord { after_line: u64, limit_mib: u64 },
    #[error(
        "the Parquet data cannot be read after row {after_row}: fetch the file again, \
         or write it anew with Zstandard or Snappy compression"
    )]
    Parquet { after_row: u64, source: ArrowError },
}

impl ReadError {
    /// An I/O error of a text file. The kinds below come from the decompressor, never from a file or a pipe.
    pub(super) fn text(after_line: u64, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Self::Gzip { after_line, source }
            }
            _ => Self::Io { after_line, source },
        }
    }
}

/// One record is no article; the rest of the file is not affected.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("the line is longer than {limit_mib} MiB: shorten the article or split it")]
    LineTooLong { limit_mib: u64 },
    #[error("the line is not UTF-8 (at byte {byte}): convert the file to UTF-8")]
    LineEncoding { byte: usize },
    #[error("field `{field}` is not UTF-8: convert the file to UTF-8")]
    FieldEncoding { field: &'static str },
    #[error("the line is not a JSON object with each field once: {reason} at column {column}")]
    Json { reason: String, column: usize },
    #[error("the line does not begin with {{: write one JSON object per line")]
    NotAnObject,
    #[error(
        "field `{field}` ends in half of a \\u surrogate pair: write both halves, or the character itself"
    )]
    HalfSurrogate { field: &'static str },
    #[error(
        "the record has {found} fields and the header {expected}: quote fields that hold commas or line breaks"
    )]
    FieldCount { found: usize, expected: usize },
    #[error("field {expected} is missing: every article needs it")]
    Missing { expected: &'static str },
    #[error("field `{field}` must be {expected}, and is {found}")]
    Type { field: &'static str, expected: &'static str, found: &'static str },
    #[error(
        "field `tags` begins with `[` and is not a JSON array of strings: \
         write [\"one\",\"two\"], or one;two without brackets"
    )]
    TagCell,
    #[error(
        "field `{field}` has the value {value:?}, which is not a date: write 2024-05-31, 2024-05-31 12:30:00 (in UTC) \
         or RFC 3339, 2024-05-31T12:30:00+02:00"
    )]
    Date { field: &'static str, value: String },
    #[error("field `{field}` lies outside the years 0001 to 9999 (in UTC): correct it or leave it out")]
    Year { field: &'static str },
}

/// The file cannot be written; nothing of it remains.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error("the target exists and is not a regular file: name another, or `-` for standard output")]
    NotAFile,
    #[error("cannot create a temporary file in the target's folder")]
    Create(#[source] io::Error),
    #[error("cannot write")]
    Io(#[from] io::Error),
    #[error("cannot write Parquet")]
    Parquet(#[from] ParquetError),
    #[error("cannot put the finished file in place")]
    Publish(#[source] io::Error),
}
