//! Long responses are compressed for those who accept gzip or zstd.

use std::convert::Infallible;
use std::future::ready;
use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Request, header};
use axum::response::Response;
use tower::{Layer, ServiceExt};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use super::response_text;
use crate::graphql::Answer;

/// Shorter responses are sent as they are.
const COMPRESSED_FROM_BYTES: u16 = 1_024;
/// What zstd at its lowest level takes while it works, which is as long as a slow client reads; gzip takes less.
const COMPRESSOR_BYTES: u64 = 1_536 * 1024;

/// Compresses `response` for a client with these headers, if it accepts that. Not for streams of events: they would be held back
/// until there is enough of them.
pub async fn compressed(response: Response, request: &HeaderMap) -> Response {
    let mut accepted = Request::new(());
    for value in request.get_all(header::ACCEPT_ENCODING) {
        accepted.headers_mut().append(header::ACCEPT_ENCODING, with_gzip_for_all(value));
    }
    let mut response = Some(response);
    let answer = tower::service_fn(move |_| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    let layer = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(COMPRESSED_FROM_BYTES));
    match layer.layer(answer).oneshot(accepted).await {
        Ok(compressed) => compressed.map(Body::new),
        Err(never) => match never {},
    }
}

/// The JSON of `answer`, and whether it is to be compressed: it is long, `request` accepts that, and there is memory for a compressor.
pub async fn response_text(mut answer: Answer, request: &HeaderMap) -> (io::Result<Bytes>, bool) {
    let compress = answer.json_bytes() >= u64::from(COMPRESSED_FROM_BYTES)
        && accepts_a_coding(request)
        && answer.take_memory(COMPRESSOR_BYTES).is_ok();
    (response_text::response_text(answer, "", "").await, compress)
}

/// Whether a client may accept gzip or zstd; how much it wants one, [`compressed`] finds out.
pub fn accepts_a_coding(request: &HeaderMap) -> bool {
    request.get_all(header::ACCEPT_ENCODING).iter().any(names_a_coding)
}

/// `*` stands for every coding that is not named (RFC 9110, section 12.5.3), which the library does not know.
fn with_gzip_for_all(accepted: &HeaderValue) -> HeaderValue {
    let text = accepted.to_str().unwrap_or_default();
    if !text.contains('*') || text.to_ascii_lowercase().contains("gzip") {
        return accepted.clone();
    }
    HeaderValue::from_str(&text.replace('*', "gzip")).unwrap_or_else(|_| accepted.clone())
}

fn names_a_coding(accepted: &HeaderValue) -> bool {
    let accepted = accepted.as_bytes().to_ascii_lowercase();
    [b"gzip".as_slice(), b"zstd", b"*"]
        .iter()
        .any(|name| accepted.windows(name.len()).any(|part| part == *name))
}
