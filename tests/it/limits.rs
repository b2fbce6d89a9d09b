//! What strangers try against a GraphQL server: each is answered at once, and the server lives.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Builder, TestApp, database_url};
use crate::server::Server;

#[path = "../../benches/graphql/hostile.rs"]
mod hostile;

/// How long an answer may take: the quickest of some tries, as others use the processor too.
const AT_ONCE: Duration = Duration::from_millis(100);
const TRIES: usize = 5;

/// The status and the body of the answer to a document; fails when no try was answered at once.
async fn answer_at_once(app: &TestApp, body: &Value) -> (u16, Value) {
    let mut quickest = Duration::MAX;
    for _ in 0..TRIES {
        let started = Instant::now();
        let response = app.post(body).await;
        let status = response.status().as_u16();
        let answer = response.json().await.unwrap();
        quickest = quickest.min(started.elapsed());
        if quickest < AT_ONCE {
            return (status, answer);
        }
    }
    panic!("the quickest answer took {quickest:?}: {body}");
}

async fn code(app: &TestApp, document: &str) -> String {
    let (_, answer) = answer_at_once(app, &json!({ "query": document })).await;
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

fn doubled(levels: usize, last: &str) -> String {
    let fragment = |level: usize| format!(" fragment f{level} on Query {{ ...f{0} ...f{0} }}", level + 1);
    let fragments: String = (0..levels).map(fragment).collect();
    format!("{{ ...f0 }}{fragments} fragment f{levels} on Query {{ {last} }}")
}

#[tokio::test]
async fn documents_that_would_harm_are_refused_at_once() {
    let app = Builder::new().start().await;
    let chain: String = (0..1_000).map(|at| format!("fragment f{at} on Query{{...f{}}}", at + 1)).collect();
    let similar = |k: usize, levels: usize| {
        let open = format!("similarTo(k: {k}) {{ article {{ ").repeat(levels);
        format!("{{ article(id: 1) {{ {open} id {} }} }}", "} }".repeat(levels))
    };
    let circle = "fields { type { ".repeat(5);
    let circle = format!("{{ __schema {{ types {{ {circle} name {} }} }} }}", "} }".repeat(5));
    let page = |fields: String| format!("{{ articles {{ nodes {{ {fields} }} }} }}");
    let repeated = page("title id tags ".repeat(1_500));
    let contradicting = "similarTo(k: 1) { score } similarTo(k: 2) { score } ".repeat(300);
    let contradicting = format!("{{ article(id: 1) {{ {contradicting} }} }}");
    for (what, document, expected) in [
        (
            "brackets",
            format!("{{ recommend(query: {}1{}) }}", "[".repeat(1_600), "]".repeat(1_600)),
            "LIMIT_EXCEEDED",
        ),
        ("only brackets", "[".repeat(3_000), "LIMIT_EXCEEDED"),
        ("inline fragments", format!("{{{}a{}}}", "...{".repeat(60), "}".repeat(60)), "LIMIT_EXCEEDED"),
        ("doubled fragments", doubled(22, "__typename"), "LIMIT_EXCEEDED"),
        ("a cycle of doubled fragments", doubled(22, "...f0"), "LIMIT_EXCEEDED"),
        ("a cycle of fragments", doubled(2, "...f0"), "GRAPHQL_VALIDATION_FAILED"),
        ("a chain of fragments", format!("{{...f0}}{chain}"), "LIMIT_EXCEEDED"),
        ("a long document", format!("{{ {} }}", "__typename ".repeat(4_000)), "LIMIT_EXCEEDED"),
        ("tokens", format!("{{ a(b: [{}]) }}", "1 ".repeat(9_000)), "LIMIT_EXCEEDED"),
        ("root fields", format!("{{ {} }}", "__typename ".repeat(500)), "LIMIT_EXCEEDED"),
        ("the same fields again", repeated, ""),
        ("fields that contradict each other", contradicting, "GRAPHQL_VALIDATION_FAILED"),
        (
            "aliases",
            format!("{{ {} }}", (0..101).map(|at| format!("a{at}: __typename ")).collect::<String>()),
            "LIMIT_EXCEEDED",
        ),
        ("directives", format!("{{ __typename {} }}", "@skip(if: false) ".repeat(101)), "LIMIT_EXCEEDED"),
        (
            "the same directive",
            format!("{{ __typename {} }}", "@aa ".repeat(10)),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("depth", similar(1, 12), "LIMIT_EXCEEDED"),
        ("similar to similar", similar(100, 3), "LIMIT_EXCEEDED"),
        ("introspection in a circle", circle, "LIMIT_EXCEEDED"),
        ("a page before the first", "{ articles(first: -1) { nodes { id } } }".to_owned(), "BAD_USER_INPUT"),
        (
            "the longest page",
            format!("{{ articles(first: {}) {{ nodes {{ id }} }} }}", i64::MAX),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "many recommendations",
            format!(
                "{{ {} }}",
                (0..50)
                    .map(|at| format!(
                        "a{at}: recommend(query: \"x\", k: 100) {{ article {{ id title content }} score }} "
                    ))
                    .collect::<String>()
            ),
            "LIMIT_EXCEEDED",
        ),
    ] {
        assert_eq!(code(&app, &document).await, expected, "{what}");
    }
    assert_eq!(code(&app, "{ __typename }").await, "");
    app.stop().await;
}

/// Each kind at its largest; `cargo bench --bench graphql -- documents` prints how long they take.
#[tokio::test]
async fn hostile_documents_are_refused_and_the_server_goes_on() {
    let app = Builder::new().start().await;
    let documents = hostile::documents();
    assert!(documents.len() >= 40);
    for (what, document) in documents {
        assert!(document.len() <= 48 * 1024, "{what}");
        let response = app.post(&json!({ "query": document })).await;
        let answer: Value = response.json().await.unwrap();
        let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("");
        let expected =
            ["", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "LIMIT_EXCEEDED"];
        assert!(expected.contains(&code), "{what}: {answer}");
    }
    assert_eq!(code(&app, "{ __typename }").await, "");
    app.stop().await;
}

/// In a process of its own: execution recurses, and a stack that ends takes the process with it.
#[tokio::test]
async fn the_deepest_documents_that_are_allowed_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), database_url().await.as_deref());
    let client = reqwest::Client::new();
    for title in ["One", "Two"] {
        let create = "mutation($t: String!) { createArticle(input: { title: $t, content: \"words\" }) {
                        article { indexState } } }";
        let answer = server.execute(&client, create, json!({ "t": title })).await;
        assert_eq!(answer["data"]["createArticle"]["article"]["indexState"], "INDEXED");
    }
    let within = |fragments: usize, inside: &str| {
        format!("{}{inside}{}", "...{".repeat(fragments), "}".repeat(fragments))
    };
    let spread = |count: usize| {
        let fragment = |at: usize| format!("fragment f{at} on Query{{...f{}}}", at + 1);
        let chain: String = (1..count).map(fragment).collect();
        format!("{{...f1}}{chain}fragment f{count} on Query{{__typename}}")
    };
    let inline = |count: usize| format!("{{{}}}", within(count, "__typename"));
    for document in [inline(32), spread(32)] {
        let answer = server.execute(&client, &document, json!({})).await;
        assert_eq!(answer, json!({ "data": { "__typename": "Query" } }));
    }
    for document in [inline(33), spread(33)] {
        let answer = server.execute(&client, &document, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["limit"], "fragmentDepth");
    }
    // 20 fields and 32 fragments.
    let mut deepest = "similarTo(k: 1) { score }".to_owned();
    for level in 0..8 {
        let fragments = if level % 2 == 0 { 2 } else { 1 };
        deepest = format!(
            "similarTo(k: 1) {{ {} }}",
            within(2, &format!("article {{ {} }}", within(fragments, &deepest)))
        );
    }
    let deepest = format!("{{ articles(first: 1) {{ nodes {{ {} }} }} }}", within(4, &deepest));
    let answer = server.execute(&client, &deepest, json!({})).await;
    assert_eq!(answer["errors"], Value::Null);
    assert_eq!(deepest.matches("...").count(), 32);
    let mut list = &answer["data"]["articles"]["nodes"][0];
    for _ in 0..8 {
        list = &list["similarTo"][0]["article"];
    }
    assert!(list["similarTo"][0]["score"].is_number(), "{answer}");
}

