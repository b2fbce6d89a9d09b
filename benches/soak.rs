//! `make soak`: single writes on an index of some size, with a watch on latency, files and memory. It fails when one of
//! them grows beyond its bound.
//!
//!     cargo bench --bench soak -- [articles] [writes]        20,000 each when nothing is said

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[allow(dead_code, reason = "each benchmark uses a part")]
mod harness;

use std::path::Path;
use std::time::{Duration, Instant};

use harness::{Client, Server, percentile, resident_bytes, text};
use serde_json::json;

/// Data files of both tables together: for each, 16 small ones from before an upkeep and 16 that it waits for, 16 middle
/// ones, and the large ones.
const FRAGMENTS_MAX: u64 = 120;
/// Versions of both tables that lie on disk: those of the last six minutes (five are kept, pruned each minute) at 30
/// writes a second, two versions for each table and write.
const VERSIONS_MAX: usize = 45_000;
/// Bytes on disk beside the live rows, for each version that lies there: what a write leaves for as long as versions are
/// kept. It does not grow with the table.
const BYTES_PER_VERSION_MAX: u64 = 64 * 1024;
/// Growth of the median and the 99th percentile from the first to the last tenth.
const LATENCY_GROWTH_MAX: f64 = 2.5;
/// Growth of the resident memory from the first to the last tenth.
const MEMORY_GROWTH_MAX: f64 = 1.6;

const WRITE: &str = "mutation($id: ID!, $content: String!) {
  updateArticle(input: { id: $id, content: $content }) { article { indexState } }
}";
const REPLACE: &str = "mutation($id: ID!, $title: String!, $content: String!) {
  deleteArticle(input: { id: $id, waitForIndex: false }) { deletedArticleId }
  createArticle(input: { title: $title, content: $content }) { article { id indexState } }
}";
const SEARCH: &str = "query($query: String!) { recommend(query: $query) { score article { title } } }";

/// What is looked at, at the start, in the middle and at the end.
#[derive(Debug)]
struct Sample {
    write: Vec<Duration>,
    search: Vec<Duration>,
    fragments: u64,
    versions: usize,
    bytes_per_version: u64,
    sqlite_bytes: u64,
    resident_bytes: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let articles = numbers.first().copied().unwrap_or(20_000);
    let writes = numbers.get(1).copied().unwrap_or(20_000);
    let server = Server::start().await?;
    let client = Client::new(&server);
    let mut ids = fill(&server, &client, articles).await?;
    println!(
        "{:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "writes",
        "write p50",
        "p99 ms",
        "read p50",
        "p99 ms",
        "fragments",
        "versions",
        "B/version",
        "SQL MB",
        "RSS MB"
    );
    let window = (writes / 10).max(1);
    let mut samples = Vec::new();
    let (mut write_times, mut search_times) = (Vec::new(), Vec::new());
    for number in 0..writes {
        let at = usize::try_from(number * 7_919 % articles)?;
        write_times.push(write(&client, &mut ids[at], number + articles, number % 3 == 0).await?);
        if number % 10 == 0 {
            let (_, took) = client.send(SEARCH, json!({ "query": text(number) })).await?;
            search_times.push(took);
        }
        if (number + 1) % window == 0 {
            let (write, search) = (std::mem::take(&mut write_times), std::mem::take(&mut search_times));
            let sample = sample(&server, write, search).await?;
            print(number + 1, &sample);
            samples.push(sample);
        }
    }
    let checked = check(&samples);
    let live = server.app.generations.open_live().await?;
    let look = sentio::sync::Look::Newest;
    let report = sentio::sync::verify(&server.app.db, &live, look, |_| {}, |_| async { Ok(()) }).await?;
    println!("verify: {report:?}");
    server.stop().await?;
    anyhow::ensure!(report.in_step(), "the index is not in step");
    checked
}

