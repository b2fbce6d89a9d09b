//! `make bench`: figures of the hot paths.
//!
//! group-commit: how writes are grouped into commits of the index, with one client and with 64.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[allow(dead_code, reason = "each benchmark uses a part")]
mod harness;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::{Client, Server, percentile, text};
use serde_json::json;

const CREATE: &str = "mutation($title: String!, $content: String!) {
  createArticle(input: { title: $title, content: $content }) { article { indexState } }
}";
/// How long each number of clients writes in one round.
const ROUND: Duration = Duration::from_secs(5);
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    println!(
        "group-commit: createArticle(waitForIndex: true) over HTTP, rounds of {ROUND:?} interleaved, medians"
    );
    println!("{:>8} {:>10} {:>10} {:>10} {:>16}", "clients", "writes/s", "p50 ms", "p99 ms", "writes/commit");
    let server = Server::start().await?;
    let mut figures = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (figures, clients) in figures.iter_mut().zip([1, 64]) {
            figures.push(round(&server, clients).await?);
        }
    }
    let mut rates = Vec::new();
    for (figures, clients) in figures.iter().zip([1, 64]) {
        let median = |value: fn(&Figures) -> f64| {
            let mut values: Vec<_> = figures.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let rate = median(|it| it.rate);
        rates.push(rate);
        println!(
            "{clients:>8} {rate:>10.1} {:>10.1} {:>10.1} {:>16.1}",
            median(|it| it.p50),
            median(|it| it.p99),
            median(|it| it.per_commit)
        );
    }
    println!("64 clients write {:.1} times as fast as one", rates[1] / rates[0]);
    server.stop().await
}

struct Figures {
    rate: f64,
    p50: f64,
    p99: f64,
    per_commit: f64,
}

async fn round(server: &Server, clients: usize) -> anyhow::Result<Figures> {
    let number = Arc::new(AtomicU64::new(0));
    let before = commits(server).await?;
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (client, number) = (Client::new(server), Arc::clone(&number));
            tokio::spawn(async move {
                let mut times = Vec::new();
                while started.elapsed() < ROUND {
                    let number = number.fetch_add(1, Ordering::Relaxed);
                    let variables = json!({ "title": format!("Article {number}"), "content": text(number) });
                    let (data, took) = client.send(CREATE, variables).await?;
                    anyhow::ensure!(data["createArticle"]["article"]["indexState"] == "INDEXED", "{data}");
                    times.push(took);
                }
                anyhow::Ok(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let seconds = started.elapsed().as_secs_f64();
    let commits = commits(server).await? - before;
    #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]
    let (writes, commits) = (times.len() as f64, commits as f64);
    let (p50, p99) = (percentile(&times, 0.5), percentile(&times, 0.99));
    Ok(Figures { rate: writes / seconds, p50, p99, per_commit: writes / commits })
}

/// The version of the article table: each commit of new articles raises it by one, upkeep by a few.
async fn commits(server: &Server) -> anyhow::Result<u64> {
    Ok(server.app.generations.open_live().await?.tables.versions().await?.articles)
}
