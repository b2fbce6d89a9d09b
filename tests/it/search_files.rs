//! What searches read is kept in files, which make a start fast and may be damaged or deleted at any time.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

const LISTS: &str = r#"{
  words: recommend(query: "an apple of the autumn", k: 50, options: { mode: KEYWORD }) { score article { id } }
  both: recommend(query: "pear 17", k: 50) { score article { id } passage { text } }
  articles: recommend(articleId: "9", k: 50) { score article { id } }
}"#;

/// The files of what searches read.
fn files(data: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    entries(&data.join("search")).iter().flat_map(|generation| entries(generation)).collect()
}

async fn until_saved(app: &TestApp) -> Vec<PathBuf> {
    let began = Instant::now();
    loop {
        let files = files(app.folder.path());
        if !files.is_empty() && files.iter().all(|file| file.extension().unwrap() == "segment") {
            return files;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "no file was written: {files:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn with_articles() -> TestApp {
    let app = Builder::new().start().await;
    let articles: Vec<_> = (0..100)
        .map(|number| {
            let fruit = ["apple", "pear", "plum"][number % 3];
            json!({ "title": format!("The {fruit} {number}"), "content": format!("A {fruit} of the autumn {number}.") })
        })
        .collect();
    app.create_all(&json!(articles)).await;
    app.until_in_step().await;
    app
}

/// Starts again over what another has left; `None` for the settings as they were.
async fn again(app: TestApp, backend: Option<&str>) -> TestApp {
    let (folder, database_url) = app.stop().await;
    let builder = match backend {
        Some(backend) => Builder::new().set("SENTIO_SEARCH_BACKEND", backend),
        None => Builder::new(),
    };
    let app = builder.start_in(folder, database_url).await;
    app.until_in_step().await;
    app
}

async fn backend(app: &TestApp) -> Value {
    app.query("{ indexStatus { searchBackend searchMemory } }").await["indexStatus"]["searchBackend"].clone()
}

#[tokio::test]
async fn a_start_goes_on_from_files() {
    let app = with_articles().await;
    let before = app.query(LISTS).await;
    assert_eq!(until_saved(&app).await.len(), 1);
    let app = again(app, None).await;
    assert_eq!((app.query(LISTS).await, backend(&app).await), (before.clone(), json!("MEMORY")));
    let app = again(app, Some("disk")).await;
    assert_eq!((app.query(LISTS).await, backend(&app).await), (before.clone(), json!("DISK")));
    // What has changed since the file was written is not what the file says.
    app.query(r#"mutation { deleteArticle(input: { id: "4" }) { userErrors { message } } }"#).await;
    app.query(
        r#"mutation { updateArticle(input: { id: "9", content: "A pear 17." }) { userErrors { message } } }"#,
    )
    .await;
    app.create("The apple of today", "An apple of the autumn, just picked.").await;
    app.until_in_step().await;
    let changed = app.query(LISTS).await;
    assert_ne!(changed, before);
    let app = again(app, Some("memory")).await;
    assert_eq!(app.query(LISTS).await, changed);
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn damaged_and_missing_files_are_written_again() {
    let mut app = with_articles().await;
    let before = app.query(LISTS).await;
    let damages: [fn(&Path); 3] = [
        |file| {
            let mut bytes = std::fs::read(file).unwrap();
            bytes[200] ^= 1;
            std::fs::write(file, bytes).unwrap();
        },
        |file| std::fs::write(file, "cut off").unwrap(),
        |file| std::fs::remove_file(file).unwrap(),
    ];
    for damage in damages {
        let files = until_saved(&app).await;
        let (folder, database_url) = app.stop().await;
        files.iter().for_each(|file| damage(file));
        app = Builder::new().start_in(folder, database_url).await;
        app.until_in_step().await;
        assert_eq!(app.query(LISTS).await, before);
        let began = Instant::now();
        loop {
            let report = app.app.index.live().unwrap().search_files().await.unwrap();
            if (report.whole, report.damaged.len()) == (1, 0) {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{report:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    app.stop().await;
}

/// Files that cannot be written make starts slower and harm nothing.
#[tokio::test]
async fn a_folder_that_cannot_be_made_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("search"), "no folder").unwrap();
    let app = Builder::new().start_in(folder, crate::app::database_url().await).await;
    let articles: Vec<_> =
        (0..80).map(|number| json!({ "title": format!("Apple {number}"), "content": "An apple." })).collect();
    app.create_all(&json!(articles)).await;
    app.until_in_step().await;
    let found = app.query(r#"{ recommend(query: "apple", k: 100) { article { id } } }"#).await;
    assert_eq!(found["recommend"].as_array().unwrap().len(), 80);
    app.assert_in_step().await;
    app.stop().await;
}

/// Rows that memory has otherwise than SQL says are noticed, counted and mended.
#[tokio::test]
async fn what_differs_from_sql_is_indexed_anew() {
    let app = with_articles().await;
    app.raw_sql("UPDATE article_index SET revision = revision + 7 WHERE article_id IN (3, 5)").await;
    let checker = app.app.checker().start();
    let began = Instant::now();
    while app.app.index.mismatches() < 2 {
        assert!(began.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    checker.stop().await;
    app.until_idle().await;
    assert_eq!(app.count("SELECT COUNT(*) FROM article_index WHERE revision > 1").await, 0);
    assert_eq!(app.app.index.mismatches(), 2);
    app.stop().await;
}
