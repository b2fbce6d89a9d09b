//! From the parameters of a request to an operation that can be executed, on every transport alike.

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Variables};
use tokio::sync::OwnedSemaphorePermit;

use super::executor::Executor;
use super::limits;
use super::parameters::Parameters;
use super::request_error::RequestError;
use crate::auth::{Scope, Viewer};
use crate::document::{self, FailedField};

/// An operation within its limits.
#[derive(Debug)]
pub struct Operation {
    pub kind: OperationType,
    /// Most values of its answer.
    pub cost: u64,
    /// Whether the answer reports the cost in `extensions.cost`.
    pub reports_cost: bool,
    /// Fields that are null with an error, whatever is executed.
    pub(super) failed: Vec<FailedField>,
    pub(super) request: Request,
    /// It counts among the executions from the moment its document is looked at.
    pub(super) permit: OwnedSemaphorePermit,
}

impl Operation {
    /// Finds the document that the parameters mean, chooses its operation, asks whether `viewer` may, coerces the variables, and
    /// holds all of it to the limits. Nothing is executed.
    pub async fn prepare(
        executor: &Executor,
        viewer: Viewer,
        parameters: Parameters,
    ) -> Result<Self, RequestError> {
        let permit = executor.admit()?;
        let reports_cost = parameters.asks_for_cost();
        let documents = executor.documents();
        // Whoever may not read is not told what is wrong with a document either.
        let allowed = |error| viewer.check(Scope::Read).err().map_or(error, RequestError::from);
        let document = documents.find(&parameters).await.map_err(allowed)?;
        let compiler = documents.compiler();
        let operation = document
            .operation(parameters.operation_name.as_deref())
            .map_err(|fault| allowed(RequestError::NoOperation(fault.message)))?;
        let kind = document::kind(operation);
        viewer.check(if kind == OperationType::Mutation { Scope::Write } else { Scope::Read })?;
        let variables = document
            .variables(compiler, operation, parameters.variables.unwrap_or_default())
            .map_err(RequestError::BadVariables)?;
        let (executable, failed) = document
            .executable(compiler, operation, &variables)
            .map_err(|fault| RequestError::BadVariables(vec![fault]))?;
        let cost = limits::check_executable(&executable, &variables)?;
        Ok(Self { kind, cost, reports_cost, failed, request: request(executable, variables), permit })
    }
}

fn request(executable: async_graphql::parser::types::ExecutableDocument, variables: Variables) -> Request {
    let mut request = Request::new("").variables(variables);
    request.set_parsed_query(executable);
    request
}
