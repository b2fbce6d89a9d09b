//! What reading and writing must hold to, tested through the reader and the writer as their users see them.

mod csv;
mod json_lines;
mod parquet;
mod round_trip;
mod stream;
mod writer;

use std::io::{Cursor, Read};

use super::{ArticleReader, ArticleRecord, Format, ReadError, RecordError};

/// All that a file yields: line numbers with records, and the error that ended it, if any.
struct Yield {
    lines: Vec<(u64, Result<ArticleRecord, RecordError>)>,
    end: Option<ReadError>,
}

impl Yield {
    fn of(mut reader: ArticleReader) -> Self {
        let mut lines = Vec::new();
        let end = loop {
            match reader.next() {
                Some(Ok(line)) => lines.push((line.number, line.record)),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        assert!(reader.next().is_none(), "nothing comes after the end");
        Self { lines, end }
    }

    fn of_bytes(format: Format, bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self::of_stream(format, Cursor::new(bytes))
    }

    fn of_stream(format: Format, stream: impl Read + Send + 'static) -> Self {
        Self::of(ArticleReader::from_pipe(stream, format).unwrap())
    }

    /// The line numbers and titles of the good records, when the file was read to its end.
    fn titles(&self) -> Vec<(u64, &str)> {
        assert!(self.end.is_none(), "{:?}", self.end);
        let good = self.lines.iter().filter_map(|(number, record)| Some((*number, record.as_ref().ok()?)));
        good.map(|(number, record)| (number, record.title.as_str())).collect()
    }

    /// The line numbers and messages of the bad records.
    fn errors(&self) -> Vec<(u64, &RecordError)> {
        self.lines.iter().filter_map(|(number, record)| Some((*number, record.as_ref().err()?))).collect()
    }

    /// The only record.
    fn single(self) -> Result<ArticleRecord, RecordError> {
        assert!(self.end.is_none(), "{:?}", self.end);
        let [(_, record)] = <[_; 1]>::try_from(self.lines).unwrap();
        record
    }
}

fn article(title: &str) -> ArticleRecord {
    ArticleRecord { title: title.to_owned(), content: "some words".to_owned(), ..ArticleRecord::default() }
}
