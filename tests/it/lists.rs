//! Lists of articles: paging, order, filter.

use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

const PAGE: &str = "query($first: Int, $after: String, $last: Int, $before: String, $orderBy: ArticleOrder, $filter: ArticleFilter) {
  articles(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {
    nodes { title } edges { cursor node { title } } totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}";

async fn page(app: &TestApp, variables: Value) -> Value {
    app.query_with(PAGE, variables).await["articles"].take()
}

fn titles(page: &Value) -> Vec<String> {
    page["nodes"].as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
}

/// A cursor that no list returned.
fn forged(json: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, json)
}

/// Articles `a` to `g`, all created in the same transaction; `c` and `d` have the same title.
async fn with_articles() -> TestApp {
    let app = Builder::new().without_worker().start().await;
    let article = |title: &str, category: Option<&str>, tags: &[&str]| json!({ "title": title, "content": title.repeat(tags.len() + 1), "category": category, "tags": tags });
    let articles = [
        article("a", Some("X"), &["red", "big"]),
        article("B", Some("X"), &["red"]),
        article("c", Some("Y"), &["it's"]),
        article("c", Some("Y"), &[]),
        article("é", None, &["big"]),
        article("f", None, &["red", "big"]),
        article("g", Some("Z"), &["blue"]),
    ];
    app.query_with(
        "mutation($articles: [NewArticleInput!]!) {
           createArticles(input: { articles: $articles, waitForIndex: false }) { userErrors { message } }
         }",
        json!({ "articles": articles }),
    )
    .await;
    app
}

