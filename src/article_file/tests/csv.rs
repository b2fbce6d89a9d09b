//! CSV: the header, quoting, line numbers, and rows that are not what they should be.

use std::io::{Cursor, Read};

use super::{Format, Yield};
use crate::article_file::{ArticleReader, OpenError, ReadError, RecordError};

fn read(text: impl AsRef<[u8]> + Send + 'static) -> Yield {
    Yield::of_bytes(Format::Csv, text)
}

fn refusal(text: &'static str) -> OpenError {
    ArticleReader::from_pipe(Cursor::new(text), Format::Csv).err().unwrap()
}

#[test]
fn columns_are_found_by_name_in_any_order_and_case() {
    let text = "x,Text, TITLE ,Tags,DATE,Id,category\n1,C,T,\"a, b\",2024-05-31,007,\n";
    let record = read(text).single().unwrap();
    assert_eq!((record.title.as_str(), record.content.as_str()), ("T", "C"));
    assert_eq!(record.tags, ["a", "b"]);
    assert_eq!(record.id.as_deref(), Some("007"));
    assert_eq!(record.category, None);
    assert_eq!(record.created_at.unwrap().to_rfc3339(), "2024-05-31T00:00:00+00:00");
}

#[test]
fn a_header_without_what_is_needed_is_refused_with_what_was_found() {
    let message = refusal("id;title;content\n").to_string();
    assert_eq!(message, "no column `title`; the columns found are: \"id;title;content\"");
    assert_eq!(
        refusal("title\n").to_string(),
        "no column `content` (or `text`); the columns found are: \"title\""
    );
    assert_eq!(refusal("").to_string(), "no column `title`; the columns found are: none");
    assert!(matches!(refusal("title,text,Title\n"), OpenError::DuplicateColumn { column: "title" }));
}

#[test]
fn line_numbers_count_lines_whatever_ends_them_and_whatever_is_quoted() {
    let text = "title,text\na,C\n\n\"b\n\nb\",\"\"\"C\"\", D\"\n  \nc,C\nd,C";
    let expected = [(2, "a"), (4, "b\n\nb"), (8, "c"), (9, "d")];
    assert_eq!(read(text).titles(), expected);

    let with_crlf = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let expected = [(2, "a"), (4, "b\r\n\r\nb"), (8, "c"), (9, "d")];
    assert_eq!(read(with_crlf).titles(), expected);
}

#[test]
fn a_record_longer_than_any_buffer_keeps_its_line_number() {
    let long = "long line\n".repeat(50_000);
    let text = format!("title,text\na,\"{long}\"\nb,{}\nc,C\n", "x".repeat(500_000));
    assert_eq!(read(text).titles(), [(2, "a"), (50_003, "b"), (50_004, "c")]);
}

#[test]
fn a_bad_row_is_reported_by_number_and_field_and_the_rest_is_read() {
    let text = b"title,text,tags,created_at\na,C,,\nb,C\nc,C,,,\nd,\xff,,\ne,C,[x,\nf,C,,soon\ng,C,,\n";
    let result = read(text);
    assert_eq!(result.titles(), [(2, "a"), (8, "g")]);
    let expected = [
        (3, &RecordError::FieldCount { found: 2, expected: 4 }),
        (4, &RecordError::FieldCount { found: 5, expected: 4 }),
        (5, &RecordError::FieldEncoding { field: "text" }),
        (6, &RecordError::TagCell),
        (7, &RecordError::Date { field: "created_at", value: "soon".to_owned() }),
    ];
    assert_eq!(result.errors(), expected);
}

#[test]
fn a_quote_that_is_never_closed_ends_reading_before_memory_does() {
    let text = "title,text\na,C\n\nb,\"C\n";
    let result = Yield::of_stream(Format::Csv, Cursor::new(text).chain(std::io::repeat(b'x').take(40 << 20)));
    assert_eq!(result.lines.len(), 1);
    assert!(
        matches!(result.end, Some(ReadError::EndlessRecord { after_line: 2, limit_mib: 16 })),
        "{:?}",
        result.end
    );
}
