//! Executes operations, a limited number of them at a time and each for a limited time.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, ServerError, Value};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use super::documents::Documents;
use super::limits::cost_extension;
use super::operation::Operation;
use super::request_error::RequestError;
use super::responses::{
    Closed, Held, LARGE_BYTES, NoMemory, Refused, ResponseBudget, ResponseRefusal, Responses,
};
use super::{Schema, prepared};
use crate::db::Database;

/// Most queries and mutations that are executed at a time. Each waits for SQL, the model or the index most of the time; more
/// would wait longer than their clients do.
const EXECUTIONS_MAX: usize = 512;
/// Most subscriptions of all clients at a time.
pub const SUBSCRIPTIONS_MAX: usize = 2_000;

/// The header that names an execution, as its log lines and its internal errors do.
const REQUEST_ID: &str = "x-request-id";

/// Executes the operations of all transports. A cheap handle.
#[derive(Clone)]
pub struct Executor {
    schema: Schema,
    documents: Documents,
    db: Database,
    time_limit: Duration,
    executions: Arc<Semaphore>,
    subscriptions: Arc<Semaphore>,
    responses: Responses,
    stop: CancellationToken,
}

/// The response of an operation. Its memory counts among that of all responses as long as this lives: drop it when the
/// response was sent.
#[derive(Debug)]
pub struct Answer {
    pub response: Response,
    /// `false` when a subscription could not begin.
    pub was_executed: bool,
    closed: Closed,
}

impl Executor {
    /// Over `schema` and its `documents`; an operation is cancelled after `time_limit`, and subscriptions end with `stop`.
    pub fn new(
        schema: Schema,
        documents: Documents,
        db: Database,
        time_limit: Duration,
        responses: Responses,
        stop: CancellationToken,
    ) -> Self {
        Self {
            schema,
            documents,
            db,
            time_limit,
            executions: Arc::new(Semaphore::new(EXECUTIONS_MAX)),
            subscriptions: Arc::new(Semaphore::new(SUBSCRIPTIONS_MAX)),
            responses,
            stop,
        }
    }

    /// The documents that are known.
    pub fn documents(&self) -> &Documents {
        &self.documents
    }

    /// A place among the executions, which a request holds from the moment its document is looked at.
    pub(super) fn admit(&self) -> Result<OwnedSemaphorePermit, RequestError> {
        let overloaded = RequestError::Overloaded { what: "requests", running: EXECUTIONS_MAX };
        Arc::clone(&self.executions).try_acquire_owned().map_err(|_| overloaded)
    }

    /// How many subscriptions are running.
    pub fn subscriptions(&self) -> usize {
        SUBSCRIPTIONS_MAX - self.subscriptions.available_permits()
    }

    /// How many bytes the responses take that are being made and sent.
    pub fn responses_bytes(&self) -> u64 {
        self.responses.memory.used()
    }

    /// A share of the memory for responses that takes nothing yet.
    pub fn hold_nothing(&self) -> Held {
        self.responses.memory.hold_nothing()
    }

    /// Executes a query or a mutation. Cancelled when dropped; what a mutation has committed by then stays.
    pub async fn execute(&self, operation: Operation) -> Result<Answer, RequestError> {
        let _running = operation.permit;
        let request_id = Uuid::new_v4();
        let span = tracing::info_span!("graphql", request_id = %request_id);
        let budget = self.responses.budget();
        let request = prepared(operation.request, &self.db, &budget);
        let execution = self.schema.execute(request).instrument(span);
        let timed_out = RequestError::TimedOut { seconds: self.time_limit.as_secs() };
        let mut response = tokio::time::timeout(self.time_limit, execution).await.map_err(|_| timed_out)?;
        operation.failed.iter().for_each(|failed| failed.apply(&mut response));
        let was_executed = set_codes(&mut response, request_id);
        if let Ok(id) = request_id.to_string().parse() {
            response.http_headers.insert(REQUEST_ID, id);
        }
        if operation.reports_cost {
            response.extensions.insert("cost".to_owned(), cost_extension(operation.cost));
        }
        match Answer::close(response, was_executed, budget).await {
            Ok(answer) => Ok(answer),
            Err(refused) => match refused.refusal {
                // It can be sent again: nothing was done.
                refusal @ (ResponseRefusal::NoMemory { .. } | ResponseRefusal::NoTurn)
                    if operation.kind == OperationType::Query =>
                {
                    Err(RequestError::ResponseRefused(refusal))
                }
                _ => Ok(self.refused(refused.error)),
            },
        }
    }

    /// An answer that has only the error that took the place of its data. What was executed stays executed.
    fn refused(&self, error: ServerError) -> Answer {
        let response = Response::from_errors(vec![error]);
        Answer { response, was_executed: true, closed: Closed::nothing(self.hold_nothing()) }
    }