#[tokio::test]
async fn pages_forward_and_backward_cover_the_list_once() {
    let app = with_articles().await;
    for field in ["CREATED_AT", "UPDATED_AT", "TITLE"] {
        for direction in ["ASC", "DESC"] {
            let order = json!({ "field": field, "direction": direction });
            let whole = page(&app, json!({ "orderBy": order })).await;
            let whole = titles(&whole);
            assert_eq!(whole.len(), 7);
            for size in [1, 2, 3, 7] {
                let (mut forward, mut after) = (Vec::new(), Value::Null);
                loop {
                    let page = page(&app, json!({ "first": size, "after": after, "orderBy": order })).await;
                    assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(!after.is_null()), "{page:#}");
                    forward.extend(titles(&page));
                    after = page["pageInfo"]["endCursor"].clone();
                    if page["pageInfo"]["hasNextPage"] == json!(false) {
                        break;
                    }
                }
                assert_eq!(forward, whole);
                let (mut backward, mut before) = (Vec::new(), Value::Null);
                loop {
                    let page = page(&app, json!({ "last": size, "before": before, "orderBy": order })).await;
                    assert_eq!(page["pageInfo"]["hasNextPage"], json!(!before.is_null()), "{page:#}");
                    backward.splice(0..0, titles(&page));
                    before = page["pageInfo"]["startCursor"].clone();
                    if page["pageInfo"]["hasPreviousPage"] == json!(false) {
                        break;
                    }
                }
                assert_eq!(backward, whole);
            }
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn titles_sort_by_code_points_on_every_database() {
    let app = with_articles().await;
    let order = json!({ "field": "TITLE", "direction": "ASC" });
    assert_eq!(titles(&page(&app, json!({ "orderBy": order })).await), ["B", "a", "c", "c", "f", "g", "é"]);
    app.stop().await;
}

#[tokio::test]
async fn a_page_past_the_end_is_empty_and_knows_what_lies_before() {
    let app = with_articles().await;
    let last = page(&app, json!({ "last": 1 })).await["pageInfo"]["endCursor"].clone();
    let past = page(&app, json!({ "after": last })).await;
    let info =
        json!({ "hasNextPage": false, "hasPreviousPage": true, "startCursor": null, "endCursor": null });
    assert_eq!((&past["edges"], &past["pageInfo"]), (&json!([]), &info));
    let none = page(&app, json!({ "first": 0 })).await;
    assert_eq!((&none["pageInfo"]["hasNextPage"], &none["totalCount"]), (&json!(true), &json!(7)));
    app.stop().await;
}

#[tokio::test]
async fn a_row_inserted_between_two_pages_moves_nothing() {
    let app = with_articles().await;
    let order = json!({ "field": "CREATED_AT", "direction": "DESC" });
    let first = page(&app, json!({ "first": 3, "orderBy": order })).await;
    app.query("mutation { createArticle(input: { title: \"new\", content: \"c\", waitForIndex: false }) { article { id } } }")
        .await;
    let rest =
        page(&app, json!({ "first": 50, "after": first["pageInfo"]["endCursor"], "orderBy": order })).await;
    let both = [titles(&first), titles(&rest)].concat();
    assert_eq!(both, ["g", "f", "é", "c", "c", "B", "a"]);
    app.stop().await;
}

#[tokio::test]
async fn every_part_of_a_filter_holds() {
    let app = with_articles().await;
    let ids = app.query("{ articles(orderBy: { direction: ASC }) { nodes { id } } }").await;
    let id = |position: usize| ids["articles"]["nodes"][position]["id"].clone();
    let cases = [
        (json!({ "categoryIn": ["X", "Z"] }), "aBg"),
        (json!({ "categoryIn": [] }), ""),
        (json!({ "categoryNotIn": ["X"] }), "ccéfg"),
        (json!({ "categoryNotIn": [] }), "aBccéfg"),
        (json!({ "tagsAny": ["blue", "it's"] }), "cg"),
        (json!({ "tagsAny": [] }), ""),
        (json!({ "tagsAll": ["red", "big"] }), "af"),
        (json!({ "tagsAll": [] }), "aBccéfg"),
        (json!({ "tagsNone": ["red", "blue"] }), "ccé"),
        (json!({ "idsIn": [id(0), id(4), "999999"] }), "aé"),
        (json!({ "idsNotIn": [id(0), id(4)] }), "Bccfg"),
        (json!({ "createdFrom": "2999-01-01T00:00:00Z" }), ""),
        (
            json!({ "createdBefore": "2999-01-01T00:00:00Z", "createdFrom": "2000-01-01T00:00:00Z" }),
            "aBccéfg",
        ),
        (json!({ "contentLengthMin": 2, "contentLengthMax": 2 }), "Bcég"),
        (json!({ "contentLengthMin": 3 }), "af"),
        (json!({ "contentLengthMax": 1 }), "c"),
        (json!({ "categoryIn": ["X"], "tagsNone": ["big"] }), "B"),
    ];
    for (filter, expected) in cases {
        let found = page(&app, json!({ "filter": filter, "orderBy": { "direction": "ASC" } })).await;
        assert_eq!(titles(&found).concat(), expected, "{filter}");
        assert_eq!(found["totalCount"], json!(expected.chars().count()));
    }
    app.stop().await;
}

#[tokio::test]
async fn times_of_any_precision_page_in_order() {
    let app = Builder::new().without_worker().start().await;
    let seconds = ["00", "00.000", "00.500", "00.500000", "00.500001", "01.000000", "01"];
    for (number, second) in seconds.iter().enumerate() {
        app.raw_sql(&format!(
            "INSERT INTO article (title, content, created_at) VALUES ('{number}', 'c', '2020-01-01T00:00:{second}+00:00')"
        ))
        .await;
    }
    for direction in ["ASC", "DESC"] {
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        for _ in 0..seconds.len() {
            let order = json!({ "direction": direction });
            let page = page(&app, json!({ "first": 1, "after": after, "orderBy": order })).await;
            seen.extend(titles(&page));
            after = page["pageInfo"]["endCursor"].clone();
        }
        if direction == "DESC" {
            seen.reverse();
        }
        assert_eq!(seen.concat(), "0123456");
    }
    let half =
        json!({ "createdFrom": "2020-01-01T00:00:00.5000000Z", "createdBefore": "2020-01-01T00:00:01Z" });
    let found = page(&app, json!({ "filter": half, "orderBy": { "direction": "ASC" } })).await;
    assert_eq!(titles(&found).concat(), "234");
    app.stop().await;
}

#[tokio::test]
async fn bad_arguments_are_named() {
    let app = with_articles().await;
    let cursor = page(&app, json!({ "first": 1 })).await["pageInfo"]["endCursor"].clone();
    let cases = [
        (json!({ "first": 101 }), "first"),
        (json!({ "first": -1 }), "first"),
        (json!({ "last": 101 }), "last"),
        (json!({ "first": 1, "last": 1 }), "last"),
        (json!({ "after": "no cursor" }), "after"),
        (json!({ "after": forged(r#"{"k":{"c":-8200000000000000000},"i":1}"#) }), "after"),
        (
            json!({ "after": forged(r#"{"k":{"t":"a\u0000b"},"i":1}"#), "orderBy": { "field": "TITLE" } }),
            "after",
        ),
        (json!({ "filter": { "createdFrom": "0000-01-01T00:00:00Z" } }), "filter.createdFrom"),
        (json!({ "before": "" }), "before"),
        (json!({ "after": cursor, "orderBy": { "field": "TITLE" } }), "after"),
        (json!({ "filter": { "idsIn": ["x"] } }), "filter.idsIn.0"),
        (json!({ "filter": { "categoryIn": ["a", "\u{0}"] } }), "filter.categoryIn.1"),
        (json!({ "filter": { "categoryNotIn": ["é".repeat(101)] } }), "filter.categoryNotIn.0"),
        (json!({ "filter": { "tagsAll": ["t".repeat(100), "t".repeat(101)] } }), "filter.tagsAll.1"),
        (
            json!({ "filter": { "createdFrom": "2020-01-01T00:00:00Z", "createdBefore": "2019-01-01T00:00:00Z" } }),
            "filter.createdFrom",
        ),
        (json!({ "filter": { "contentLengthMin": -1 } }), "filter.contentLengthMin"),
        (json!({ "filter": { "contentLengthMin": 2, "contentLengthMax": 1 } }), "filter.contentLengthMin"),
    ];
    for (variables, argument) in cases {
        let response = app.execute(PAGE, variables.clone()).await;
        let error = &response["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{variables} {response}");
        assert_eq!(error["extensions"]["argument"], argument, "{response}");
        assert_eq!(error["path"], json!(["articles"]));
    }
    app.stop().await;
}

#[tokio::test]
async fn nodes_come_in_the_order_asked_for() {
    let app = with_articles().await;
    let ids = app.query("{ articles(first: 2) { nodes { id } } }").await;
    let (a, b) = (&ids["articles"]["nodes"][0]["id"], &ids["articles"]["nodes"][1]["id"]);
    let data = app
        .query_with(
            "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }",
            json!({ "ids": [b, "999999", "nothing", a, b] }),
        )
        .await;
    let article = |id: &Value| json!({ "id": id, "__typename": "Article" });
    assert_eq!(data["nodes"], json!([article(b), null, null, article(a), article(b)]));
    app.stop().await;
}

#[tokio::test]
async fn the_last_moment_of_the_last_year_is_a_time_like_any_other() {
    let app = Builder::new().start().await;
    app.create("One", "words").await;
    let data = app
        .query(
            "{ before: articles(filter: { createdBefore: \"9999-12-31T23:59:59.9999999Z\" }) { totalCount }
               from: articles(filter: { createdFrom: \"9999-12-31T23:59:59.9999999Z\" }) { totalCount }
               recommend(query: \"a\", options: { filter: { createdBefore: \"9999-12-31T23:59:59.9999999Z\" } }) { score } }",
        )
        .await;
    assert_eq!(
        (data["before"]["totalCount"].as_i64(), data["from"]["totalCount"].as_i64()),
        (Some(1), Some(0))
    );
    assert_eq!(data["recommend"].as_array().unwrap().len(), 1);
    app.stop().await;
}
