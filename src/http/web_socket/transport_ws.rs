//! The protocol `graphql-transport-ws`, <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.

use std::collections::HashMap;

use axum::extract::ws::{Message, Utf8Bytes};
use futures::StreamExt;
use futures::stream::{AbortHandle, BoxStream, SelectAll, abortable, once};
use serde::{Deserialize, Serialize};

use super::super::response_text::response_text;
use super::halves::{Incoming, Outgoing};
use super::session::{End, SendBuffer, Session, close, parsed, written};
use crate::document::JsonObject;
use crate::graphql::{Answer, Parameters, RequestError};

/// The protocol's name in handshakes.
pub const SUBPROTOCOL: &str = "graphql-transport-ws";

/// What the client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", expecting = "an object with a type")]
enum ClientMessage {
    ConnectionInit { payload: Option<JsonObject> },
    Ping { payload: Option<JsonObject> },
    Pong {},
    Subscribe { id: String, payload: Box<Parameters> },
    Complete { id: String },
}

/// What the server says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ServerMessage<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<JsonObject>,
    },
    Error {
        id: &'a str,
        payload: &'a [async_graphql::ServerError],
    },
    Complete {
        id: &'a str,
    },
}

/// A result of an operation, or its end.
type Event = (String, Option<Result<Answer, RequestError>>);

struct Connection<'a> {
    session: Session,
    outgoing: &'a Outgoing,
    buffer: SendBuffer,
    /// The operations that are running, by the client's id.
    running: HashMap<String, AbortHandle>,
    events: SelectAll<BoxStream<'static, Event>>,
}

/// Speaks with a client until either side has had enough.
pub async fn speak(session: Session, incoming: &mut Incoming, outgoing: &Outgoing) -> End {
    let buffer = session.send_buffer();
    let (running, events) = (HashMap::new(), SelectAll::new());
    let mut connection = Connection { session, outgoing, buffer, running, events };
    loop {
        let step = tokio::select! {
            text = incoming.next(connection.session.is_initialised()) => match text {
                Ok(text) => connection.receive(&text).await,
                Err(end) => Err(end),
            },
            Some(event) = connection.events.next() => connection.tell(event).await,
        };
        if let Err(end) = step {
            return end;
        }
    }
}

impl Connection<'_> {
    async fn receive(&mut self, text: &str) -> Result<(), End> {
        match parsed(text)? {
            ClientMessage::ConnectionInit { payload } => {
                self.session.initialise(payload.as_ref())?;
                self.say(&ServerMessage::ConnectionAck).await
            }
            ClientMessage::Ping { payload } => self.say(&ServerMessage::Pong { payload }).await,
            ClientMessage::Pong {} => Ok(()),
            ClientMessage::Subscribe { id, payload } => self.subscribe(id, *payload).await,
            ClientMessage::Complete { id } => {
                if let Some(operation) = self.running.remove(&id) {
                    operation.abort();
                }
                Ok(())
            }
        }
    }

    async fn subscribe(&mut self, id: String, parameters: Parameters) -> Result<(), End> {
        self.session.check(&id, self.running.contains_key(&id))?;
        let results = match self.session.begin(parameters, self.running.len()) {
            Ok(results) => results,
            Err(error) => return self.tell((id, Some(Err(error)))).await,
        };
        let named = id.clone();
        let events = results.map(Some).chain(once(async { None })).map(move |event| (named.clone(), event));
        let (events, handle) = abortable(events);
        self.running.insert(id, handle);
        self.events.push(events.boxed());
        Ok(())
    }

    /// Tells the client of an event of an operation.
    async fn tell(&mut self, (id, event): Event) -> Result<(), End> {
        let refused = match event {
            Some(Ok(answer)) if answer.was_executed => match self.buffer.keep_room_for(&answer) {
                Ok(()) => return self.send_result(&id, answer).await,
                Err(error) => error.to_response(),
            },
            Some(Ok(answer)) => answer.response,
            Some(Err(error)) => error.to_response(),
            None => {
                self.running.remove(&id);
                return self.say(&ServerMessage::Complete { id: &id }).await;
            }
        };
        // An error ends the operation.
        if let Some(operation) = self.running.remove(&id) {
            operation.abort();
        }
        self.say(&ServerMessage::Error { id: &id, payload: &refused.errors }).await
    }

    async fn send_result(&mut self, id: &str, answer: Answer) -> Result<(), End> {
        let before = format!(r#"{{"type":"next","id":{},"payload":"#, serde_json::Value::from(id));
        match response_text(answer, &before, "}").await.map(Utf8Bytes::try_from) {
            Ok(Ok(text)) => self.outgoing.send(Message::Text(text)).await,
            _ => {
                tracing::error!("http.result_not_serialised");
                Err(close(4500, "Internal server error"))
            }
        }
    }

    async fn say(&mut self, message: &ServerMessage<'_>) -> Result<(), End> {
        self.outgoing.send(written(message)?).await
    }
}
