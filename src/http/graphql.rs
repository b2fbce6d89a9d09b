//! GraphQL over HTTP: reading a request, choosing the form of its answer.

use std::collections::HashSet;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;

use super::HttpState;
use super::accept::{ResponseType, accepts_event_stream};
use super::compression;
use super::event_stream;
use super::guard;
use super::refusal::{Refusal, json};
use crate::graphql::{Operation, Parameters, RequestError};

/// How long a body may take to arrive.
const BODY_MAX_TIME: Duration = Duration::from_secs(20);

/// The header by which a client asks for the cost of its operation.
const COST_HEADER: &str = "sentio-cost";

/// The types of a body: that of the specification, and the one that its drafts had.
const MEDIA_TYPES: [&str; 2] = ["application/json", "application/graphql+json"];
/// How clients call UTF-8, and what is a part of it.
const UTF_8: [&str; 3] = ["utf-8", "utf8", "us-ascii"];
/// How some editors and libraries begin a text (RFC 8259, section 8.1).
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Answers `GET` and `HEAD` (queries only) and `POST`.
pub async fn handle(state: &HttpState, request: Request) -> Response {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let caller = guard::caller(request.extensions());
    let streams = accepts_event_stream(&headers);
    let negotiated = ResponseType::negotiate(&headers);
    let response_type = match negotiated {
        Some(response_type) => response_type,
        // Such a client reads a refusal whatever its type.
        None if streams => ResponseType::GraphQl,
        None => return Refusal::NotAcceptable.into_response(ResponseType::Legacy),
    };
    let answered = async {
        // Before the body is read: nobody sends much without being known.
        let viewer = guard::viewer(&state.authenticator, caller, &headers).map_err(RequestError::from)?;
        let parameters = match method {
            Method::GET | Method::HEAD => read_query_string(request.uri().query().unwrap_or_default())?,
            Method::POST => read_body(state, &headers, request).await?,
            _ => return Err(Refusal::MethodNotAllowed),
        };
        let mut operation = Operation::prepare(&state.executor, viewer, parameters).await?;
        operation.reports_cost |= headers.contains_key(COST_HEADER);
        match operation.kind {
            OperationType::Mutation if method != Method::POST => Err(Refusal::MutationByGet),
            OperationType::Subscription if !streams => Err(Refusal::StreamNotAccepted),
            OperationType::Subscription => Ok(event_stream::respond(state.executor.subscribe(operation)?)),
            _ => {
                let answer = state.executor.execute(operation).await?;
                // A client that reads nothing but streams is answered with a stream of one.
                if negotiated.is_none() {
                    return Ok(event_stream::respond(stream::iter([answer])));
                }
                let status = if answer.was_executed { StatusCode::OK } else { response_type.request_error() };
                let own_headers = answer.response.http_headers.clone();
                let (text, compress) = compression::response_text(answer, &headers).await;
                let response = (own_headers, json(status, response_type, text)).into_response();
                Ok(if compress { compression::compressed(response, &headers).await } else { response })
            }
        }
    };
    let answered: Result<Response, Refusal> = answered.await;
    match answered {
        Ok(response) => response,
        Err(refusal) => {
            let response = refusal.into_response(response_type);
            let may_be_long = compression::accepts_a_coding(&headers);
            if may_be_long { compression::compressed(response, &headers).await } else { response }
        }
    }
}

async fn read_body(state: &HttpState, headers: &HeaderMap, request: Request) -> Result<Parameters, Refusal> {
    check_content_type(headers)?;
    let max = state.body_max_bytes;
    // Known before any of it is read: a client that waits for a word sends nothing.
    if request.body().size_hint().lower() > max as u64 {
        return Err(Refusal::BodyTooLarge { max });
    }
    let body = tokio::time::timeout(BODY_MAX_TIME, Bytes::from_request(request, state)).await;
    let body = body.map_err(|_| Refusal::BodyTooSlow { seconds: BODY_MAX_TIME.as_secs() })?;
    read_json(body, max)
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (media_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let parameters = parameters.split(';').filter_map(|part| part.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let utf8 = charsets.all(|(_, charset)| {
        let charset = charset.trim().trim_matches('"');
        UTF_8.iter().any(|name| charset.eq_ignore_ascii_case(name))
    });
    // A type that HTML forms can send would let any page make its visitors write.
    if !MEDIA_TYPES.iter().any(|name| media_type.trim().eq_ignore_ascii_case(name)) || !utf8 {
        return Err(Refusal::UnsupportedMediaType);
    }
    match headers.get(header::CONTENT_ENCODING).map(|encoding| encoding.as_bytes().trim_ascii()) {
        Some(encoding) if !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity") => {
            Err(Refusal::UnsupportedEncoding(String::from_utf8_lossy(encoding).into_owned()))
        }
        _ => Ok(()),
    }
}

fn read_json(body: Result<Bytes, BytesRejection>, max: usize) -> Result<Parameters, Refusal> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::BodyTooLarge { max },
        _ => malformed("the body broke off".to_owned()),
    })?;
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body);
    if body.trim_ascii_start().first() != Some(&b'{') {
        let message = "the body is no JSON object; send one request, not a list of them".to_owned();
        return Err(malformed(message));
    }
    serde_json::from_slice(body)
        .map_err(|error| malformed(format!("the body is no GraphQL request in JSON: {error}")))
}

/// The names that a query string may give.
const PARAMETERS: [&str; 5] = ["query", "documentId", "operationName", "variables", "extensions"];

fn read_query_string(query: &str) -> Result<Parameters, Refusal> {
    let mut parameters = Parameters::default();
    let mut seen = HashSet::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        // As a repeated name in a body of JSON.
        if PARAMETERS.contains(&name.as_ref()) && !seen.insert(name.clone()) {
            return Err(malformed(format!("{name} is given twice")));
        }
        let no_object = |error| malformed(format!("{name} is no JSON object: {error}"));
        match name.as_ref() {
            "query" if !value.is_empty() => parameters.query = Some(value.into_owned()),
            "documentId" if !value.is_empty() => parameters.document_id = Some(value.into_owned()),
            "operationName" if !value.is_empty() => parameters.operation_name = Some(value.into_owned()),
            "variables" if !value.is_empty() => parameters.read_variables(&value).map_err(no_object)?,
            "extensions" if !value.is_empty() => parameters.read_extensions(&value).map_err(no_object)?,
            _ => {}
        }
    }
    Ok(parameters)
}

fn malformed(message: String) -> Refusal {
    RequestError::Malformed(message).into()
}