#[tokio::test]
async fn an_error_names_the_limit_and_the_value() {
    let app = Builder::new().start().await;
    let document = format!("{{ {} }}", "__typename ".repeat(51));
    let (status, answer) = answer_at_once(&app, &json!({ "query": document })).await;
    assert_eq!(status, 200);
    let expected = json!([{
        "message": "the operation has 51 root fields, at most 50 are allowed",
        "extensions": { "code": "LIMIT_EXCEEDED", "limit": "rootFields", "max": 50, "found": 51 },
    }]);
    assert_eq!(answer["errors"], expected);
    app.stop().await;
}

#[tokio::test]
async fn a_document_with_many_faults_is_told_of_a_hundred() {
    let app = Builder::new().start().await;
    let document =
        format!("query({}) {{ __typename }}", (0..500).map(|at| format!("$v{at}: Int ")).collect::<String>());
    let (_, answer) = answer_at_once(&app, &json!({ "query": document })).await;
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 100);
    assert_eq!(errors[99]["message"], "401 more errors are left out.");
    assert!(errors.iter().all(|error| error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"));
    app.stop().await;
}

#[tokio::test]
async fn the_cost_is_told_to_those_who_ask() {
    let app = Builder::new().start().await;
    let query = "query($first: Int! = 5) { articles(first: $first) { nodes { id title } } }";
    let asked = json!({ "query": query, "variables": { "first": 10 }, "extensions": { "cost": true } });
    let (_, answer) = answer_at_once(&app, &asked).await;
    assert_eq!(answer["extensions"], json!({ "cost": { "found": 31, "max": 25_000 } }));
    let (_, silent) = answer_at_once(&app, &json!({ "query": query })).await;
    assert_eq!(silent.get("extensions"), None);
    let client = reqwest::Client::new();
    let request = client.post(format!("{}/graphql", app.url)).header("sentio-cost", "1");
    let answer: Value = request.json(&json!({ "query": query })).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["extensions"]["cost"]["found"], 16);
    app.stop().await;
}

