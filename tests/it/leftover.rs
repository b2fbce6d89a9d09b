//! A refusal reaches the client that is still sending.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::app::{Builder, TestApp};

const MEBIBYTE: usize = 1024 * 1024;

/// Sends all of a body and reads then, as many clients do; returns what was answered, and `None` when the connection broke before
/// all was sent.
async fn send_then_read(app: &TestApp, headers: &str, body_bytes: usize) -> Option<String> {
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    let head = format!("POST /graphql HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = vec![b'x'; MEBIBYTE];
    let chunked = headers.contains("chunked");
    for _ in 0..body_bytes / MEBIBYTE {
        if chunked {
            stream.write_all(format!("{MEBIBYTE:x}\r\n").as_bytes()).await.ok()?;
        }
        stream.write_all(&chunk).await.ok()?;
        if chunked {
            stream.write_all(b"\r\n").await.ok()?;
        }
    }
    if chunked {
        stream.write_all(b"0\r\n\r\n").await.ok()?;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    Some(String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn a_client_that_sends_everything_first_reads_why_it_was_refused() {
    let app = Builder::new().set("SENTIO_API_KEYS", "one-key").start().await;
    let (small, large) = (4 * MEBIBYTE, 64 * MEBIBYTE);
    let json = "Content-Type: application/json\r\n";
    for (headers, bytes, status) in [
        (json.to_owned(), large, 413),
        ("Content-Type: text/plain\r\n".to_owned(), large, 415),
        ("Content-Type: text/plain\r\n".to_owned(), small, 415),
        (format!("{json}Content-Encoding: gzip\r\n"), large, 415),
        (format!("{json}Accept: text/html\r\n"), large, 406),
        (format!("{json}Authorization: Bearer wrong\r\n"), large, 401),
        (format!("{json}Authorization: Bearer wrong\r\n"), small, 401),
    ] {
        for framing in [format!("Content-Length: {bytes}\r\n"), "Transfer-Encoding: chunked\r\n".to_owned()] {
            let answer = send_then_read(&app, &format!("{headers}{framing}"), bytes).await;
            let answer = answer.unwrap_or_else(|| panic!("{headers}{framing}: the connection broke"));
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{headers}{framing}: {answer}");
            assert!(answer.to_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
        }
    }
    // Also where no route is, and where a host is not the server's.
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    let head = format!("POST /nothing HTTP/1.1\r\nHost: evil.example\r\nContent-Length: {small}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; small]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    app.stop().await;
}

#[tokio::test]
async fn nobody_makes_the_server_read_without_end() {
    let app = Builder::new().start().await;
    // More than is read: the client notices that the connection is gone.
    let headers = "Content-Type: text/plain\r\nContent-Length: 1073741824\r\n";
    let sent = send_then_read(&app, headers, 1024 * MEBIBYTE).await;
    assert!(sent.is_none(), "1 GiB was read");
    // Less than was announced: the client keeps its side open and sends nothing.
    let started = Instant::now();
    let sent = send_then_read(&app, headers, MEBIBYTE).await;
    assert!(sent.is_none_or(|answer| answer.starts_with("HTTP/1.1 415 ")));
    let waited = started.elapsed();
    assert!((Duration::from_secs(8)..Duration::from_secs(20)).contains(&waited), "{waited:?}");
    app.stop().await;
}

#[tokio::test]
async fn a_client_that_waits_for_a_word_sends_nothing_in_vain() {
    let app = Builder::new().start().await;
    for (headers, status) in [
        ("Content-Type: application/json\r\nContent-Length: 67108864\r\n", 413),
        ("Content-Type: text/plain\r\nContent-Length: 67108864\r\n", 415),
        ("Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n", 415),
    ] {
        let head =
            format!("POST /graphql HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n{headers}\r\n");
        let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // Ends, because the connection closes at once.
        let read = stream.read_to_string(&mut answer);
        tokio::time::timeout(Duration::from_secs(5), read).await.unwrap().unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{headers}: {answer}");
    }
    // What is not refused is asked for.
    let body = "{\"query\":\"{ __typename }\"}";
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut word = [0; 25];
    stream.read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    app.stop().await;
}

#[tokio::test]
async fn a_connection_lives_on_when_nothing_is_left_of_the_body() {
    let app = Builder::new().start().await;
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    let body = "{\"query\":\"{ nothing\"}";
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: application/graphql-response+json\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..3 {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).to_lowercase();
        assert!(answer.starts_with("http/1.1 400 ") && !answer.contains("connection: close"), "{answer}");
    }
    app.stop().await;
}
