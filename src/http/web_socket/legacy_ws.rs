//! The older protocol, `graphql-ws` of the package subscriptions-transport-ws,
//! <https://github.com/apollographql/subscriptions-transport-ws/blob/master/PROTOCOL.md>.
//!
//! async-graphql-axum speaks it, between two halves of ours that it cannot tell from a client: what the client says is checked
//! before the crate reads it, and what the crate says is completed before the client does.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_graphql::{Data, Request, Response, ServerError};
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::extract::ws::{Message, close_code};
use futures::stream::{self, BoxStream};
use futures::{Sink, StreamExt, future, sink};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::halves::{Incoming, Outgoing};
use super::session::{End, SendBuffer, Session, close, parsed, written};
use crate::document::JsonObject;
use crate::graphql::{Answer, Held, Parameters, RequestError};

/// The protocol's name in handshakes.
pub const SUBPROTOCOL: &str = "graphql-ws";
/// Tells the client that the connection lives.
const KEEP_ALIVE: &str = r#"{"type":"ka"}"#;
/// How often it is told. A client that has heard so once waits 10 to 30 s for the next time.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(8);

/// What the client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", expecting = "an object with a type")]
enum ClientMessage {
    ConnectionInit { payload: Option<JsonObject> },
    Start { id: String, payload: Box<Parameters> },
    Stop { id: String },
    ConnectionTerminate {},
}

/// An operation was refused. By the protocol the payload is one error; some clients look for all of them, as in a response.
fn refused(id: &str, errors: &[ServerError]) -> Result<Message, End> {
    #[derive(Serialize)]
    struct Payload<'a> {
        #[serde(flatten)]
        first: Option<&'a ServerError>,
        errors: &'a [ServerError],
    }
    let payload = Payload { first: errors.first(), errors };
    written(&json!({ "type": "error", "id": id, "payload": payload }))
}

/// Speaks with a client until either side has had enough.
pub async fn speak(
    protocol: GraphQLProtocol,
    session: Session,
    incoming: &mut Incoming,
    outgoing: &Outgoing,
) -> End {
    let operations = Operations::new(session.send_buffer());
    let acknowledged = Notify::new();
    let mut end = End::Gone;
    let client = Client { session, incoming, outgoing, operations: operations.clone() };
    // Boxed, or the compiler does not see that they may go from thread to thread.
    let said: BoxStream<'_, _> =
        Box::pin(stream::unfold((client, &mut end), |(mut client, end)| async move {
            match client.next().await {
                Ok(message) => Some((Ok(message), (client, end))),
                Err(reason) => {
                    *end = reason;
                    None
                }
            }
        }));
    let server = Server { outgoing, operations: operations.clone(), acknowledged: Some(&acknowledged) };
    let told: Pin<Box<dyn Sink<Message, Error = End> + Send + '_>> =
        Box::pin(sink::unfold(server, Server::tell));
    let spoken = GraphQLWebSocket::new_with_pair(told, said, operations, protocol).serve();
    tokio::select! {
        () = spoken => {}
        end = keep_alive(outgoing, &acknowledged, KEEP_ALIVE_EVERY) => return end,
    }
    // The protocol has no codes.
    if let End::Close(4000.., reason) = &end {
        let error = json!({ "type": "connection_error", "payload": { "message": reason } });
        // If it cannot be sent, the client is gone.
        let _ = outgoing.send(Message::text(error.to_string())).await;
    }
    end
}

async fn keep_alive<S>(outgoing: &Outgoing<S>, acknowledged: &Notify, every: Duration) -> End
where
    S: Sink<Message> + Unpin,
{
    acknowledged.notified().await;
    loop {
        sleep(every).await;
        if let Err(end) = outgoing.send(Message::text(KEEP_ALIVE)).await {
            return end;
        }
    }
}

/// The half that the crate reads.
struct Client<'a> {
    session: Session,
    incoming: &'a mut Incoming,
    outgoing: &'a Outgoing,
    operations: Operations,
}

impl Client<'_> {
    /// The next message that the crate may have.
    async fn next(&mut self) -> Result<Message, End> {
        loop {
            let text = self.incoming.next(self.session.is_initialised()).await?;
            return match parsed(&text)? {
                ClientMessage::ConnectionInit { payload } => {
                    self.session.initialise(payload.as_ref())?;
                    written(&json!({ "type": "connection_init" }))
                }
                ClientMessage::Start { id, payload } => {
                    self.session.check(&id, self.operations.contains(&id))?;
                    if let Err(error) = self.begin(&id, *payload) {
                        let errors = error.to_response().errors;
                        self.outgoing.send(refused(&id, &errors)?).await?;
                        continue;
                    }
                    // The query is the id: requests of the crate have no `documentId`, and our executor has the operation already.
                    written(&json!({ "type": "start", "id": id, "payload": { "query": id } }))
                }
                ClientMessage::Stop { id } => written(&json!({ "type": "stop", "id": id })),
                ClientMessage::ConnectionTerminate {} => Err(close(close_code::NORMAL, "")),
            };
        }
    }

    fn begin(&self, id: &str, parameters: Parameters) -> Result<(), RequestError> {
        let mut operations = self.operations.lock();
        let results = self.session.begin(parameters, operations.running.len())?;
        operations.running.insert(id.to_owned(), Some(results.boxed()));
        Ok(())
    }
}

