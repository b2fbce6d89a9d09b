//! GraphQL over WebSocket: who may connect, how many at a time, and which of two protocols they speak.

mod halves;
mod legacy_ws;
mod session;
mod transport_ws;

use std::sync::Arc;

use async_graphql_axum::GraphQLProtocol;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::HttpState;
use super::accept::ResponseType;
use super::connection::ConnectionToken;
use super::guard;
use super::refusal::Refusal;
use crate::auth::Viewer;
use crate::graphql::RequestError;
use session::Session;

/// Most WebSockets of all clients at a time.
pub const SOCKETS_MAX: usize = 4_000;
/// Of each connection, whether it says anything or not; longer messages are read in several steps.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// The protocol that a client and the server speak on a WebSocket.
#[derive(Clone, Copy)]
enum Subprotocol {
    TransportWs,
    LegacyWs(GraphQLProtocol),
}

impl Subprotocol {
    /// What is offered to clients. Who speaks both gets the first, whatever the client's order.
    const NAMES: [&str; 2] = [transport_ws::SUBPROTOCOL, legacy_ws::SUBPROTOCOL];

    /// The protocol with the name that was selected in a handshake.
    async fn selected(name: Option<&HeaderValue>, handshake: &mut Parts) -> Result<Self, Refusal> {
        let name = name.ok_or(Refusal::WrongSubprotocol)?;
        if name == transport_ws::SUBPROTOCOL {
            return Ok(Self::TransportWs);
        }
        // Of several names the crate takes the client's first.
        handshake.headers.insert(header::SEC_WEBSOCKET_PROTOCOL, name.clone());
        let protocol = GraphQLProtocol::from_request_parts(handshake, &()).await;
        protocol.map(Self::LegacyWs).map_err(|_| Refusal::WrongSubprotocol)
    }
}

/// Answers the handshake of a WebSocket.
pub async fn connect(state: &Arc<HttpState>, request: Request, upgrade: WebSocketUpgrade) -> Response {
    let accepted = accept(state, request, upgrade).await;
    accepted.unwrap_or_else(|refusal| refusal.into_response(ResponseType::Legacy))
}

async fn accept(
    state: &Arc<HttpState>,
    request: Request,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refusal> {
    let (mut handshake, _) = request.into_parts();
    let token = handshake.extensions.remove::<ConnectionToken>();
    let viewer = visitor(state, &handshake)?;
    let too_many = Refusal::TooManySockets(SOCKETS_MAX);
    let permit = Arc::clone(&state.sockets).try_acquire_owned().map_err(|_| too_many)?;
    let upgrade = upgrade
        .protocols(Subprotocol::NAMES)
        .max_message_size(state.body_max_bytes)
        .max_frame_size(state.body_max_bytes)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0);
    let subprotocol = Subprotocol::selected(upgrade.selected_protocol(), &mut handshake).await?;
    let session = Session::new(Arc::clone(state), viewer);
    let mut response = upgrade.on_upgrade(move |socket| async move {
        // The server waits for its connections when it stops.
        let _held = (permit, token);
        session::serve(socket, subprotocol, session).await;
    });
    // Among them how the client writes the names of headers, which are then answered likewise: Python's gql finds the
    // subprotocol by a name with capitals only.
    response.extensions_mut().extend(handshake.extensions);
    Ok(response)
}

/// Who connects, by the handshake.
fn visitor(state: &HttpState, handshake: &Parts) -> Result<Viewer, Refusal> {
    let (caller, headers) = (guard::caller(&handshake.extensions), &handshake.headers);
    // Browsers let any page open a WebSocket to anywhere and send no preflight.
    if let Some(origin) = headers.get(header::ORIGIN)
        && !state.origins.may_connect(origin, headers.get(header::HOST), caller)
    {
        return Err(Refusal::ForeignOrigin(String::from_utf8_lossy(origin.as_bytes()).into_owned()));
    }
    Ok(guard::viewer(&state.authenticator, caller, headers).map_err(RequestError::from)?)
}
