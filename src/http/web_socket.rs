//! GraphQL over WebSocket: who may connect, and how many at a time.

use std::sync::Arc;

use axum::extract::Request;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::header;
use axum::response::Response;

use super::HttpState;
use super::accept::ResponseType;
use super::connection::ConnectionToken;
use super::guard;
use super::refusal::Refusal;
use super::transport_ws::{self, Session};
use crate::graphql::RequestError;

/// The subprotocol, <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.
const SUBPROTOCOL: &str = "graphql-transport-ws";
/// Most WebSockets of all clients at a time.
pub const SOCKETS_MAX: usize = 4_000;
/// Of each connection, whether it says anything or not; longer messages are read in several steps.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Answers the handshake of a WebSocket.
pub fn connect(state: &HttpState, request: Request, upgrade: WebSocketUpgrade) -> Response {
    accept(state, request, upgrade).unwrap_or_else(|refusal| refusal.into_response(ResponseType::Legacy))
}

fn accept(state: &HttpState, mut request: Request, upgrade: WebSocketUpgrade) -> Result<Response, Refusal> {
    let token = request.extensions_mut().remove::<ConnectionToken>();
    let caller = guard::caller(request.extensions());
    let headers = request.headers();
    // Browsers let any page open a WebSocket to anywhere and send no preflight.
    if let Some(origin) = headers.get(header::ORIGIN)
        && !state.origins.may_connect(origin, headers.get(header::HOST), caller)
    {
        return Err(Refusal::ForeignOrigin(String::from_utf8_lossy(origin.as_bytes()).into_owned()));
    }
    let viewer = guard::viewer(&state.authenticator, caller, headers).map_err(RequestError::from)?;
    let too_many = Refusal::TooManySockets(SOCKETS_MAX);
    let permit = Arc::clone(&state.sockets).try_acquire_owned().map_err(|_| too_many)?;
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(state.body_max_bytes)
        .max_frame_size(state.body_max_bytes)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0);
    if upgrade.selected_protocol().is_none() {
        return Err(Refusal::WrongSubprotocol);
    }
    let session = Session::new(state.clone(), viewer);
    let mut response = upgrade.on_upgrade(move |socket| async move {
        // The server waits for its connections when it stops.
        let _held = (permit, token);
        transport_ws::serve(socket, session).await;
    });
    // Among them how the client writes the names of headers, which are then answered likewise: Python's gql finds the
    // subprotocol by a name with capitals only.
    response.extensions_mut().extend(request.into_parts().0.extensions);
    Ok(response)
}