/// The half that the crate writes.
struct Server<'a> {
    outgoing: &'a Outgoing,
    operations: Operations,
    /// To be told of the acknowledgement.
    acknowledged: Option<&'a Notify>,
}

impl Server<'_> {
    async fn tell(mut self, message: Message) -> Result<Self, End> {
        // An operation that was refused ends with its errors. The crate knows only that it ended.
        let refused = self.operations.lock().refused.take();
        let held = std::mem::take(&mut self.operations.lock().held);
        self.outgoing.send(refused.unwrap_or(message)).await?;
        drop(held);
        // The crate's first message is the acknowledgement: nothing begins before.
        if let Some(acknowledged) = self.acknowledged.take() {
            self.outgoing.send(Message::text(KEEP_ALIVE)).await?;
            acknowledged.notify_one();
        }
        Ok(self)
    }
}

type Results = BoxStream<'static, Result<Answer, RequestError>>;

/// The operations of a connection, and their executor.
#[derive(Clone)]
struct Operations(Arc<Mutex<Inner>>);

struct Inner {
    buffer: SendBuffer,
    /// By the client's id, with what the crate has not taken yet.
    running: HashMap<String, Option<Results>>,
    /// Stands for the crate's next message, by which an operation ends.
    refused: Option<Message>,
    /// The memory of the results that the crate has and has not written yet.
    held: Vec<Held>,
}

impl Operations {
    fn new(buffer: SendBuffer) -> Self {
        let inner = Inner { buffer, running: HashMap::new(), refused: None, held: Vec::new() };
        Self(Arc::new(Mutex::new(inner)))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn contains(&self, id: &str) -> bool {
        self.lock().running.contains_key(id)
    }

    fn take(&self, id: &str) -> Option<Results> {
        self.lock().running.get_mut(id)?.take()
    }
}

impl async_graphql::Executor for Operations {
    /// The crate calls the other.
    async fn execute(&self, request: Request) -> Response {
        self.execute_stream(request, None).next().await.unwrap_or_default()
    }

    fn execute_stream(&self, request: Request, _: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let id = request.query;
        let Some(results) = self.take(&id) else { return stream::empty().boxed() };
        let running = Running { id, operations: self.clone() };
        // The crate asks its operations for results always in the same order: one that has many would have the others wait.
        let results = results.then(|result| async {
            tokio::task::yield_now().await;
            result
        });
        results.scan(running, |running, result| future::ready(running.response(result))).boxed()
    }
}

/// An operation that the crate has; its id is free again when it is dropped.
struct Running {
    id: String,
    operations: Operations,
}

impl Running {
    /// What the crate tells of a result; nothing of a request that was refused, which ends the operation.
    fn response(&self, result: Result<Answer, RequestError>) -> Option<Response> {
        let errors = match result {
            Ok(answer) if answer.was_executed => {
                let mut operations = self.operations.lock();
                match operations.buffer.keep_room_for(&answer) {
                    Ok(()) => {
                        let (response, held) = answer.into_parts();
                        operations.held.push(held);
                        return Some(response);
                    }
                    Err(error) => error.to_response().errors,
                }
            }
            Ok(answer) => answer.response.errors,
            Err(error) => error.to_response().errors,
        };
        self.operations.lock().refused = refused(&self.id, &errors).ok();
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.operations.lock().running.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;

    use super::*;
    use crate::http::web_socket::halves::Times;

    #[tokio::test]
    async fn a_client_is_told_that_the_connection_lives_once_it_is_acknowledged() {
        let (sink, mut messages) = mpsc::channel(0);
        let outgoing = Outgoing::new(sink, Times::default());
        let acknowledged = Notify::new();
        let early = keep_alive(&outgoing, &acknowledged, Duration::from_millis(1));
        assert!(tokio::time::timeout(Duration::from_millis(50), early).await.is_err());
        assert!(messages.try_recv().is_err());

        acknowledged.notify_one();
        let reads = async {
            for _ in 0..3 {
                let Some(Message::Text(text)) = messages.next().await else { panic!("a text") };
                assert_eq!(text, KEEP_ALIVE);
            }
        };
        tokio::select! {
            _ = keep_alive(&outgoing, &acknowledged, Duration::from_millis(1)) => panic!("the client reads"),
            () = reads => {}
        }
    }
}
