//! What was written is read back the same, in every format.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::Yield;
use crate::article_file::{ArticleReader, ArticleRecord, ArticleWriter};

/// Any text, and text made of what the formats give a meaning to.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["(?s).{0,20}", "[\"',;|\\[\\]{}\\\\\r\n\t\u{0}\u{feff} é🦀a]{0,8}"]
}

fn text_not_blank() -> impl Strategy<Value = String> {
    text().prop_filter("blank counts as absent", |text| !text.trim().is_empty())
}

fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    let micros = |text: &str| text.parse::<DateTime<Utc>>().unwrap().timestamp_micros();
    (micros("0001-01-01T00:00:00Z")..=micros("9999-12-31T23:59:59.999999Z"))
        .prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap())
}

fn record() -> impl Strategy<Value = ArticleRecord> {
    let tags = prop::collection::vec(text(), 0..4);
    let parts = (
        prop::option::of(text_not_blank()),
        text(),
        text(),
        prop::option::of(text_not_blank()),
        tags,
        prop::option::of(instant()),
    );
    parts.prop_map(|(id, title, content, category, tags, created_at)| ArticleRecord {
        id,
        title,
        content,
        category,
        tags,
        created_at,
    })
}

proptest! {
    // Each case writes five files to disk.
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_come_back_as_they_were(records in prop::collection::vec(record(), 0..5)) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.jsonl", "a.jsonl.gz", "a.csv", "a.csv.gz", "a.parquet"] {
            let path = folder.path().join(name);
            let mut writer = ArticleWriter::create(&path).unwrap();
            for record in &records {
                writer.write(record).unwrap();
            }
            writer.finish().unwrap();

            let reader = ArticleReader::open(&path).unwrap();
            prop_assert_eq!(reader.total_bytes(), Some(path.metadata().unwrap().len()));
            let read = Yield::of(reader);
            prop_assert!(read.end.is_none(), "{}: {:?}", name, read.end);
            let read: Vec<ArticleRecord> = read.lines.into_iter().map(|(_, record)| record.unwrap()).collect();
            prop_assert_eq!(&read, &records, "{}", name);
        }
    }
}
