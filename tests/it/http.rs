//! The transport: statuses, media types, who may ask from where.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

const GRAPHQL: &str = "application/graphql-response+json";

struct Answer {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    body: String,
}

impl Answer {
    fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

async fn send(
    app: &TestApp,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<String>,
) -> Answer {
    let mut request = reqwest::Client::new().request(method, format!("{}{path}", app.url)).body(body.into());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, body: response.text().await.unwrap() }
}

async fn post(app: &TestApp, accept: &str, document: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("accept", accept)];
    send(app, Method::POST, "/graphql", &headers, json!({ "query": document }).to_string()).await
}

const MUTATION: &str =
    "mutation { createArticle(input: { title: \"t\", content: \"c\" }) { article { id } } }";

#[tokio::test]
async fn the_status_follows_the_media_type() {
    let app = Builder::new().start().await;
    for (document, code, status) in [
        ("{ indexStatus { pending } }", "", 200),
        ("{ recommend { score } }", "BAD_USER_INPUT", 200),
        ("{ indexStatus { ", "GRAPHQL_PARSE_FAILED", 400),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED", 400),
        ("query($k: Int!) { recommend(query: \"x\", k: $k) { score } }", "BAD_USER_INPUT", 400),
    ] {
        let answer = post(&app, GRAPHQL, document).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (status, code),
            "{document} {}",
            answer.body
        );
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with(GRAPHQL));
        let legacy = post(&app, "application/json", document).await;
        assert_eq!((legacy.status.as_u16(), legacy.code().as_str()), (200, code), "{document}");
        assert!(legacy.headers["content-type"].to_str().unwrap().starts_with("application/json"));
    }
    app.stop().await;
}

