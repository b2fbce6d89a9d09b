//! Writing: complete or not at all, and the exact text.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use chrono::DateTime;

use super::article;
use crate::article_file::{ArticleRecord, ArticleWriter, WriteError};

#[test]
fn the_file_appears_on_finish_and_replaces_its_predecessor() {
    for name in ["a.jsonl", "a.csv.gz", "a.parquet"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();

        let mut writer = ArticleWriter::create(&path).unwrap();
        writer.write(&article("T")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        writer.finish().unwrap();
        assert_ne!(fs::read(&path).unwrap(), b"old");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing_behind() {
    for name in ["a.jsonl", "a.jsonl.gz", "a.csv", "a.parquet"] {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = ArticleWriter::create(&folder.path().join(name)).unwrap();
        for _ in 0..1_000 {
            writer.write(&article("T")).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the temporary file");
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{name}");
    }
}

#[test]
fn a_link_stays_a_link_and_a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
    fs::write(&file, "old").unwrap();
    symlink(&file, &link).unwrap();
    ArticleWriter::create(&link).unwrap().finish().unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&file).unwrap(), "id,title,content,category,tags,created_at\n");

    let directory = folder.path().join("c.csv");
    fs::create_dir(&directory).unwrap();
    assert!(matches!(ArticleWriter::create(&directory), Err(WriteError::NotAFile)));
    assert!(matches!(ArticleWriter::create(&folder.path().join("d/e.csv")), Err(WriteError::Create(_))));
}

#[test]
fn the_text_formats_are_written_as_documented() {
    let full = ArticleRecord {
        id: Some("7".to_owned()),
        title: "A \"title\"".to_owned(),
        content: "two\nlines".to_owned(),
        category: Some("Tech".to_owned()),
        tags: vec!["a".to_owned(), "b;c".to_owned()],
        created_at: DateTime::from_timestamp_micros(1_717_156_800_000_250),
    };
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str| {
        let path = folder.path().join(name);
        let mut writer = ArticleWriter::create(&path).unwrap();
        writer.write(&full).unwrap();
        writer.write(&article("T")).unwrap();
        writer.finish().unwrap();
        fs::read_to_string(path).unwrap()
    };
    assert_eq!(
        written("a.jsonl"),
        concat!(
            r#"{"id":"7","title":"A \"title\"","content":"two\nlines","category":"Tech","tags":["a","b;c"],"created_at":"2024-05-31T12:00:00.000250Z"}"#,
            "\n",
            r#"{"id":null,"title":"T","content":"some words","category":null,"tags":[],"created_at":null}"#,
            "\n",
        )
    );
    assert_eq!(
        written("a.csv"),
        concat!(
            "id,title,content,category,tags,created_at\n",
            "7,\"A \"\"title\"\"\",\"two\nlines\",Tech,\"[\"\"a\"\",\"\"b;c\"\"]\",2024-05-31T12:00:00.000250Z\n",
            ",T,some words,,,\n",
        )
    );
}
