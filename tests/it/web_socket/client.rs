//! A client of GraphQL over WebSocket that says what it is told to, in either protocol.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::app::TestApp;

/// The words of a protocol.
#[derive(Debug, Eq, PartialEq)]
pub struct Protocol {
    pub name: &'static str,
    pub begin: &'static str,
    result: &'static str,
    stop: &'static str,
}

pub static TRANSPORT_WS: Protocol =
    Protocol { name: "graphql-transport-ws", begin: "subscribe", result: "next", stop: "complete" };
pub static LEGACY_WS: Protocol =
    Protocol { name: "graphql-ws", begin: "start", result: "data", stop: "stop" };
pub static BOTH: [&Protocol; 2] = [&TRANSPORT_WS, &LEGACY_WS];

/// What the older protocol says now and then.
pub const ALIVE: &str = r#"{"type":"ka"}"#;

pub struct Client {
    protocol: &'static Protocol,
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    /// The handshake, with headers besides.
    pub async fn handshake(
        app: &TestApp,
        protocol: &'static Protocol,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let url = format!("{}/graphql", app.url.replace("http://", "ws://"));
        let mut request = url.into_client_request().unwrap();
        for (name, value) in [("sec-websocket-protocol", protocol.name)].iter().chain(headers) {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, response) = tokio_tungstenite::connect_async(request).await?;
        assert_eq!(response.headers()["sec-websocket-protocol"], protocol.name);
        Ok(Self { protocol, socket })
    }

    pub async fn connect(app: &TestApp, protocol: &'static Protocol) -> Self {
        let mut client = Self::handshake(app, protocol, &[]).await.unwrap();
        client.init(json!({})).await;
        client
    }

    /// Introduces the client and hears that it may begin.
    pub async fn init(&mut self, payload: Value) {
        self.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(self.hear().await, json!({ "type": "connection_ack" }));
    }

    pub async fn say(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The message that begins an operation.
    pub fn beginning(&self, id: &str, parameters: Value) -> Value {
        json!({ "id": id, "type": self.protocol.begin, "payload": parameters })
    }

    pub async fn begin(&mut self, id: &str, document: &str) {
        let message = self.beginning(id, json!({ "query": document }));
        self.say(message).await;
    }

    pub async fn stop(&mut self, id: &str) {
        self.say(json!({ "id": id, "type": self.protocol.stop })).await;
    }

    /// The next message that says more than that the connection lives.
    pub async fn hear(&mut self) -> Value {
        loop {
            match self.next().await {
                Message::Text(text) if text.as_str() == ALIVE => {}
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                other => panic!("a message, not {other:?}"),
            }
        }
    }

    /// The next message, which is a result of the operation; returns the response.
    pub async fn result(&mut self, id: &str) -> Value {
        let mut message = self.hear().await;
        let (kind, whose) = (&message["type"], &message["id"]);
        assert_eq!((kind, whose), (&json!(self.protocol.result), &json!(id)), "{message}");
        message["payload"].take()
    }

    /// Hears that the operation is complete.
    pub async fn completed(&mut self, id: &str) {
        assert_eq!(self.hear().await, json!({ "id": id, "type": "complete" }));
    }

    /// The next message, by which the operation is refused; returns the first error.
    pub async fn refusal(&mut self, id: &str) -> Value {
        let mut message = self.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!(id)), "{message}");
        if self.protocol == &TRANSPORT_WS {
            return message["payload"][0].take();
        }
        let mut error = message["payload"].take();
        let all = error.as_object_mut().unwrap().remove("errors").unwrap();
        assert_eq!(all[0], error);
        error
    }

    /// The next of what is heard above the frames' own pings.
    pub async fn next(&mut self) -> Message {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), self.socket.next()).await;
            match next.expect("a message within 20 s").expect("the connection lives").unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                other => return other,
            }
        }
    }

    /// The code and the reason that the server closes with, as the next that it says.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Message::Close(Some(frame)) => return (frame.code.into(), frame.reason.to_string()),
                Message::Text(text) if text.as_str() == ALIVE => {}
                other => panic!("a close, not {other:?}"),
            }
        }
    }

    /// The same where the client is at fault: the older protocol, which has no codes, says the reason before.
    pub async fn rejected(&mut self) -> (u16, String) {
        if self.protocol == &TRANSPORT_WS {
            return self.closed().await;
        }
        let error = self.hear().await;
        let (code, reason) = self.closed().await;
        assert_eq!(error, json!({ "type": "connection_error", "payload": { "message": reason } }));
        (code, reason)
    }
}
