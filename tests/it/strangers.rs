//! What a request may do: by its key, by where it comes from, and for whom it was passed on.

use futures::{SinkExt, StreamExt};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::app::{Builder, TestApp};

const READ: &str = "{ articles { totalCount } }";
const WATCH: &str = "subscription { indexStatus { state } }";
const WRITE: &str = "mutation { createArticle(input: { title: \"t\", content: \"c\", waitForIndex: false }) { article { id } } }";

type Headers<'a> = [(&'a str, &'a str)];

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    /// Null when there is none.
    fn error(&self) -> Value {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body.pointer("/errors/0").cloned().unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn send(app: &TestApp, method: Method, path: &str, headers: &Headers<'_>, body: String) -> Answer {
    let mut request = reqwest::Client::new().request(method, format!("{}{path}", app.url)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    // A stream does not end: its first event tells.
    let body = match response.chunk().await.unwrap() {
        Some(first) if headers["content-type"] == "text/event-stream" => first.to_vec(),
        Some(first) => [first.to_vec(), response.bytes().await.unwrap().to_vec()].concat(),
        None => Vec::new(),
    };
    Answer { status, headers, body: String::from_utf8(body).unwrap() }
}

async fn get(app: &TestApp, path: &str, headers: &Headers<'_>) -> Answer {
    send(app, Method::GET, path, headers, String::new()).await
}

async fn post(app: &TestApp, document: &str, headers: &Headers<'_>) -> Answer {
    let headers = [&[("content-type", "application/json")], headers].concat();
    send(app, Method::POST, "/graphql", &headers, json!({ "query": document }).to_string()).await
}

/// Over HTTP: executed, or refused with the code, the scope and the setting.
fn check(answer: &Answer, may: bool, scope: &str, what: &str) {
    if may {
        assert_eq!((answer.status.as_u16(), answer.error()), (200, Value::Null), "{what}: {}", answer.body);
        return;
    }
    assert_eq!(answer.status, 401, "{what}: {}", answer.body);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{what}");
    check_error(&answer.error(), scope, what);
    assert!(!answer.body.contains("\"data\""), "{what}: {}", answer.body);
}

fn check_error(error: &Value, scope: &str, what: &str) {
    assert_eq!(error["extensions"]["code"], "UNAUTHENTICATED", "{what}: {error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(scope) && message.contains("SENTIO_ANONYMOUS"), "{what}: {message}");
}

/// Over a WebSocket of the given headers and parameters: the first message about an operation.
async fn over_web_socket(app: &TestApp, headers: &Headers<'_>, payload: Value, document: &str) -> Value {
    let mut request =
        format!("{}/graphql", app.url.replace("http://", "ws://")).into_client_request().unwrap();
    for (name, value) in [&[("sec-websocket-protocol", "graphql-transport-ws")], headers].concat() {
        let name: reqwest::header::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    for message in [
        json!({ "type": "connection_init", "payload": payload }),
        json!({ "id": "1", "type": "subscribe", "payload": { "query": document } }),
    ] {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["id"] == "1" {
                    return message;
                }
            }
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("a message, not {other:?}"),
        }
    }
}

/// Everything that reads and everything that writes, on every transport.
async fn check_all(app: &TestApp, headers: &Headers<'_>, may_read: bool, may_write: bool, what: &str) {
    for document in [READ, "{ __typename }", "{ __schema { queryType { name } } }"] {
        check(&post(app, document, headers).await, may_read, "reading", what);
    }
    check(&post(app, WRITE, headers).await, may_write, "writing", what);
    let query: String = url::form_urlencoded::byte_serialize(READ.as_bytes()).collect();
    check(&get(app, &format!("/graphql?query={query}"), headers).await, may_read, "reading", what);
    let stream = [&[("accept", "text/event-stream")], headers].concat();
    check(&post(app, WATCH, &stream).await, may_read, "reading", what);
    check(&post(app, WRITE, &stream).await, may_write, "writing", what);
    for (document, may, scope) in
        [(READ, may_read, "reading"), (WATCH, may_read, "reading"), (WRITE, may_write, "writing")]
    {
        let message = over_web_socket(app, headers, json!(null), document).await;
        if may {
            assert_eq!(
                (&message["type"], &message["payload"]["errors"]),
                (&json!("next"), &Value::Null),
                "{what}"
            );
        } else {
            assert_eq!(message["type"], "error", "{what}: {message}");
            check_error(&message["payload"][0], scope, what);
        }
    }
    let metrics = get(app, "/metrics", headers).await;
    assert_eq!(metrics.status.as_u16(), if may_read { 200 } else { 401 }, "{what}");
    // The pages ask for a key, and probes have none.
    for path in ["/", "/reader/", "/livez", "/readyz"] {
        assert_eq!(get(app, path, headers).await.status, 200, "{what}: {path}");
    }
}

#[tokio::test]
async fn what_is_open_without_a_key_is_what_the_settings_say_on_every_transport() {
    let key = ("SENTIO_API_KEYS", "a-key");
    let beyond = ("SENTIO_HOST", "0.0.0.0");
    for (settings, may_read, may_write) in [
        (vec![], true, true),
        (vec![key], true, false),
        (vec![("SENTIO_ANONYMOUS", "none"), key], false, false),
        (vec![beyond], false, false),
        (vec![beyond, key], false, false),
        (vec![beyond, key, ("SENTIO_ANONYMOUS", "read")], true, false),
        (vec![beyond, ("SENTIO_ANONYMOUS", "all")], true, true),
    ] {
        let what = format!("{settings:?}");
        let with_key = settings.contains(&key);
        let app = settings.into_iter().fold(Builder::new(), |app, (name, value)| app.set(name, value));
        let app = app.start().await;
        check_all(&app, &[], may_read, may_write, &what).await;
        if with_key {
            check_all(&app, &[("authorization", "Bearer a-key")], true, true, &what).await;
            let wrong = [("authorization", "Bearer another")];
            assert_eq!(post(&app, READ, &wrong).await.error()["extensions"]["code"], "UNAUTHENTICATED");
            assert_eq!(get(&app, "/metrics", &wrong).await.status, 401);
            // A client that has its key by now connects anew.
            let payload = json!({ "Authorization": "Bearer a-key" });
            let message = over_web_socket(&app, &[], payload, WRITE).await;
            assert_eq!(
                (&message["type"], &message["payload"]["errors"]),
                (&json!("next"), &Value::Null),
                "{what}"
            );
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn a_request_that_was_passed_on_has_not_the_rights_of_loopback() {
    let app = Builder::new().start().await;
    for header in [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-for", ""),
        ("x-forwarded-host", "sentio.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-anything", "1"),
        ("forwarded", "for=127.0.0.1"),
        ("x-real-ip", "::1"),
        ("via", "1.1 proxy"),
        ("cf-connecting-ip", "203.0.113.7"),
        ("true-client-ip", "203.0.113.7"),
    ] {
        for (document, scope) in [(READ, "reading"), (WRITE, "writing")] {
            check(&post(&app, document, &[header]).await, false, scope, header.0);
        }
    }
    check_all(&app, &[("x-forwarded-for", "203.0.113.7")], false, false, "forwarded").await;
    check_all(&app, &[], true, true, "not forwarded").await;
    app.stop().await;

    let keyed = Builder::new().set("SENTIO_API_KEYS", "a-key").start().await;
    check_all(&keyed, &[("via", "1.1 proxy")], false, false, "forwarded, without the key").await;
    let both = [("via", "1.1 proxy"), ("authorization", "Bearer a-key")];
    check_all(&keyed, &both, true, true, "forwarded, with the key").await;
    keyed.stop().await;
}

#[tokio::test]
async fn a_trusted_proxy_passes_the_rights_of_loopback_on() {
    let forwarded = [("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=203.0.113.7")];
    for (proxies, may) in [
        ("127.0.0.1", true),
        ("::ffff:127.0.0.1", true),
        ("10.0.0.0/8, 127.0.0.0/8", true),
        ("10.0.0.0/8", false),
        ("203.0.113.7", false),
        ("::1", false),
    ] {
        let app = Builder::new().set("SENTIO_TRUSTED_PROXIES", proxies).start().await;
        check_all(&app, &forwarded, may, may, proxies).await;
        app.stop().await;
    }
    let beyond = Builder::new().set("SENTIO_HOST", "0.0.0.0").set("SENTIO_TRUSTED_PROXIES", "127.0.0.1");
    let beyond = beyond.start().await;
    check_all(&beyond, &forwarded, false, false, "there is no loopback to have the rights of").await;
    beyond.stop().await;
}

#[tokio::test]
async fn what_is_opened_is_open_through_a_proxy_too() {
    let app = Builder::new().set("SENTIO_ANONYMOUS", "read").start().await;
    check_all(&app, &[("x-forwarded-for", "203.0.113.7")], true, false, "read").await;
    app.stop().await;
}

#[tokio::test]
async fn further_hosts_are_answered_with_no_more_rights_than_a_proxy_has() {
    let app = Builder::new().set("SENTIO_ALLOWED_HOSTS", "sentio.example, .apps.example").start().await;
    for (host, status) in [
        ("sentio.example", 200),
        ("Sentio.Example:8443", 200),
        ("a.b.apps.example", 200),
        ("localhost", 200),
        ("other.example", 403),
        ("sentio.example.evil", 403),
        ("10.0.0.1", 403),
    ] {
        for path in ["/livez", "/", "/reader/"] {
            let answer = get(&app, path, &[("host", host)]).await;
            assert_eq!(answer.status.as_u16(), status, "{host} {path}");
            if status == 403 {
                assert_eq!(answer.error()["extensions"]["code"], "FORBIDDEN");
                assert!(answer.body.contains("SENTIO_ALLOWED_HOSTS"), "{}", answer.body);
            }
        }
    }
    check_all(&app, &[("host", "sentio.example")], false, false, "a proxy that keeps quiet").await;
    app.stop().await;
}

#[tokio::test]
async fn a_credential_for_the_proxy_is_none_for_the_server() {
    let app = Builder::new().set("SENTIO_API_KEYS", "a-key").start().await;
    for authorization in ["Basic dmlzaXRvcjpwYXNzd29yZA==", "Digest username=\"visitor\"", "Negotiate YII="] {
        let headers = [("authorization", authorization)];
        check_all(&app, &headers, true, false, authorization).await;
        let payload = json!({ "Authorization": authorization });
        let message = over_web_socket(&app, &[], payload, READ).await;
        assert_eq!(message["type"], "next", "{message}");
    }
    let both = [("authorization", "Basic dmlzaXRvcjpw"), ("authorization", "Bearer a-key")];
    check(&post(&app, WRITE, &both).await, true, "writing", "both");
    app.stop().await;
}

async fn preflight(app: &TestApp, origin: &str, more: &Headers<'_>) -> Answer {
    let headers = [
        &[
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
            ("access-control-request-private-network", "true"),
        ],
        more,
    ];
    send(app, Method::OPTIONS, "/graphql", &headers.concat(), String::new()).await
}

#[tokio::test]
async fn pages_of_allowed_origins_may_call_and_read_what_helps_them() {
    let origins = "https://*.example.org, capacitor://localhost, chrome-extension://abcdefghijklmnop";
    let app = Builder::new().set("SENTIO_ALLOWED_ORIGINS", origins).start().await;
    for (origin, allowed) in [
        ("https://pr-7.example.org", true),
        ("capacitor://localhost", true),
        ("chrome-extension://abcdefghijklmnop", true),
        ("http://localhost:5173", true),
        ("https://example.org", false),
        ("https://a.b.example.org", false),
        ("chrome-extension://other", false),
        ("tauri://localhost", false),
        ("null", false),
    ] {
        let answer = preflight(&app, origin, &[]).await;
        assert_eq!(answer.header("access-control-allow-origin"), allowed.then_some(origin), "{origin}");
        let private = answer.header("access-control-allow-private-network");
        assert_eq!(private, allowed.then_some("true"), "{origin}");
        let socket = format!("{}/graphql", app.url.replace("http://", "ws://"));
        let mut request = socket.into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        match tokio_tungstenite::connect_async(request).await {
            Ok(_) => assert!(allowed, "{origin}"),
            Err(Error::Http(response)) => assert!(!allowed && response.status() == 403, "{origin}"),
            Err(error) => panic!("{error}"),
        }
    }
    let answer = post(&app, READ, &[("origin", "https://pr-7.example.org")]).await;
    assert_eq!(answer.header("access-control-expose-headers"), Some("retry-after,x-request-id"));
    assert!(answer.header("x-request-id").is_some_and(|id| id.len() == 36));
    // The pages of a visitor's own machine are strangers here.
    let forwarded = preflight(&app, "http://localhost:5173", &[("x-forwarded-for", "203.0.113.7")]).await;
    assert_eq!(forwarded.header("access-control-allow-origin"), None);
    assert_eq!(forwarded.header("access-control-allow-private-network"), None);
    app.stop().await;
}
