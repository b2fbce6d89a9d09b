//! Subscriptions: what happens is told after it happened, whoever did it.

use std::time::Duration;

use sentio::article::ArticleId;
use sentio::events::{ArticleEvent, ArticleEventKind};
use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

/// With an article that fills the buffers of a connection after a few changes.
pub const CHANGES_WITH_CONTENT: &str = "subscription { articleChanged { kind article { content } } }";
/// So many changes that a client which reads none of them must miss some.
pub const UPDATES: usize = 5_000;

/// Counts what comes until it is told that something was missed; returns how much that was.
pub fn check_what_is_missed(results: &[Value]) -> usize {
    let (last, before) = results.split_last().unwrap();
    assert!(before.iter().all(|result| result["data"]["articleChanged"]["kind"] == "UPDATED"));
    // What lay in the buffers of the connection, and the few changes that were told meanwhile.
    assert!(!before.is_empty() && before.len() < 200, "{}", before.len());
    assert_eq!(last["errors"][0]["extensions"]["code"], "OVERLOADED", "{last}");
    let message = last["errors"][0]["message"].as_str().unwrap();
    message.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("{message}"))
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_missed() {
    let app = Builder::new().start().await;
    let article = app.create("Long", &"word ".repeat(180_000)).await;
    let mut slow = Subscription::to_changes(&app, CHANGES_WITH_CONTENT).await;
    app.tell_updates(&article, UPDATES).await;
    let mut results = Vec::new();
    while results.last().is_none_or(|result: &Value| result["errors"].is_null()) {
        results.push(slow.next().await.unwrap());
    }
    let missed = check_what_is_missed(&results);
    assert!((UPDATES - 1_024 - 200..UPDATES).contains(&missed), "{missed}");
    // It goes on with the next.
    assert_eq!(slow.next().await.unwrap()["data"]["articleChanged"]["kind"], "UPDATED");
    drop(slow);
    app.stop().await;
}

/// A subscription over server-sent events.
struct Subscription {
    response: reqwest::Response,
    text: String,
}

impl Subscription {
    /// Hears the changes from now on.
    async fn to_changes(app: &TestApp, document: &str) -> Self {
        app.until_told().await;
        let subscription = Self::open(app, document).await;
        // The server subscribes when it has read the request; the headers come before that.
        app.until_heard().await;
        subscription
    }

