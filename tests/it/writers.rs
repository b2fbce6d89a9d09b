//! Many writers at once, in several processes, through the API and past it.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sea_orm::{ConnectionTrait, Statement};
use sentio::app::App;
use sentio::sync::Step;
use serde_json::{Value, json};

use crate::app::Builder;
use crate::server::Server;

/// How many write at the same time.
const WRITERS: u64 = 500;
/// What each of them writes, one after the other.
const WRITES: u64 = 4;
/// How many articles they write to.
const ARTICLES: u64 = 50;

const CREATE: &str = "mutation($slot: String!, $content: String!) {
  createArticle(input: { externalId: $slot, title: $slot, content: $content, waitForIndex: false }) {
    article { id revision } userErrors { code }
  }
}";
const UPDATE: &str = "mutation($id: ID!, $content: String!) {
  updateArticle(input: { id: $id, content: $content, waitForIndex: false }) { article { id revision } userErrors { code } }
}";
const DELETE: &str = "mutation($id: ID!) {
  deleteArticle(input: { id: $id, waitForIndex: false }) { deletedArticleId userErrors { code } }
}";

/// A revision that an article was given.
type Given = (i64, i64);

/// The same sequence in each run, another one for each writer: any number, from splitmix64.
fn mixed(writer: u64, write: u64) -> u64 {
    let mut state = (writer * WRITES + write).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Past the hooks: changes article `id` with one statement, or makes it; returns its revision.
async fn raw_upsert(app: &App, id: u64, content: &str) -> Option<Given> {
    let transaction = app.db.transaction().await.ok()?;
    let backend = transaction.get_database_backend();
    let statement = Statement::from_sql_and_values(
        backend,
        "INSERT INTO article (id, title, content) VALUES ($1, 'raw', $2)
         ON CONFLICT (id) DO UPDATE SET content = excluded.content",
        [id.cast_signed().into(), content.into()],
    );
    transaction.execute_raw(statement).await.ok()?;
    let sql = "SELECT revision FROM article WHERE id = $1";
    let statement = Statement::from_sql_and_values(backend, sql, [id.cast_signed().into()]);
    let revision = transaction.query_one_raw(statement).await.ok()??.try_get("", "revision").ok()?;
    transaction.commit().await.ok()?;
    Some((id.cast_signed(), revision))
}

async fn raw_delete(app: &App, id: u64) -> Option<()> {
    let transaction = app.db.transaction().await.ok()?;
    let sql = format!("DELETE FROM article WHERE id = {id}");
    transaction.execute_raw(Statement::from_string(transaction.get_database_backend(), sql)).await.ok()?;
    transaction.commit().await.ok()
}

/// The revision that a mutation says an article was given; a `userError` or a busy database gives none.
fn given(response: &Value, mutation: &str) -> Option<Given> {
    let code = &response["errors"][0]["extensions"]["code"];
    assert!(code.is_null() || code == "OVERLOADED", "{response}");
    let article = &response["data"][mutation]["article"];
    Some((article["id"].as_str()?.parse().unwrap(), article["revision"].as_i64()?))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_500_writers_in_two_processes_the_last_one_wins() {
    let app = Builder::new().start().await;
    for slot in 0..ARTICLES {
        app.create(&format!("Article {slot}"), "words").await;
    }
    let database_url = app.app.config.database.url.expose();
    let second = Server::start(app.folder.path(), app.is_postgres().then_some(database_url));
    let urls = Arc::new([format!("{}/graphql", app.url), second.url.clone()]);
    let writers = (0..WRITERS).map(|writer| {
        let (urls, app) = (Arc::clone(&urls), app.app.clone());
        tokio::spawn(async move {
            let client = reqwest::Client::new();
            let mut revisions = Vec::new();
            for write in 0..WRITES {
                let number = mixed(writer, write);
                let id = 1 + number / 16 % ARTICLES;
                let content = format!("by writer {writer}, its write {write}");
                let url = &urls[usize::from((number / 8).is_multiple_of(2))];
                let send = async |document: &str, variables: Value| -> Value {
                    let body = json!({ "query": document, "variables": variables });
                    client.post(url).json(&body).send().await.unwrap().json().await.unwrap()
                };
                let revision = match number % 8 {
                    0..3 => {
                        let response =
                            send(UPDATE, json!({ "id": id.to_string(), "content": content })).await;
                        given(&response, "updateArticle")
                    }
                    3 => {
                        let slot = format!("slot {}", id % 10);
                        given(
                            &send(CREATE, json!({ "slot": slot, "content": content })).await,
                            "createArticle",
                        )
                    }
                    4 => {
                        send(DELETE, json!({ "id": id.to_string() })).await;
                        None
                    }
                    5 => {
                        raw_delete(&app, id).await;
                        None
                    }
                    _ => raw_upsert(&app, id, &content).await,
                };
                revisions.extend(revision);
            }
            revisions
        })
    });
    let mut revisions: Vec<Given> = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        revisions.extend(writer.await.unwrap());
    }
    // Half of the writes meet an article that another writer has deleted, or delete one.
    let writes = WRITERS * WRITES;
    println!("{} of {writes} writes gave a revision", revisions.len());
    assert!(
        revisions.len() as u64 > writes / 4,
        "only {} of {writes} writes gave a revision",
        revisions.len()
    );
    let distinct: HashSet<_> = revisions.iter().copied().collect();
    assert_eq!(distinct.len(), revisions.len(), "a revision was given twice");
    app.assert_in_step().await;
    drop(second);
    app.stop().await;
}

#[tokio::test]
async fn when_the_writing_process_is_killed_another_one_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let database_url = crate::app::database_url().await;
    let create = "mutation($title: String!) {
      createArticle(input: { title: $title, content: \"words\" }) { article { indexState } }
    }";
    let client = reqwest::Client::new();
    let mut holder = Server::start(folder.path(), database_url.as_deref());
    let response = holder.execute(&client, create, json!({ "title": "First" })).await;
    assert_eq!(response["data"]["createArticle"]["article"]["indexState"], "INDEXED", "{response}");
    for round in 0..3 {
        let next = Server::start(folder.path(), database_url.as_deref());
        let title = format!("While {round} follows");
        let response = next.execute(&client, create, json!({ "title": title })).await;
        assert_eq!(response["data"]["createArticle"]["article"]["indexState"], "INDEXED", "{response}");
        holder.kill();
        let title = format!("After {round} took over");
        let response = next.execute(&client, create, json!({ "title": title })).await;
        assert_eq!(response["data"]["createArticle"]["article"]["indexState"], "INDEXED", "{response}");
        holder = next;
    }
    let found = holder
        .execute(&client, "{ recommend(query: \"words\", k: 50) { score } indexStatus { state } }", json!({}))
        .await;
    assert_eq!(found["data"]["recommend"].as_array().unwrap().len(), 7, "{found}");
    assert_eq!(found["data"]["indexStatus"]["state"], "IN_STEP");
    holder.kill();
    let app = Builder::new().start_in(folder, database_url).await;
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_article_holds_nobody_and_is_indexed_in_steps() {
    let steps = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&steps);
    // Held with the first part of the long article until the short one has been written.
    let (release, held) = tokio::sync::watch::channel(false);
    let app = Builder::new()
        .on_step(Arc::new(move |step| {
            if step == Step::Claimed {
                let mut held = held.clone();
                let _ = tokio::task::block_in_place(|| {
                    futures::executor::block_on(held.wait_for(|released| *released))
                });
            }
            if step == Step::Recorded {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        }))
        .start()
        .await;
    // A thousand passages of the tiny model.
    let content: String = (0..20_000).map(|number| format!("word {number} ")).collect();
    let create = "mutation($content: String!) {
      createArticle(input: { title: \"Long\", content: $content, waitForIndex: false }) { article { id } }
    }";
    app.query_with(create, json!({ "content": content })).await;
    let both_written = async {
        while app.count("SELECT COUNT(*) FROM index_change").await < 2 {
            tokio::task::yield_now().await;
        }
        release.send(true).unwrap();
    };
    tokio::join!(app.create("Short", "words"), both_written);
    app.assert_in_step().await;
    let first = "SELECT MIN(article_id) FROM article_event WHERE kind = 'indexed'
                 AND seq = (SELECT MIN(seq) FROM article_event WHERE kind = 'indexed')";
    assert_eq!(app.count(first).await, 2, "the short article is indexed before the long one");
    let passages = app.count("SELECT CAST(passages AS BIGINT) FROM article_index WHERE article_id = 1").await;
    assert!(passages > 600, "{passages}");
    assert!(steps.load(Ordering::Relaxed) > 3);

    // What is in the cache is not computed again.
    let runs = app.app.models.runs();
    app.raw_sql("UPDATE article SET category = 'c' WHERE id = 1").await;
    app.assert_in_step().await;
    assert_eq!(app.app.models.runs(), runs);
    app.raw_sql("UPDATE article SET content = 'short' WHERE id = 1").await;
    app.assert_in_step().await;
    let cached = "SELECT COUNT(*) FROM embedding WHERE article_id = 1";
    assert_eq!(app.count(cached).await, 1, "vectors of texts that are gone are dropped");
    app.stop().await;
}

#[tokio::test]
async fn an_open_transaction_on_an_article_holds_no_other_article() {
    let app = Builder::new().start().await;
    if !app.is_postgres() {
        println!("skipped: on SQLite there is one writer at a time");
        return;
    }
    app.create("Held", "words").await;
    for round in 0..20 {
        // Changed by a client, and while that is being indexed, by somebody who does not commit.
        let update = "mutation { updateArticle(input: { id: \"1\", category: \"c\", waitForIndex: false }) { article { id } } }";
        app.query(update).await;
        let held = app.app.db.transaction().await.unwrap();
        held.execute_unprepared("UPDATE article SET category = 'held' WHERE id = 1").await.unwrap();
        app.create(&format!("Other {round}"), "words").await;
        held.rollback().await.unwrap();
    }
    app.assert_in_step().await;
    app.stop().await;
}
