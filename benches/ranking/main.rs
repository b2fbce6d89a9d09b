//! Searches and rankings over a large index: what they find, and what they take.
//!
//!     cargo bench --bench ranking -- recall ARTICLES FOLDER          what is found of what an exact search finds
//!     cargo bench --bench ranking -- filters ARTICLES FOLDER         what is found through filters
//!     cargo bench --bench ranking -- speed ARTICLES FOLDER           recommendations by their stages, and many clients
//!     cargo bench --bench ranking -- near-duplicates ARTICLES FOLDER cosines of articles of nearly the same words
//!     cargo bench --bench ranking -- passages ARTICLES FOLDER        whether the passage that is shown is the one asked for
//!     cargo bench --bench ranking -- steering COLLECTION             what examples and autocut do
//!
//! ARTICLES is a file of JSON Lines, `.gz` too. FOLDER keeps the articles with their index from one run to the next: it is
//! filled when it is empty.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

mod autocut;
mod filled;
mod filters;
#[expect(dead_code, reason = "other benchmarks use the rest")]
#[path = "../harness/mod.rs"]
mod harness;
mod lists;
mod near_duplicates;
mod passages;
mod recall;
mod speed;
mod steering;

use std::path::Path;

// Memory and threads are as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    sentio::memory::give_back_what_is_freed();
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    sentio::cli::runtime()?.block_on(async {
        match arguments.as_slice() {
            ["steering", collection] => steering::measure(Path::new(collection)).await,
            [what @ ("filters" | "near-duplicates" | "passages" | "recall" | "speed"), articles, folder] => {
                let filled = filled::open(Path::new(articles), Path::new(folder)).await?;
                match *what {
                    "near-duplicates" => near_duplicates::measure(&filled).await?,
                    "passages" => passages::measure(&filled).await?,
                    "filters" => filters::measure(&filled).await?,
                    "recall" => recall::measure(&filled).await?,
                    _ => speed::measure(&filled).await?,
                }
                filled.close().await
            }
            _ => anyhow::bail!("say what to measure: the first lines of benches/ranking/main.rs list it"),
        }
    })
}
