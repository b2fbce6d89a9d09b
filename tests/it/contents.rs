//! The contents of articles are read where they are selected, and nowhere else.

use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

/// Every way of a query to articles; FIELDS stands for what is selected of them.
fn ways(id: &str) -> Vec<String> {
    let query = |text: &str| text.replace("ID", id);
    vec![
        query("{ it: article(id: \"ID\") { FIELDS } }"),
        query("{ it: articleByExternalId(externalId: \"one\") { FIELDS } }"),
        query("{ it: node(id: \"ID\") { ... on Article { FIELDS } } }"),
        query("{ it: nodes(ids: [\"ID\"]) { ...Fields } } fragment Fields on Article { FIELDS }"),
        query("{ it: articles { nodes { FIELDS } } }"),
        query("{ it: articles(last: 2) { edges { node { ... { FIELDS } } } } }"),
        query("{ it: recommend(query: \"words\") { article { FIELDS } } }"),
        query("{ it: recommend(articleId: \"ID\") { article { FIELDS } } }"),
        query("{ it: recommend(options: { like: [\"ID\"] }) { article { FIELDS } } }"),
        query("{ it: recommendations(query: \"words\") { nodes { article { FIELDS } } } }"),
        query("{ it: recommendations(query: \"words\") { edges { node { article { FIELDS } } } } }"),
        query("{ it: recommendations(articleId: \"ID\") { edges { node { article { FIELDS } } } } }"),
        query("{ it: article(id: \"ID\") { similarTo { article { FIELDS } } } }"),
        query(
            "{ it: articles(first: 3) { nodes { similarTo(k: 2) { article { similarTo(k: 2) { article { FIELDS } } } } } } }",
        ),
    ]
}

/// The values of `field`, wherever they stand.
fn values<'a>(response: &'a Value, field: &str, found: &mut Vec<&'a Value>) {
    match response {
        Value::Object(entries) => entries.iter().for_each(|(name, value)| {
            if name == field {
                found.push(value);
            }
            values(value, field, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| values(item, field, found)),
        _ => {}
    }
}

async fn with_articles() -> (TestApp, String) {
    let app = Builder::new().start().await;
    let articles: Vec<_> = ["one", "two", "three"]
        .iter()
        .map(|name| json!({ "title": name, "content": format!("words of {name}"), "externalId": name }))
        .collect();
    app.create_all(&json!(articles)).await;
    let data = app.query("{ articleByExternalId(externalId: \"one\") { id } }").await;
    let id = data["articleByExternalId"]["id"].as_str().unwrap().to_owned();
    (app, id)
}

#[tokio::test]
async fn whoever_selects_a_content_gets_it() {
    let (app, id) = with_articles().await;
    for document in ways(&id) {
        let document = document.replace("FIELDS", "title content again: content");
        let data = app.query(&document).await;
        let (mut titles, mut contents) = (Vec::new(), Vec::new());
        values(&data, "title", &mut titles);
        values(&data, "content", &mut contents);
        assert!(!titles.is_empty() && titles.len() == contents.len(), "{document}: {data}");
        for (title, content) in titles.iter().zip(&contents) {
            assert_eq!(content.as_str().unwrap(), format!("words of {}", title.as_str().unwrap()));
        }
    }
    // Two lists with the same arguments, of which one has contents; an article that is asked for both ways.
    let data = app
        .query_with(
            "query($id: ID!, $no: Boolean = false) {
               article(id: $id) { a: similarTo(k: 2) { article { title } } b: similarTo(k: 2) { article { content } } }
               c: article(id: $id) { title } d: article(id: $id) { content }
               e: article(id: $id) { title content @include(if: $no) ... @skip(if: true) { content } }
             }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(data["d"]["content"], "words of one");
    assert_eq!(data["e"], json!({ "title": "one" }));
    let mut contents = Vec::new();
    values(&data["article"]["b"], "content", &mut contents);
    assert_eq!(contents.len(), 2);
    app.stop().await;
}

#[tokio::test]
async fn mutations_and_events_return_contents() {
    let (app, id) = with_articles().await;
    let created = app
        .query(
            "mutation { createArticle(input: { title: \"t\", content: \"c\" }) { article { content } }
               createArticles(input: { articles: [{ title: \"u\", content: \"d\" }] }) { articles { content } } }",
        )
        .await;
    assert_eq!(created["createArticle"]["article"]["content"], "c");
    assert_eq!(created["createArticles"]["articles"][0]["content"], "d");
    let updated = app
        .query_with(
            "mutation($id: ID!) { updateArticle(input: { id: $id, title: \"new\" }) { article { title content } } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(updated["updateArticle"]["article"], json!({ "title": "new", "content": "words of one" }));
    app.stop().await;
}

/// SQLite takes bytes for a text that are none: reading them fails, so that it shows who reads them.
#[tokio::test]
async fn a_content_is_not_read_where_nobody_selects_it() {
    let (app, id) = with_articles().await;
    if app.is_postgres() {
        app.stop().await;
        return;
    }
    app.raw_sql("UPDATE article SET content = CAST(x'ff' AS TEXT)").await;
    for document in ways(&id) {
        let head =
            document.replace("FIELDS", "id title tags category revision createdAt externalId indexState");
        app.query(&head).await;
        let whole = app.execute(&document.replace("FIELDS", "id content"), json!({})).await;
        assert_eq!(whole["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR", "{document}: {whole}");
    }
    app.stop().await;
}
