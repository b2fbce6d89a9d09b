//! The list in pages: the same list, whatever is written meanwhile, and its end.

use std::collections::HashSet;

use chrono::Utc;
use sentio::article::ArticleId;
use sentio::index::{Batch, IndexError, Previous};
use serde_json::{Value, json};

use crate::app::{Builder, TestApp};
use crate::verify::orphan;

const PAGE: &str =
    "query($query: String, $articleId: ID, $first: Int, $after: String, $options: RecommendOptions) {
  recommendations(query: $query, articleId: $articleId, first: $first, after: $after, options: $options) {
    edges { cursor node { score article { id } } }
    nodes { article { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}";

async fn with_articles(count: usize) -> TestApp {
    let app = Builder::new().start().await;
    for numbers in (0..count).collect::<Vec<_>>().chunks(100) {
        let articles: Vec<_> = numbers
            .iter()
            .map(|number| json!({ "title": format!("Article {number}"), "content": format!("About apple {number}, and {}.", number * 7) }))
            .collect();
        app.create_all(&json!(articles)).await;
    }
    app
}

fn ids(connection: &Value) -> Vec<String> {
    let edges = connection["edges"].as_array().unwrap();
    let ids: Vec<_> =
        edges.iter().map(|edge| edge["node"]["article"]["id"].as_str().unwrap().to_owned()).collect();
    let nodes = connection["nodes"].as_array().unwrap();
    assert!(
        nodes.iter().map(|node| node["article"]["id"].as_str().unwrap()).eq(ids.iter().map(String::as_str))
    );
    ids
}

/// One page; `base` has the arguments that stay the same.
async fn page(app: &TestApp, base: &Value, first: usize, after: &Value) -> Value {
    let mut variables = base.clone();
    variables["first"] = json!(first);
    variables["after"] = after.clone();
    app.query_with(PAGE, variables).await["recommendations"].clone()
}

/// All pages of `first`, with `between` done after each.
async fn pages(app: &TestApp, base: &Value, first: usize, mut between: impl AsyncFnMut()) -> Vec<String> {
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = page(app, base, first, &after).await;
        assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(!found.is_empty()));
        let ids = ids(&page);
        assert!(ids.len() <= first);
        found.extend(ids);
        if page["pageInfo"]["hasNextPage"] == false {
            return found;
        }
        after = page["pageInfo"]["endCursor"].clone();
        between().await;
    }
}

#[tokio::test]
async fn pages_make_up_the_list_and_end_with_it() {
    // Without a worker, so that nothing is merged meanwhile, which changes the scores of words.
    let (folder, database_url) = with_articles(230).await.stop().await;
    let app = Builder::new().without_worker().start_in(folder, database_url).await;
    app.app.generations.open_for_search().await.map(drop).unwrap();
    for (base, complete) in [
        (json!({ "query": "apple" }), false),
        (json!({ "query": "apple", "options": { "mode": "KEYWORD" } }), false),
        (json!({ "query": "apple", "options": { "mode": "SEMANTIC", "diversity": 0.5 } }), false),
        (
            json!({ "query": "apple", "options": { "filter": { "idsNotIn": (1..=60).map(|id| id.to_string()).collect::<Vec<_>>() } } }),
            true,
        ),
        (json!({ "articleId": "3" }), false),
        (json!({ "options": { "like": ["3", "4"] } }), false),
        (json!({ "query": "apple", "options": { "minScore": 1.0 } }), false),
        (json!({ "query": "Article 7", "options": { "autocut": 1 } }), false),
        (json!({ "query": "apple", "options": { "nearDuplicates": "HIDE" } }), false),
        (json!({ "query": "apple", "options": { "like": ["3"], "dislike": ["9"] } }), false),
        (json!({ "articleId": "3", "options": { "nearDuplicates": "HIDE", "diversity": 0.2 } }), false),
    ] {
        let whole = pages(&app, &base, 100, async || {}).await;
        assert_eq!(whole.iter().collect::<HashSet<_>>().len(), whole.len(), "{base}");
        for size in [7, 50] {
            assert_eq!(pages(&app, &base, size, async || {}).await, whole, "{base}");
        }
        // The list field begins as the connection does.
        let mut list = base.clone();
        list["k"] = json!(30);
        let document = "query($query: String, $articleId: ID, $k: Int!, $options: RecommendOptions) {
          recommend(query: $query, articleId: $articleId, k: $k, options: $options) { article { id } } }";
        let data = app.query_with(document, list).await;
        let first: Vec<_> = data["recommend"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["article"]["id"].as_str().unwrap())
            .collect();
        assert_eq!(whole[..whole.len().min(30)], first, "{base}");
        let count = page(&app, &base, 1, &Value::Null).await["totalCount"].clone();
        assert_eq!(count, if complete { json!(whole.len()) } else { Value::Null }, "{base}");
    }
    let nothing = page(&app, &json!({ "query": "apple" }), 0, &Value::Null).await;
    assert_eq!(nothing["pageInfo"]["hasNextPage"], true);
    assert_eq!((&nothing["edges"], &nothing["pageInfo"]["endCursor"]), (&json!([]), &Value::Null));
    app.stop().await;
}

