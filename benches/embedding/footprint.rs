//! The program as a process: how fast an import is beside the engine alone, how soon a server with an index is ready, and
//! how much memory it takes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use crate::corpus::{Article, lines};
use crate::harness::resident_bytes;
use crate::repository;
use crate::vectors::{cut, engine, passages};

const ARTICLES: usize = 10_000;
const QUERIES: usize = 200;

pub async fn measure(articles: &Path, model: &str) -> anyhow::Result<()> {
    let mut articles: Vec<Article> = lines(articles)?;
    articles.truncate(ARTICLES);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("articles.jsonl");
    let mut lines = std::io::BufWriter::new(std::fs::File::create(&file)?);
    for (number, article) in articles.iter().enumerate() {
        let title: String = article.title.chars().take(300).collect();
        writeln!(
            lines,
            "{}",
            json!({ "id": number.to_string(), "title": title, "content": article.content })
        )?;
    }
    lines.into_inner()?.sync_all()?;
    let threads = std::thread::available_parallelism()?.get();
    println!("model {model}, {} articles, {threads} threads", articles.len());

    let alone = engine_alone(&articles, model, threads).await?;
    let started = Instant::now();
    let mut import =
        sentio(folder.path(), model, threads, &["import", &file.display().to_string()]).spawn()?;
    let mut most = 0;
    let status = loop {
        if let Some(status) = import.try_wait()? {
            break status;
        }
        most = most.max(resident_bytes(import.id()).unwrap_or(0));
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    anyhow::ensure!(status.success(), "the import failed");
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "import: {seconds:.1} s; the engine alone on the same passages {alone:.1} s: {:.0} % of its rate; resident at most {} MB",
        100.0 * alone / seconds,
        most / 1_000_000
    );
    for threads in [threads, 16] {
        serve(folder.path(), model, threads, &articles).await?;
    }
    Ok(())
}

/// Seconds that the engine takes for the passages of all articles.
async fn engine_alone(articles: &[Article], model: &str, threads: usize) -> anyhow::Result<f64> {
    let embedder = engine(model, "auto", threads)?;
    let mut texts = Vec::new();
    for article in articles {
        texts.extend(cut(&embedder, None, article)?);
    }
    let mut tokens = 0;
    for text in &texts {
        tokens += embedder.token_ids(text)?.len();
    }
    let started = Instant::now();
    passages(&embedder, &texts).await?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "engine alone ({}): {} passages, {tokens} tokens, {:.0} tokens/s",
        embedder.model().arithmetic(),
        texts.len(),
        tokens as f64 / seconds
    );
    embedder.close().await;
    Ok(seconds)
}

/// Starts a server over the index several times; the last one answers queries.
async fn serve(folder: &Path, model: &str, threads: usize, articles: &[Article]) -> anyhow::Result<()> {
    let mut ready = Vec::new();
    for last in [false, false, false, false, true] {
        let started = Instant::now();
        let mut server =
            sentio(folder, model, threads, &["serve", "--port", "0"]).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(server.stdout.take().context("no output")?).read_line(&mut line)?;
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).context("no address")?;
        let url = format!("{url}graphql");
        let client = reqwest::Client::new();
        let query = "query($text: String!) { recommend(query: $text) { score article { title } } }";
        let ask = async |text: &str| {
            let body = json!({ "query": query, "variables": { "text": text } });
            let answer: serde_json::Value = client.post(&url).json(&body).send().await?.json().await?;
            anyhow::Ok(answer["data"]["recommend"].as_array().is_some_and(|list| !list.is_empty()))
        };
        while !ask("warm").await? {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        ready.push(started.elapsed());
        if last {
            let at_start = resident_bytes(server.id())?;
            for article in articles.iter().take(QUERIES) {
                ask(&article.title).await?;
            }
            ready.sort_unstable();
            println!(
                "serve with {threads} threads: first answer after {} ms (median of 5 starts); resident {} MB then, {} MB after {QUERIES} queries",
                ready[2].as_millis(),
                at_start / 1_000_000,
                resident_bytes(server.id())? / 1_000_000
            );
        }
        server.kill()?;
        server.wait()?;
    }
    Ok(())
}

fn sentio(folder: &Path, model: &str, threads: usize, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentio"));
    command
        .current_dir(folder)
        .env("SENTIO_DATA_DIR", folder.join("data"))
        .env("SENTIO_MODEL", repository(model))
        .env("SENTIO_ORT_LIB", repository("lib/libonnxruntime.so"))
        .env("SENTIO_EMBED_THREADS", threads.to_string())
        .env("SENTIO_LOG", "error")
        .args(arguments);
    command
}
