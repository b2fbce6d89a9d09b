//! Variations of a request that mean the same are answered the same.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

async fn send(
    app: &TestApp,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> reqwest::Response {
    let mut request = reqwest::Client::new().request(method, format!("{}{path}", app.url)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn is_answered(response: reqwest::Response) -> bool {
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    status == StatusCode::OK && body == json!({ "data": { "__typename": "Query" } })
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn bodies_may_name_what_they_leave_out() {
    let app = Builder::new().start().await;
    for body in [
        r#"{"query": "{ __typename }"}"#,
        r#"{"query": "{ __typename }", "operationName": ""}"#,
        r#"{"query": "{ __typename }", "operationName": null}"#,
        r#"{"query": "query Only { __typename }", "operationName": ""}"#,
        r#"{"query": "{ __typename }", "variables": null, "extensions": null, "documentId": null}"#,
        r#"{"query": "{ __typename }", "variables": "", "extensions": "", "documentId": ""}"#,
        r#"{"query": "{ __typename }", "variables": {}, "extensions": {}}"#,
        r#"{"query": "{ __typename }", "extensions": {"persistedQuery": null}}"#,
        r#"{"query": "{ __typename }", "extensions": {"persistedQuery": null, "tracing": null, "other": [1]}}"#,
        r#"{"id": "1", "query": "{ __typename }", "batch": false}"#,
        "\u{feff}{\"query\": \"{ __typename }\"}",
        " \r\n\t{\"query\": \"{ __typename }\"}\r\n",
        r#"{"query": "\ufeff{ __typename }"}"#,
    ] {
        assert!(is_answered(send(&app, Method::POST, "/graphql", &[JSON], body).await).await, "{body}");
    }
    // The text may come later, by its hash.
    let hash = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";
    let persisted = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    for (query, answered) in
        [(json!(null), false), (json!("{__typename}"), true), (json!(null), true), (json!(""), true)]
    {
        let body = json!({ "query": query, "extensions": persisted }).to_string();
        let response = send(&app, Method::POST, "/graphql", &[JSON], body).await;
        assert_eq!(is_answered(response).await, answered, "{query}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_media_type_may_be_written_in_several_ways() {
    let app = Builder::new().start().await;
    let body = r#"{"query": "{ __typename }"}"#;
    for content_type in [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        "application/json; charset=UTF-8",
        "application/json; Charset=\"utf-8\"",
        "application/json;charset=UTF8",
        "application/json;charset=us-ascii",
        "application/json;",
        "application/json ; charset = utf-8",
        "application/json; profile=\"x\"; charset=utf-8",
        "application/graphql+json",
    ] {
        let response = send(&app, Method::POST, "/graphql", &[("content-type", content_type)], body).await;
        assert!(is_answered(response).await, "{content_type}");
    }
    for content_type in [
        "text/plain",
        "text/plain;charset=utf-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json;charset=utf-16",
        "application/json;charset=utf-8;charset=latin1",
        "application/jsonp",
        "text/plain; application/json",
        "",
    ] {
        let response = send(&app, Method::POST, "/graphql", &[("content-type", content_type)], body).await;
        assert_eq!(response.status(), 415, "{content_type}");
    }
    for encoding in ["identity", "Identity", ""] {
        let headers = [JSON, ("content-encoding", encoding)];
        assert!(is_answered(send(&app, Method::POST, "/graphql", &headers, body).await).await, "{encoding}");
    }
    app.stop().await;
}

#[tokio::test]
async fn the_lists_that_clients_accept_are_understood() {
    let app = Builder::new().start().await;
    let body = r#"{"query": "{ __typename }"}"#;
    let (graphql, legacy) = ("application/graphql-response+json", "application/json");
    for (accept, expected) in [
        ("*/*", legacy),
        ("application/graphql-response+json,application/json;q=0.9", graphql),
        (
            "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed",
            graphql,
        ),
        ("multipart/mixed;deferSpec=20220824, application/graphql-response+json, application/json", graphql),
        ("multipart/mixed;boundary=\"graphql\";subscriptionSpec=\"1.0\",application/json", legacy),
        ("application/json, text/plain, */*", legacy),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", legacy),
        ("APPLICATION/JSON;Q=0.5", legacy),
        ("", legacy),
    ] {
        let response = send(&app, Method::POST, "/graphql", &[JSON, ("accept", accept)], body).await;
        let found = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(found.starts_with(expected), "{accept}: {found}");
        assert!(is_answered(response).await, "{accept}");
    }
    app.stop().await;
}

#[tokio::test]
async fn addresses_may_name_what_they_leave_out() {
    let app = Builder::new().start().await;
    for query in [
        "query={__typename}",
        "query=%7B__typename%7D&variables=&extensions=&operationName=&documentId=",
        "query={__typename}&variables=null&extensions=null",
        "query={__typename}&variables={}&extensions={}",
        "query={__typename}&variables=%20null%20",
        "query={__typename}&extensions={%22persistedQuery%22:null}",
        "query={__typename}&op=Other&_=1700000000",
    ] {
        for path in ["/graphql", "/graphql/"] {
            let response = send(&app, Method::GET, &format!("{path}?{query}"), &[], "").await;
            assert!(is_answered(response).await, "{path}?{query}");
        }
    }
    for query in ["", "query=", "query={__typename}&variables=[]", "query={__typename}&variables={}x"] {
        let response = send(&app, Method::GET, &format!("/graphql?{query}"), &[], "").await;
        assert_eq!(response.status(), 400, "{query}");
    }
    let head = send(&app, Method::HEAD, "/graphql?query={__typename}", &[], "").await;
    assert_eq!(head.status(), 200);
    assert_eq!(
        head.headers()["content-length"],
        json!({ "data": { "__typename": "Query" } }).to_string().len().to_string()
    );
    assert_eq!(head.text().await.unwrap(), "");
    let mutation = "query=mutation{deleteArticle(input:{id:%221%22}){deletedArticleId}}";
    for method in [Method::GET, Method::HEAD] {
        let response = send(&app, method, &format!("/graphql?{mutation}"), &[], "").await;
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "POST");
    }
    app.stop().await;
}
