//! JSON Lines: fields, types, and lines that are not what they should be.

use std::io::{Cursor, Read};

use chrono::DateTime;

use super::{Format, Yield};
use crate::article_file::{ArticleRecord, ReadError, RecordError};

fn read(text: impl AsRef<[u8]> + Send + 'static) -> Yield {
    Yield::of_bytes(Format::JsonLines, text)
}

#[test]
fn every_field_is_read_and_unknown_ones_are_ignored() {
    let record = read(
        r#"{"id":"a/1","title":"T","content":"C","category":"Tech","tags":["x"," y "],"created_at":"2024-05-31T12:00:00Z","n":{"title":1}}"#,
    );
    let expected = ArticleRecord {
        id: Some("a/1".to_owned()),
        title: "T".to_owned(),
        content: "C".to_owned(),
        category: Some("Tech".to_owned()),
        tags: vec!["x".to_owned(), " y ".to_owned()],
        created_at: Some(DateTime::from_timestamp_secs(1_717_156_800).unwrap()),
    };
    assert_eq!(record.single(), Ok(expected));
}

#[test]
fn text_and_date_stand_in_for_content_and_created_at() {
    let record = read(r#"{"title":"T","text":"C","date":"1970-01-02"}"#).single().unwrap();
    assert_eq!(record.content, "C");
    assert_eq!(record.created_at.unwrap().timestamp(), 86_400);

    let both = r#"{"title":"T","text":"t","content":"c","date":"1970-01-02","created_at":"1970-01-03"}"#;
    let record = read(both).single().unwrap();
    assert_eq!(record.content, "c");
    assert_eq!(record.created_at.unwrap().timestamp(), 2 * 86_400);
}

#[test]
fn a_number_as_id_keeps_its_text() {
    for number in ["7", "-1", "1.50", "1e3", "123456789012345678901234567890"] {
        let record = read(format!(r#"{{"id":{number},"title":"T","text":"C"}}"#)).single().unwrap();
        assert_eq!(record.id.as_deref(), Some(number));
    }
}

#[test]
fn null_and_blank_count_as_absent_where_absence_is_allowed() {
    for line in [
        r#"{"title":"T","content":"C"}"#,
        r#"{"title":"T","content":"C","id":null,"category":null,"tags":null,"created_at":null,"date":null}"#,
        r#"{"title":"T","content":"C","id":" ","category":"","tags":[],"created_at":""}"#,
    ] {
        let expected =
            ArticleRecord { title: "T".to_owned(), content: "C".to_owned(), ..ArticleRecord::default() };
        assert_eq!(read(line).single(), Ok(expected), "{line}");
    }
}

#[test]
fn a_bad_line_is_reported_by_number_and_field_and_the_rest_is_read() {
    let text: &[&[u8]] = &[
        br#"{"title":"first","text":"C"}"#,
        br#"{"text":"C"}"#,
        br#"{"title":null,"text":"C"}"#,
        br#"{"title":"T"}"#,
        br#"{"title":5,"text":"C"}"#,
        br#"{"title":"T","content":["C"]}"#,
        br#"{"id":{},"title":"T","text":"C"}"#,
        br#"{"title":"T","text":"C","tags":"a;b"}"#,
        br#"{"title":"T","text":"C","tags":["a",true]}"#,
        br#"{"title":"T","text":"C","date":20240531}"#,
        br#"{"title":"T","text":"C","date":"31.5.2024"}"#,
        br#"{"title":"T","title":"U","text":"C"}"#,
        br#"{"title":"T","text":"C""#,
        br#"["T","C"]"#,
        br#""T""#,
        b"{\"title\":\"T\xff\",\"text\":\"C\"}",
        br#"{"title":"\ud83e","text":"C"}"#,
        br#"{"title":"last","text":"C"}"#,
    ];
    let result = read(text.join(&b'\n'));
    assert_eq!(result.titles(), [(1, "first"), (18, "last")]);
    let missing = |expected| RecordError::Missing { expected };
    let wrong = |field, expected, found| RecordError::Type { field, expected, found };
    let json = |reason: &str, column| RecordError::Json { reason: reason.to_owned(), column };
    let expected = [
        missing("`title`"),
        missing("`title`"),
        missing("`content` (or `text`)"),
        wrong("title", "a string", "a number"),
        wrong("content", "a string", "an array"),
        wrong("id", "a string or a number", "an object"),
        wrong("tags", "an array of strings", "a string"),
        wrong("tags", "an array of strings", "a boolean"),
        wrong("date", "a string", "a number"),
        RecordError::Date { field: "date", value: "31.5.2024".to_owned() },
        json("duplicate field `title`", 20),
        json("EOF while parsing an object", 23),
        RecordError::NotAnObject,
        RecordError::NotAnObject,
        RecordError::LineEncoding { byte: 12 },
        RecordError::HalfSurrogate { field: "title" },
    ];
    let expected: Vec<(u64, &RecordError)> = (2..).zip(&expected).collect();
    assert_eq!(result.errors(), expected);
}

#[test]
fn byte_order_mark_line_ends_and_blank_lines_do_not_matter() {
    let text = "\u{feff}{\"title\":\"a\",\"text\":\"C\"}\r\n\r\n  \n{\"title\":\"b\",\"text\":\"C\"}\r\n{\"title\":\"c\",\"text\":\"C\"}";
    assert_eq!(read(text).titles(), [(1, "a"), (4, "b"), (5, "c")]);
    assert_eq!(read("").titles(), []);
    assert_eq!(read("\u{feff}\n").titles(), []);
}

#[test]
fn an_overlong_line_is_skipped() {
    let good = "{\"title\":\"a\",\"text\":\"C\"}\n";
    let stream = Cursor::new(good)
        .chain(std::io::repeat(b'x').take(40 << 20))
        .chain(Cursor::new("\n"))
        .chain(Cursor::new(good));
    let result = Yield::of_stream(Format::JsonLines, stream);
    assert_eq!(result.titles(), [(1, "a"), (3, "a")]);
    assert_eq!(result.errors(), [(2, &RecordError::LineTooLong { limit_mib: 16 })]);
}

#[test]
fn one_json_array_is_refused_with_the_way_out() {
    for text in ["[\n{\"title\":\"T\",\"text\":\"C\"}\n]", "\n [{\"title\":\"T\",\"text\":\"C\"}]"] {
        let result = read(text);
        assert!(result.lines.is_empty());
        assert!(matches!(result.end, Some(ReadError::JsonArray)));
    }
    let stream = Cursor::new("[").chain(std::io::repeat(b' ').take(20 << 20));
    assert!(matches!(Yield::of_stream(Format::JsonLines, stream).end, Some(ReadError::JsonArray)));
}
