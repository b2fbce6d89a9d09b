//! Articles as files: JSON Lines, CSV and Parquet, read and written one article at a time with bounded memory.
//!
//! The text formats may be gzipped (`.gz`), and `-` stands for standard input or output. What is checked here is shape
//! and type only: lengths and the like are the importer's business, by the same rules as the API's.
//!
//! | field | read from | none when |
//! |---|---|---|
//! | `id` | text or a whole number (JSON: any number, kept as its text) | absent or blank |
//! | `title` | text | never |
//! | `content`, else `text` | text | never |
//! | `category` | text | absent or blank |
//! | `tags` | a list of strings; a table's cell: a JSON array if it begins with `[`, else separated by `;`, else `\|`, else `,` | absent: an empty list |
//! | `created_at`, else `date` | RFC 3339, `2024-05-31`, `2024-05-31 12:30:00` (UTC); in Parquet also timestamps and dates | absent or blank |
//!
//! Every other field is ignored. Names are matched exactly in JSON, and regardless of ASCII case in CSV and Parquet.
//!
//! `parquet` names the Arrow crates, which otherwise only `index` may: Arrow is Parquet's interface in Rust, and
//! nothing of it leaves that file.
//!
//! The errors do not name the file: whoever opened it knows it, and may be reading several.

mod column;
mod csv;
mod error;
mod field;
mod format;
mod input;
mod json_lines;
mod output;
mod parquet;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use chrono::{DateTime, Utc};

pub use error::{FormatError, OpenError, ReadError, RecordError, WriteError};
pub use format::Format;
pub use reader::ArticleReader;
pub use writer::ArticleWriter;

/// An article as it stands in a file, before any rule about lengths was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArticleRecord {
    /// The article's key in the world it comes from, never blank.
    pub id: Option<String>,
    pub title: String,
    pub content: String,
    /// Never blank.
    pub category: Option<String>,
    pub tags: Vec<String>,
    /// Whole microseconds, in the years 0001 to 9999.
    pub created_at: Option<DateTime<Utc>>,
}

/// One record of a file and where it stands.
#[derive(Debug)]
pub struct Line {
    /// Counted from 1: the line of a text file on which the record starts, or the row of a Parquet file.
    pub number: u64,
    /// An error concerns this record only; the next one can be read.
    pub record: Result<ArticleRecord, RecordError>,
}
