//! GraphQL over WebSocket, message by message.

use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::app::{Builder, TestApp};
use crate::events::{CHANGES_WITH_CONTENT, UPDATES, check_what_is_missed};

const CHANGES: &str = "subscription { articleChanged { kind articleId } }";

struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    /// The handshake, with headers besides.
    async fn handshake(app: &TestApp, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let url = format!("{}/graphql", app.url.replace("http://", "ws://"));
        let mut request = url.into_client_request().unwrap();
        for (name, value) in [("sec-websocket-protocol", "graphql-transport-ws")].iter().chain(headers) {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        Ok(Self { socket })
    }

    async fn connect(app: &TestApp) -> Self {
        let mut client = Self::handshake(app, &[]).await.unwrap();
        client.say(json!({ "type": "connection_init" })).await;
        assert_eq!(client.hear().await, json!({ "type": "connection_ack" }));
        client
    }

    async fn say(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, document: &str) {
        self.say(json!({ "id": id, "type": "subscribe", "payload": { "query": document } })).await;
    }

    /// The next message.
    async fn hear(&mut self) -> Value {
        match self.next().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("a message, not {other:?}"),
        }
    }

    async fn next(&mut self) -> Message {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), self.socket.next()).await;
            match next.expect("a message within 20 s").expect("the connection lives").unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                other => return other,
            }
        }
    }

    /// The code and the reason that the server closes with.
    async fn closed(&mut self) -> (u16, String) {
        match self.next().await {
            Message::Close(Some(frame)) => (frame.code.into(), frame.reason.to_string()),
            other => panic!("a close, not {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_no_frame_is_told_by_a_code() {
    let app = Builder::new().start().await;
    let unmasked = b"\x81\x02{}".as_slice();
    let reserved_bit = b"\xc1\x80\0\0\0\0".as_slice();
    let no_utf8 = b"\x81\x82\0\0\0\0\xff\xfe".as_slice();
    let nine_mebibytes = b"\x81\xff\0\0\0\0\0\x90\0\0\0\0\0\0".as_slice();
    for (bytes, code) in [(unmasked, 1002), (reserved_bit, 1002), (no_utf8, 1007), (nine_mebibytes, 1009)] {
        let mut client = Client::connect(&app).await;
        client.socket.get_mut().write_all(bytes).await.unwrap();
        assert_eq!(client.closed().await.0, code);
    }
    app.stop().await;
}

#[tokio::test]
async fn queries_mutations_and_subscriptions_share_a_connection() {
    let app = Builder::new().start().await;
    let mut client = Client::connect(&app).await;
    client.say(json!({ "type": "ping", "payload": { "x": 1 } })).await;
    assert_eq!(client.hear().await, json!({ "type": "pong", "payload": { "x": 1 } }));
    client.say(json!({ "type": "pong" })).await;
    client.subscribe("q", "{ articles { totalCount } }").await;
    let data = json!({ "data": { "articles": { "totalCount": 0 } } });
    assert_eq!(client.hear().await, json!({ "id": "q", "type": "next", "payload": data }));
    assert_eq!(client.hear().await, json!({ "id": "q", "type": "complete" }));

    client.subscribe("s", CHANGES).await;
    app.until_heard().await;
    client
        .subscribe(
            "m",
            "mutation { createArticle(input: { title: \"t\", content: \"c\" }) { article { id } } }",
        )
        .await;
    let (mut changes, mut created) = (Vec::new(), false);
    while changes.len() < 2 || !created {
        let message = client.hear().await;
        match message["id"].as_str() {
            Some("s") => {
                changes
                    .push(message["payload"]["data"]["articleChanged"]["kind"].as_str().unwrap().to_owned());
            }
            _ => created |= message["type"] == "complete",
        }
    }
    assert_eq!(changes, ["CREATED", "INDEXED"]);

    // What the client has ended is told no more, and its id is free again.
    client.say(json!({ "id": "s", "type": "complete" })).await;
    client.subscribe("s", "{ articles { totalCount } }").await;
    assert_eq!(client.hear().await["payload"]["data"]["articles"]["totalCount"], 1);
    assert_eq!(client.hear().await, json!({ "id": "s", "type": "complete" }));
    app.stop().await;
}

#[tokio::test]
async fn what_is_refused_is_an_error_of_its_operation_alone() {
    let app = Builder::new().start().await;
    let mut client = Client::connect(&app).await;
    let nested = format!("{{ recommend(query: {}1{}) {{ score }} }}", "[".repeat(1_600), "]".repeat(1_600));
    for (document, code) in [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (&nested, "LIMIT_EXCEEDED"),
    ] {
        client.subscribe("x", document).await;
        let answer = client.hear().await;
        assert_eq!(answer["type"], "error", "{answer}");
        assert_eq!(answer["payload"][0]["extensions"]["code"], code);
    }
    for number in 0..100 {
        client.subscribe(&format!("s{number}"), CHANGES).await;
    }
    client.subscribe("one too many", CHANGES).await;
    let refused = client.hear().await;
    assert_eq!(
        (&refused["id"], &refused["payload"][0]["extensions"]["code"]),
        (&json!("one too many"), &json!("OVERLOADED"))
    );
    app.stop().await;
}

#[tokio::test]
async fn a_client_that_misbehaves_is_told_why() {
    let app = Builder::new().set("SENTIO_API_KEYS", "secret").start().await;
    let init = json!({ "type": "connection_init" });
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": CHANGES } });
    let long = json!({ "id": "x".repeat(257), "type": "subscribe", "payload": { "query": CHANGES } });
    for (messages, code, reason) in [
        (vec![json!("x")], 4400, "Invalid message"),
        (vec![json!({ "type": "start" })], 4400, "unknown variant `start`"),
        (vec![init.clone(), json!({ "type": "subscribe", "payload": {} })], 4400, "missing field `id`"),
        (vec![init.clone(), long], 4400, "the id is longer than 256 bytes"),
        (vec![subscribe.clone()], 4401, "Unauthorized"),
        (
            vec![json!({ "type": "connection_init", "payload": { "Authorization": "Bearer wrong" } })],
            4403,
            "Forbidden",
        ),
        (vec![init.clone(), subscribe.clone(), subscribe], 4409, "Subscriber for 1 already exists"),
        (vec![init.clone(), init.clone()], 4429, "Too many initialisation requests"),
    ] {
        let mut client = Client::handshake(&app, &[]).await.unwrap();
        for message in &messages {
            client.say(message.clone()).await;
        }
        if messages[0] == init {
            assert_eq!(client.hear().await["type"], "connection_ack");
        }
        let (found, said) = client.closed().await;
        assert_eq!(found, code, "{messages:?} {said}");
        assert!(said.contains(reason), "{said}");
    }
    let mut client = Client::handshake(&app, &[]).await.unwrap();
    client.socket.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(client.closed().await.0, 4400);
    let mut silent = Client::handshake(&app, &[]).await.unwrap();
    let started = Instant::now();
    assert_eq!(silent.closed().await.0, 4408);
    assert!(started.elapsed() > Duration::from_secs(9));
    app.stop().await;
}

#[tokio::test]
async fn only_pages_that_may_call_can_connect() {
    let app = Builder::new()
        .set("SENTIO_ALLOWED_ORIGINS", "https://app.example")
        .set("SENTIO_API_KEYS", "secret")
        .start()
        .await;
    for (headers, status) in [
        (vec![("origin", "http://evil.example")], 403),
        (vec![("origin", "null")], 403),
        (vec![("authorization", "Bearer wrong")], 401),
        (vec![("sec-websocket-protocol", "graphql-ws")], 400),
        (vec![("host", "evil.example")], 403),
    ] {
        match Client::handshake(&app, &headers).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), status, "{headers:?}"),
            other => panic!("{headers:?}: {:?}", other.err()),
        }
    }
    for origin in ["https://app.example", "http://localhost:5173", &app.url] {
        assert!(Client::handshake(&app, &[("origin", origin)]).await.is_ok(), "{origin}");
    }
    let create = "mutation { createArticle(input: { title: \"t\", content: \"c\" }) { article { id } } }";
    for payload in [
        json!(null),
        json!({ "Authorization": "Bearer secret" }),
        json!({ "authorization": "Bearer secret" }),
        json!({ "headers": { "Authorization": "Bearer secret" } }),
    ] {
        let mut client = Client::handshake(&app, &[]).await.unwrap();
        client.say(json!({ "type": "connection_init", "payload": payload })).await;
        client.hear().await;
        client.subscribe("m", create).await;
        let answer = client.hear().await;
        let kind = if payload.is_null() { "error" } else { "next" };
        assert_eq!(
            (&answer["type"], &answer["payload"]["errors"]),
            (&json!(kind), &Value::Null),
            "{payload} {answer}"
        );
    }
    let mut header = Client::handshake(&app, &[("authorization", "Bearer secret")]).await.unwrap();
    header.say(json!({ "type": "connection_init" })).await;
    header.hear().await;
    header.subscribe("m", create).await;
    assert!(header.hear().await["payload"]["errors"].is_null());
    app.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_ends_subscriptions_and_says_so() {
    let app = Builder::new().start().await;
    let mut client = Client::connect(&app).await;
    client.subscribe("s", CHANGES).await;
    app.until_heard().await;
    app.begin_stop();
    assert_eq!(client.hear().await, json!({ "id": "s", "type": "complete" }));
    assert_eq!(client.closed().await.0, 1001);
    app.stop().await;
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_missed() {
    let app = Builder::new().start().await;
    let article = app.create("Long", &"word ".repeat(180_000)).await;
    let mut slow = Client::connect(&app).await;
    app.until_told().await;
    slow.subscribe("a", CHANGES_WITH_CONTENT).await;
    app.until_heard().await;
    app.tell_updates(&article, UPDATES).await;
    let mut results: Vec<Value> = Vec::new();
    while results.last().is_none_or(|result| result["errors"].is_null()) {
        results.push(slow.hear().await["payload"].take());
    }
    let missed = check_what_is_missed(&results);
    assert!((UPDATES - 1_024 - 200..UPDATES).contains(&missed), "{missed}");
    // It goes on with the next.
    assert_eq!(slow.hear().await["payload"]["data"]["articleChanged"]["kind"], "UPDATED");
    drop(slow);
    app.stop().await;
}
