//! GraphQL over HTTP: reading a request, the status of its response.

use std::sync::Arc;

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, VariableDefinition,
};
use async_graphql::{Request, Response as GraphQlResponse, ServerError, Value, Variables};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde::Deserialize;
use tracing::Instrument;

use super::HttpState;
use super::accept::{ResponseType, accepts_event_stream};
use super::event_stream;
use crate::graphql::{limits, prepared, variables};

/// How long a body may take to arrive.
const BODY_MAX_TIME: std::time::Duration = std::time::Duration::from_secs(20);

/// A request that was not executed.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

/// The JSON body of a request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestBody {
    query: Option<String>,
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(default)]
    extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Answers `GET` (queries only) and `POST`.
pub async fn handle(
    State(state): State<HttpState>,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    request: axum::extract::Request,
) -> Response {
    let streams = accepts_event_stream(&headers);
    let response_type = match ResponseType::negotiate(&headers) {
        Some(response_type) => response_type,
        // A client of server-sent events reads what is no stream as a response of the current type.
        None if streams => ResponseType::GraphQl,
        None => {
            let message =
                "accept application/graphql-response+json, application/json or text/event-stream".to_owned();
            let refusal = Refusal { status: StatusCode::NOT_ACCEPTABLE, code: "BAD_USER_INPUT", message };
            return refusal.into_response(ResponseType::Legacy);
        }
    };
    let body = match method {
        Method::GET => read_query_string(query.as_deref().unwrap_or_default()),
        Method::POST => match check_content_type(&headers) {
            Ok(()) => match tokio::time::timeout(BODY_MAX_TIME, Bytes::from_request(request, &state)).await {
                Ok(body) => read_json(body),
                Err(_) => Err(Refusal {
                    status: StatusCode::REQUEST_TIMEOUT,
                    code: "TIMEOUT",
                    message: format!("the body did not arrive within {} s", BODY_MAX_TIME.as_secs()),
                }),
            },
            Err(refusal) => Err(refusal),
        },
        _ => {
            let message = "use GET for queries and POST for everything".to_owned();
            let refusal = Refusal { status: StatusCode::METHOD_NOT_ALLOWED, code: "BAD_USER_INPUT", message };
            let mut response = refusal.into_response(response_type);
            response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, POST"));
            return response;
        }
    };
    let request_id = uuid::Uuid::new_v4();
    let span = tracing::info_span!("graphql", request_id = %request_id);
    let executed = async {
        let (request, operation) = parse(body?, &method, response_type)?;
        let request = authenticated(&state, &headers, request)?;
        if operation == Some(OperationType::Subscription) {
            subscribe(&state, request, streams, request_id)
        } else {
            let response = execute(&state, request).await?;
            Ok(respond(response, response_type, request_id))
        }
    };
    let response: Result<Response, Refusal> = executed.instrument(span).await;
    response.unwrap_or_else(|refusal| refusal.into_response(response_type))
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (media_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let charset = parameters.split(';').find_map(|part| part.trim().strip_prefix("charset="));
    let utf8 = charset.is_none_or(|charset| charset.trim_matches('"').eq_ignore_ascii_case("utf-8"));
    // A type that HTML forms can send would let any page make its visitors write.
    if media_type.trim().eq_ignore_ascii_case("application/json") && utf8 {
        return Ok(());
    }
    Err(Refusal {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        code: "BAD_USER_INPUT",
        message: "send the request as JSON with the header `Content-Type: application/json`".to_owned(),
    })
}

fn read_json(body: Result<Bytes, BytesRejection>) -> Result<RequestBody, Refusal> {
    let body = body.map_err(|rejection| Refusal {
        status: rejection.status(),
        code: "LIMIT_EXCEEDED",
        message: format!("the body cannot be read; at most {} bytes are allowed", super::BODY_MAX_BYTES),
    })?;
    if body.trim_ascii_start().first() != Some(&b'{') {
        let message = "the body is no JSON object; send one request, not a list of them".to_owned();
        return Err(Refusal::bad_request(message));
    }
    serde_json::from_slice(&body)
        .map_err(|error| Refusal::bad_request(format!("the body is no GraphQL request in JSON: {error}")))
}

fn read_query_string(query: &str) -> Result<RequestBody, Refusal> {
    let mut body = RequestBody { query: None, operation_name: None, variables: None, extensions: None };
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let object = |name: &str| {
            serde_json::from_str(&value)
                .map_err(|error| Refusal::bad_request(format!("{name} is no JSON object: {error}")))
        };
        match name.as_ref() {
            "query" => body.query = Some(value.into_owned()),
            "operationName" if !value.is_empty() => body.operation_name = Some(value.into_owned()),
            "variables" if !value.is_empty() => body.variables = object("variables")?,
            "extensions" if !value.is_empty() => body.extensions = object("extensions")?,
            _ => {}
        }
    }
    Ok(body)
}

