//! The index follows SQL.

use serde_json::json;

use sentio::outbox;

use crate::app::{Builder, tables};

#[tokio::test]
async fn a_restart_goes_on_with_what_is_pending() {
    let app = Builder::new().without_worker().start().await;
    for number in 0..5 {
        app.query_with(
            "mutation($title: String!) {
               createArticle(input: { title: $title, content: \"c\", waitForIndex: false }) { article { id } }
             }",
            json!({ "title": format!("Article {number}") }),
        )
        .await;
    }
    let (folder, database_url) = app.stop().await;
    let app = Builder::new().start_in(folder, database_url).await;
    app.assert_in_step().await;
    let data = app
        .query(
            "{ recommend(query: \"Article\") { article { title } } indexStatus { state pending articles } }",
        )
        .await;
    assert_eq!(data["recommend"].as_array().unwrap().len(), 5);
    assert_eq!(data["indexStatus"], json!({ "state": "IN_STEP", "pending": 0, "articles": 5 }));
    app.stop().await;
}

#[tokio::test]
async fn an_index_that_is_not_open_is_said_to_be_failing() {
    let app = Builder::new().without_worker().start().await;
    let status = app.query("{ indexStatus { state lastError pending articles live { coverage } } }").await;
    let status = &status["indexStatus"];
    assert_eq!(status["state"], "FAILING", "{status}");
    assert!(status["lastError"].as_str().unwrap().contains("not open"), "{status}");
    app.stop().await;
}

#[tokio::test]
async fn an_article_of_too_many_passages_is_sampled_evenly_and_says_so() {
    let app = Builder::new().set("SENTIO_PASSAGES_MAX", "4").start().await;
    let sentence = |number| format!("Sentence {number} tells of something else than all others do. ");
    let content: String = (0..60).map(sentence).collect();
    let long = app.create("Long", &content).await;
    let short = app.create("Short", "Words.").await;
    let data = app
        .query(
            "{ articles(orderBy: { field: TITLE, direction: ASC }) { nodes { id passageCoverage { indexed total } } }
               indexStatus { passages } }",
        )
        .await;
    let nodes = data["articles"]["nodes"].as_array().unwrap();
    let total = nodes[0]["passageCoverage"]["total"].as_i64().unwrap();
    assert_eq!((nodes[0]["id"].as_str(), nodes[1]["id"].as_str()), (Some(&*long), Some(&*short)));
    assert!(total > 8, "{total}");
    assert_eq!(nodes[0]["passageCoverage"]["indexed"], 4);
    assert_eq!(nodes[1]["passageCoverage"], json!({ "indexed": 1, "total": 1 }));
    assert_eq!(data["indexStatus"]["passages"], 5);
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn a_long_article_that_becomes_short_leaves_no_passage_behind() {
    let app = Builder::new().start().await;
    let id = app.create("Long", &"A sentence of several words. ".repeat(400)).await;
    let passages = "{ indexStatus { passages articles } }";
    let before = app.query(passages).await["indexStatus"]["passages"].as_u64().unwrap();
    assert!(before > 10, "{before}");
    app.query_with(
        "mutation($id: ID!) { updateArticle(input: { id: $id, content: \"Short.\" }) { article { revision } } }",
        json!({ "id": id }),
    )
    .await;
    assert_eq!(app.query(passages).await["indexStatus"], json!({ "passages": 1, "articles": 1 }));
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn raw_sql_is_noticed() {
    let app = Builder::new().start().await;
    app.create("Kept", "as it is").await;
    app.raw_sql("INSERT INTO article (title, content) VALUES ('Raw', 'by another program')").await;
    app.assert_in_step().await;
    let data = app.query("{ recommend(query: \"Raw\") { article { title revision tags } } }").await;
    assert_eq!(data["recommend"].as_array().unwrap().len(), 2);
    app.raw_sql("UPDATE article SET content = 'changed' WHERE title = 'Raw'").await;
    app.assert_in_step().await;
    app.raw_sql("DELETE FROM article WHERE title = 'Raw'").await;
    app.assert_in_step().await;
    let data = app.query("{ recommend(query: \"Raw\") { article { title } } }").await;
    assert_eq!(data["recommend"], json!([{ "article": { "title": "Kept" } }]));
    app.stop().await;
}

#[tokio::test]
async fn a_lost_index_is_made_anew_without_inference() {
    let app = Builder::new().start().await;
    for number in 0..4 {
        app.create(&format!("Article {number}"), "words").await;
    }
    let (folder, database_url) = app.stop().await;
    std::fs::remove_dir_all(folder.path().join("lancedb_store")).unwrap();
    let app = Builder::new().start_in(folder, database_url).await;
    let runs = app.app.models.runs();
    app.assert_in_step().await;
    assert_eq!(app.app.models.runs(), runs, "the cache has every vector");
    let data = app.query("{ recommend(query: \"words\") { score } }").await;
    assert_eq!(data["recommend"].as_array().unwrap().len(), 4);
    app.stop().await;
}

#[tokio::test]
async fn an_index_of_another_layout_is_made_anew_without_inference() {
    let app = Builder::new().start().await;
    app.create("One", "words").await;
    let (folder, database_url) = app.stop().await;
    for table in tables(folder.path()).await {
        let mut metadata = table.schema().await.unwrap().metadata().clone();
        metadata.insert("sentio.layout".to_owned(), "3".to_owned()).expect("a layout");
        table.as_native().unwrap().replace_schema_metadata(metadata).await.unwrap();
    }
    let app = Builder::new().start_in(folder, database_url).await;
    let runs = app.app.models.runs();
    app.assert_in_step().await;
    assert_eq!(app.app.models.runs(), runs, "the cache has every vector");
    for table in tables(app.folder.path()).await {
        assert_ne!(table.schema().await.unwrap().metadata()["sentio.layout"], "3");
    }
    app.stop().await;
}

#[tokio::test]
async fn another_model_gets_an_index_of_its_own() {
    let app = Builder::new().start().await;
    app.create("One", "words").await;
    let (folder, database_url) = app.stop().await;
    let roberta = crate::app::repository("tests/fixtures/models/tiny-roberta").display().to_string();
    let app = Builder::new().set("SENTIO_MODEL", roberta).start_in(folder, database_url).await;
    app.assert_in_step().await;
    let data = app
        .query("{ indexStatus { articles live { coverage } } recommend(query: \"words\") { score } }")
        .await;
    assert_eq!(data["indexStatus"], json!({ "articles": 1, "live": { "coverage": 1.0 } }));
    assert_eq!(data["recommend"].as_array().unwrap().len(), 1);
    app.stop().await;
}

#[tokio::test]
async fn many_writers_end_with_an_index_like_sql() {
    let app = Builder::new().start().await;
    let mut ids = Vec::new();
    for number in 0..10 {
        ids.push(app.create(&format!("Article {number}"), "words").await);
    }
    let update = |id: String, round: usize| {
        let app = &app;
        async move {
            let document = "mutation($id: ID!, $content: String!) {
              updateArticle(input: { id: $id, content: $content }) { article { revision } userErrors { code } }
            }";
            app.query_with(document, json!({ "id": id, "content": format!("round {round}") })).await
        }
    };
    let updates = (0..60).map(|round| update(ids[round % ids.len()].clone(), round));
    let results = futures::future::join_all(updates).await;
    let mut revisions: Vec<_> =
        results.iter().map(|data| data["updateArticle"]["article"]["revision"].as_i64().unwrap()).collect();
    revisions.sort_unstable();
    let expected: Vec<i64> = (2..8).flat_map(|revision| [revision; 10]).collect();
    assert_eq!(revisions, expected, "no revision is made twice");
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn a_mutation_in_a_follower_is_searchable_there_when_it_answers() {
    let writer = Builder::new().start().await;
    writer.create("First", "words").await;
    let follower = Builder::new().beside(&writer).await;
    for number in 0..5 {
        let title = format!("Article {number}");
        follower.create(&title, "words").await;
        let found = follower.query("{ recommend(query: \"Article\", k: 100) { article { title } } }").await;
        let found = found["recommend"].as_array().unwrap();
        assert!(found.iter().any(|item| item["article"]["title"] == title.as_str()), "{title} {found:?}");
    }
    follower.stop().await;
    writer.stop().await;
}

#[tokio::test]
async fn a_second_process_follows_the_first() {
    let first = Builder::new().start().await;
    let config = first.app.config.clone();
    let second = sentio::app::App::open(config).await.unwrap();
    let worker = second.worker().start();
    assert!(second.index_opened(std::time::Duration::from_secs(30)).await);
    first.create("Seen by both", "words").await;
    let mut views = second.events.view();
    let count = || async { second.index.live().unwrap().snapshot().size().await.unwrap().articles };
    while count().await == 0 {
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), views.changed()).await;
    }
    // The lock passes on when its holder stops.
    let (_folder, _) = first.stop().await;
    let draft = sentio::article::ArticleDraft {
        title: "Written later".to_owned(),
        content: "words".to_owned(),
        ..Default::default()
    };
    let transaction = second.db.transaction().await.unwrap();
    let active = sentio::entity::article::ActiveModel::from_draft(draft);
    sea_orm::ActiveModelTrait::insert(active, &transaction).await.unwrap();
    transaction.commit().await.unwrap();
    while count().await < 2 {
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), views.changed()).await;
    }
    worker.stop().await;
    second.close().await.unwrap();
}