/// The thirteen checks of the auditing tool graphql-cop.
#[tokio::test]
async fn what_auditors_try_first() {
    let app = Builder::new().start().await;
    let client = reqwest::Client::new();
    let url = format!("{}/graphql", app.url);
    let aliases: String = (0..101).map(|at| format!("alias{at}: __typename ")).collect();
    for (check, document) in [
        ("alias overloading", format!("{{ {aliases} }}")),
        ("directive overloading", format!("{{ __typename {} }}", "@aa".repeat(10))),
        ("field duplication", format!("{{ {} }}", "__typename ".repeat(500))),
        (
            "circular introspection",
            "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"
                .to_owned(),
        ),
    ] {
        assert!(!code(&app, &document).await.is_empty(), "{check}");
    }
    let batch = json!([{ "query": "{ __typename }" }, { "query": "{ __typename }" }]);
    assert_eq!(answer_at_once(&app, &batch).await.0, 400, "array batching");
    let mutation = "mutation { deleteArticle(input: { id: \"1\" }) { deletedArticleId } }";
    let get = client.get(&url).query(&[("query", mutation)]).send().await.unwrap();
    assert_eq!(get.status(), 405, "mutation by GET");
    let form = client.post(&url).form(&[("query", "{ __typename }")]).send().await.unwrap();
    assert_eq!(form.status(), 415, "a form (CSRF)");
    let plain = client.request(Method::POST, &url).header("content-type", "text/plain");
    assert_eq!(
        plain.body("{\"query\": \"{ __typename }\"}").send().await.unwrap().status(),
        415,
        "plain text (CSRF)"
    );
    // Reads may come by GET: no page of a stranger can read the answer.
    let get = client.get(&url).query(&[("query", "{ __typename }")]).header("origin", "http://evil.example");
    let get = get.send().await.unwrap();
    assert!(get.status() == 200 && get.headers().get("access-control-allow-origin").is_none());
    // The schema is public: field suggestions, introspection and GraphiQL give nothing away.
    assert_eq!(code(&app, "{ __schema { directives { name } } }").await, "");
    let (_, suggestion) = answer_at_once(&app, &json!({ "query": "{ article_ { id } }" })).await;
    assert_eq!(suggestion["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(client.get(&app.url).send().await.unwrap().status(), 200);
    let traced =
        client.post(&url).header("x-apollo-tracing", "1").json(&json!({ "query": "{ __typename }" }));
    let traced: Value = traced.send().await.unwrap().json().await.unwrap();
    assert_eq!(traced.get("extensions"), None, "trace mode");
    let (status, unhandled) = answer_at_once(&app, &json!({ "query": "qwerty { x }" })).await;
    assert!(
        status == 200 && unhandled["errors"][0]["extensions"].get("exception").is_none(),
        "unhandled errors"
    );
    app.stop().await;
}

#[tokio::test]
async fn the_limit_of_the_body_is_a_setting() {
    let app = Builder::new().set("SENTIO_BODY_MAX", "1").start().await;
    let body = |bytes: usize| json!({ "query": "{ __typename }", "variables": { "x": "x".repeat(bytes) } });
    assert_eq!(app.post(&body(1_000_000)).await.status(), 200);
    let refused = app.post(&body(1 << 20)).await;
    assert_eq!(refused.status(), 413);
    let message = refused.json::<Value>().await.unwrap()["errors"][0]["message"].to_string();
    assert!(message.contains("at most 1048576 bytes") && message.contains("SENTIO_BODY_MAX"), "{message}");
    app.stop().await;
}
