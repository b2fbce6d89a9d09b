//! Queries beside an import: how long `recommend` takes while documents saturate the engine, next to an idle one.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::corpus::{Article, lines};
use crate::harness::{Client, Server, percentile};

/// Articles that are there before anything is measured.
const SEED: usize = 2_000;
/// Articles of the import that runs meanwhile, at most.
const IMPORTED: usize = 20_000;
const QUERIES: usize = 400;
/// Articles of one mutation.
const BATCH: usize = 200;

pub async fn measure(articles: &Path, model: &str) -> anyhow::Result<()> {
    let mut articles: Vec<Article> = lines(articles)?;
    let titles: Vec<_> =
        articles.iter().rev().take(2 * QUERIES).map(|article| article.title.clone()).collect();
    articles.truncate(SEED + IMPORTED);
    let server = Server::start_with(model).await?;
    let client = Client::new(&server);
    for batch in articles[..SEED].chunks(BATCH) {
        create(&client, batch).await?;
    }
    in_step(&client).await?;
    let (idle_titles, busy_titles) = titles.split_at(QUERIES);
    let idle = ask(&client, idle_titles).await?;
    let import = tokio::spawn({
        let (client, articles) = (client.clone(), articles[SEED..].to_vec());
        async move {
            for batch in articles.chunks(BATCH) {
                create(&client, batch).await?;
            }
            anyhow::Ok(())
        }
    });
    // Until the queue of documents is full.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let busy = ask(&client, busy_titles).await?;
    let pending = client.send("{ indexStatus { pending } }", json!({})).await?.0;
    anyhow::ensure!(
        pending["indexStatus"]["pending"].as_u64() > Some(0),
        "the import had ended before the queries"
    );
    import.abort();
    println!("model {model}; recommend by {QUERIES} titles, one at a time, on {SEED} articles\n");
    println!("{:24} {:>8} {:>8}", "", "p50 ms", "p99 ms");
    for (name, times) in [("idle", &idle), ("beside an import", &busy)] {
        println!("{name:24} {:>8.1} {:>8.1}", percentile(times, 0.5), percentile(times, 0.99));
    }
    server.stop().await
}

async fn create(client: &Client, articles: &[Article]) -> anyhow::Result<()> {
    let articles: Vec<Value> = articles
        .iter()
        .map(|article| {
            let title: String = article.title.chars().take(300).collect();
            json!({ "title": title, "content": article.content })
        })
        .collect();
    let mutation =
        "mutation($input: CreateArticlesInput!) { createArticles(input: $input) { userErrors { message } } }";
    client.send(mutation, json!({ "input": { "articles": articles, "waitForIndex": false } })).await?;
    Ok(())
}

async fn in_step(client: &Client) -> anyhow::Result<()> {
    loop {
        let (status, _) = client.send("{ indexStatus { pending } }", json!({})).await?;
        if status["indexStatus"]["pending"] == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn ask(client: &Client, titles: &[String]) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for title in titles {
        let query = "query($text: String!) { recommend(query: $text) { score } }";
        times.push(client.send(query, json!({ "text": title })).await?.1);
    }
    Ok(times)
}
