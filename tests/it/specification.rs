//! What the specification says of documents, seen by a client: what is answered, what is refused, and that nothing of an invalid
//! document is done.

use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

async fn post(app: &TestApp, body: Value) -> Value {
    app.post(&body).await.json().await.unwrap()
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

async fn stored(app: &TestApp, external_id: &str) -> Value {
    let query = "query($e: String!) { articleByExternalId(externalId: $e) { title content category } }";
    post(app, json!({ "query": query, "variables": { "e": external_id } })).await["data"]["articleByExternalId"]
        .clone()
}

#[tokio::test]
async fn nothing_of_an_invalid_document_is_done() {
    let app = Builder::new().start().await;
    let first = "a: createArticle(input: { title: \"A\", content: \"c\", externalId: $e, waitForIndex: false }) { article { id } }";
    for (number, second) in [
        "b: createArticle(input: \"x\") { article { id } }",
        "b: createArticle(input: { title: \"B\", content: 5, category: $c }) { article { id } }",
        "b: createArticle(input: { title: \"B\", content: \"c\", category: $c, tagz: [\"x\"] }) { article { id } }",
        "b: createArticle(input: { title: \"B\", title: \"C\", content: \"c\" }) { article { id } }",
        "b: createArticle(input: { title: \"B\" }) { article { id } }",
        "b: createArticle(input: { title: \"B\", content: null }) { article { id } }",
        "b: updateArticle(input: { id: 1, expectedRevision: 99999999999 }) { article { id } }",
        "b: deleteArticle(input: { id: 1.5 }) { deletedArticleId }",
        "b: deleteArticle { deletedArticleId }",
        "b: createArticle(input: { title: \"B\", content: \"c\" }) { article { idd } }",
        "b: createArticle(input: { title: \"B\", content: \"c\" })",
        "...Missing",
        "a: createArticle(input: { title: \"other\", content: \"c\" }) { article { id } }",
    ]
    .into_iter()
    .enumerate()
    {
        let e = format!("invalid-{number}");
        let variables = if second.contains("$c") { ", $c: String" } else { "" };
        let query = format!("mutation($e: String{variables}) {{ {first} {second} }}");
        let answer = post(&app, json!({ "query": query, "variables": { "e": e } })).await;
        assert_eq!((code(&answer), answer.get("data")), ("GRAPHQL_VALIDATION_FAILED", None), "{second}: {answer}");
        assert!(answer["errors"][0]["locations"][0]["column"].is_number(), "{answer}");
        assert_eq!(stored(&app, &e).await, Value::Null, "{second}");
    }
    // Values of variables are seen before anything is done, too.
    let query = format!(
        "mutation($e: String, $i: CreateArticleInput!) {{ {first} b: createArticle(input: $i) {{ article {{ id }} }} }}"
    );
    for bad in [json!({ "title": "B" }), json!({ "title": "B", "content": 5 }), json!("x"), json!(null)] {
        let answer = post(&app, json!({ "query": query, "variables": { "e": "bad", "i": bad } })).await;
        assert_eq!((code(&answer), answer.get("data")), ("BAD_USER_INPUT", None), "{answer}");
        assert_eq!(stored(&app, "bad").await, Value::Null);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_mutation_is_done_once_however_often_it_is_selected() {
    let app = Builder::new().start().await;
    let create = "a: createArticle(input: { title: \"A\", content: \"c\", waitForIndex: false })";
    let query = format!(
        "mutation {{ {create} {{ article {{ id }} }} ...F ... {{ {create} {{ userErrors {{ message }} }} }} }}
         fragment F on Mutation {{ {create} {{ article {{ title }} }} }}"
    );
    let answer = post(&app, json!({ "query": query })).await;
    let expected = json!({ "article": { "id": "1", "title": "A" }, "userErrors": [] });
    assert_eq!(answer["data"]["a"], expected, "{answer}");
    let count = post(&app, json!({ "query": "{ articles { totalCount } }" })).await;
    assert_eq!(count["data"]["articles"]["totalCount"], 1);
    app.stop().await;
}

/// Absent, null and a value: in an update they mean keep, clear and set.
#[tokio::test]
async fn an_absent_variable_keeps_what_null_clears() {
    let app = Builder::new().start().await;
    let create = "mutation { createArticle(input: { title: \"A\", content: \"c\", category: \"old\", externalId: \"e\" }) { article { id } } }";
    post(&app, json!({ "query": create })).await;
    let update = "mutation($c: String, $t: [String!]) {
        updateArticle(input: { id: 1, title: \"B\", category: $c, tags: $t, waitForIndex: false }) {
          article { title category } userErrors { message } } }";
    for (variables, category) in [
        (json!({}), json!("old")),
        (json!({ "c": "new" }), json!("new")),
        (json!({ "c": null }), json!(null)),
        (json!({}), json!(null)),
    ] {
        let answer = post(&app, json!({ "query": update, "variables": variables })).await;
        assert_eq!(answer["data"]["updateArticle"]["userErrors"], json!([]), "{answer}");
        assert_eq!(stored(&app, "e").await["category"], category, "{variables}");
    }
    // The same with the whole input in one variable.
    let whole = "mutation($i: UpdateArticleInput!) { updateArticle(input: $i) { article { category } } }";
    for (input, category) in [
        (json!({ "id": "1", "category": "set", "waitForIndex": false }), json!("set")),
        (json!({ "id": 1, "title": "C", "waitForIndex": false }), json!("set")),
        (json!({ "id": 1.0, "category": null, "waitForIndex": false }), json!(null)),
    ] {
        let answer = post(&app, json!({ "query": whole, "variables": { "i": input } })).await;
        assert_eq!(answer["data"]["updateArticle"]["article"]["category"], category, "{answer}");
    }
    app.stop().await;
}

#[tokio::test]
async fn defaults_stand_in_for_absent_variables_only() {
    let app = Builder::new().start().await;
    for number in 0..5 {
        app.create(&format!("Number {number}"), "words").await;
    }
    let count = |answer: &Value| answer["data"]["articles"]["nodes"].as_array().map(Vec::len);
    let text = "query A($n: Int) { articles(first: $n) { nodes { id } } }
        query B($n: Int = 3) { articles(first: $n) { nodes { id } } }
        query C($n: Int! = 2) { ...F } fragment F on Query { articles(first: $n) { nodes { id } } }";
    for (name, variables, expected) in [
        ("A", json!({}), 5),
        ("A", json!({ "n": null }), 5),
        ("A", json!({ "n": 1 }), 1),
        ("B", json!({}), 3),
        ("B", json!({ "n": 4.0 }), 4),
        ("B", json!({ "n": null }), 5),
        ("C", json!({}), 2),
        ("C", json!({ "n": 1 }), 1),
    ] {
        let answer =
            post(&app, json!({ "query": text, "operationName": name, "variables": variables })).await;
        assert_eq!(count(&answer), Some(expected), "{name} {variables}: {answer}");
    }
    // The schema's default, and a null that the position does not take.
    let recommend = "query($k: Int) { recommend(query: \"words\", k: $k) { score } }";
    for (variables, expected) in [(json!({}), 5), (json!({ "k": 2 }), 2)] {
        let answer = post(&app, json!({ "query": recommend, "variables": variables })).await;
        assert_eq!(answer["data"]["recommend"].as_array().map(Vec::len), Some(expected), "{answer}");
    }
    let answer = post(&app, json!({ "query": recommend, "variables": { "k": null } })).await;
    assert_eq!((code(&answer), &answer["data"]["recommend"]), ("BAD_USER_INPUT", &Value::Null), "{answer}");
    let include = "query($w: Boolean = true, $n: Boolean = false) {
        articles(first: 1) { nodes { title @include(if: $w) content @skip(if: $n) } } }";
    let answer = post(&app, json!({ "query": include })).await;
    let node = &answer["data"]["articles"]["nodes"][0];
    assert!(node["title"].is_string() && node["content"].is_string(), "{answer}");
    app.stop().await;
}

#[tokio::test]
async fn errors_have_codes_places_and_near_names() {
    let app = Builder::new().start().await;
    for (query, expected, place, part) in [
        ("{\n  articles { ", "GRAPHQL_PARSE_FAILED", json!({ "line": 2, "column": 14 }), "Syntax error"),
        (
            "{ articleByExternalId(externalId: \"\\ud83d\") { id } }",
            "GRAPHQL_PARSE_FAILED",
            json!({ "line": 1, "column": 36 }),
            "surrogate",
        ),
        (
            "{ articles { nodes { titel } } }",
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "line": 1, "column": 22 }),
            "Did you mean \"title\"?",
        ),
        (
            "{ articles(orderBy: { field: \"TITLE\" }) { totalCount } }",
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "line": 1, "column": 30 }),
            "TITLE",
        ),
        (
            "{ articles(filter: { createdFrom: \"yesterday\" }) { totalCount } }",
            "GRAPHQL_VALIDATION_FAILED",
            json!({ "line": 1, "column": 35 }),
            "RFC 3339",
        ),
    ] {
        let answer = post(&app, json!({ "query": query })).await;
        assert_eq!((code(&answer), &answer["errors"][0]["locations"][0]), (expected, &place), "{answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(part), "{answer}");
    }
    let query = "query($d: DateTime) { articles(filter: { createdFrom: $d }) { totalCount } }";
    let answer = post(&app, json!({ "query": query, "variables": { "d": "yesterday" } })).await;
    assert_eq!((code(&answer), answer.get("data")), ("BAD_USER_INPUT", None), "{answer}");
    let several = json!({ "query": "query A { __typename } query B { __typename }", "operationName": "C" });
    let answer = post(&app, several).await;
    assert_eq!((code(&answer), answer.get("data")), ("BAD_USER_INPUT", None), "{answer}");
    app.stop().await;
}

