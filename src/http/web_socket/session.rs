//! What holds on a WebSocket in either protocol: who asks, how much at a time, and how it ends.
//!
//! One task reads, executes and writes. While the client does not read, nothing is taken from its subscriptions either, so
//! nothing piles up here; what it misses of changes it is told when it reads on.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures::stream::once;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::HttpState;
use super::Subprotocol;
use super::halves::{Incoming, Outgoing, Times};
use super::{legacy_ws, transport_ws};
use crate::auth::Viewer;
use crate::document::JsonObject;
use crate::graphql::{Answer, Held, Operation, Parameters, RequestError};

/// How long a client may take to answer a close.
const CLOSE_MAX: Duration = Duration::from_secs(1);
/// Most bytes of the name that a client gives an operation.
const ID_MAX_BYTES: usize = 256;
/// Most operations of one connection at a time.
const OPERATIONS_MAX: usize = 100;

/// Why a connection ends.
#[derive(Debug)]
pub enum End {
    /// The client left, or can no longer be reached.
    Gone,
    /// The server closes it, with a code and a reason.
    Close(u16, String),
}

/// The end with a code.
pub fn close(code: u16, reason: impl Into<String>) -> End {
    End::Close(code, reason.into())
}

/// The reason of a close has at most 123 bytes.
pub fn shortened(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(123));
    reason
}

/// Reads a message.
pub fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, End> {
    serde_json::from_str(text).map_err(|error| close(4400, shortened(format!("Invalid message: {error}"))))
}

/// Writes a message.
pub fn written(message: &impl Serialize) -> Result<Message, End> {
    match serde_json::to_string(message) {
        Ok(text) => Ok(Message::Text(text.into())),
        Err(error) => {
            tracing::error!(%error, "http.message_not_serialised");
            Err(close(4500, "Internal server error"))
        }
    }
}

/// Serves a client until it leaves, misbehaves or the server stops.
pub async fn serve(socket: WebSocket, subprotocol: Subprotocol, session: Session) {
    let (sink, source) = socket.split();
    let times = Times::default();
    let stop = session.state.stop.clone();
    let outgoing = Outgoing::new(sink, times);
    let mut incoming = Incoming::new(source, times, stop.clone());
    let stopped = stopped(stop, session.operations.clone());
    let spoken = async {
        match subprotocol {
            Subprotocol::TransportWs => transport_ws::speak(session, &mut incoming, &outgoing).await,
            Subprotocol::LegacyWs(protocol) => {
                // Much larger than the other.
                Box::pin(legacy_ws::speak(protocol, session, &mut incoming, &outgoing)).await
            }
        }
    };
    let end = tokio::select! {
        // What was finished is told before the connection is closed.
        biased;
        end = spoken => end,
        end = stopped => end,
        end = outgoing.ping() => end,
    };
    if let End::Close(code, reason) = end {
        let frame = CloseFrame { code, reason: reason.into() };
        // If it cannot be sent, the client is gone.
        let _ = outgoing.send(Message::Close(Some(frame))).await;
    }
    // A close is answered with a close, by either side.
    let _ = timeout(CLOSE_MAX, incoming.drain()).await;
}

/// Returns when the server stops and what was running is finished. Subscriptions end by themselves.
async fn stopped(stop: CancellationToken, operations: TaskTracker) -> End {
    stop.cancelled().await;
    operations.close();
    operations.wait().await;
    close(close_code::AWAY, "the server stops")
}

/// The client of a connection.
pub struct Session {
    state: Arc<HttpState>,
    viewer: Viewer,
    initialised: bool,
    /// Those that run.
    operations: TaskTracker,
}

/// The memory of the buffer that results are sent from: it stays as large as the largest.
pub struct SendBuffer(Held);

impl SendBuffer {
    /// Makes room for a result.
    pub fn keep_room_for(&mut self, answer: &Answer) -> Result<(), RequestError> {
        let larger = answer.json_bytes() > self.0.bytes();
        if larger { self.0.resize(answer.json_bytes()).map_err(RequestError::from) } else { Ok(()) }
    }
}

impl Session {
    /// Of a client whose handshake was that of `viewer`.
    pub fn new(state: Arc<HttpState>, viewer: Viewer) -> Self {
        Self { state, viewer, initialised: false, operations: TaskTracker::new() }
    }

    /// The buffer of the connection, empty.
    pub fn send_buffer(&self) -> SendBuffer {
        SendBuffer(self.state.executor.hold_nothing())
    }

    /// Whether the client has introduced itself.
    pub fn is_initialised(&self) -> bool {
        self.initialised
    }

    /// Takes the client's introduction: a key in it stands for one in the handshake.
    pub fn initialise(&mut self, payload: Option<&JsonObject>) -> Result<(), End> {
        if self.initialised {
            return Err(close(4429, "Too many initialisation requests"));
        }
        if let Some(authorization) = payload.and_then(authorization) {
            let credential = self.state.authenticator.credential(authorization.as_bytes());
            if let Some(viewer) = credential.map_err(|_| close(4403, "Forbidden"))? {
                self.viewer = viewer;
            }
        }
        self.initialised = true;
        Ok(())
    }

    /// Whether the client may begin an operation with this id, which is in use or not.
    pub fn check(&self, id: &str, in_use: bool) -> Result<(), End> {
        if !self.initialised {
            return Err(close(4401, "Unauthorized"));
        }
        if in_use {
            return Err(close(4409, shortened(format!("Subscriber for {id} already exists"))));
        }
        if id.len() > ID_MAX_BYTES {
            return Err(close(4400, format!("Invalid message: the id is longer than {ID_MAX_BYTES} bytes")));
        }
        Ok(())
    }

    /// The results of an operation beside others that are running.
    pub fn begin(
        &self,
        parameters: Parameters,
        running: usize,
    ) -> Result<impl Stream<Item = Result<Answer, RequestError>> + Send + use<>, RequestError> {
        if running >= OPERATIONS_MAX {
            return Err(RequestError::Overloaded { what: "operations of this connection", running });
        }
        let (state, viewer, token) = (Arc::clone(&self.state), self.viewer, self.operations.token());
        let results = once(async move {
            match Operation::prepare(&state.executor, viewer, parameters).await {
                Ok(operation) => state.executor.results(operation),
                Err(error) => once(async { Err(error) }).boxed(),
            }
        });
        Ok(results.flatten().map(move |result| {
            let _running = &token;
            result
        }))
    }
}

/// The credential in the parameters of a connection, where browsers cannot set headers: `Authorization` itself, or below
/// `headers`.
fn authorization(payload: &JsonObject) -> Option<&str> {
    let headers = payload.get("headers").and_then(serde_json::Value::as_object);
    let mut entries = payload.iter().chain(headers.into_iter().flatten());
    entries.find(|(name, _)| name.eq_ignore_ascii_case("authorization")).and_then(|(_, value)| value.as_str())
}
