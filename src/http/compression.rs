//! Long responses are compressed for those who accept gzip or zstd.

use std::io;

use axum::body::Bytes;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponseParts, ResponseParts};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use super::response_text;
use crate::graphql::Answer;

/// Shorter responses are sent as they are.
const COMPRESSED_FROM_BYTES: u16 = 1_024;
/// What zstd at its lowest level takes while it works, which is as long as a slow client reads; gzip takes less.
const COMPRESSOR_BYTES: u64 = 1_536 * 1024;

/// Whether a response may be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Free,
    /// There is no memory for a compressor.
    AsItIs,
}

impl IntoResponseParts for Coding {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

/// Compresses what handlers return. Streams of events are left alone: they would be held back until there is enough of them.
pub fn layer() -> CompressionLayer<impl Predicate + Send + Sync + 'static> {
    let free = |_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions| {
        extensions.get::<Coding>() != Some(&Coding::AsItIs)
    };
    let predicate = SizeAbove::new(COMPRESSED_FROM_BYTES).and(NotForContentType::SSE).and(free);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(predicate)
}

/// The JSON of `answer`, with memory for its compressor where `request` accepts one.
pub async fn response_text(mut answer: Answer, request: &HeaderMap) -> (io::Result<Bytes>, Coding) {
    let long = answer.json_bytes() >= u64::from(COMPRESSED_FROM_BYTES);
    let accepted = request.get_all(header::ACCEPT_ENCODING).iter().any(names_a_coding);
    let coding = if long && accepted && answer.take_memory(COMPRESSOR_BYTES).is_err() {
        Coding::AsItIs
    } else {
        Coding::Free
    };
    (response_text::response_text(answer, "", "").await, coding)
}

/// Whether it may lead to a compressed response; how much the client wants one, the layer finds out.
fn names_a_coding(accepted: &HeaderValue) -> bool {
    let accepted = accepted.as_bytes().to_ascii_lowercase();
    [b"gzip".as_slice(), b"zstd"].iter().any(|name| accepted.windows(name.len()).any(|part| part == *name))
}
