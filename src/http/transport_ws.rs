//! The protocol graphql-transport-ws on one WebSocket.
//!
//! One task reads, executes and writes. While the client does not read, nothing is taken from its subscriptions either, so
//! nothing piles up here; what it misses of changes it is told when it reads on.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures::stream::{AbortHandle, BoxStream, SelectAll, SplitSink, abortable, once};
use futures::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};

use super::HttpState;
use crate::auth::Viewer;
use crate::document::JsonObject;
use crate::graphql::{Answer, Operation, Parameters, RequestError, ResponseBody};

/// How long a client may take to introduce itself.
const INIT_MAX: Duration = Duration::from_secs(10);
/// How often a silent client is asked whether it lives.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How long a client may be silent: no answer to two pings.
const SILENCE_MAX: Duration = Duration::from_secs(50);
/// How long a client may take to read a message.
const SEND_MAX: Duration = Duration::from_secs(60);
/// How long a client may take to answer a close.
const CLOSE_MAX: Duration = Duration::from_secs(1);
/// Most bytes of the name that a client gives an operation.
const ID_MAX_BYTES: usize = 256;
/// Most operations of one connection at a time.
const OPERATIONS_MAX: usize = 100;

/// What the client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
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
    Next {
        id: &'a str,
        payload: ResponseBody<'a>,
    },
    Error {
        id: &'a str,
        payload: &'a [async_graphql::ServerError],
    },
    Complete {
        id: &'a str,
    },
}

/// Why a connection ends.
enum End {
    /// The client left, or can no longer be reached.
    Gone,
    /// The server closes it, with a code of the protocol.
    Close(u16, String),
}

/// A result of an operation, or its end.
type Event = (String, Option<Result<Answer, RequestError>>);

/// What a connection works with.
pub struct Session {
    state: HttpState,
    viewer: Viewer,
    acknowledged: bool,
    /// The operations that are running, by the client's id.
    running: HashMap<String, AbortHandle>,
}

impl Session {
    /// Of a client whose handshake was that of `viewer`.
    pub fn new(state: HttpState, viewer: Viewer) -> Self {
        Self { state, viewer, acknowledged: false, running: HashMap::new() }
    }
}

struct Connection {
    session: Session,
    sink: SplitSink<WebSocket, Message>,
    events: SelectAll<BoxStream<'static, Event>>,
}

/// Serves a client until it leaves, misbehaves or the server stops.
pub async fn serve(socket: WebSocket, session: Session) {
    let (sink, mut source) = socket.split();
    let mut connection = Connection { session, sink, events: SelectAll::new() };
    let stop = connection.session.state.stop.clone();
    let started = Instant::now();
    let mut heard = started;
    let mut pings = tokio::time::interval_at(started + PING_EVERY, PING_EVERY);
    let end = loop {
        let stops = stop.is_cancelled();
        // What runs is finished; subscriptions end by themselves.
        if stops && connection.session.running.is_empty() {
            break server_stops();
        }
        let step = tokio::select! {
            message = source.next() => match message {
                Some(Ok(message)) => {
                    heard = Instant::now();
                    connection.receive(message).await
                }
                Some(Err(error)) => Err(unreadable(error)),
                None => Err(End::Gone),
            },
            Some(event) = connection.events.next() => connection.tell(event).await,
            _ = pings.tick() => {
                if heard.elapsed() > SILENCE_MAX {
                    Err(End::Gone)
                } else {
                    connection.send(Message::Ping(axum::body::Bytes::new())).await
                }
            }
            () = tokio::time::sleep_until(started + INIT_MAX), if !connection.session.acknowledged => {
                Err(close(4408, "Connection initialisation timeout"))
            }
            () = stop.cancelled(), if !stops => Ok(()),
        };
        if let Err(end) = step {
            break end;
        }
    };
    if let End::Close(code, reason) = end {
        let frame = CloseFrame { code, reason: reason.into() };
        // If it cannot be sent, the client is gone.
        let _ = connection.send(Message::Close(Some(frame))).await;
    }
    // A close is answered with a close, by either side.
    let _ = timeout(CLOSE_MAX, async { while let Some(Ok(_)) = source.next().await {} }).await;
}

fn close(code: u16, reason: impl Into<String>) -> End {
    End::Close(code, reason.into())
}

/// The codes of RFC 6455, section 7.4.1, for what cannot be read.
fn unreadable(error: axum::Error) -> End {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Protocol(error)) => {
            close(close_code::PROTOCOL, shortened(error.to_string()))
        }
        Some(tungstenite::Error::Utf8(_)) => close(close_code::INVALID, "Invalid message: it is no UTF-8"),
        Some(tungstenite::Error::Capacity(_)) => close(close_code::SIZE, "the message is too large"),
        _ => End::Gone,
    }
}

