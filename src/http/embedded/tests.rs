//! The embedded files as a client gets them.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, Response, StatusCode, header},
};
use tower::ServiceExt;

use super::super::playground::PLAYGROUND;
use super::super::reader::READER;
use super::{Asset, decompress, router};

async fn send(method: Method, path: &str, headers: &[(header::HeaderName, &str)]) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let app: Router = router(&PLAYGROUND).merge(router(&READER));
    app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn get(path: &str, headers: &[(header::HeaderName, &str)]) -> Response<Body> {
    send(Method::GET, path, headers).await
}

async fn body(response: Response<Body>) -> Vec<u8> {
    to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
}

fn header_of(response: &Response<Body>, name: header::HeaderName) -> Option<&str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

fn assets() -> impl Iterator<Item = &'static Asset> {
    PLAYGROUND.assets.iter().chain(READER.assets)
}

fn asset_ending(suffix: &str) -> &'static Asset {
    assets().find(|asset| asset.path.ends_with(suffix)).unwrap()
}

#[test]
fn every_file_decompresses() {
    for asset in assets() {
        assert!(!decompress(asset.brotli).is_empty(), "{}", asset.path);
    }
}

#[tokio::test]
async fn the_pages_name_only_files_that_are_served_and_by_relative_addresses() {
    for (page, title) in [("/", "<title>Sentio playground</title>"), ("/reader/", "<title>Reader</title>")] {
        let html = String::from_utf8(body(get(page, &[]).await).await).unwrap();
        assert!(html.contains(title), "{page}");
        let addresses: Vec<&str> = ["src=\"", "href=\""]
            .into_iter()
            .flat_map(|attribute| html.split(attribute).skip(1))
            .filter_map(|rest| rest.split('"').next())
            .filter(|address| !address.starts_with("data:"))
            .collect();
        assert!(addresses.len() >= 2, "{page}: {addresses:?}");
        for address in addresses {
            // Below a path that a proxy takes off, an absolute address leads elsewhere.
            assert!(!address.starts_with('/'), "{page}: {address}");
            let path = format!("{page}{}", address.trim_start_matches("./"));
            assert_eq!(get(&path, &[]).await.status(), StatusCode::OK, "{path}");
        }
    }
}

#[tokio::test]
async fn content_is_the_same_compressed_or_not() {
    let asset = asset_ending("/app.js");

    let compressed = get(asset.path, &[(header::ACCEPT_ENCODING, "gzip, deflate, br")]).await;
    assert_eq!(header_of(&compressed, header::CONTENT_ENCODING), Some("br"));
    assert_eq!(header_of(&compressed, header::VARY), Some("accept-encoding"));
    let plain = get(asset.path, &[]).await;
    assert_eq!(header_of(&plain, header::CONTENT_ENCODING), None);
    assert_eq!(header_of(&plain, header::VARY), Some("accept-encoding"));

    assert_eq!(decompress(&body(compressed).await), body(plain).await);
}

#[tokio::test]
async fn accept_encoding_is_honoured() {
    for (accept, brotli) in [
        ("br", true),
        ("BR", true),
        ("gzip;q=1.0, br;q=0.5", true),
        ("br ; q=0.001", true),
        ("*", true),
        ("*;q=0, br", true),
        ("gzip, *;q=0.1", true),
        ("", false),
        ("gzip, deflate", false),
        ("br;q=0", false),
        ("br;q=0.000, *", false),
        ("*;q=0", false),
        ("brotli", false),
        ("br;q=high", false),
    ] {
        let response = get("/", &[(header::ACCEPT_ENCODING, accept)]).await;
        assert_eq!(header_of(&response, header::CONTENT_ENCODING).is_some(), brotli, "{accept:?}");
    }
}

#[tokio::test]
async fn the_codings_may_stand_in_several_header_lines() {
    let headers = [(header::ACCEPT_ENCODING, "gzip"), (header::ACCEPT_ENCODING, "br")];

    assert_eq!(header_of(&get("/", &headers).await, header::CONTENT_ENCODING), Some("br"));
}

#[tokio::test]
async fn content_types_are_right() {
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        (asset_ending("/app.css").path, "text/css; charset=utf-8"),
        (asset_ending("/graphql.worker.js").path, "text/javascript; charset=utf-8"),
        (asset_ending("/licenses.txt").path, "text/plain; charset=utf-8"),
    ] {
        let response = get(path, &[]).await;
        assert_eq!(header_of(&response, header::CONTENT_TYPE), Some(content_type), "{path}");
        assert_eq!(header_of(&response, header::X_CONTENT_TYPE_OPTIONS), Some("nosniff"), "{path}");
    }
}

#[tokio::test]
async fn nothing_from_elsewhere_may_run() {
    for asset in assets() {
        let response = get(asset.path, &[]).await;
        let policy = header_of(&response, header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(policy.contains("default-src 'none'; script-src 'self';"), "{}", asset.path);
        assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{}", asset.path);
    }
}

#[tokio::test]
async fn the_page_is_revalidated_and_the_rest_kept_for_ever() {
    for asset in assets() {
        let response = get(asset.path, &[]).await;
        let cache_control = header_of(&response, header::CACHE_CONTROL).unwrap();
        assert_eq!(cache_control == "no-cache", asset.path.ends_with('/'), "{}", asset.path);
        assert_eq!(cache_control.ends_with("immutable"), !asset.path.ends_with('/'), "{}", asset.path);
    }
}

#[tokio::test]
async fn a_current_copy_is_not_sent_again() {
    let etag = header_of(&get("/", &[]).await, header::ETAG).unwrap().to_owned();
    let strong = etag.strip_prefix("W/").unwrap();

    for current in [&etag, strong, "*", &format!("\"older\", {etag}")] {
        let response = get("/", &[(header::IF_NONE_MATCH, current)]).await;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{current}");
        assert_eq!(header_of(&response, header::ETAG), Some(etag.as_str()));
        assert_eq!(header_of(&response, header::CACHE_CONTROL), Some("no-cache"));
        assert!(body(response).await.is_empty());
    }
    let response = get("/", &[(header::IF_NONE_MATCH, "\"older\"")]).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    for headers in [&[][..], &[(header::ACCEPT_ENCODING, "br")]] {
        let get = get("/", headers).await;
        let head = send(Method::HEAD, "/", headers).await;

        assert_eq!(head.status(), StatusCode::OK);
        assert_eq!(head.headers().get(header::CONTENT_LENGTH), get.headers().get(header::CONTENT_LENGTH));
        assert_eq!(head.headers().get(header::ETAG), get.headers().get(header::ETAG));
        assert!(body(head).await.is_empty());
    }
}

#[tokio::test]
async fn other_methods_and_other_paths_are_refused() {
    assert_eq!(send(Method::POST, "/", &[]).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(get("/playground/0000000000000000/app.js", &[]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get("/playground/../Cargo.toml", &[]).await.status(), StatusCode::NOT_FOUND);
}
