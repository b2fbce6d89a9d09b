//! GraphQL over WebSocket, message by message: what holds in both protocols.

pub mod client;
mod legacy;

use futures::SinkExt;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::app::Builder;
use crate::events::{CHANGES_WITH_CONTENT, UPDATES, check_what_is_missed};
use client::{BOTH, Client, LEGACY_WS, TRANSPORT_WS};

const CHANGES: &str = "subscription { articleChanged { kind articleId } }";
const CREATE: &str = "mutation { createArticle(input: { title: \"t\", content: \"c\" }) { article { id } } }";

#[tokio::test]
async fn the_newer_protocol_is_spoken_with_a_client_of_both() {
    let app = Builder::new().start().await;
    for (offered, answered) in [
        ("graphql-ws, graphql-transport-ws", Some("graphql-transport-ws")),
        ("graphql-transport-ws,graphql-ws", Some("graphql-transport-ws")),
        ("chat, graphql-ws", Some("graphql-ws")),
        ("chat", None),
        ("graphql-transport-ws-2", None),
    ] {
        let mut socket = TcpStream::connect(app.url.strip_prefix("http://").unwrap()).await.unwrap();
        // Some clients look for the name as they wrote it.
        let request = format!(
            "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             SEC-WebSocket-PROTOCOL: {offered}\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let (mut answer, mut read) = (String::new(), vec![0; 4096]);
        while !answer.contains("\r\n\r\n") {
            let length = socket.read(&mut read).await.unwrap();
            answer += std::str::from_utf8(&read[..length]).unwrap();
        }
        match answered {
            Some(name) => {
                let header = format!("SEC-WebSocket-PROTOCOL: {name}\r\n");
                assert!(
                    answer.starts_with("HTTP/1.1 101") && answer.contains(&header),
                    "{offered}: {answer}"
                );
            }
            None => assert!(answer.starts_with("HTTP/1.1 400"), "{offered}: {answer}"),
        }
    }
    let refused = Client::handshake(&app, &TRANSPORT_WS, &[("sec-websocket-protocol", "chat")]).await;
    let Err(Error::Http(response)) = refused else { panic!("no other protocol is spoken") };
    let body = String::from_utf8(response.into_body().unwrap()).unwrap();
    assert!(BOTH.iter().all(|protocol| body.contains(protocol.name)), "{body}");
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_frame_is_told_by_a_code() {
    let app = Builder::new().start().await;
    let unmasked = b"\x81\x02{}".as_slice();
    let reserved_bit = b"\xc1\x80\0\0\0\0".as_slice();
    let no_utf8 = b"\x81\x82\0\0\0\0\xff\xfe".as_slice();
    let nine_mebibytes = b"\x81\xff\0\0\0\0\0\x90\0\0\0\0\0\0".as_slice();
    let frames = [(unmasked, 1002), (reserved_bit, 1002), (no_utf8, 1007), (nine_mebibytes, 1009)];
    for (protocol, (bytes, code)) in BOTH.iter().flat_map(|protocol| frames.map(|frame| (protocol, frame))) {
        let mut client = Client::connect(&app, protocol).await;
        client.socket.get_mut().write_all(bytes).await.unwrap();
        assert_eq!(client.closed().await.0, code, "{protocol:?}");
    }
    app.stop().await;
}

#[tokio::test]
async fn queries_mutations_and_subscriptions_share_a_connection() {
    for protocol in BOTH {
        let app = Builder::new().start().await;
        let mut client = Client::connect(&app, protocol).await;
        client.begin("q", "{ articles { totalCount } }").await;
        assert_eq!(client.result("q").await, json!({ "data": { "articles": { "totalCount": 0 } } }));
        client.completed("q").await;

        client.begin("s", CHANGES).await;
        app.until_heard().await;
        client.begin("m", CREATE).await;
        let (mut changes, mut created) = (Vec::new(), false);
        while changes.len() < 2 || !created {
            let message = client.hear().await;
            match message["id"].as_str() {
                Some("s") => changes.push(message["payload"]["data"]["articleChanged"]["kind"].clone()),
                _ => created |= message["type"] == "complete",
            }
        }
        assert_eq!(changes, ["CREATED", "INDEXED"]);

        // What the client has ended is told no more, and its id is free again.
        client.stop("s").await;
        if protocol == &LEGACY_WS {
            client.completed("s").await;
        }
        client.begin("s", "{ articles { totalCount } }").await;
        assert_eq!(client.result("s").await["data"]["articles"]["totalCount"], 1);
        client.completed("s").await;
        // An id that is none of a running operation is none to end.
        client.stop("s").await;
        client.stop("never").await;
        client.begin("last", "{ __typename }").await;
        client.result("last").await;
        client.completed("last").await;
        app.stop().await;
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_what_it_holds() {
    let app = Builder::new().start().await;
    let mut client = Client::handshake(&app, &TRANSPORT_WS, &[]).await.unwrap();
    // Before the introduction too.
    client.say(json!({ "type": "ping", "payload": { "x": 1 } })).await;
    assert_eq!(client.hear().await, json!({ "type": "pong", "payload": { "x": 1 } }));
    client.init(json!({})).await;
    client.say(json!({ "type": "pong" })).await;
    client.say(json!({ "type": "ping" })).await;
    assert_eq!(client.hear().await, json!({ "type": "pong" }));
    app.stop().await;
}

#[tokio::test]
async fn everything_that_a_request_may_have_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest.json");
    std::fs::write(&manifest, json!({ "count": "{ articles { totalCount } }" }).to_string()).unwrap();
    let app = Builder::new().set("SENTIO_TRUSTED_DOCUMENTS", manifest.display().to_string()).start().await;
    for protocol in BOTH {
        let mut client = Client::connect(&app, protocol).await;
        let two = "query A { __typename } query B($n: Int!, $f: ArticleFilter) {
          articles(first: $n, filter: $f) { totalCount } }";
        let variables = json!({ "n": 1, "f": { "categoryIn": ["é\u{1f389}\" \\ \u{2028}"] } });
        for (parameters, data) in [
            (json!({ "documentId": "count" }), json!({ "articles": { "totalCount": 0 } })),
            (
                json!({ "query": two, "operationName": "B", "variables": variables, "extensions": { "x": [1] } }),
                json!({ "articles": { "totalCount": 0 } }),
            ),
            (
                json!({ "query": two, "operationName": "A", "variables": null, "extensions": null }),
                json!({ "__typename": "Query" }),
            ),
        ] {
            let message = client.beginning("é\"", parameters.clone());
            client.say(message).await;
            assert_eq!(client.result("é\"").await, json!({ "data": data }), "{parameters}");
            client.completed("é\"").await;
        }
        let cost = client.beginning("c", json!({ "documentId": "count", "extensions": { "cost": true } }));
        client.say(cost).await;
        assert!(client.result("c").await["extensions"]["cost"]["found"].as_u64() > Some(0));
        client.completed("c").await;
    }
    app.stop().await;
}

#[tokio::test]
async fn what_is_refused_is_an_error_of_its_operation_alone() {
    let app = Builder::new().start().await;
    let nested = format!("{{ recommend(query: {}1{}) {{ score }} }}", "[".repeat(1_600), "]".repeat(1_600));
    for protocol in BOTH {
        let mut client = Client::connect(&app, protocol).await;
        for (parameters, code) in [
            (json!({ "query": "{ nothing }" }), "GRAPHQL_VALIDATION_FAILED"),
            (json!({ "query": "{ " }), "GRAPHQL_PARSE_FAILED"),
            (json!({ "query": "subscription { nothing }" }), "GRAPHQL_VALIDATION_FAILED"),
            (json!({ "query": nested }), "LIMIT_EXCEEDED"),
            (json!({ "documentId": "unknown" }), "PERSISTED_QUERY_NOT_FOUND"),
            (json!({}), "BAD_USER_INPUT"),
        ] {
            let message = client.beginning("x", parameters);
            client.say(message).await;
            assert_eq!(client.refusal("x").await["extensions"]["code"], code);
        }
        for number in 0..100 {
            client.begin(&format!("s{number}"), CHANGES).await;
        }
        // However many are too many, and whether their documents are right or not.
        for number in 100..400 {
            client.begin(&format!("s{number}"), if number % 2 == 0 { CHANGES } else { "{ " }).await;
        }
        for number in 100..400 {
            assert_eq!(client.refusal(&format!("s{number}")).await["extensions"]["code"], "OVERLOADED");
        }
        // One ends, so there is room for one.
        client.stop("s7").await;
        if protocol == &LEGACY_WS {
            client.completed("s7").await;
        }
        client.begin("q", "{ __typename }").await;
        client.result("q").await;
        client.completed("q").await;
    }
    app.stop().await;
}

#[tokio::test]
async fn a_client_that_misbehaves_is_told_why() {
    let app = Builder::new().set("SENTIO_API_KEYS", "secret").start().await;
    for protocol in BOTH {
        let init = json!({ "type": "connection_init" });
        let begin = |id: &str| json!({ "id": id, "type": protocol.begin, "payload": { "query": CHANGES } });
        let no_id = json!({ "type": protocol.begin, "payload": {} });
        let no_query = json!({ "id": "1", "type": protocol.begin, "payload": { "query": 5 } });
        let others = BOTH.iter().find(|other| *other != &protocol).unwrap().begin;
        let foreign = json!({ "id": "1", "type": others, "payload": { "query": CHANGES } });
        let wrong = json!({ "type": "connection_init", "payload": { "Authorization": "Bearer wrong" } });
        for (messages, code, reason) in [
            (vec![json!("x")], 4400, "Invalid message"),
            (vec![json!({})], 4400, "missing field `type`"),
            (vec![json!({ "type": "x".repeat(10_000) })], 4400, "unknown variant `xxx"),
            (vec![init.clone(), foreign], 4400, "unknown variant"),
            (vec![init.clone(), no_id], 4400, "missing field `id`"),
            (vec![init.clone(), no_query], 4400, "expected a string"),
            (vec![init.clone(), begin(&"é".repeat(129))], 4400, "the id is longer than 256 bytes"),
            (vec![begin("1")], 4401, "Unauthorized"),
            (vec![wrong], 4403, "Forbidden"),
            (vec![init.clone(), begin("1"), begin("1")], 4409, "Subscriber for 1 already exists"),
            (vec![init.clone(), init.clone()], 4429, "Too many initialisation requests"),
        ] {
            let mut client = Client::handshake(&app, protocol, &[]).await.unwrap();
            for message in &messages {
                client.say(message.clone()).await;
            }
            if messages[0] == init {
                assert_eq!(client.hear().await["type"], "connection_ack");
            }
            let (found, said) = client.rejected().await;
            assert_eq!(found, code, "{messages:?} {said}");
            assert!(said.contains(reason), "{said}");
        }
        for (message, reason) in
            [(Message::text("{\"type\":"), "EOF"), (Message::binary(vec![1]), "it is binary")]
        {
            let mut client = Client::handshake(&app, protocol, &[]).await.unwrap();
            client.socket.send(message).await.unwrap();
            let (code, said) = client.rejected().await;
            assert!(code == 4400 && said.contains(reason), "{said}");
        }
        // The longest id that may be.
        let mut client = Client::connect(&app, protocol).await;
        let id = "é".repeat(128);
        client.begin(&id, "{ __typename }").await;
        client.result(&id).await;
    }
    app.stop().await;
}

#[tokio::test]
async fn only_pages_that_may_call_can_connect() {
    let app = Builder::new()
        .set("SENTIO_ALLOWED_ORIGINS", "https://app.example")
        .set("SENTIO_API_KEYS", "secret")
        .start()
        .await;
    for protocol in BOTH {
        for (headers, status) in [
            (vec![("origin", "http://evil.example")], 403),
            (vec![("origin", "null")], 403),
            (vec![("authorization", "Bearer wrong")], 401),
            (vec![("host", "evil.example")], 403),
        ] {
            match Client::handshake(&app, protocol, &headers).await {
                Err(Error::Http(response)) => assert_eq!(response.status(), status, "{headers:?}"),
                other => panic!("{headers:?}: {:?}", other.err()),
            }
        }
        for origin in ["https://app.example", "http://localhost:5173", &app.url] {
            assert!(Client::handshake(&app, protocol, &[("origin", origin)]).await.is_ok(), "{origin}");
        }
        for payload in [
            json!(null),
            json!({ "Authorization": "Bearer secret" }),
            json!({ "authorization": "Bearer secret" }),
            json!({ "headers": { "Authorization": "Bearer secret" } }),
        ] {
            let mut client = Client::handshake(&app, protocol, &[]).await.unwrap();
            client.init(payload.clone()).await;
            client.begin("m", CREATE).await;
            if payload.is_null() {
                assert_eq!(client.refusal("m").await["extensions"]["code"], "UNAUTHENTICATED");
            } else {
                assert!(client.result("m").await["errors"].is_null(), "{payload}");
            }
        }
        let mut header =
            Client::handshake(&app, protocol, &[("authorization", "Bearer secret")]).await.unwrap();
        header.init(json!({})).await;
        header.begin("m", CREATE).await;
        assert!(header.result("m").await["errors"].is_null());
    }
    app.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_ends_subscriptions_and_finishes_what_runs() {
    for protocol in BOTH {
        let app = Builder::new().start().await;
        let mut idle = Client::connect(&app, protocol).await;
        let mut subscribed = Client::connect(&app, protocol).await;
        subscribed.begin("s", CHANGES).await;
        let mut writes = Client::connect(&app, protocol).await;
        // The mutation cannot be finished while somebody else writes.
        let transaction = app.app.db.transaction().await.unwrap();
        if app.is_postgres() {
            transaction.execute_unprepared("LOCK TABLE article").await.unwrap();
        }
        writes.begin("m", CREATE).await;
        // By the order of messages the operations before these have begun.
        for client in [&mut subscribed, &mut writes] {
            client.begin("q", "{ __typename }").await;
            client.result("q").await;
            client.completed("q").await;
        }
        app.begin_stop();
        assert_eq!(idle.closed().await.0, 1001);
        subscribed.completed("s").await;
        assert_eq!(subscribed.closed().await.0, 1001);
        // What comes now is not begun, and disturbs nothing.
        writes.begin("late", CREATE).await;
        transaction.rollback().await.unwrap();
        assert!(writes.result("m").await["data"]["createArticle"]["article"]["id"].is_string());
        writes.completed("m").await;
        assert_eq!(writes.closed().await.0, 1001);
        assert_eq!(app.count("SELECT COUNT(*) FROM article").await, 1);
        app.stop().await;
    }
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_missed() {
    for protocol in BOTH {
        let app = Builder::new().start().await;
        let article = app.create("Long", &"word ".repeat(180_000)).await;
        let mut slow = Client::connect(&app, protocol).await;
        app.until_told().await;
        slow.begin("a", CHANGES_WITH_CONTENT).await;
        app.until_heard().await;
        app.tell_updates(&article, UPDATES).await;
        let mut results: Vec<Value> = Vec::new();
        while results.last().is_none_or(|result| result["errors"].is_null()) {
            results.push(slow.result("a").await);
        }
        let missed = check_what_is_missed(&results);
        assert!((UPDATES - 1_024 - 200..UPDATES).contains(&missed), "{missed}");
        // It goes on with the next.
        assert_eq!(slow.result("a").await["data"]["articleChanged"]["kind"], "UPDATED");
        drop(slow);
        app.stop().await;
    }
}

#[tokio::test]
async fn an_operation_with_much_to_tell_does_not_hold_up_the_others() {
    for protocol in BOTH {
        let app = Builder::new().start().await;
        let article = app.create("Long", &"word ".repeat(20_000)).await;
        let mut client = Client::connect(&app, protocol).await;
        app.until_told().await;
        client.begin("much", CHANGES_WITH_CONTENT).await;
        app.until_heard().await;
        // Far more than the buffers of a connection hold.
        app.tell_updates(&article, 900).await;
        for number in 0..8 {
            client.begin(&format!("q{number}"), "{ __typename }").await;
        }
        let (mut before, mut answered) = (0, 0);
        while answered < 8 {
            match client.hear().await["id"].as_str() {
                Some("much") => before += 1,
                _ => answered += 1,
            }
        }
        assert!(before < 400, "{before} changes were told first");
        drop(client);
        app.stop().await;
    }
}
