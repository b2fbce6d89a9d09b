//! Web pages that are part of the program: their files, embedded and served from its own origin.
//!
//! They are embedded as brotli, which every browser takes, and decompressed only for a client that does not accept it.

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

/// The page has one address for all builds, so a browser asks each time whether its copy is the present one.
const REVALIDATE: &str = "no-cache";

/// Every other address contains a hash of its build.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// A page with its scripts and style sheets.
pub struct Page {
    pub assets: &'static [Asset],
    /// What the page may load and run.
    pub content_security_policy: &'static str,
}

/// One file.
pub struct Asset {
    /// Absolute path of its address. The files name each other by relative addresses.
    pub path: &'static str,
    pub content_type: &'static str,
    /// Hash of the content before compression, without quotes.
    pub etag: &'static str,
    /// The content, compressed with brotli.
    pub brotli: &'static [u8],
}

/// Serves the files of `page`.
pub fn router<S: Clone + Send + Sync + 'static>(page: &'static Page) -> Router<S> {
    page.assets.iter().fold(Router::new(), |router, asset| {
        let plain = Arc::new(OnceLock::new());
        let policy = page.content_security_policy;
        let handler = move |headers: HeaderMap| async move { serve(asset, policy, &plain, &headers) };
        router.route(asset.path, get(handler))
    })
}

/// Answers with the asset, compressed if the client accepts that. `plain` keeps the decompressed content.
fn serve(
    asset: &'static Asset,
    policy: &'static str,
    plain: &OnceLock<Bytes>,
    request: &HeaderMap,
) -> Response {
    let cache_control = if asset.path.ends_with('/') { REVALIDATE } else { FOREVER };
    // Weak, because it names the content in either coding.
    let etag = format!("W/\"{}\"", asset.etag);
    let headers = [
        (header::CACHE_CONTROL, cache_control),
        (header::ETAG, etag.as_str()),
        (header::VARY, "accept-encoding"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    if is_cached(asset, request) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, asset.content_type)];
    if accepts_brotli(request) {
        let body = Bytes::from_static(asset.brotli);
        return (headers, content_type, [(header::CONTENT_ENCODING, "br")], body).into_response();
    }
    let body = plain.get_or_init(|| decompress(asset.brotli)).clone();
    (headers, content_type, body).into_response()
}

/// Takes a few milliseconds for the largest file.
fn decompress(compressed: &[u8]) -> Bytes {
    let mut content = Vec::new();
    #[expect(
        clippy::expect_used,
        reason = "the files are part of the program, and a test decompresses each"
    )]
    brotli::BrotliDecompress(&mut &*compressed, &mut content)
        .expect("the embedded files are whole: a test decompresses each");
    content.into()
}

/// Whether `If-None-Match` names the present content, by weak comparison (RFC 9110, section 13.1.2).
fn is_cached(asset: &Asset, request: &HeaderMap) -> bool {
    elements(request, header::IF_NONE_MATCH).any(|tag| {
        let opaque = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || opaque.trim_matches('"') == asset.etag
    })
}

/// Whether `Accept-Encoding` allows brotli, by name or by `*`, with a weight above 0 (RFC 9110, section 12.5.3).
fn accepts_brotli(request: &HeaderMap) -> bool {
    let weight_of = |coding: &str| {
        elements(request, header::ACCEPT_ENCODING).find_map(|element| {
            let (name, parameter) = element.split_once(';').unwrap_or((element, "q=1"));
            let (_, weight) = parameter.split_once('=')?;
            let weight: f32 = weight.trim().parse().ok()?;
            name.trim().eq_ignore_ascii_case(coding).then_some(weight)
        })
    };
    weight_of("br").or_else(|| weight_of("*")).is_some_and(|weight| weight > 0.0)
}

/// The elements of a header that is a comma-separated list, over all its lines. Lines that are not text are left out.
fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|line: &HeaderValue| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests;
