//! What the server keeps for each idle subscription.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::{Server, resident_bytes};

const CONNECTIONS: usize = 1_000;
const ROUNDS: usize = 3;

/// The clients are a process of their own, so that only the server's memory is counted here.
pub async fn measure() -> anyhow::Result<()> {
    let server = Server::start().await?;
    println!("{CONNECTIONS} WebSockets, each with an idle subscription of articleChanged, {ROUNDS} times");
    println!("{:>12} {:>12} {:>20}", "before MB", "with them MB", "kB per connection");
    for _ in 0..ROUNDS {
        let before = resident_bytes(std::process::id())?;
        let mut clients = Command::new(std::env::current_exe()?)
            .args(["subscribe", &server.url.replace("http://", "ws://"), &CONNECTIONS.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let printed = clients.stdout.take().context("no output")?;
        BufReader::new(printed).lines().next_line().await?.context("the clients have ended")?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let during = resident_bytes(std::process::id())?;
        clients.stdin.take().context("no input")?.write_all(b"\n").await?;
        clients.wait().await?;
        // Until the server has noticed.
        tokio::time::sleep(Duration::from_secs(2)).await;
        #[expect(clippy::cast_precision_loss, reason = "printed with few digits")]
        let [before, during] = [before, during].map(|bytes| bytes as f64);
        #[expect(clippy::cast_precision_loss, reason = "few")]
        let each = (during - before) / 1e3 / CONNECTIONS as f64;
        println!("{:>12.1} {:>12.1} {each:>20.1}", before / 1e6, during / 1e6);
    }
    server.stop().await
}

/// Opens `count` subscriptions, says so in a line, and keeps them until a line comes.
pub async fn subscribe(url: &str, count: usize) -> anyhow::Result<()> {
    let mut sockets = Vec::with_capacity(count);
    for _ in 0..count {
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
        socket.send(Message::text(r#"{"type":"connection_init"}"#)).await?;
        socket.next().await.context("the server closed")??;
        let subscribe = r#"{"id":"1","type":"subscribe","payload":{"query":"subscription { articleChanged { kind articleId } }"}}"#;
        socket.send(Message::text(subscribe)).await?;
        sockets.push(socket);
    }
    println!("{count} are subscribed");
    let mut line = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut line).await?;
    Ok(())
}
