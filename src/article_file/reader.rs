//! Opens a file of articles and yields them one by one, whatever its format.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use super::format::NamedFormat;
use super::input::{Position, text_stream};
use super::{Format, Line, OpenError, ReadError, csv, json_lines, parquet};

/// The articles of a file, in its order. Blocking: not for an async task's own thread.
///
/// An `Err` item says that the file cannot be read any further, and is the last one; a bad record is an `Ok` item.
pub struct ArticleReader {
    lines: Box<dyn Iterator<Item = Result<Line, ReadError>> + Send>,
    total_bytes: Option<u64>,
    position: Position,
    failed: bool,
}

impl ArticleReader {
    /// Opens `path` as what its name says; `-` is standard input with JSON Lines.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        if path == Path::new("-") {
            return Self::open_stdin(Format::JsonLines);
        }
        let named = NamedFormat::of(path)?;
        let file = File::open(path).map_err(OpenError::Io)?;
        let metadata = file.metadata().map_err(OpenError::Io)?;
        let mut reader = match named.format {
            Format::Parquet => Self::from_parquet(file)?,
            format => Self::from_text(file, format, named.gzip)?,
        };
        reader.total_bytes = metadata.is_file().then_some(metadata.len());
        Ok(reader)
    }

    /// Reads standard input, gzipped or not. Parquet, which is not read from front to back, is first copied to a
    /// temporary file.
    pub fn open_stdin(format: Format) -> Result<Self, OpenError> {
        Self::from_pipe(io::stdin(), format)
    }

    /// The size of the file as it is stored; `None` when it is not known, as for a pipe.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// How much of [`total_bytes`](Self::total_bytes) has been read, a buffer ahead of the last article yielded.
    pub fn bytes_read(&self) -> u64 {
        self.position.get()
    }

    pub(super) fn from_pipe(
        mut source: impl Read + Send + 'static,
        format: Format,
    ) -> Result<Self, OpenError> {
        if format != Format::Parquet {
            return Self::from_text(source, format, false);
        }
        let mut file = tempfile::tempfile().map_err(OpenError::Spool)?;
        io::copy(&mut source, &mut file).and_then(|_| file.rewind()).map_err(OpenError::Spool)?;
        Self::from_parquet(file)
    }

    fn from_parquet(file: File) -> Result<Self, OpenError> {
        let position = Position::default();
        let lines = parquet::Reader::new(file, position.clone())?;
        Ok(Self { lines: Box::new(lines), total_bytes: None, position, failed: false })
    }

    fn from_text(source: impl Read + Send + 'static, format: Format, gzip: bool) -> Result<Self, OpenError> {
        let position = Position::default();
        let stream = text_stream(source, gzip, position.clone()).map_err(OpenError::Io)?;
        let lines: Box<dyn Iterator<Item = _> + Send> = match format {
            Format::Csv => Box::new(csv::Reader::new(stream)?),
            _ => Box::new(json_lines::Reader::new(stream)),
        };
        Ok(Self { lines, total_bytes: None, position, failed: false })
    }
}

impl Iterator for ArticleReader {
    type Item = Result<Line, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let item = self.lines.next();
        self.failed = matches!(item, Some(Err(_)));
        item
    }
}