#[tokio::test]
async fn requests_of_another_form_are_refused() {
    let app = Builder::new().start().await;
    let json = ("content-type", "application/json");
    let query = json!({ "query": "{ __typename }" }).to_string();
    let large = json!({ "query": "{ __typename }", "variables": { "x": "x".repeat(9 << 20) } }).to_string();
    let cases = [
        (Method::POST, "/graphql", vec![("content-type", "text/plain")], query.clone(), 415),
        (
            Method::POST,
            "/graphql",
            vec![("content-type", "application/x-www-form-urlencoded")],
            query.clone(),
            415,
        ),
        (Method::POST, "/graphql", vec![], query.clone(), 415),
        (
            Method::POST,
            "/graphql",
            vec![("content-type", "application/json"), ("content-encoding", "gzip")],
            query.clone(),
            415,
        ),
        (Method::POST, "/graphql", vec![json, ("accept", "text/html")], query.clone(), 406),
        (Method::POST, "/graphql", vec![json], "{".to_owned(), 400),
        (Method::POST, "/graphql", vec![json], "[]".to_owned(), 400),
        (Method::POST, "/graphql", vec![json], "{}".to_owned(), 400),
        (Method::POST, "/graphql", vec![json], "{\"query\": 1}".to_owned(), 400),
        (
            Method::POST,
            "/graphql",
            vec![json],
            "{\"query\": \"{ __typename }\", \"variables\": []}".to_owned(),
            400,
        ),
        (Method::POST, "/graphql", vec![json], large, 413),
        (Method::PUT, "/graphql", vec![json], query, 405),
        (Method::GET, "/graphql", vec![], String::new(), 400),
        (Method::GET, "/graphql?query=%7B__typename%7D&variables=x", vec![], String::new(), 400),
        (Method::GET, "/graphql?query=%7B__typename%7D&query=%7Ba%7D", vec![], String::new(), 400),
        (Method::GET, "/nothing", vec![], String::new(), 404),
    ];
    for (method, path, headers, body, status) in cases {
        let answer = send(&app, method.clone(), path, &headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path} {headers:?} {}", answer.body);
        if status == 405 {
            assert_eq!(answer.headers["allow"], "GET, HEAD, POST");
        }
        if status == 404 {
            assert!(answer.body.contains("/graphql"), "{}", answer.body);
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn get_reads_and_never_writes() {
    let app = Builder::new().start().await;
    let get = |query: &str, more: &str| {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let path = format!("/graphql?query={query}{more}");
        let app = &app;
        async move { send(app, Method::GET, &path, &[], "").await }
    };
    let read = get("{ articles { totalCount } }", "").await;
    assert_eq!(
        (read.status.as_u16(), read.body.as_str()),
        (200, r#"{"data":{"articles":{"totalCount":0}}}"#)
    );
    assert_eq!(get(MUTATION, "").await.status, 405);
    let both = format!("query Read {{ articles {{ totalCount }} }} mutation Write {}", &MUTATION[9..]);
    assert_eq!(get(&both, "&operationName=Write").await.status, 405);
    assert_eq!(get(&both, "&operationName=Read").await.body, r#"{"data":{"articles":{"totalCount":0}}}"#);
    app.stop().await;
}

#[tokio::test]
async fn a_server_on_loopback_answers_for_loopback_names_only() {
    let app = Builder::new().start().await;
    for (host, status) in [("localhost", 200), ("127.0.0.1:9", 200), ("evil.example", 403), ("10.0.0.1", 403)]
    {
        for path in ["/livez", "/"] {
            let answer = send(&app, Method::GET, path, &[("host", host)], "").await;
            assert_eq!(answer.status.as_u16(), status, "{host} {path}");
        }
    }
    let several =
        send(&app, Method::GET, "/livez", &[("host", "localhost"), ("host", "localhost")], "").await;
    assert_eq!((several.status.as_u16(), several.body.contains("send one `Host` header")), (400, true));
    app.stop().await;
}

#[tokio::test]
async fn browsers_may_call_from_loopback_and_allowed_origins_only() {
    let app = Builder::new().set("SENTIO_ALLOWED_ORIGINS", "https://app.example").start().await;
    for (origin, allowed) in [
        ("http://localhost:5173", true),
        ("http://127.0.0.1:3000", true),
        ("https://app.example", true),
        ("https://evil.example", false),
        ("http://localhost.evil.example", false),
        ("null", false),
    ] {
        let preflight = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,authorization"),
        ];
        let answer = send(&app, Method::OPTIONS, "/graphql", &preflight, "").await;
        let granted = answer.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!(granted, allowed.then_some(origin), "{origin}");
    }
    app.stop().await;
}

#[tokio::test]
async fn beyond_loopback_writing_needs_a_key_although_reading_is_open() {
    let write = |app: TestApp, authorization: Option<&'static str>| async move {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(authorization.map(|value| ("authorization", value)));
        let answer =
            send(&app, Method::POST, "/graphql", &headers, json!({ "query": MUTATION }).to_string()).await;
        let count = app.query("{ articles { totalCount } }").await["articles"]["totalCount"].as_u64();
        (app, answer.status.as_u16(), answer.code(), count.unwrap())
    };
    let open = Builder::new().set("SENTIO_HOST", "0.0.0.0").set("SENTIO_ANONYMOUS", "read");
    let (app, status, code, count) = write(open.clone().start().await, Some("Bearer x")).await;
    assert_eq!((status, code.as_str(), count), (401, "UNAUTHENTICATED", 0));
    app.stop().await;

    let keyed = open.set("SENTIO_API_KEYS", "one-key,other-key").start().await;
    let (keyed, status, code, count) = write(keyed, None).await;
    assert_eq!((status, code.as_str(), count), (401, "UNAUTHENTICATED", 0));
    let (keyed, status, code, count) = write(keyed, Some("Bearer wrong")).await;
    assert_eq!((status, code.as_str(), count), (401, "UNAUTHENTICATED", 0));
    let (keyed, status, code, count) = write(keyed, Some("Bearer other-key")).await;
    assert_eq!((status, code.as_str(), count), (200, "", 1));
    keyed.stop().await;
}

#[tokio::test]
async fn health_tells_alive_from_ready() {
    let app = Builder::new().without_worker().start().await;
    assert_eq!(send(&app, Method::GET, "/livez", &[], "").await.status, 200);
    let ready = send(&app, Method::GET, "/readyz", &[], "").await;
    assert_eq!(ready.status, 503);
    let body: Value = serde_json::from_str(&ready.body).unwrap();
    assert_eq!(body, json!({ "ready": false, "database": "ready", "index": "unavailable", "pending": 0 }));
    app.stop().await;
    let app = Builder::new().start().await;
    assert_eq!(send(&app, Method::GET, "/readyz", &[], "").await.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn a_list_of_requests_is_refused() {
    let app = Builder::new().start().await;
    let headers = [("content-type", "application/json")];
    for body in ["[\"{ __typename }\", null, null, null]", "[{\"query\": \"{ __typename }\"}]", "", "3"] {
        let answer = send(&app, Method::POST, "/graphql", &headers, body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "BAD_USER_INPUT"), "{body}");
    }
    app.stop().await;
}

#[tokio::test]
async fn an_absent_variable_means_the_default() {
    let app = Builder::new().start().await;
    for number in 0..12 {
        app.create(&format!("Article {number}"), "words").await;
    }
    let document = "query($k: Int) { recommend(query: \"words\", k: $k) { score } }";
    let found = app.query_with(document, json!({})).await;
    assert_eq!(found["recommend"].as_array().unwrap().len(), 10);
    let found = app.query_with(document, json!({ "k": 2 })).await;
    assert_eq!(found["recommend"].as_array().unwrap().len(), 2);
    app.stop().await;
}

#[tokio::test]
async fn more_recommendations_than_can_wait_are_refused_at_once() {
    let app = Builder::new().start().await;
    let many: Vec<_> = (0..300).map(|n| format!("a{n}: recommend(query: \"q{n}\") {{ score }}")).collect();
    let response = app.execute(&format!("{{ {} }}", many.join(" ")), json!({})).await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
    app.stop().await;
}

#[tokio::test]
async fn metrics_tell_what_the_status_tells() {
    let app = Builder::new().start().await;
    app.create("One", "words").await;
    let answer = send(&app, Method::GET, "/metrics", &[], "").await;
    assert_eq!(answer.status, 200);
    for line in ["sentio_index_articles 1.0", "sentio_index_pending 0.0", "sentio_index_failing 0.0"] {
        assert!(answer.body.lines().any(|found| found == line), "{line}\n{}", answer.body);
    }
    assert!(answer.body.contains("sentio_index_coverage{state=\"live\",model=\"tiny-bert\"} 1.0"));
    app.stop().await;
}

#[tokio::test]
async fn metrics_count_queries_by_what_gave_the_vector() {
    let app = Builder::new().start().await;
    for query in ["tea", "tea", "coffee"] {
        app.query(&format!("{{ recommend(query: \"{query}\") {{ score }} }}")).await;
    }
    let answer = send(&app, Method::GET, "/metrics", &[], "").await;
    for (answered, count) in [("memory", 1), ("model", 2), ("refused", 0)] {
        let line = format!("sentio_embedding_queries_total{{answer=\"{answered}\"}} {count}");
        assert!(answer.body.lines().any(|found| found == line), "{line}\n{}", answer.body);
    }
    app.stop().await;
}
