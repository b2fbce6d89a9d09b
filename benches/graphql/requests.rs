//! Requests per second beside a bare handler that answers the same bytes, and what knowing a document is worth.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use serde_json::{Value, json};

use crate::harness::{Client, Server, text};
use crate::wrk::{self, Load};

const ARTICLES: u64 = 1_000;
/// Each measurement is repeated so often, all of them in turn.
const ROUNDS: usize = 5;

const ARTICLE: &str = "query($id: ID!) { article(id: $id) { id title category tags createdAt } }";
const PAGE: &str = "query($first: Int!) { articles(first: $first) { nodes { id title category createdAt } pageInfo { endCursor } } }";
const SIMILAR: &str = "query($first: Int!) { articles(first: $first) {
  nodes { id similarTo(k: 3) { score article { title } } } } }";

struct Case {
    name: &'static str,
    query: &'static str,
    variables: Value,
    /// Whether no document is known.
    varied: bool,
}

pub async fn measure() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let client = Client::new(&server);
    fill(&client).await?;
    let case = |name, query, variables| Case { name, query, variables, varied: false };
    let cases = [
        case("article(id)", ARTICLE, json!({ "id": "7" })),
        Case { varied: true, ..case("the same, never seen before", ARTICLE, json!({ "id": "7" })) },
        case("articles(first: 20)", PAGE, json!({ "first": 20 })),
        case("10 × similarTo(k: 3)", SIMILAR, json!({ "first": 10 })),
    ];
    let bodies: Vec<_> = cases.iter().map(Case::body).collect();
    let mut bare = Vec::new();
    for body in &bodies {
        bare.push(bare_handler(&server.url, body).await?);
    }
    let mut loads: BTreeMap<(usize, bool), Vec<Load>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (at, (case, body)) in cases.iter().zip(&bodies).enumerate() {
            loads.entry((at, true)).or_default().push(wrk::post(&server.url, body, case.varied).await?);
            loads.entry((at, false)).or_default().push(wrk::post(&bare[at], body, case.varied).await?);
        }
    }
    println!(
        "{ARTICLES} articles, 16 connections, medians of {ROUNDS} interleaved rounds of 3 s; the bare handler answers the same bytes\n"
    );
    println!(
        "{:<28} {:>11} {:>9} {:>11} {:>9} {:>8}",
        "", "requests/s", "p99 ms", "bare /s", "p99 ms", "times"
    );
    for (at, case) in cases.iter().enumerate() {
        let of = |graphql: bool, value: fn(&Load) -> f64| median(loads[&(at, graphql)].iter().map(value));
        let [rate, bare_rate] = [true, false].map(|graphql| of(graphql, |load| load.requests_per_second));
        let [p99, bare_p99] = [true, false].map(|graphql| of(graphql, |load| load.p99));
        let name = case.name;
        println!(
            "{name:<28} {rate:>11.0} {p99:>9.2} {bare_rate:>11.0} {bare_p99:>9.2} {:>8.1}",
            bare_rate / rate
        );
    }
    let (known, parsed) = documents(&server).await?;
    println!("\n{known} requests had a document that was known, {parsed} had one that was parsed");
    server.stop().await
}

impl Case {
    fn body(&self) -> String {
        let comment = if self.varied { " # NUMBER" } else { "" };
        json!({ "query": format!("{}{comment}", self.query), "variables": self.variables }).to_string()
    }
}

async fn fill(client: &Client) -> anyhow::Result<()> {
    let numbers: Vec<_> = (0..ARTICLES).collect();
    for numbers in numbers.chunks(100) {
        let article = |number: &u64| json!({ "title": format!("Article {number}"), "content": text(*number), "category": "Words" });
        let articles: Vec<_> = numbers.iter().map(article).collect();
        let document = "mutation($articles: [NewArticleInput!]!) {
          createArticles(input: { articles: $articles }) { userErrors { message } }
        }";
        client.send(document, json!({ "articles": articles })).await?;
    }
    Ok(())
}

/// Serves what `url` answers to `body`; returns its address.
async fn bare_handler(url: &str, body: &str) -> anyhow::Result<String> {
    let request = reqwest::Client::new().post(url).header(CONTENT_TYPE, "application/json");
    let response = request.body(body.to_owned()).send().await?;
    let content_type = response.headers()[CONTENT_TYPE].clone();
    let bytes = response.bytes().await?;
    anyhow::ensure!(!bytes.windows(8).any(|window| window == b"\"errors\""), "{bytes:?}");
    let answer = move |_: Bytes| async move { ([(CONTENT_TYPE, content_type)], bytes) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let router = Router::new().route("/", post(answer));
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(url)
}

/// How many requests had a document that was known, and how many one that was parsed, by the server's own count.
async fn documents(server: &Server) -> anyhow::Result<(String, String)> {
    let metrics = reqwest::get(server.url.replace("/graphql", "/metrics")).await?.text().await?;
    let count = |document: &str| {
        let label = format!("sentio_graphql_requests_total{{document=\"{document}\"}}");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&label));
        line.unwrap_or_default().trim().to_owned()
    };
    Ok((count("known"), count("parsed")))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
