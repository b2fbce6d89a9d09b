//! CSV as RFC 4180 has it: commas, double quotes, a header row.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read, Write};

use chrono::SecondsFormat;
use csv::ByteRecord;

use super::column::{Column, Columns};
use super::field::{created_at_from_text, tags_from_cell, unless_blank};
use super::input::ByteStream;
use super::{ArticleRecord, Line, OpenError, ReadError, RecordError, WriteError};

/// The longest record that is read, in MiB. A longer one is nearly always a quote that was never closed: where the
/// next record begins cannot be told then, so that reading ends.
const RECORD_LIMIT_MIB: u64 = 16;

const BUFFER_BYTES: usize = 64 << 10;

const HEADER: [&str; 6] = ["id", "title", "content", "category", "tags", "created_at"];

pub(super) struct Reader {
    records: Records,
    columns: Columns,
    /// The number of columns.
    width: usize,
}

impl Reader {
    pub fn new(input: ByteStream) -> Result<Self, OpenError> {
        let mut records = Records::new(input);
        // An empty file has a header without columns.
        records.advance().map_err(OpenError::Header)?;
        let names: Vec<Cow<str>> = records.current.iter().map(String::from_utf8_lossy).collect();
        let columns = Columns::find(names.iter().map(|name| &**name))?;
        let width = names.len();
        Ok(Self { records, columns, width })
    }

    fn record(&self) -> Result<ArticleRecord, RecordError> {
        let cells = &self.records.current;
        if cells.len() != self.width {
            return Err(RecordError::FieldCount { found: cells.len(), expected: self.width });
        }
        let cell = |column: Column| {
            std::str::from_utf8(&cells[column.index])
                .map_err(|_| RecordError::FieldEncoding { field: column.field })
        };
        let optional = |column: Option<Column>| column.map(cell).transpose().map(Option::unwrap_or_default);
        Ok(ArticleRecord {
            id: unless_blank(optional(self.columns.id)?.into()),
            title: cell(self.columns.title)?.to_owned(),
            content: cell(self.columns.content)?.to_owned(),
            category: unless_blank(optional(self.columns.category)?.into()),
            tags: tags_from_cell(optional(self.columns.tags)?)?,
            created_at: match self.columns.created_at {
                Some(column) => created_at_from_text(column.field, cell(column)?)?,
                None => None,
            },
        })
    }
}

impl Iterator for Reader {
    type Item = Result<Line, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.records.advance() {
            Ok(true) => Some(Ok(Line { number: self.records.start_line(), record: self.record() })),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// The records of a file, one at a time, with the line on which each starts.
struct Records {
    reader: csv::Reader<LineFeed>,
    current: ByteRecord,
    /// The line on which the current record ends.
    end_line: u64,
}

impl Records {
    fn new(input: ByteStream) -> Self {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(LineFeed::new(input));
        Self { reader, current: ByteRecord::new(), end_line: 0 }
    }

    /// Goes to the next record that is not blank. False at the end.
    fn advance(&mut self) -> Result<bool, ReadError> {
        loop {
            self.reader.get_mut().allowance = RECORD_LIMIT_MIB << 20;
            let found =
                self.reader.read_byte_record(&mut self.current).map_err(|error| self.failure(error))?;
            self.end_line = self.reader.get_ref().lines;
            let blank = self.current.len() == 1 && self.current[0].trim_ascii().is_empty();
            if !(found && blank) {
                return Ok(found);
            }
        }
    }

    fn failure(&self, error: csv::Error) -> ReadError {
        match self.reader.get_ref().allowance {
            0 => ReadError::EndlessRecord { after_line: self.end_line, limit_mib: RECORD_LIMIT_MIB },
            _ => ReadError::text(self.end_line, io_error(error)),
        }
    }

    /// Counted here because the reader's own position is off by one after CRLF and blank lines.
    fn start_line(&self) -> u64 {
        let inside = self.current.as_slice().iter().filter(|&&byte| byte == b'\n').count();
        self.end_line - inside as u64
    }
}

/// Hands out at most a line per read, so that the lines handed out tell on which one a record ends, and at most
/// `allowance` bytes, so that no record takes all memory.
struct LineFeed {
    input: BufReader<ByteStream>,
    /// The lines handed out at least in part.
    lines: u64,
    at_line_start: bool,
    /// In bytes.
    allowance: u64,
}

impl LineFeed {
    fn new(input: ByteStream) -> Self {
        let input = BufReader::with_capacity(BUFFER_BYTES, input);
        Self { input, lines: 0, at_line_start: true, allowance: 0 }
    }
}

impl Read for LineFeed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.allowance == 0 {
            return Err(io::Error::other("the record is too long"));
        }
        let available = self.input.fill_buf()?;
        let Some(line) = available.split_inclusive(|&byte| byte == b'\n').next() else { return Ok(0) };
        let room = buffer.len().min(usize::try_from(self.allowance).unwrap_or(usize::MAX));
        let part = &line[..line.len().min(room)];
        buffer[..part.len()].copy_from_slice(part);

        self.lines += u64::from(self.at_line_start);
        self.at_line_start = part.ends_with(b"\n");
        let read = part.len();
        self.allowance -= read as u64;
        self.input.consume(read);
        Ok(read)
    }
}

/// Writes tags as a JSON array, which leaves no separator to be mistaken.
pub(super) struct Writer<W: Write> {
    records: csv::Writer<W>,
}

impl<W: Write> Writer<W> {
    pub fn new(output: W) -> Result<Self, WriteError> {
        let mut records = csv::Writer::from_writer(output);
        records.write_record(HEADER).map_err(io_error)?;
        Ok(Self { records })
    }

    pub fn write(&mut self, record: &ArticleRecord) -> Result<(), WriteError> {
        let tags = match record.tags.as_slice() {
            [] => String::new(),
            tags => serde_json::to_string(tags).map_err(io::Error::from)?,
        };
        let created_at =
            record.created_at.map(|instant| instant.to_rfc3339_opts(SecondsFormat::Micros, true));
        self.records
            .write_record([
                record.id.as_deref().unwrap_or_default(),
                &record.title,
                &record.content,
                record.category.as_deref().unwrap_or_default(),
                &tags,
                created_at.as_deref().unwrap_or_default(),
            ])
            .map_err(io_error)?;
        Ok(())
    }

    pub fn finish(self) -> Result<W, WriteError> {
        Ok(self.records.into_inner().map_err(csv::IntoInnerError::into_error)?)
    }
}

/// The I/O error inside, which alone tells its kind; the CSV itself cannot be wrong here.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