fn server_stops() -> End {
    close(close_code::AWAY, "the server stops")
}

impl Connection {
    async fn receive(&mut self, message: Message) -> Result<(), End> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(close(4400, "Invalid message: it is binary")),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(End::Gone),
        };
        let message = serde_json::from_str(&text).map_err(|error| close(4400, invalid(&error)))?;
        match message {
            ClientMessage::ConnectionInit { payload } => self.init(payload.as_ref()).await,
            ClientMessage::Ping { payload } => self.say(&ServerMessage::Pong { payload }).await,
            ClientMessage::Pong {} => Ok(()),
            ClientMessage::Subscribe { id, payload } => self.subscribe(id, *payload).await,
            ClientMessage::Complete { id } => {
                if let Some(operation) = self.session.running.remove(&id) {
                    operation.abort();
                }
                Ok(())
            }
        }
    }

    async fn init(&mut self, payload: Option<&JsonObject>) -> Result<(), End> {
        if self.session.acknowledged {
            return Err(close(4429, "Too many initialisation requests"));
        }
        if let Some(authorization) = payload.and_then(authorization) {
            let credential = self.session.state.authenticator.credential(authorization.as_bytes());
            if let Some(viewer) = credential.map_err(|_| close(4403, "Forbidden"))? {
                self.session.viewer = viewer;
            }
        }
        self.session.acknowledged = true;
        self.say(&ServerMessage::ConnectionAck).await
    }

    async fn subscribe(&mut self, id: String, parameters: Parameters) -> Result<(), End> {
        if !self.session.acknowledged {
            return Err(close(4401, "Unauthorized"));
        }
        if self.session.running.contains_key(&id) {
            return Err(close(4409, shortened(format!("Subscriber for {id} already exists"))));
        }
        if self.session.state.stop.is_cancelled() {
            return Err(server_stops());
        }
        if id.len() > ID_MAX_BYTES {
            return Err(close(4400, format!("Invalid message: the id is longer than {ID_MAX_BYTES} bytes")));
        }
        let running = self.session.running.len();
        if running >= OPERATIONS_MAX {
            let error = RequestError::Overloaded { what: "operations of this connection", running };
            return self.tell((id, Some(Err(error)))).await;
        }
        let state = self.session.state.clone();
        let viewer = self.session.viewer;
        let results = once(async move {
            match Operation::prepare(&state.executor, viewer, parameters).await {
                Ok(operation) => state.executor.results(operation),
                Err(error) => once(async { Err(error) }).boxed(),
            }
        })
        .flatten();
        let named = id.clone();
        let events = results.map(Some).chain(once(async { None })).map(move |event| (named.clone(), event));
        let (events, handle) = abortable(events);
        self.session.running.insert(id, handle);
        self.events.push(events.boxed());
        Ok(())
    }

    /// Tells the client of an event of an operation.
    async fn tell(&mut self, (id, event): Event) -> Result<(), End> {
        let refused = match event {
            Some(Ok(answer)) if answer.was_executed => {
                return self.say(&ServerMessage::Next { id: &id, payload: (&answer.response).into() }).await;
            }
            Some(Ok(answer)) => answer.response,
            Some(Err(error)) => error.to_response(),
            None => {
                self.session.running.remove(&id);
                return self.say(&ServerMessage::Complete { id: &id }).await;
            }
        };
        // An error ends the operation.
        if let Some(operation) = self.session.running.remove(&id) {
            operation.abort();
        }
        self.say(&ServerMessage::Error { id: &id, payload: &refused.errors }).await
    }

    async fn say(&mut self, message: &ServerMessage<'_>) -> Result<(), End> {
        match serde_json::to_string(message) {
            Ok(text) => self.send(Message::Text(text.into())).await,
            Err(error) => {
                tracing::error!(%error, "http.message_not_serialised");
                Err(close(4500, "Internal server error"))
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(SEND_MAX, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

/// The credential in the parameters of a connection, where browsers cannot set headers: `Authorization` itself, or below
/// `headers`.
fn authorization(payload: &JsonObject) -> Option<&str> {
    let headers = payload.get("headers").and_then(serde_json::Value::as_object);
    let mut entries = payload.iter().chain(headers.into_iter().flatten());
    entries.find(|(name, _)| name.eq_ignore_ascii_case("authorization")).and_then(|(_, value)| value.as_str())
}

fn invalid(error: &serde_json::Error) -> String {
    shortened(format!("Invalid message: {error}"))
}

/// The reason of a close has at most 123 bytes.
fn shortened(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(123));
    reason
}
