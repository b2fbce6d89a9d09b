//! Creating, changing and deleting articles.

use std::sync::Arc;
use std::time::Duration;

use sentio::sync::Step;
use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

const CREATE: &str = "mutation($input: CreateArticleInput!) {
  createArticle(input: $input) { article { id revision title tags category externalId } userErrors { code path } }
}";
const UPDATE: &str = "mutation($input: UpdateArticleInput!) {
  updateArticle(input: $input) {
    article { id revision title content category tags externalId indexState } userErrors { code message path }
  }
}";
const DELETE: &str = "mutation($input: DeleteArticleInput!) {
  deleteArticle(input: $input) { deletedArticleId userErrors { code path } }
}";

async fn mutate(app: &TestApp, document: &str, input: Value) -> Value {
    let data = app.query_with(document, json!({ "input": input })).await;
    data.as_object().unwrap().values().next().unwrap().clone()
}

async fn count(app: &TestApp) -> u64 {
    app.query("{ articles(first: 0) { totalCount } }").await["articles"]["totalCount"].as_u64().unwrap()
}

#[tokio::test]
async fn an_article_lives_from_creation_to_deletion() {
    let app = Builder::new().start().await;
    let created = mutate(
        &app,
        CREATE,
        json!({ "title": "Tea", "content": "Leaves in hot water.", "category": "Food", "tags": ["hot"], "externalId": "t1" }),
    )
    .await;
    let article = &created["article"];
    assert_eq!((&article["revision"], &article["tags"]), (&json!(1), &json!(["hot"])));
    let id = article["id"].as_str().unwrap();

    let by_external_id = app.query("{ articleByExternalId(externalId: \"t1\") { id } }").await;
    assert_eq!(by_external_id["articleByExternalId"]["id"], id);

    let updated = mutate(
        &app,
        UPDATE,
        json!({ "id": id, "title": "Green tea", "category": null, "tags": null, "expectedRevision": 1 }),
    )
    .await;
    assert_eq!(
        updated["article"],
        json!({
            "id": id, "revision": 2, "title": "Green tea", "content": "Leaves in hot water.", "category": null,
            "tags": [], "externalId": "t1", "indexState": "INDEXED",
        })
    );

    let deleted = mutate(&app, DELETE, json!({ "id": id, "expectedRevision": 2 })).await;
    assert_eq!(deleted, json!({ "deletedArticleId": id, "userErrors": [] }));
    let gone = app
        .query_with("query($id: ID!) { article(id: $id) { id } node(id: $id) { id } }", json!({ "id": id }))
        .await;
    assert_eq!(gone, json!({ "article": null, "node": null }));
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn a_stale_revision_is_a_conflict_and_changes_nothing() {
    let app = Builder::new().start().await;
    let id = app.create("First", "words").await;
    mutate(&app, UPDATE, json!({ "id": id, "content": "other words" })).await;
    for (document, input) in [
        (UPDATE, json!({ "id": id, "title": "Lost", "expectedRevision": 1 })),
        (DELETE, json!({ "id": id, "expectedRevision": 1 })),
    ] {
        let refused = mutate(&app, document, input).await;
        assert_eq!(refused["userErrors"][0]["code"], "CONFLICT", "{refused}");
        assert_eq!(refused["userErrors"][0]["path"], json!(["input", "expectedRevision"]));
    }
    let article =
        app.query_with("query($id: ID!) { article(id: $id) { title revision } }", json!({ "id": id })).await;
    assert_eq!(article["article"], json!({ "title": "First", "revision": 2 }));
    app.stop().await;
}

#[tokio::test]
async fn bad_data_is_reported_with_its_path_and_changes_nothing() {
    let app = Builder::new().start().await;
    let id = app.create("Kept", "as it is").await;
    mutate(&app, CREATE, json!({ "title": "Other", "content": "x", "externalId": "taken" })).await;
    let long = |characters: usize| "é".repeat(characters);
    let cases = [
        (CREATE, json!({ "title": " ", "content": "x" }), "BLANK", json!(["input", "title"])),
        (CREATE, json!({ "title": long(301), "content": "x" }), "TOO_LONG", json!(["input", "title"])),
        (CREATE, json!({ "title": "t", "content": "" }), "BLANK", json!(["input", "content"])),
        (
            CREATE,
            json!({ "title": "t", "content": "x".repeat((1 << 20) + 1) }),
            "TOO_LONG",
            json!(["input", "content"]),
        ),
        (
            CREATE,
            json!({ "title": "t\u{0}", "content": "x" }),
            "INVALID_CHARACTER",
            json!(["input", "title"]),
        ),
        (
            CREATE,
            json!({ "title": "t", "content": "x\u{0}" }),
            "INVALID_CHARACTER",
            json!(["input", "content"]),
        ),
        (
            CREATE,
            json!({ "title": "t", "content": "x", "category": long(101) }),
            "TOO_LONG",
            json!(["input", "category"]),
        ),
        (
            CREATE,
            json!({ "title": "t", "content": "x", "tags": vec!["t"; 51] }),
            "TOO_MANY",
            json!(["input", "tags"]),
        ),
        (
            CREATE,
            json!({ "title": "t", "content": "x", "tags": ["a", long(101)] }),
            "TOO_LONG",
            json!(["input", "tags", "1"]),
        ),
        (
            CREATE,
            json!({ "title": "t", "content": "x", "externalId": long(201) }),
            "TOO_LONG",
            json!(["input", "externalId"]),
        ),
        (
            CREATE,
            json!({ "title": "t", "content": "x", "externalId": "taken" }),
            "TAKEN",
            json!(["input", "externalId"]),
        ),
        (UPDATE, json!({ "id": id, "title": null }), "BLANK", json!(["input", "title"])),
        (UPDATE, json!({ "id": id, "content": null }), "BLANK", json!(["input", "content"])),
        (UPDATE, json!({ "id": id, "externalId": "taken" }), "TAKEN", json!(["input", "externalId"])),
        (UPDATE, json!({ "id": "999999", "title": "t" }), "NOT_FOUND", json!(["input", "id"])),
        (UPDATE, json!({ "id": "no id", "title": "t" }), "NOT_FOUND", json!(["input", "id"])),
        (DELETE, json!({ "id": "999999" }), "NOT_FOUND", json!(["input", "id"])),
    ];
    for (document, input, code, path) in cases {
        let refused = mutate(&app, document, input).await;
        assert_eq!(
            (&refused["userErrors"][0]["code"], &refused["userErrors"][0]["path"]),
            (&json!(code), &path)
        );
        assert!(refused["article"].is_null());
    }
    assert_eq!(count(&app).await, 2);
    let kept =
        app.query_with("query($id: ID!) { article(id: $id) { title revision } }", json!({ "id": id })).await;
    assert_eq!(kept["article"], json!({ "title": "Kept", "revision": 1 }));
    app.stop().await;
}

#[tokio::test]
async fn several_articles_are_created_together_or_not_at_all() {
    let app = Builder::new().start().await;
    let create = "mutation($input: CreateArticlesInput!) {
      createArticles(input: $input) { articles { title indexState } userErrors { code path } }
    }";
    let article =
        |title: &str, external_id: &str| json!({ "title": title, "content": "c", "externalId": external_id });
    let refused =
        mutate(&app, create, json!({ "articles": [article("a", "1"), article("b", "2"), article("", "1")] }))
            .await;
    let errors = json!([
        { "code": "BLANK", "path": ["input", "articles", "2", "title"] },
        { "code": "TAKEN", "path": ["input", "articles", "2", "externalId"] },
    ]);
    assert_eq!(refused, json!({ "articles": null, "userErrors": errors }));
    assert_eq!(count(&app).await, 0);

    let created = mutate(&app, create, json!({ "articles": [article("a", "1"), article("b", "2")] })).await;
    let articles =
        json!([{ "title": "a", "indexState": "INDEXED" }, { "title": "b", "indexState": "INDEXED" }]);
    assert_eq!(created, json!({ "articles": articles, "userErrors": [] }));

    let taken = mutate(&app, create, json!({ "articles": [article("c", "3"), article("d", "2")] })).await;
    assert_eq!(
        taken["userErrors"],
        json!([{ "code": "TAKEN", "path": ["input", "articles", "1", "externalId"] }])
    );
    let none = mutate(&app, create, json!({ "articles": [] })).await;
    assert_eq!(none["userErrors"][0]["path"], json!(["input", "articles"]));
    let many =
        mutate(&app, create, json!({ "articles": vec![json!({ "title": "t", "content": "c" }); 1_001] }))
            .await;
    assert_eq!(many["userErrors"][0]["code"], "TOO_MANY");
    assert_eq!(count(&app).await, 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_answers_those_who_wait() {
    // The worker has claimed the change and stops there, until `done` goes.
    let (done, held) = tokio::sync::watch::channel(());
    let on_step = Arc::new(move |step| {
        if step == Step::Claimed {
            let _ = tokio::task::block_in_place(|| futures::executor::block_on(held.clone().changed()));
        }
    });
    let app = Builder::new().set("SENTIO_INDEX_WAIT", "600").on_step(on_step).start().await;
    let create =
        "mutation { createArticle(input: { title: \"t\", content: \"c\" }) { article { indexState } } }";
    let mut waiting = Box::pin(app.query(create));
    let wait = Duration::from_millis(500);
    assert!(tokio::time::timeout(wait, &mut waiting).await.is_err(), "it did not wait");
    app.begin_stop();
    assert_eq!(waiting.await["createArticle"]["article"]["indexState"], "PENDING");
    drop(done);
    app.stop().await;
}

#[tokio::test]
async fn without_waiting_a_change_is_pending_until_it_is_indexed() {
    let app = Builder::new().without_worker().start().await;
    let data = app
        .query(
            "mutation { createArticle(input: { title: \"t\", content: \"c\", waitForIndex: false }) {
               article { id indexState indexError } } }",
        )
        .await;
    let article = &data["createArticle"]["article"];
    assert_eq!((&article["indexState"], &article["indexError"]), (&json!("PENDING"), &Value::Null));
    let document = "query($id: ID!) { article(id: $id) { title similarTo { score } } }";
    let response = app.execute(document, json!({ "id": article["id"] })).await;
    assert_eq!(response["data"]["article"], json!({ "title": "t", "similarTo": null }), "no index is open");
    assert_eq!(response["errors"][0]["path"], json!(["article", "similarTo"]));
    app.stop().await;
}
