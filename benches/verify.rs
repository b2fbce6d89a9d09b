//! `make soak`: `sentio verify` over many articles, with a watch on its memory, which must not depend on their number.
//!
//!     cargo bench --bench verify -- [articles]        1,000,000 when nothing is said

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[allow(dead_code, reason = "each benchmark uses a part")]
mod harness;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{Server, resident_bytes};
use sea_orm::{ConnectionTrait, Statement};

/// Articles written by one statement.
const CHUNK: u64 = 50_000;
/// What the command may take beyond its memory after a tenth of the time: buffers of SQLite and LanceDB.
const GROWTH_MAX: u64 = 64 << 20;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let articles =
        std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000_u64);
    let server = Server::start_with("tests/fixtures/models/tiny-bert").await?;
    let started = Instant::now();
    for first in (0..articles).step_by(usize::try_from(CHUNK)?) {
        fill(&server, first, CHUNK.min(articles - first)).await?;
        println!("{} articles indexed in {:.0} s", first + CHUNK, started.elapsed().as_secs_f64());
    }
    let folder = server.folder.path().to_owned();
    let (took, resident) = verify(&folder).await?;
    let at = |tenths: usize| resident[resident.len() * tenths / 10];
    let highest = resident.iter().copied().max().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = articles as f64 / took.as_secs_f64();
    println!("verify: {articles} articles in {:.0} s, {rate:.0} a second", took.as_secs_f64());
    println!(
        "resident: {} MB after a tenth, {} in the middle, {} at the end, {} at most",
        at(1) >> 20,
        at(5) >> 20,
        resident[resident.len() - 1] >> 20,
        highest >> 20
    );
    server.stop().await?;
    anyhow::ensure!(highest <= at(1) + GROWTH_MAX, "memory grew by {} MB", (highest - at(1)) >> 20);
    println!("all bounds hold");
    Ok(())
}

/// Writes articles past the hooks and waits until they are indexed.
async fn fill(server: &Server, first: u64, count: u64) -> anyhow::Result<()> {
    let db = &server.app.db;
    let sql = format!(
        "INSERT INTO article (title, content)
         WITH RECURSIVE number (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM number WHERE n + 1 < {})
         SELECT 'Article ' || n, 'words ' || n FROM number",
        first + count
    );
    let transaction = db.transaction().await?;
    transaction.execute_raw(Statement::from_string(db.backend(), sql)).await?;
    transaction.commit().await?;
    while sentio::outbox::lag(db.reader()).await?.pending > 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// Runs the command; how long it took, and its resident memory over that time.
async fn verify(folder: &std::path::Path) -> anyhow::Result<(Duration, Vec<u64>)> {
    let root = std::env::current_dir()?;
    let started = Instant::now();
    let mut process = Command::new(env!("CARGO_BIN_EXE_sentio"))
        .args(["verify", "--json"])
        .env("SENTIO_DATA_DIR", folder)
        .env("SENTIO_MODEL", root.join("tests/fixtures/models/tiny-bert"))
        .env("SENTIO_ORT_LIB", root.join("lib/libonnxruntime.so"))
        .stderr(Stdio::null())
        .spawn()?;
    let mut resident = Vec::new();
    let status = loop {
        if let Some(status) = process.try_wait()? {
            break status;
        }
        // Nothing is resident any more once it has ended.
        resident.extend(resident_bytes(process.id()).ok().filter(|bytes| *bytes > 0));
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    anyhow::ensure!(status.success(), "the index is not in step");
    anyhow::ensure!(!resident.is_empty(), "the memory of the command could not be read");
    Ok((started.elapsed(), resident))
}