/// Copies a folder of plain files and folders.
pub fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn an_index_newer_than_a_restored_database_is_taken_back() {
    let app = Builder::new().start().await;
    if app.is_postgres() {
        println!("skipped: the backup is a copy of SQLite's file");
        return;
    }
    for number in 0..4 {
        app.create(&format!("Old {number}"), "words").await;
    }
    let (folder, _) = app.stop().await;
    let backup = folder.path().join("backup");
    std::fs::create_dir(&backup).unwrap();
    std::fs::copy(folder.path().join("sentio.db"), backup.join("sentio.db")).unwrap();

    let app = Builder::new().start_in(folder, None).await;
    for number in 0..4 {
        app.create(&format!("New {number}"), "words").await;
    }
    app.query("mutation { deleteArticle(input: { id: \"1\" }) { deletedArticleId } }").await;
    let (folder, _) = app.stop().await;
    for file in ["sentio.db-wal", "sentio.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(file));
    }
    std::fs::copy(folder.path().join("backup/sentio.db"), folder.path().join("sentio.db")).unwrap();

    let app = Builder::new().start_in(folder, None).await;
    app.assert_in_step().await;
    app.create("After", "words").await;
    app.assert_in_step().await;
    let data = app.query("{ recommend(query: \"words\", k: 100) { article { title } } }").await;
    assert_eq!(data["recommend"].as_array().unwrap().len(), 5);
    app.stop().await;
}

