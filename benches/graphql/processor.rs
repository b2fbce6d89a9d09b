//! Processor time of a request, of one program beside another: each serves, and is asked in turn.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use crate::wrk;

const ROUNDS: usize = 9;
const ARTICLE: &str = "query($id: ID!) { article(id: $id) { id title category tags createdAt } }";

/// A program that serves the sample articles from a folder of its own.
struct Served {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It holds nothing that matters.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Prints the processor time of `article(id)` served by `program` and by `other`, with a document that is known and with one that is
/// not.
pub async fn measure(program: &str, other: &str) -> anyhow::Result<()> {
    let both = [Served::start(program)?, Served::start(other)?];
    println!("microseconds of processor time a request, medians of {ROUNDS} rounds of 3 s in turn\n");
    println!("{:<32} {:>10} {:>10} {:>7}", "article(id)", "one", "other", "ratio");
    for (name, comment) in [("a known document", ""), ("a document never seen before", " # NUMBER")] {
        let body = json!({ "query": format!("{ARTICLE}{comment}"), "variables": { "id": "7" } }).to_string();
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (served, times) in both.iter().zip(&mut times) {
                let before = served.processor_time()?;
                let load = wrk::post(&served.url, &body, !comment.is_empty()).await?;
                let spent = served.processor_time()? - before;
                times.push(spent.as_secs_f64() * 1e6 / (load.requests_per_second * 3.0));
            }
        }
        let [one, other] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        });
        println!("{name:<32} {one:>10.1} {other:>10.1} {:>7.3}", one / other);
    }
    Ok(())
}

impl Served {
    fn start(program: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut process = Command::new(program)
            .args(["serve", "--samples", "--port", "0"])
            .env("SENTIO_DATA_DIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{program} could not be started"))?;
        let mut lines = BufReader::new(process.stdout.take().context("no output")?).lines();
        let ready = lines.next().context("the program ended")??;
        let url = ready.split_whitespace().rfind(|word| word.ends_with("/graphql"));
        Ok(Self { url: url.context("no address")?.to_owned(), process, _folder: folder })
    }

    /// What the process has used so far, in user and in system mode.
    fn processor_time(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).context("no time");
        // Linux counts in hundredths of a second.
        Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
    }
}