    /// The results of a subscription, until it ends, the server stops or the stream is dropped.
    pub fn subscribe(
        &self,
        operation: Operation,
    ) -> Result<impl Stream<Item = Answer> + Send + use<>, RequestError> {
        let overloaded = RequestError::Overloaded { what: "subscriptions", running: SUBSCRIPTIONS_MAX };
        let permit = Arc::clone(&self.subscriptions).try_acquire_owned().map_err(|_| overloaded)?;
        let request_id = Uuid::new_v4();
        let budget = self.responses.budget();
        let failed = operation.failed;
        let request = prepared(operation.request, &self.db, &budget);
        let executor = self.clone();
        let results = self.schema.execute_stream(request).then(move |mut response| {
            let _held = &permit;
            failed.iter().for_each(|failed| failed.apply(&mut response));
            let was_executed = set_codes(&mut response, request_id);
            let closing = Answer::close(response, was_executed, budget.clone());
            let executor = executor.clone();
            async move { closing.await.unwrap_or_else(|refused| executor.refused(refused.error)) }
        });
        Ok(results.take_until(self.stop.clone().cancelled_owned()))
    }

    /// The results of any operation: one, or those of a subscription. Errors of the request are results too.
    pub fn results(&self, operation: Operation) -> BoxStream<'static, Result<Answer, RequestError>> {
        if operation.kind == OperationType::Subscription {
            return match self.subscribe(operation) {
                Ok(results) => results.map(Ok).boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            };
        }
        let executor = self.clone();
        stream::once(async move { executor.execute(operation).await }).boxed()
    }
}

/// A response as the specification writes it: one to a request that was not executed has no `data`.
#[derive(Serialize)]
pub struct ResponseBody<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

impl<'a> ResponseBody<'a> {
    fn new(response: &'a Response, was_executed: bool) -> Self {
        let data = was_executed.then_some(&response.data);
        Self { errors: &response.errors, data, extensions: &response.extensions }
    }
}

impl<'a> From<&'a Response> for ResponseBody<'a> {
    fn from(response: &'a Response) -> Self {
        Self::new(response, was_executed(response))
    }
}

impl<'a> From<&'a Answer> for ResponseBody<'a> {
    fn from(answer: &'a Answer) -> Self {
        Self::new(&answer.response, answer.was_executed)
    }
}

impl Answer {
    /// How many bytes it has as JSON.
    pub fn json_bytes(&self) -> u64 {
        self.closed.json_bytes
    }

    /// Takes more memory, for as long as the response is under way.
    pub fn take_memory(&mut self, more: u64) -> Result<(), NoMemory> {
        self.closed.held.grow(more)
    }

    /// For those who write it themselves: keep the memory until it was sent.
    pub fn into_parts(self) -> (Response, Held) {
        (self.response, self.closed.held)
    }

    /// Its JSON, unless that is large and has to be written yet.
    pub fn take_json(&mut self) -> Option<Vec<u8>> {
        self.closed.json.take()
    }

    /// What its JSON takes, and what was taken besides; the values are dropped.
    pub fn into_held(self) -> Held {
        let Closed { values_bytes, mut held, .. } = self.closed;
        held.give_back(values_bytes);
        held
    }

    /// Whether writing it takes so long that it must not hold up a thread that others wait for.
    pub fn is_large(&self) -> bool {
        self.closed.json_bytes >= LARGE_BYTES
    }

    async fn close(
        response: Response,
        was_executed: bool,
        budget: ResponseBudget,
    ) -> Result<Self, Box<Refused>> {
        let is_large = budget.is_large();
        let close = move || {
            let closed = budget.close(&ResponseBody::new(&response, was_executed))?;
            Ok(Self { response, was_executed, closed })
        };
        if !is_large {
            return close();
        }
        // Its panic is one of ours.
        spawn_blocking(close).await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
    }
}

fn was_executed(response: &Response) -> bool {
    response.errors.is_empty()
        || response.data != Value::Null
        || response.errors.iter().any(|error| !error.path.is_empty())
}

/// Gives a code to each error that has none, which is one of an argument; returns whether the request was executed.
fn set_codes(response: &mut Response, request_id: Uuid) -> bool {
    for error in &mut response.errors {
        let extensions = error.extensions.get_or_insert_default();
        match extensions.get("code") {
            None => extensions.set("code", "BAD_USER_INPUT"),
            Some(Value::String(code)) if code == "INTERNAL_SERVER_ERROR" => {
                extensions.set("requestId", request_id.to_string());
            }
            Some(_) => {}
        }
    }
    was_executed(response)
}