async fn fill(server: &Server, client: &Client, articles: u64) -> anyhow::Result<Vec<String>> {
    let create =
        "mutation($input: CreateArticlesInput!) { createArticles(input: $input) { articles { id } } }";
    let started = Instant::now();
    let mut ids = Vec::new();
    let mut number = 0;
    while number < articles {
        let end = (number + 500).min(articles);
        let batch: Vec<_> =
            (number..end).map(|n| json!({ "title": format!("Article {n}"), "content": text(n) })).collect();
        let input = json!({ "input": { "articles": batch, "waitForIndex": false } });
        let (data, _) = client.send(create, input).await?;
        let created = data["createArticles"]["articles"].as_array().cloned().unwrap_or_default();
        ids.extend(created.iter().filter_map(|article| Some(article["id"].as_str()?.to_owned())));
        number = end;
    }
    while sentio::outbox::lag(server.app.db.reader()).await?.pending > 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("{} articles indexed in {:.0} s", ids.len(), started.elapsed().as_secs_f64());
    Ok(ids)
}

/// One write that waits until it is searchable: an update, or a deletion and a new article in its place.
async fn write(client: &Client, id: &mut String, number: u64, replace: bool) -> anyhow::Result<Duration> {
    let content = text(number);
    if !replace {
        let (_, took) = client.send(WRITE, json!({ "id": id, "content": content })).await?;
        return Ok(took);
    }
    let title = format!("Article {number}");
    let (data, took) = client.send(REPLACE, json!({ "id": id, "title": title, "content": content })).await?;
    *id = data["createArticle"]["article"]["id"].as_str().unwrap_or_default().to_owned();
    Ok(took)
}

async fn sample(server: &Server, write: Vec<Duration>, search: Vec<Duration>) -> anyhow::Result<Sample> {
    let size = server.app.index.live()?.snapshot().size().await?;
    let store = server.folder.path().join("lancedb_store");
    // A row holds its vector, and that of an article its text too.
    let vector = 384 * 4;
    let live = (size.articles + size.passages) * vector + size.articles * text(0).len() as u64;
    let versions = versions_below(&store)?;
    let bytes_per_version = bytes_below(&store)?.saturating_sub(live) / versions.max(1) as u64;
    Ok(Sample {
        write,
        search,
        fragments: size.fragments,
        versions,
        bytes_per_version,
        sqlite_bytes: std::fs::metadata(server.folder.path().join("sentio.db"))?.len(),
        resident_bytes: resident_bytes(std::process::id())?,
    })
}

fn print(writes: u64, sample: &Sample) {
    println!(
        "{writes:>8} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>9} {:>9} {:>9} {:>9} {:>9}",
        percentile(&sample.write, 0.5),
        percentile(&sample.write, 0.99),
        percentile(&sample.search, 0.5),
        percentile(&sample.search, 0.99),
        sample.fragments,
        sample.versions,
        sample.bytes_per_version,
        sample.sqlite_bytes >> 20,
        sample.resident_bytes >> 20
    );
}

fn check(samples: &[Sample]) -> anyhow::Result<()> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Ok(()) };
    for sample in samples {
        anyhow::ensure!(sample.fragments <= FRAGMENTS_MAX, "too many fragments: {}", sample.fragments);
        anyhow::ensure!(sample.versions <= VERSIONS_MAX, "too many versions: {}", sample.versions);
        let bytes = sample.bytes_per_version;
        anyhow::ensure!(bytes <= BYTES_PER_VERSION_MAX, "too much disk: {bytes} bytes for each version");
    }
    for share in [0.5, 0.99] {
        for (name, times) in
            [("write", [&first.write, &last.write]), ("search", [&first.search, &last.search])]
        {
            let growth = percentile(times[1], share) / percentile(times[0], share);
            anyhow::ensure!(growth <= LATENCY_GROWTH_MAX, "{name} p{} grew {growth:.2} times", share * 100.0);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a ratio of bytes")]
    let growth = last.resident_bytes as f64 / first.resident_bytes as f64;
    anyhow::ensure!(growth <= MEMORY_GROWTH_MAX, "resident memory grew {growth:.2} times");
    println!("all bounds hold");
    Ok(())
}

fn bytes_below(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes +=
            if entry.file_type()?.is_dir() { bytes_below(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

fn versions_below(store: &Path) -> anyhow::Result<usize> {
    let mut versions = 0;
    for entry in std::fs::read_dir(store)? {
        let folder = entry?.path().join("_versions");
        versions += if folder.is_dir() { std::fs::read_dir(folder)?.count() } else { 0 };
    }
    Ok(versions)
}
