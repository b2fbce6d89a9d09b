//! Comparing SQL with the index.

use std::sync::Arc;

use sentio::article::ArticleId;
use sentio::index::{ArticleRow, Batch, Facets, Previous};
use sentio::outbox;
use sentio::sync::Drift;

use crate::app::{Builder, TestApp};

/// A row of the index that no article belongs to.
pub fn orphan(article_id: i64, dimension: usize) -> ArticleRow {
    ArticleRow {
        article_id,
        revision: 1,
        content_hash: [0; 32],
        vector: vec![1.0; dimension],
        text: String::new(),
        title_key: String::new(),
        external_id: None,
        facets: Facets { category: None, tags: Arc::from([]), created_at: 0, content_length: 1 },
    }
}

#[tokio::test]
async fn any_number_of_orphans_between_few_articles_is_counted() {
    let app = Builder::new().start().await;
    app.create("First", "words").await;
    app.raw_sql("INSERT INTO article (id, title, content) VALUES (50000, 'Last', 'words')").await;
    app.assert_in_step().await;
    let (folder, database_url) = app.stop().await;
    let app = Builder::new().without_worker().start_in(folder, database_url).await;
    let live = app.app.generations.open_live().await.unwrap();
    let dimension = app.app.models.requested().dimension;
    // More than are compared at a time, before, between and behind the articles.
    let ids = (-20_000..0).chain(2..50_000).chain((0..30_000).map(|number| 60_000 + number * 100_000));
    let articles: Vec<_> = ids.map(|id| orphan(id, dimension)).collect();
    let orphans = articles.len() as u64;
    live.tables.write(&Batch { articles, ..Batch::default() }, Previous::None).await.unwrap();
    let report = app.verify().await;
    assert_eq!((report.articles, report.orphaned), (2, orphans));
    assert_eq!((report.missing, report.stale, report.duplicated), (0, 0, 0));
    assert_eq!(report.examples[&Drift::Orphaned][0].0, -20_000);
    app.stop().await;
}

/// Stores a title that no reader can decode, as another program may on SQLite.
async fn store_unreadable(app: &TestApp) {
    app.raw_sql("INSERT INTO article (title, content) VALUES (CAST(x'ff41' AS TEXT), 'words')").await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_counted_and_stops_nothing() {
    let app = Builder::new().start().await;
    if app.is_postgres() {
        println!("skipped: PostgreSQL stores no text that it cannot read");
        return;
    }
    app.create("First", "words").await;
    store_unreadable(&app).await;
    app.create("Last", "words").await;
    app.until_idle().await;
    let report = app.verify().await;
    assert_eq!((report.articles, report.pending), (3, 1), "{report:?}");
    assert!(report.in_step(), "{report:?}");
    // As after a restore that lost the outbox.
    app.raw_sql("DELETE FROM index_change").await;
    let report = app.verify().await;
    assert_eq!(
        (report.missing, &report.examples[&Drift::Missing][..]),
        (1, &[ArticleId(2)][..]),
        "{report:?}"
    );
    let transaction = app.app.db.transaction().await.unwrap();
    outbox::submit(&transaction, outbox::Request::Reconcile).await.unwrap();
    transaction.commit().await.unwrap();
    app.app.changes.announce();
    while outbox::is_submitted(app.app.db.reader(), outbox::Request::Reconcile).await.unwrap() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(app.verify().await.pending, 1, "it is recorded again");
    app.create("After", "words").await;
    app.stop().await;
}

#[tokio::test]
async fn a_restore_with_triggers_off_is_noticed_at_the_next_start() {
    let app = Builder::new().start().await;
    for number in 0..4 {
        app.create(&format!("Article {number}"), "words").await;
    }
    let (folder, database_url) = app.stop().await;
    let app = Builder::new().without_worker().start_in(folder, database_url).await;
    // What pg_restore --disable-triggers, or a program that drops the triggers, leaves.
    for sql in [
        "UPDATE article SET content = 'other words', revision = 9 WHERE id = 1",
        "DELETE FROM article WHERE id = 2",
        "INSERT INTO article (id, title, content) VALUES (50, 'Restored', 'words')",
        "DELETE FROM index_change",
    ] {
        app.raw_sql(sql).await;
    }
    assert_eq!(app.verify().await.pending, 0);
    let (folder, database_url) = app.stop().await;
    let app = Builder::new().start_in(folder, database_url).await;
    app.until_in_step().await;
    app.stop().await;
}
