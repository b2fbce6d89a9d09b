//! When nothing has been written for a while, files are few; answers stay what they were.

use std::time::{Duration, Instant};

use crate::app::{Builder, TestApp, tables};

const LISTS: &str = r#"{
  words: recommend(query: "an apple of the autumn", k: 50, options: { mode: KEYWORD }) { score article { id } }
  meaning: recommend(query: "an apple of the autumn", k: 50, options: { mode: SEMANTIC }) { score article { id } }
}"#;

/// Of both tables: the most data files, and how many rows the indexes do not cover.
async fn untidiness(app: &TestApp) -> (usize, usize) {
    let (mut files, mut outside) = (0, 0);
    for table in tables(app.folder.path()).await {
        files = files.max(table.stats().await.unwrap().fragment_stats.num_fragments);
        for index in table.list_indices().await.unwrap() {
            outside += table.index_stats(&index.name).await.unwrap().unwrap().num_unindexed_rows;
        }
    }
    (files, outside)
}

#[tokio::test]
async fn in_quiet_the_tables_are_tidied() {
    let app = Builder::new().start().await;
    for number in 0..24 {
        let fruit = ["apple", "pear", "plum"][number % 3];
        app.create(&format!("The {fruit} number {number}"), &format!("A {fruit} of the autumn {number}."))
            .await;
        app.assert_in_step().await;
    }
    let before = app.query(LISTS).await;
    let (files, outside) = untidiness(&app).await;
    assert!(files >= 4, "{files} files, {outside} rows outside: nothing to tidy");
    let waited = Instant::now();
    loop {
        let (files, outside) = untidiness(&app).await;
        if files < 4 && outside == 0 {
            break;
        }
        assert!(waited.elapsed() < Duration::from_secs(60), "{files} files, {outside} rows outside");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(app.query(LISTS).await, before);
    app.create("The apple of today", "An apple of the autumn, just picked.").await;
    app.assert_in_step().await;
    let after = app.query(LISTS).await;
    assert_eq!(after["words"].as_array().unwrap().len(), before["words"].as_array().unwrap().len() + 1);
    app.stop().await;
}
