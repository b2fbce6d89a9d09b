//! Long responses are compressed for those who ask for it.

use std::io::Read;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::app::{Builder, TestApp};

/// Long enough to be compressed.
const LONG: &str = "{ __schema { types { name description } } }";

/// One that shows what was sent.
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_gzip().no_brotli().no_zstd().no_deflate().build().unwrap()
}

async fn ask(app: &TestApp, accepted: &[(&'static str, &str)], document: &str) -> (HeaderMap, Vec<u8>) {
    let mut request = client().post(format!("{}/graphql", app.url)).json(&json!({ "query": document }));
    for (name, value) in accepted {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    (response.headers().clone(), response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn a_long_response_is_compressed_as_the_client_accepts_it() {
    let app = Builder::new().start().await;
    let (_, plain) = ask(&app, &[], LONG).await;
    for (accepted, coding) in [
        ("gzip", Some("gzip")),
        ("GZIP", Some("gzip")),
        ("x-gzip", Some("gzip")),
        ("gzip, deflate", Some("gzip")),
        ("gzip, deflate, br, zstd", Some("zstd")),
        ("zstd", Some("zstd")),
        ("gzip;q=1.0, zstd;q=0.5", Some("gzip")),
        ("gzip;q=0.5, identity;q=0.9", None),
        ("gzip;q=0", None),
        ("gzip;q=0, zstd;q=0.001", Some("zstd")),
        ("br", None),
        ("deflate", None),
        ("identity", None),
        ("", None),
        ("*", Some("gzip")),
        ("zstd;q=0, *", Some("gzip")),
        ("*;q=0", None),
    ] {
        let (headers, body) = ask(&app, &[("accept-encoding", accepted)], LONG).await;
        let found = headers.get("content-encoding").map(|value| value.to_str().unwrap());
        assert_eq!(found, coding, "{accepted}");
        let vary: Vec<_> = headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        let vary = vary.join(", ").to_lowercase();
        assert!(vary.contains("accept-encoding") && vary.contains("accept,"), "{vary}");
        match coding {
            Some("gzip") => {
                let mut text = Vec::new();
                flate2::read::GzDecoder::new(&*body).read_to_end(&mut text).unwrap();
                assert!(text == plain && body.len() < plain.len() / 2, "{accepted}");
            }
            Some(_) => assert!(body.starts_with(b"\x28\xb5\x2f\xfd") && body.len() < plain.len() / 2),
            None => {
                assert!(body == plain, "{accepted}");
                assert_eq!(headers["content-length"], plain.len().to_string());
            }
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn short_responses_and_streams_are_not_compressed() {
    let app = Builder::new().start().await;
    let accepted = ("accept-encoding", "gzip, zstd");
    let (headers, body) = ask(&app, &[accepted], "{ __typename }").await;
    assert!(headers.get("content-encoding").is_none());
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!({ "data": { "__typename": "Query" } }));
    let (headers, body) = ask(&app, &[accepted, ("accept", "text/event-stream")], LONG).await;
    assert!(headers.get("content-encoding").is_none());
    assert!(body.starts_with(b"event: next\ndata: {") && body.ends_with(b"\n\nevent: complete\ndata:\n\n"));
    // Errors are responses.
    let long_error = format!("{{ {} }}", "nothing ".repeat(50));
    let (headers, _) = ask(&app, &[accepted], &long_error).await;
    assert!(headers.get("content-encoding").is_some());
    app.stop().await;
}

#[tokio::test]
async fn pages_come_in_their_own_coding() {
    let app = Builder::new().start().await;
    let page = |accepted: &'static str| {
        let request = client().get(format!("{}/", app.url)).header("accept-encoding", accepted);
        async move { request.send().await.unwrap() }
    };
    for (accepted, coding) in [("gzip, br", Some("br")), ("gzip, zstd", None)] {
        let response = page(accepted).await;
        let found = response.headers().get("content-encoding").map(|value| value.to_str().unwrap());
        assert_eq!(found, coding, "{accepted}");
    }
    app.stop().await;
}
