//! Executes operations, a limited number of them at a time and each for a limited time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, ServerError, Value};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use super::documents::Documents;
use super::limits::cost_extension;
use super::operation::Operation;
use super::request_error::RequestError;
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
    stop: CancellationToken,
}

/// The response of an operation.
#[derive(Debug)]
pub struct Answer {
    pub response: Response,
    /// `false` when a subscription could not begin.
    pub was_executed: bool,
}

impl Executor {
    /// Over `schema` and its `documents`; an operation is cancelled after `time_limit`, and subscriptions end with `stop`.
    pub fn new(
        schema: Schema,
        documents: Documents,
        db: Database,
        time_limit: Duration,
        stop: CancellationToken,
    ) -> Self {
        Self {
            schema,
            documents,
            db,
            time_limit,
            executions: Arc::new(Semaphore::new(EXECUTIONS_MAX)),
            subscriptions: Arc::new(Semaphore::new(SUBSCRIPTIONS_MAX)),
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

    /// Executes a query or a mutation. Cancelled when dropped; what a mutation has committed by then stays.
    pub async fn execute(&self, operation: Operation) -> Result<Answer, RequestError> {
        let _running = operation.permit;
        let request_id = Uuid::new_v4();
        let span = tracing::info_span!("graphql", request_id = %request_id);
        let request = prepared(operation.request, &self.db);
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
        Ok(Answer { response, was_executed })
    }

    /// The results of a subscription, until it ends, the server stops or the stream is dropped.
    pub fn subscribe(
        &self,
        operation: Operation,
    ) -> Result<impl Stream<Item = Response> + Send + use<>, RequestError> {
        let overloaded = RequestError::Overloaded { what: "subscriptions", running: SUBSCRIPTIONS_MAX };
        let permit = Arc::clone(&self.subscriptions).try_acquire_owned().map_err(|_| overloaded)?;
        let request_id = Uuid::new_v4();
        let failed = operation.failed;
        let results = self.schema.execute_stream(prepared(operation.request, &self.db));
        let results = results.map(move |mut response| {
            let _held = &permit;
            failed.iter().for_each(|failed| failed.apply(&mut response));
            set_codes(&mut response, request_id);
            response
        });
        Ok(results.take_until(self.stop.clone().cancelled_owned()))
    }

    /// The results of any operation: one, or those of a subscription. Errors of the request are results too.
    pub fn results(&self, operation: Operation) -> BoxStream<'static, Result<Answer, RequestError>> {
        if operation.kind == OperationType::Subscription {
            return match self.subscribe(operation) {
                Ok(results) => results.map(|response| Ok(Answer::of_event(response))).boxed(),
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

impl<'a> From<&'a Response> for ResponseBody<'a> {
    fn from(response: &'a Response) -> Self {
        let data = was_executed(response).then_some(&response.data);
        Self { errors: &response.errors, data, extensions: &response.extensions }
    }
}

impl Answer {
    fn of_event(response: Response) -> Self {
        let was_executed = was_executed(&response);
        Self { response, was_executed }
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