/// Parses the document within its limits and checks that the method may carry its operation.
fn parse(
    body: RequestBody,
    method: &Method,
    response_type: ResponseType,
) -> Result<(Request, Option<OperationType>), Refusal> {
    let query = body.query.ok_or_else(|| Refusal::bad_request("the request has no query".to_owned()))?;
    let refused = |code, message| Refusal { status: response_type.request_error(), code, message };
    let limit = |error: limits::LimitExceeded| refused("LIMIT_EXCEEDED", error.to_string());
    limits::check_text(&query).map_err(limit)?;
    let mut document = async_graphql::parser::parse_query(&query)
        .map_err(|error| refused("GRAPHQL_PARSE_FAILED", error.to_string()))?;
    limits::check_document(&document, body.variables.as_ref()).map_err(limit)?;
    let operation = operation(&document, body.operation_name.as_deref());
    let operation_type = operation.map(|operation| operation.ty);
    if let Some(operation) = operation {
        if *method == Method::GET && operation.ty == OperationType::Mutation {
            return Err(Refusal {
                status: StatusCode::METHOD_NOT_ALLOWED,
                code: "BAD_USER_INPUT",
                message: "a mutation cannot be sent with GET: use POST".to_owned(),
            });
        }
        if let Some(name) = missing_variable(operation, body.variables.as_ref()) {
            return Err(refused(
                "BAD_USER_INPUT",
                format!("the variable ${name} has no value: it is required"),
            ));
        }
    }
    variables::leave_out_absent(&mut document, body.variables.as_ref());
    let mut request = Request::new(query);
    request.set_parsed_query(document);
    request.operation_name = body.operation_name;
    if let Some(variables) = body.variables {
        request.variables = Variables::from_json(serde_json::Value::Object(variables));
    }
    if let Some(extensions) = body.extensions {
        let value = |(name, value)| Some((name, Value::from_json(value).ok()?));
        request.extensions.0 = extensions.into_iter().filter_map(value).collect();
    }
    Ok((request, operation_type))
}

/// The operation that would be executed; `None` when the name fits none, which execution reports.
fn operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let mut operations = document.operations.iter();
    match name {
        Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name.as_str() == wanted)),
        None => operations.next(),
    }
    .map(|(_, operation)| &operation.node)
}

/// A variable that must have a value and has none: an error of the request, not of the fields that use it.
fn missing_variable<'a>(
    operation: &'a OperationDefinition,
    variables: Option<&serde_json::Map<String, serde_json::Value>>,
) -> Option<&'a str> {
    let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
    let missing = |definition: &&VariableDefinition| {
        let value = variables.and_then(|variables| variables.get(definition.name.node.as_str()));
        let absent = value.is_none() && definition.default_value.is_none();
        !definition.var_type.node.nullable && (absent || value.is_some_and(serde_json::Value::is_null))
    };
    definitions.filter(missing).map(|definition| definition.name.node.as_str()).next()
}

fn authenticated(state: &HttpState, headers: &HeaderMap, request: Request) -> Result<Request, Refusal> {
    let authorization = headers.get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
    let viewer = state.authenticator.viewer(authorization).map_err(|error| Refusal {
        status: StatusCode::UNAUTHORIZED,
        code: "UNAUTHENTICATED",
        message: error.to_string(),
    })?;
    Ok(prepared(request, viewer, &state.db))
}

async fn execute(state: &HttpState, request: Request) -> Result<GraphQlResponse, Refusal> {
    let limit = state.execution_limit;
    tokio::time::timeout(limit, state.schema.execute(request)).await.map_err(|_| Refusal {
        status: StatusCode::GATEWAY_TIMEOUT,
        code: "TIMEOUT",
        message: format!("the request took longer than {} s and was cancelled", limit.as_secs()),
    })
}

fn subscribe(
    state: &HttpState,
    request: Request,
    streams: bool,
    request_id: uuid::Uuid,
) -> Result<Response, Refusal> {
    if !streams {
        return Err(Refusal {
            status: StatusCode::NOT_ACCEPTABLE,
            code: "BAD_USER_INPUT",
            message: "a subscription is answered as a stream: send `Accept: text/event-stream`".to_owned(),
        });
    }
    let permit = Arc::clone(&state.subscriptions).try_acquire_owned().map_err(|_| Refusal {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "OVERLOADED",
        message: format!("{} subscriptions are running, which is the limit", super::SUBSCRIPTIONS_MAX),
    })?;
    let results = state.schema.execute_stream(request).map(move |mut response| {
        set_codes(&mut response, request_id);
        response
    });
    Ok(event_stream::respond(results, state.stop.clone(), permit))
}

/// Gives a code to each error that has none; returns whether the request was executed.
///
/// Validation leaves no path and no code; arguments that could not be coerced while executing leave no code.
fn set_codes(response: &mut GraphQlResponse, request_id: uuid::Uuid) -> bool {
    let executed = response.data != Value::Null || response.errors.iter().any(|error| !error.path.is_empty());
    for error in &mut response.errors {
        let extensions = error.extensions.get_or_insert_default();
        match extensions.get("code") {
            None if executed => extensions.set("code", "BAD_USER_INPUT"),
            None => extensions.set("code", "GRAPHQL_VALIDATION_FAILED"),
            Some(Value::String(code)) if code == "INTERNAL_SERVER_ERROR" => {
                extensions.set("requestId", request_id.to_string());
            }
            Some(_) => {}
        }
    }
    executed
}

fn respond(mut response: GraphQlResponse, response_type: ResponseType, request_id: uuid::Uuid) -> Response {
    let executed = set_codes(&mut response, request_id);
    let status =
        if executed || response.errors.is_empty() { StatusCode::OK } else { response_type.request_error() };
    json(status, response_type, &response)
}

fn json(status: StatusCode, response_type: ResponseType, response: &GraphQlResponse) -> Response {
    match serde_json::to_vec(response) {
        Ok(body) => {
            let headers = [
                (header::CONTENT_TYPE, response_type.content_type()),
                (header::CACHE_CONTROL, "no-store"),
                (header::VARY, "Accept"),
            ];
            (status, headers, body).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "http.response_not_serialised");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Refusal {
    fn bad_request(message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "BAD_USER_INPUT", message }
    }

    fn into_response(self, response_type: ResponseType) -> Response {
        let mut error = ServerError::new(self.message, None);
        error.extensions.get_or_insert_default().set("code", self.code);
        json(self.status, response_type, &GraphQlResponse::from_errors(vec![error]))
    }
}
