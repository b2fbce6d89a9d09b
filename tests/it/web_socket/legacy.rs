//! The older WebSocket protocol, graphql-ws: what the newer one does not have.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::CHANGES;
use super::client::{ALIVE, Client, LEGACY_WS};
use crate::app::Builder;

#[tokio::test]
async fn the_acknowledgement_comes_first_and_then_that_the_connection_lives() {
    let app = Builder::new().start().await;
    let mut client = Client::handshake(&app, &LEGACY_WS, &[]).await.unwrap();
    // As its own client does, which does not wait.
    client.say(json!({ "type": "connection_init", "payload": {} })).await;
    client.begin("1", "{ __typename }").await;
    client.begin("2", "{ nothing }").await;
    assert_eq!(client.next().await, Message::text(r#"{"type":"connection_ack"}"#));
    assert_eq!(client.next().await, Message::text(ALIVE));
    let mut heard = [client.hear().await, client.hear().await, client.hear().await];
    heard.sort_by_key(|message| (message["id"].to_string(), message["type"] == "complete"));
    assert_eq!(heard[0]["payload"], json!({ "data": { "__typename": "Query" } }));
    assert_eq!(heard[1], json!({ "id": "1", "type": "complete" }));
    assert_eq!((&heard[2]["id"], &heard[2]["type"]), (&json!("2"), &json!("error")));
    app.stop().await;
}

#[tokio::test]
async fn an_operation_that_was_refused_has_no_other_end() {
    let app = Builder::new().start().await;
    let mut client = Client::connect(&app, &LEGACY_WS).await;
    client.begin("s", CHANGES).await;
    for number in 0..50 {
        let id = number.to_string();
        client.begin(&id, "{ nothing also }").await;
        let error = client.refusal(&id).await;
        assert!(error["message"].is_string() && error["locations"].is_array(), "{error}");
        // The next message of all is of this query.
        client.begin(&id, "{ __typename }").await;
        client.result(&id).await;
        client.completed(&id).await;
    }
    app.stop().await;
}

#[tokio::test]
async fn a_client_that_takes_its_leave_is_let_go() {
    let app = Builder::new().start().await;
    let mut client = Client::connect(&app, &LEGACY_WS).await;
    client.begin("s", CHANGES).await;
    client.say(json!({ "type": "connection_terminate", "payload": null })).await;
    assert_eq!(client.closed().await.0, 1000);
    app.stop().await;
}

#[tokio::test]
async fn the_words_of_the_newer_protocol_are_not_its_own() {
    let app = Builder::new().start().await;
    for word in ["ping", "pong", "complete", "subscribe", "ka", "data"] {
        let mut client = Client::connect(&app, &LEGACY_WS).await;
        client.say(json!({ "id": "1", "type": word, "payload": { "query": CHANGES } })).await;
        assert_eq!(client.rejected().await.0, 4400, "{word}");
    }
    app.stop().await;
}