#[tokio::test]
async fn operations_that_are_not_chosen_do_not_count() {
    let app = Builder::new().start().await;
    let many: String =
        (0..60).map(|at| format!("query Q{at} {{ articles(first: 1) {{ totalCount }} }} ")).collect();
    let answer = post(&app, json!({ "query": many, "operationName": "Q7" })).await;
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    let dear: String = (0..6)
        .map(|at| format!("query D{at} {{ articles(first: 100) {{ nodes {{ content }} }} }} "))
        .collect();
    let text = format!("{dear} query Cheap {{ __typename }}");
    assert_eq!(post(&app, json!({ "query": text, "operationName": "Cheap" })).await["errors"], Value::Null);
    // What is skipped is not asked for.
    let text =
        "query($no: Boolean!) { ... @include(if: $no) { a: articles(first: 100) { nodes { similarTo(k: 100) {
        article { similarTo(k: 100) { score } } } } } } __typename }";
    for (no, expected) in [(false, ""), (true, "LIMIT_EXCEEDED")] {
        let answer = post(&app, json!({ "query": text, "variables": { "no": no } })).await;
        assert_eq!(code(&answer), expected, "{answer}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_subscription_may_select_its_field_in_fragments() {
    let app = Builder::new().start().await;
    for query in [
        "subscription { ...F } fragment F on Subscription { indexStatus { state } }",
        "subscription { ... on Subscription { indexStatus { state } } }",
        "subscription { ... { indexStatus { state } } }",
        "subscription { indexStatus { state } ...F } fragment F on Subscription { indexStatus { state } }",
    ] {
        let request = reqwest::Client::new().post(format!("{}/graphql", app.url));
        let request = request.header("accept", "text/event-stream").json(&json!({ "query": query }));
        let mut response = request.send().await.unwrap();
        let first = response.chunk().await.unwrap().unwrap();
        let first = String::from_utf8(first.to_vec()).unwrap();
        assert!(first.contains("event: next") && first.contains("\"state\":"), "{query}: {first}");
    }
    app.stop().await;
}