/// LanceDB takes any of those that match equally well.
#[tokio::test]
async fn of_articles_that_match_equally_well_the_oldest_are_listed() {
    let app = Builder::new().start().await;
    let copies: Vec<_> =
        (0..40).map(|_| json!({ "title": "Copy", "content": "Nobody can tell such twins apart." })).collect();
    for _ in 0..7 {
        app.create_all(&json!(copies)).await;
    }
    // What is changed is written anew, behind the others.
    app.raw_sql("UPDATE article SET category = 'early' WHERE id <= 100").await;
    app.until_in_step().await;
    let base = json!({ "query": "twins", "options": { "mode": "KEYWORD" } });
    let expected: Vec<_> = (1..=200).map(|id| id.to_string()).collect();
    for size in [100, 33] {
        assert_eq!(pages(&app, &base, size, async || {}).await, expected);
    }
    app.stop().await;
}

/// All scores decay by the same factor from one moment to the next, so that their order tells nothing.
#[tokio::test]
async fn later_pages_count_ages_up_to_when_the_list_began() {
    let app = with_articles(5).await;
    let base = json!({ "query": "apple", "options": { "freshness": { "halfLifeDays": 0.001 } } });
    let scores = |connection: &Value| {
        let edges = connection["edges"].as_array().unwrap().iter();
        edges.map(|edge| edge["node"]["score"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    let first = page(&app, &base, 1, &Value::Null).await;
    let after = &first["pageInfo"]["endCursor"];
    let second = page(&app, &base, 4, after).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(scores(&page(&app, &base, 4, after).await), scores(&second));
    let begun_later = page(&app, &base, 5, &Value::Null).await;
    assert!(
        scores(&begun_later)[1] < scores(&second)[0],
        "a second is a hundredth of the half-life: {begun_later}"
    );
    app.stop().await;
}

/// Titles are looked for apart from words, of which these have none that count.
#[tokio::test]
async fn more_articles_of_a_title_than_are_listed_are_not_counted() {
    let app = Builder::new().start().await;
    for _ in 0..3 {
        let same: Vec<_> =
            (0..70).map(|number| json!({ "title": "The Of", "content": format!("Item {number}") })).collect();
        app.create_all(&json!(same)).await;
    }
    let base = json!({ "query": "the of", "options": { "mode": "KEYWORD" } });
    let first = page(&app, &base, 100, &Value::Null).await;
    assert_eq!((ids(&first).len(), &first["totalCount"]), (100, &Value::Null), "{first}");
    app.stop().await;
}

#[tokio::test]
async fn pages_stay_the_same_list_while_articles_are_written() {
    let app = with_articles(60).await;
    for base in [
        json!({ "query": "apple" }),
        json!({ "query": "apple", "options": { "freshness": { "halfLifeDays": 0.001 } } }),
        json!({ "articleId": "3" }),
    ] {
        let before = pages(&app, &base, 100, async || {}).await;
        let mut number = 0;
        let during = pages(&app, &base, 9, async || {
            number += 1;
            app.create("apple", &format!("apple apple apple {number}")).await;
        })
        .await;
        assert_eq!(during, before, "{base}");
        assert!(pages(&app, &base, 100, async || {}).await.len() > before.len());
    }
    // What is deleted is left out, and pages go on.
    let base = json!({ "query": "apple" });
    let before = pages(&app, &base, 100, async || {}).await;
    let first = page(&app, &base, 10, &Value::Null).await;
    app.raw_sql(&format!("DELETE FROM article WHERE id IN ({})", before[10..20].join(", "))).await;
    app.until_in_step().await;
    let second = page(&app, &base, 10, &first["pageInfo"]["endCursor"]).await;
    assert_eq!((ids(&second).len(), &second["pageInfo"]["hasNextPage"]), (0, &json!(true)), "{second}");
    let third = page(&app, &base, 10, &second["pageInfo"]["endCursor"]).await;
    assert_eq!(ids(&third), before[20..30]);
    // So do pages for an article that is deleted.
    let like = before[30].clone();
    let base = json!({ "articleId": like });
    let before = pages(&app, &base, 100, async || {}).await;
    let first = page(&app, &base, 10, &Value::Null).await;
    app.raw_sql(&format!("DELETE FROM article WHERE id = {like}")).await;
    app.until_in_step().await;
    let second = page(&app, &base, 10, &first["pageInfo"]["endCursor"]).await;
    assert_eq!(ids(&second), before[10..20]);
    app.stop().await;
}

#[tokio::test]
async fn how_many_are_like_an_article_that_is_not_indexed_is_not_known() {
    let (folder, database_url) = with_articles(3).await.stop().await;
    let app = Builder::new().without_worker().start_in(folder, database_url).await;
    app.app.generations.open_for_search().await.map(drop).unwrap();
    app.raw_sql("INSERT INTO article (title, content) VALUES ('Owls', 'They hunt at night.')").await;
    let response = app.execute(PAGE, json!({ "articleId": "4" })).await;
    let list = &response["data"]["recommendations"];
    assert_eq!((&list["edges"], &list["totalCount"]), (&json!([]), &Value::Null), "{response}");
    app.stop().await;
}

/// What the index replaced is removed after some minutes.
#[tokio::test]
async fn cursors_of_what_was_removed_are_refused() {
    let app = with_articles(30).await;
    let base = json!({ "query": "apple" });
    let first = page(&app, &base, 10, &Value::Null).await;
    let after = &first["pageInfo"]["endCursor"];
    let whole = pages(&app, &base, 100, async || {}).await;
    app.create("apple", "Another apple.").await;
    assert_eq!(ids(&page(&app, &base, 10, after).await), whole[10..20]);
    app.app.index.live().unwrap().prune(Utc::now()).await.unwrap();
    let response = app.execute(PAGE, json!({ "query": "apple", "first": 10, "after": after })).await;
    let error = &response["errors"][0];
    assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{response}");
    assert!(error["message"].as_str().unwrap().contains("no longer kept"), "{error}");
    app.stop().await;
}

#[tokio::test]
async fn a_search_of_what_is_removed_meanwhile_says_so() {
    let app = with_articles(10).await;
    let (folder, database_url) = app.stop().await;
    let app = Builder::new().without_worker().start_in(folder, database_url).await;
    app.app.generations.open_for_search().await.map(drop).unwrap();
    let index = app.app.index.live().unwrap();
    // Each write makes a file, and many are merged.
    let dimension = app.app.models.requested().dimension;
    for id in 1_000..1_020 {
        let articles = vec![orphan(id, dimension)];
        index.write(&Batch { articles, ..Batch::default() }, Previous::None).await.unwrap();
    }
    index.publish().await.unwrap();
    let versions = index.snapshot().versions().await.unwrap();
    while index.maintain().await.unwrap() {}
    assert_ne!(index.snapshot().versions().await.unwrap(), versions, "the test needs files to merge");
    let past = index.snapshot_at(versions).await.unwrap();
    index.prune(Utc::now()).await.unwrap();
    let read = past.texts_of(&[ArticleId(3)]).await;
    assert!(matches!(read, Err(IndexError::VersionMissing { .. })), "{read:?}");
    app.stop().await;
}

#[tokio::test]
async fn cursors_of_other_lists_and_of_forgotten_ones_are_refused() {
    let app = with_articles(5).await;
    let base = json!({ "query": "apple" });
    let cursor = page(&app, &base, 2, &Value::Null).await["pageInfo"]["endCursor"].clone();
    let decoded =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, cursor.as_str().unwrap());
    let decoded: Value = serde_json::from_slice(&decoded.unwrap()).unwrap();
    let forged = |field: &str, value: Value| {
        let mut forged = decoded.clone();
        forged[field] = value;
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, forged.to_string())
    };
    let cases = [
        (json!({ "query": "pear", "after": cursor }), "after", "other arguments"),
        (
            json!({ "query": "apple", "after": cursor, "options": { "mode": "KEYWORD" } }),
            "after",
            "other arguments",
        ),
        (json!({ "articleId": "1", "after": cursor }), "after", "other arguments"),
        (json!({ "query": "apple", "after": "x" }), "after", "not a cursor"),
        (json!({ "query": "apple", "after": forged("t", json!(i64::MAX)) }), "after", "not a cursor"),
        (json!({ "query": "apple", "after": forged("p", json!(-1)) }), "after", "not a cursor"),
        (json!({ "query": "apple", "after": forged("v", json!([99, 99, 0])) }), "after", "no longer kept"),
        (
            json!({ "query": "apple", "after": forged("v", json!([u64::MAX, 1, 0])) }),
            "after",
            "no longer kept",
        ),
        (
            json!({ "query": "apple", "after": forged("v", json!([decoded["v"][0], decoded["v"][1], 5])) }),
            "after",
            "no longer kept",
        ),
        (json!({ "query": "apple", "first": 101 }), "first", "from 0 to 100"),
        (json!({ "query": "apple", "first": -1 }), "first", "from 0 to 100"),
        (json!({ "first": 1 }), "query", "is missing"),
    ];
    for (variables, argument, message) in cases {
        let response = app.execute(PAGE, variables.clone()).await;
        let error = &response["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{variables} {response}");
        assert_eq!(error["extensions"]["argument"], argument);
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
        assert_eq!(response["data"], json!({ "recommendations": null }));
    }
    let beyond = page(&app, &base, 5, &json!(forged("p", json!(u32::MAX)))).await;
    assert_eq!((ids(&beyond).len(), &beyond["pageInfo"]["hasNextPage"]), (0, &json!(false)));
    app.stop().await;
}
