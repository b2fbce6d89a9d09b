//! JSON Lines: one object per line.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read, Write};

use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::field::{created_at_from_text, unless_blank};
use super::input::ByteStream;
use super::{ArticleRecord, Line, ReadError, RecordError, WriteError};

/// The longest line that is read, in MiB. The longest content allowed, 1 MiB, takes six when every byte is written as
/// a `\u` escape.
const LINE_LIMIT_MIB: u64 = 16;
const LINE_LIMIT: u64 = LINE_LIMIT_MIB << 20;

const BUFFER_BYTES: usize = 64 << 10;

pub(super) struct Reader {
    input: BufReader<ByteStream>,
    line: Vec<u8>,
    /// The lines read so far, blank ones included.
    lines: u64,
    records: u64,
}

impl Reader {
    pub fn new(input: ByteStream) -> Self {
        Self { input: BufReader::with_capacity(BUFFER_BYTES, input), line: Vec::new(), lines: 0, records: 0 }
    }

    /// Reads the next line into `self.line`, or of one that is too long its beginning. False at the end.
    fn read_line(&mut self) -> Result<bool, ReadError> {
        self.line.clear();
        let failed = |source| ReadError::text(self.lines, source);
        let read =
            self.input.by_ref().take(LINE_LIMIT + 1).read_until(b'\n', &mut self.line).map_err(failed)?;
        if self.too_long() {
            self.input.skip_until(b'\n').map_err(failed)?;
        }
        self.lines += u64::from(read > 0);
        Ok(read > 0)
    }

    fn too_long(&self) -> bool {
        self.line.len() as u64 > LINE_LIMIT && !self.line.ends_with(b"\n")
    }
}

impl Iterator for Reader {
    type Item = Result<Line, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read_line() {
                Ok(true) if self.line.trim_ascii().is_empty() && !self.too_long() => {}
                Ok(true) => break,
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        self.records += 1;
        if self.records == 1 && self.line.trim_ascii_start().starts_with(b"[") {
            return Some(Err(ReadError::JsonArray));
        }
        let record = if self.too_long() {
            Err(RecordError::LineTooLong { limit_mib: LINE_LIMIT_MIB })
        } else {
            parse(&self.line)
        };
        Some(Ok(Line { number: self.lines, record }))
    }
}

/// The known fields of a line, each still as written, so that an error can name the field.
#[derive(Deserialize)]
struct RawFields<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    title: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    category: Option<&'a RawValue>,
    #[serde(borrow)]
    tags: Option<&'a RawValue>,
    #[serde(borrow)]
    created_at: Option<&'a RawValue>,
    #[serde(borrow)]
    date: Option<&'a RawValue>,
}

fn parse(line: &[u8]) -> Result<ArticleRecord, RecordError> {
    let line = std::str::from_utf8(line)
        .map_err(|error| RecordError::LineEncoding { byte: error.valid_up_to() + 1 })?
        .trim_ascii_end();
    // serde would take an array for an object's values in order, and repeat a string in its message.
    if !line.trim_ascii_start().starts_with('{') {
        return Err(RecordError::NotAnObject);
    }
    let fields: RawFields = serde_json::from_str(line).map_err(syntax)?;

    let (created_at_field, created_at) = match fields.created_at {
        Some(value) => ("created_at", Some(value)),
        None => ("date", fields.date),
    };
    let (content_field, content) = match fields.content {
        Some(value) => ("content", Some(value)),
        None => ("text", fields.text),
    };
    Ok(ArticleRecord {
        id: fields.id.map(identifier).transpose()?.and_then(unless_blank),
        title: string("title", fields.title)?.ok_or(RecordError::Missing { expected: "`title`" })?,
        content: string(content_field, content)?
            .ok_or(RecordError::Missing { expected: "`content` (or `text`)" })?,
        category: string("category", fields.category)?.map(Cow::Owned).and_then(unless_blank),
        tags: tags(fields.tags)?,
        created_at: match string(created_at_field, created_at)? {
            Some(text) => created_at_from_text(created_at_field, &text)?,
            None => None,
        },
    })
}

fn syntax(error: serde_json::Error) -> RecordError {
    let message = error.to_string();
    // The position in the message would call every line the first one.
    let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
    RecordError::Json { reason: reason.to_owned(), column: error.column() }
}

/// A string, or the text of a number: as written, so that no digit is lost.
fn identifier(value: &RawValue) -> Result<Cow<'_, str>, RecordError> {
    match kind(value) {
        "a number" => Ok(Cow::Borrowed(value.get())),
        _ => read("id", value, "a string or a number").map(Cow::Owned),
    }
}

fn string(field: &'static str, value: Option<&RawValue>) -> Result<Option<String>, RecordError> {
    value.map(|value| read(field, value, "a string")).transpose()
}

fn tags(value: Option<&RawValue>) -> Result<Vec<String>, RecordError> {
    const EXPECTED: &str = "an array of strings";
    let Some(value) = value else { return Ok(Vec::new()) };
    let tags: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| RecordError::Type {
        field: "tags",
        expected: EXPECTED,
        found: kind(value),
    })?;
    tags.into_iter().map(|tag| read("tags", tag, EXPECTED)).collect()
}

/// A string from a value whose syntax is known to be right.
fn read(field: &'static str, value: &RawValue, expected: &'static str) -> Result<String, RecordError> {
    serde_json::from_str(value.get()).map_err(|_| match kind(value) {
        "a string" => RecordError::HalfSurrogate { field },
        found => RecordError::Type { field, expected, found },
    })
}

fn kind(value: &RawValue) -> &'static str {
    match value.get().as_bytes() {
        [b'"', ..] => "a string",
        [b'{', ..] => "an object",
        [b'[', ..] => "an array",
        [b't' | b'f', ..] => "a boolean",
        [b'n', ..] => "null",
        _ => "a number",
    }
}

pub(super) struct Writer<W> {
    output: W,
}

#[derive(Serialize)]
struct WrittenFields<'a> {
    id: Option<&'a str>,
    title: &'a str,
    content: &'a str,
    category: Option<&'a str>,
    tags: &'a [String],
    created_at: Option<String>,
}

impl<W: Write> Writer<W> {
    pub fn new(output: W) -> Self {
        Self { output }
    }

    pub fn write(&mut self, record: &ArticleRecord) -> Result<(), WriteError> {
        let fields = WrittenFields {
            id: record.id.as_deref(),
            title: &record.title,
            content: &record.content,
            category: record.category.as_deref(),
            tags: &record.tags,
            created_at: record.created_at.map(|instant| instant.to_rfc3339_opts(SecondsFormat::Micros, true)),
        };
        serde_json::to_writer(&mut self.output, &fields).map_err(std::io::Error::from)?;
        self.output.write_all(b"\n")?;
        Ok(())
    }

    pub fn finish(self) -> W {
        self.output
    }
}
