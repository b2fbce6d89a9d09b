//! Comparing SQL with the index.

use std::sync::Arc;

use sentio::index::{ArticleRow, Batch, Facets, Previous};
use sentio::sync::Drift;

use crate::app::Builder;

/// A row of the index that no article belongs to.
fn orphan(article_id: i64, dimension: usize) -> ArticleRow {
    ArticleRow {
        article_id,
        revision: 1,
        content_hash: [0; 32],
        vector: vec![1.0; dimension],
        text: String::new(),
        facets: Facets { category: None, tags: Arc::from([]), created_at: 0 },
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
