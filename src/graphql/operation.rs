//! From the parameters of a request to an operation that can be executed, on every transport alike.

use std::sync::Arc;

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, VariableDefinition,
};
use async_graphql::{Request, Value, Variables};

use super::document::Document;
use super::documents::Documents;
use super::limits;
use super::parameters::Parameters;
use super::request_error::RequestError;
use super::variables;

/// An operation within its limits.
pub struct Operation {
    /// `None` when the name fits no operation of the document, which execution reports.
    pub kind: Option<OperationType>,
    /// Most values of its answer.
    pub cost: u64,
    pub(super) request: Request,
}

impl Operation {
    /// Finds the document that the parameters mean, and checks both.
    pub async fn prepare(documents: &Documents, parameters: Parameters) -> Result<Self, RequestError> {
        let document = documents.find(&parameters).await?;
        limits::check_cost(&document.parsed, parameters.variables.as_ref())?;
        let operation = find(&document.parsed, parameters.operation_name.as_deref());
        let kind = operation.map(|operation| operation.ty);
        let mut cost = 0;
        if let Some(operation) = operation {
            if let Some(name) = missing_variable(operation, parameters.variables.as_ref()) {
                return Err(RequestError::MissingVariable(name.to_owned()));
            }
            cost = limits::measure_operation(&document.parsed, operation, parameters.variables.as_ref()).cost;
        }
        Ok(Self { kind, cost, request: request(&document, parameters) })
    }
}

fn request(document: &Arc<Document>, parameters: Parameters) -> Request {
    let mut parsed = document.parsed.clone();
    variables::leave_out_absent(&mut parsed, parameters.variables.as_ref());
    let mut request = Request::new("");
    request.set_parsed_query(parsed);
    request.operation_name = parameters.operation_name;
    if let Some(variables) = parameters.variables {
        request.variables = Variables::from_json(serde_json::Value::Object(variables));
    }
    if let Some(extensions) = parameters.extensions {
        let value = |(name, value)| Some((name, Value::from_json(value).ok()?));
        request.extensions.0 = extensions.into_iter().filter_map(value).collect();
    }
    request
}

fn find<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let mut operations = document.operations.iter();
    match name {
        Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name.as_str() == wanted)),
        None => operations.next(),
    }
    .map(|(_, operation)| &operation.node)
}

/// A variable that must have a value and has none: an error of the request, not of the fields that use it.
fn missing_variable<'a>(operation: &'a OperationDefinition, given: limits::Given<'_>) -> Option<&'a str> {
    let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
    let missing = |definition: &&VariableDefinition| {
        let value = given.and_then(|given| given.get(definition.name.node.as_str()));
        let absent = value.is_none() && definition.default_value.is_none();
        !definition.var_type.node.nullable && (absent || value.is_some_and(serde_json::Value::is_null))
    };
    definitions.filter(missing).map(|definition| definition.name.node.as_str()).next()
}