    async fn open(app: &TestApp, document: &str) -> Self {
        let response = reqwest::Client::new()
            .post(format!("{}/graphql", app.url))
            .header("accept", "text/event-stream")
            .json(&json!({ "query": document }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next result; `None` after the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                if event.contains("event: complete") {
                    return None;
                }
                if let Some(data) = event.lines().find_map(|line| line.strip_prefix("data: ")) {
                    return Some(serde_json::from_str(data).unwrap());
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await;
            let chunk = chunk.expect("an event within 20 s").unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next change as `KIND id`.
    async fn change(&mut self) -> String {
        let next = self.next().await.expect("the stream goes on");
        let change = &next["data"]["articleChanged"];
        format!("{} {}", change["kind"].as_str().unwrap_or("?"), change["articleId"].as_str().unwrap_or("?"))
    }
}

const CHANGES: &str = "subscription { articleChanged { kind articleId } }";

#[tokio::test]
async fn changes_of_clients_are_told_in_order() {
    let app = Builder::new().start().await;
    let mut changes = Subscription::to_changes(&app, CHANGES).await;
    let id = app.create("One", "words").await;
    assert_eq!(changes.change().await, format!("CREATED {id}"));
    assert_eq!(changes.change().await, format!("INDEXED {id}"));
    app.query("mutation { updateArticle(input: { id: \"1\", title: \"New\" }) { article { id } } }").await;
    assert_eq!(changes.change().await, "UPDATED 1");
    assert_eq!(changes.change().await, "INDEXED 1");
    app.query("mutation { deleteArticle(input: { id: \"1\" }) { deletedArticleId } }").await;
    assert_eq!(changes.change().await, "DELETED 1");
    app.stop().await;
}

#[tokio::test]
async fn raw_sql_is_told_too_and_once() {
    let app = Builder::new().start().await;
    app.create("One", "words").await;
    let mut changes = Subscription::to_changes(&app, CHANGES).await;
    app.raw_sql("UPDATE article SET title = 'raw' WHERE id = 1").await;
    assert_eq!(changes.change().await, "UPDATED 1");
    assert_eq!(changes.change().await, "INDEXED 1");
    app.raw_sql("UPDATE article SET id = 7 WHERE id = 1").await;
    assert_eq!([changes.change().await, changes.change().await], ["DELETED 1", "CREATED 7"]);
    let mut next = changes.change().await;
    if next == "UPDATED 7" {
        // SQLite's trigger raises the revision of the moved row with a statement of its own.
        next = changes.change().await;
    }
    assert_eq!(next, "INDEXED 7");
    if app.is_postgres() {
        app.raw_sql("TRUNCATE article").await;
    } else {
        app.raw_sql("DELETE FROM article").await;
    }
    assert_eq!(changes.change().await, "DELETED 7");
    app.stop().await;
}

#[tokio::test]
async fn a_rolled_back_change_is_not_told() {
    let app = Builder::new().start().await;
    let mut changes = Subscription::to_changes(&app, CHANGES).await;
    let transaction = app.app.db.transaction().await.unwrap();
    let draft = sentio::article::ArticleDraft {
        title: "Never".to_owned(),
        content: "committed".to_owned(),
        ..Default::default()
    };
    let active = sentio::entity::article::ActiveModel::from_draft(draft);
    sea_orm::ActiveModelTrait::insert(active, &transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    let id = app.create("Committed", "words").await;
    assert_eq!(changes.change().await, format!("CREATED {id}"));
    app.stop().await;
}

#[tokio::test]
async fn who_begins_to_listen_at_any_moment_misses_nothing() {
    let app = Builder::new().start().await;
    app.until_told().await;
    for number in 0..100_i64 {
        // The publisher looks where the journal ends, because nobody listens.
        app.app.changes.announce();
        tokio::time::sleep(Duration::from_micros(50) * number as u32).await;
        let mut listener = app.app.events.articles();
        let insert = format!("INSERT INTO article (title, content) VALUES ('Number {number}', 'words')");
        app.raw_sql(&insert).await;
        let told = tokio::time::timeout(Duration::from_secs(60), async {
            let created = |event: &ArticleEvent| {
                (event.kind, event.article) == (ArticleEventKind::Created, ArticleId(number + 1))
            };
            while !created(&listener.recv().await.unwrap()) {}
        });
        assert!(told.await.is_ok(), "{number}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_displaced_article_is_told_as_deleted_and_an_upserted_one_is_not() {
    let app = Builder::new().start().await;
    if app.is_postgres() {
        println!("skipped: INSERT OR REPLACE is SQLite's");
        return;
    }
    app.raw_sql("INSERT INTO article (external_id, title, content) VALUES ('a', 't', 'c')").await;
    app.until_idle().await;
    let mut changes = Subscription::to_changes(&app, CHANGES).await;
    app.raw_sql(
        "INSERT INTO article (external_id, title, content) VALUES ('a', 'upserted', 'c')
         ON CONFLICT (external_id) DO UPDATE SET title = excluded.title",
    )
    .await;
    assert_eq!([changes.change().await, changes.change().await], ["UPDATED 1", "INDEXED 1"]);
    app.raw_sql("INSERT OR REPLACE INTO article (external_id, title, content) VALUES ('a', 'replaced', 'c')")
        .await;
    assert_eq!([changes.change().await, changes.change().await], ["DELETED 1", "CREATED 3"]);
    assert_eq!(changes.change().await, "INDEXED 3");
    // One that did not give way, and is deleted by itself.
    app.raw_sql("INSERT OR IGNORE INTO article (external_id, title, content) VALUES ('a', 'ignored', 'c')")
        .await;
    app.raw_sql("DELETE FROM article").await;
    app.raw_sql("INSERT INTO article (external_id, title, content) VALUES ('b', 't', 'c')").await;
    assert_eq!([changes.change().await, changes.change().await], ["DELETED 3", "CREATED 5"]);
    app.stop().await;
}

#[tokio::test]
async fn a_burst_of_changes_reaches_a_prompt_listener_whole() {
    let app = Builder::new().start().await;
    let document = "subscription { articleChanged { kind articleId article { title revision } } }";
    let mut changes = Subscription::to_changes(&app, document).await;
    let rows: Vec<_> = (0..3_000).map(|number| format!("('Article {number}', 'c')")).collect();
    app.raw_sql(&format!("INSERT INTO article (title, content) VALUES {}", rows.join(", "))).await;
    let mut created = 0;
    while created < 3_000 {
        let change = changes.change().await;
        assert!(
            !change.starts_with('?'),
            "after {created} of them the listener was told that it is too slow"
        );
        created += u32::from(change.starts_with("CREATED"));
    }
    app.stop().await;
}

#[tokio::test]
async fn another_process_tells_what_the_first_one_does() {
    let writer = Builder::new().start().await;
    let follower = Builder::new().beside(&writer).await;
    let document = "subscription { articleChanged { kind articleId article { indexState } } }";
    let mut changes = Subscription::to_changes(&follower, document).await;
    let id = writer.create("One", "words").await;
    assert_eq!(changes.change().await, format!("CREATED {id}"));
    assert_eq!(changes.change().await, format!("INDEXED {id}"));
    // Told when the follower's own searches see it.
    let found = follower.query("{ recommend(query: \"One\") { article { title } } }").await;
    assert_eq!(found["recommend"].as_array().unwrap().len(), 1);
    follower.stop().await;
    writer.stop().await;
}

#[tokio::test]
async fn a_filter_lets_through_what_passes_it_also_when_it_is_deleted() {
    let app = Builder::new().start().await;
    let document = "subscription { articleChanged(filter: { categoryIn: [\"Food\"], contentLengthMin: 3 }) {
      kind articleId article { title } } }";
    let mut changes = Subscription::to_changes(&app, document).await;
    app.raw_sql(
        "INSERT INTO article (title, content, category) VALUES ('a', 'ccc', 'Tech'), ('b', 'ccc', 'Food'), ('d', 'ccc', NULL), ('e', 'éé', 'Food')",
    )
    .await;
    assert_eq!([changes.change().await, changes.change().await], ["CREATED 2", "INDEXED 2"]);
    app.raw_sql("DELETE FROM article").await;
    assert_eq!(changes.change().await, "DELETED 2");
    app.stop().await;
}

#[tokio::test]
async fn the_status_is_told_when_it_changes_and_streams_end_with_the_server() {
    let app = Builder::new().start().await;
    let mut statuses = Subscription::open(&app, "subscription { indexStatus { state articles } }").await;
    let first = statuses.next().await.unwrap();
    assert_eq!(first["data"]["indexStatus"], json!({ "state": "IN_STEP", "articles": 0 }));
    app.create("One", "words").await;
    loop {
        let next = statuses.next().await.unwrap();
        if next["data"]["indexStatus"] == json!({ "state": "IN_STEP", "articles": 1 }) {
            break;
        }
    }
    app.begin_stop();
    while statuses.next().await.is_some() {}
    app.stop().await;
}

#[tokio::test]
async fn a_subscription_needs_a_stream_and_a_bad_one_says_why() {
    let app = Builder::new().start().await;
    let response = app.post(&json!({ "query": CHANGES })).await;
    assert_eq!(response.status(), 406);
    let bad = "subscription { articleChanged(filter: { createdFrom: \"0000-01-01T00:00:00Z\" }) { kind } }";
    let mut changes = Subscription::open(&app, bad).await;
    let error = changes.next().await.unwrap();
    assert_eq!(error["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{error}");
    assert_eq!(changes.next().await, None);
    app.stop().await;
}
