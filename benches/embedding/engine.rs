//! Sentio's engine as a contestant.

use std::time::Instant;

use futures::{StreamExt, TryStreamExt, stream};
use sentio::embedding::Embedder;

use crate::contestant::{Answer, Request, answer};
use crate::vectors;

/// Embeds with `threads` threads until standard input ends.
pub fn serve(model: &str, precision: &str, threads: usize) -> anyhow::Result<()> {
    let embedder = vectors::engine(model, precision, threads)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    answer(|request| runtime.block_on(embed(&embedder, request, threads)))
}

async fn embed(embedder: &Embedder, request: &Request, threads: usize) -> anyhow::Result<Answer> {
    let started = Instant::now();
    let mut times = Vec::new();
    if request.one_by_one {
        for text in &request.texts {
            let begun = Instant::now();
            embedder.embed_query(text).await?;
            times.push(begun.elapsed().as_secs_f64());
        }
    } else {
        stream::iter(&request.texts)
            .map(|text| embedder.embed_passage(text.clone()))
            .buffered(threads * 4)
            .try_for_each(async |_| Ok(()))
            .await?;
    }
    Ok(Answer { seconds: started.elapsed().as_secs_f64(), times })
}