#[tokio::test]
async fn an_index_of_another_history_is_noticed_although_its_version_fits() {
    let app = Builder::new().start().await;
    if app.is_postgres() {
        println!("skipped: the backup is a copy of SQLite's file");
        return;
    }
    app.create("Old", "words").await;
    let (folder, _) = app.stop().await;
    let (other, path) = (tempfile::tempdir().unwrap(), folder.path().to_owned());
    copy(&path, other.path());
    // Both copies go on in their own way, by as many versions.
    let app = Builder::new().start_in(other, None).await;
    app.create("Only in the other index", "words").await;
    let (other, _) = app.stop().await;
    let app = Builder::new().start_in(folder, None).await;
    app.create("Only in this database", "words").await;
    let (folder, _) = app.stop().await;
    let store = path.join("lancedb_store");
    std::fs::remove_dir_all(&store).unwrap();
    copy(&other.path().join("lancedb_store"), &store);

    let app = Builder::new().start_in(folder, None).await;
    app.until_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn an_index_older_than_its_database_is_made_anew() {
    let app = Builder::new().start().await;
    app.create("Old", "words").await;
    let (folder, database_url) = app.stop().await;
    let backup = tempfile::tempdir().unwrap();
    copy(&folder.path().join("lancedb_store"), backup.path());
    let app = Builder::new().start_in(folder, database_url).await;
    app.create("New", "words").await;
    let (folder, database_url) = app.stop().await;
    std::fs::remove_dir_all(folder.path().join("lancedb_store")).unwrap();
    copy(backup.path(), &folder.path().join("lancedb_store"));
    let app = Builder::new().start_in(folder, database_url).await;
    app.assert_in_step().await;
    let data = app.query("{ recommend(query: \"words\") { article { title } } }").await;
    assert_eq!(data["recommend"].as_array().unwrap().len(), 2);
    app.stop().await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_fails_alone() {
    let app = Builder::new().start().await;
    if app.is_postgres() {
        println!("skipped: PostgreSQL stores nothing that cannot be read");
        return;
    }
    app.raw_sql("INSERT INTO article (title, content) VALUES ('x', CAST(x'ff41' AS TEXT))").await;
    app.create("Beside it", "words").await;
    let data = app.query("{ recommend(query: \"words\") { article { title } } }").await;
    assert_eq!(data["recommend"].as_array().unwrap().len(), 1);
    app.stop().await;
}

#[tokio::test]
async fn truncate_under_way_leaves_nothing_behind() {
    let app = Builder::new().start().await;
    if !app.is_postgres() {
        println!("skipped: TRUNCATE is PostgreSQL's");
        return;
    }
    for _ in 0..3 {
        app.raw_sql(
            "INSERT INTO article (title, content)
             SELECT 'Article ' || n, repeat('A sentence of several words. ', 60) FROM generate_series(1, 40) AS n",
        )
        .await;
        app.raw_sql("TRUNCATE article").await;
        while outbox::is_submitted(app.app.db.reader(), outbox::Request::Reconcile).await.unwrap() {
            tokio::task::yield_now().await;
        }
        app.assert_in_step().await;
    }
    app.stop().await;
}

#[tokio::test]
async fn a_change_of_facets_alone_costs_no_inference() {
    let app = Builder::new().start().await;
    app.create("One", &"A sentence of several words. ".repeat(100)).await;
    let runs = app.app.models.runs();
    let update = "mutation { updateArticle(input: { id: \"1\", category: \"Food\", tags: [\"a\"] }) { article { indexState } } }";
    assert_eq!(app.query(update).await["updateArticle"]["article"]["indexState"], "INDEXED");
    assert_eq!(app.app.models.runs(), runs);
    // The vectors of texts that an article no longer holds go.
    let cached = "SELECT COUNT(*) FROM embedding";
    assert!(app.count(cached).await > 1);
    app.query("mutation { updateArticle(input: { id: \"1\", content: \"Short.\" }) { article { id } } }")
        .await;
    assert_eq!(app.count(cached).await, 1);
    app.query("mutation { deleteArticle(input: { id: \"1\" }) { deletedArticleId } }").await;
    assert_eq!(app.count(cached).await, 0);
    app.stop().await;
}

#[tokio::test]
async fn another_database_over_the_same_folder_is_never_served_the_first_ones_index() {
    let app = Builder::new().start().await;
    for number in 0..3 {
        app.create(&format!("First {number}"), "words").await;
    }
    let postgres = app.is_postgres();
    let (folder, first) = app.stop().await;
    let second = if postgres {
        crate::app::new_postgres_database().await
    } else {
        format!("sqlite://{}", folder.path().join("second.db").display())
    };
    let titles = "{ recommend(query: \"words\", k: 100) { article { title } } }";
    let app = Builder::new().start_in(folder, Some(second)).await;
    assert_eq!(app.query(titles).await["recommend"], json!([]));
    app.create("Second", "words").await;
    app.assert_in_step().await;
    assert_eq!(app.query(titles).await["recommend"], json!([{ "article": { "title": "Second" } }]));
    let (folder, _) = app.stop().await;
    let app = Builder::new().start_in(folder, first).await;
    app.assert_in_step().await;
    assert_eq!(app.query(titles).await["recommend"].as_array().unwrap().len(), 3);
    app.stop().await;
}
