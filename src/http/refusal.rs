//! Requests that are not executed: which status each reason has.

use std::io;

use async_graphql::{Response as GraphQlResponse, ServerError};
use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::accept::ResponseType;
use crate::graphql::{RequestError, ResponseBody};

/// Why a request was not executed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("accept application/graphql-response+json, application/json or text/event-stream")]
    NotAcceptable,
    #[error("a subscription is answered as a stream: send `Accept: text/event-stream`, or use a WebSocket")]
    StreamNotAccepted,
    #[error("use GET for queries and POST for everything")]
    MethodNotAllowed,
    #[error("a mutation cannot be sent with GET: use POST")]
    MutationByGet,
    #[error("send the request as JSON with the header `Content-Type: application/json`")]
    UnsupportedMediaType,
    #[error("send the body as it is: the Content-Encoding `{0}` is not supported")]
    UnsupportedEncoding(String),
    #[error("the body is too large, at most {max} bytes are allowed (SENTIO_BODY_MAX)")]
    BodyTooLarge { max: usize },
    #[error("the body did not arrive within {seconds} s")]
    BodyTooSlow { seconds: u64 },
    #[error("the request names no host that can be read, or several: send one `Host` header")]
    UnclearHost,
    #[error("this server does not answer for the host {0:?}: name it in SENTIO_ALLOWED_HOSTS")]
    ForeignHost(String),
    #[error("pages of the origin {0} may not connect: name it in SENTIO_ALLOWED_ORIGINS")]
    ForeignOrigin(String),
    #[error("speak the subprotocol graphql-transport-ws, or the older graphql-ws")]
    WrongSubprotocol,
    #[error("{0} WebSockets are open, which is the limit: try again in a moment")]
    TooManySockets(usize),
    #[error("the server {0}: try again in a moment")]
    NotServing(&'static str),
    #[error(transparent)]
    Request(#[from] RequestError),
}

impl Refusal {
    /// The table of statuses. Where the request is well-formed and its document is at fault, old clients expect 200.
    fn status(&self, response_type: ResponseType) -> StatusCode {
        match self {
            Self::NotAcceptable | Self::StreamNotAccepted => StatusCode::NOT_ACCEPTABLE,
            Self::MethodNotAllowed | Self::MutationByGet => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType | Self::UnsupportedEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::ForeignHost(_) | Self::ForeignOrigin(_) => StatusCode::FORBIDDEN,
            Self::WrongSubprotocol | Self::UnclearHost => StatusCode::BAD_REQUEST,
            Self::TooManySockets(_) | Self::NotServing(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Request(error) => match error {
                RequestError::Malformed(_) | RequestError::NoQuery | RequestError::WrongHash => {
                    StatusCode::BAD_REQUEST
                }
                RequestError::NotParsed(_)
                | RequestError::Invalid(_)
                | RequestError::LimitExceeded(_)
                | RequestError::NoOperation(_)
                | RequestError::BadVariables(_)
                | RequestError::DocumentNotFound
                | RequestError::PersistedQueryNotSupported
                | RequestError::NotTrusted => response_type.request_error(),
                RequestError::Unauthenticated(_) | RequestError::Denied(_) => StatusCode::UNAUTHORIZED,
                RequestError::NotCompiled => StatusCode::INTERNAL_SERVER_ERROR,
                RequestError::Overloaded { .. } | RequestError::ResponseRefused(_) => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
                RequestError::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
            },
        }
    }

    fn to_graphql(&self) -> GraphQlResponse {
        let code = match self {
            Self::Request(error) => return error.to_response(),
            Self::BodyTooLarge { .. } => "LIMIT_EXCEEDED",
            Self::BodyTooSlow { .. } => "TIMEOUT",
            Self::ForeignHost(_) | Self::ForeignOrigin(_) => "FORBIDDEN",
            Self::TooManySockets(_) | Self::NotServing(_) => "OVERLOADED",
            _ => "BAD_USER_INPUT",
        };
        let mut error = ServerError::new(self.to_string(), None);
        error.extensions.get_or_insert_default().set("code", code);
        GraphQlResponse::from_errors(vec![error])
    }

    pub fn into_response(self, response_type: ResponseType) -> Response {
        let body = serde_json::to_vec(&ResponseBody::from(&self.to_graphql()));
        let body = body.map(Bytes::from).map_err(io::Error::from);
        let mut response = json(self.status(response_type), response_type, body);
        let headers = response.headers_mut();
        match self {
            Self::MethodNotAllowed => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            }
            Self::MutationByGet => {
                headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
            }
            Self::UnsupportedEncoding(_) => {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            Self::Request(RequestError::Unauthenticated(_) | RequestError::Denied(_)) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::TooManySockets(_)
            | Self::NotServing(_)
            | Self::Request(RequestError::Overloaded { .. } | RequestError::ResponseRefused(_)) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// A response of either type.
pub fn json(status: StatusCode, response_type: ResponseType, body: io::Result<Bytes>) -> Response {
    match body {
        Ok(body) => {
            let headers = [
                (header::CONTENT_TYPE, response_type.content_type()),
                (header::CACHE_CONTROL, "no-store"),
                (header::VARY, "Accept, Accept-Encoding"),
            ];
            (status, headers, body).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "http.response_not_serialised");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
