//! Vectors of many texts by Sentio's engine, and exact searches among them.

use futures::{StreamExt, TryStreamExt, stream};
use sentio::config::{Config, SettingValues};
use sentio::embedding::{Embedder, Embedding};
use sentio::sync::{PassageRule, passage_text, split};

use crate::corpus::Article;
use crate::repository;

pub fn engine(model: &str, precision: &str, threads: usize) -> anyhow::Result<Embedder> {
    open(model, precision, threads, &[])
}

/// As [`engine`], without the prompts that a folder of a known name gets.
pub fn engine_without_prompts(model: &str, precision: &str, threads: usize) -> anyhow::Result<Embedder> {
    open(model, precision, threads, &["SENTIO_QUERY_PROMPT", "SENTIO_PASSAGE_PROMPT"])
}

fn open(model: &str, precision: &str, threads: usize, emptied: &[&'static str]) -> anyhow::Result<Embedder> {
    let settings = [
        ("SENTIO_MODEL", model.to_owned()),
        ("SENTIO_PRECISION", precision.to_owned()),
        ("SENTIO_EMBED_THREADS", threads.to_string()),
        ("SENTIO_QUERY_CACHE", "0".to_owned()),
        ("SENTIO_ORT_LIB", repository("lib/libonnxruntime.so").display().to_string()),
    ];
    let settings = settings.into_iter().chain(emptied.iter().map(|name| (*name, String::new())));
    let config = Config::from_values(&SettingValues::from_flags(settings))?;
    Ok(Embedder::open(&config.embedding)?)
}

/// Embeds `texts` as passages, on all of the engine's threads.
pub async fn passages(embedder: &Embedder, texts: &[String]) -> anyhow::Result<Vec<Embedding>> {
    let vectors = stream::iter(texts).map(|text| embedder.embed_passage(text.clone())).buffered(16);
    Ok(vectors.try_collect().await?)
}

/// Embeds `texts` as queries.
pub async fn queries(embedder: &Embedder, texts: &[&str]) -> anyhow::Result<Vec<Embedding>> {
    Ok(stream::iter(texts).map(|text| embedder.embed_query(text)).buffered(16).try_collect().await?)
}

/// The texts of an article's passages, by Sentio's rule or by one of other lengths.
pub fn cut(
    embedder: &Embedder,
    lengths: Option<(usize, usize)>,
    article: &Article,
) -> anyhow::Result<Vec<String>> {
    let model = embedder.model();
    let (tokens, overlap) = lengths.unwrap_or((model.passage_tokens, model.passage_overlap));
    let rule = PassageRule { tokens, overlap, special: model.passage_overhead };
    let (title, content) = (embedder.token_spans(&article.title)?, embedder.token_spans(&article.content)?);
    let (title_end, spans) = split(rule, &title, &article.content, &content);
    let title = &article.title[..title_end];
    Ok(spans.iter().map(|span| passage_text(title, &article.content, &span.bytes, &[])).collect())
}

/// The numbers of the `most` best of `scores`, best first, ties by number.
pub fn best(scores: &[f32], most: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..scores.len()).collect();
    let by_score = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b));
    if most < order.len() {
        order.select_nth_unstable_by(most, by_score);
        order.truncate(most);
    }
    order.sort_by(by_score);
    order
}

/// The `most` vectors nearest to each of `queries`.
pub fn nearest(queries: &[Embedding], vectors: &[Embedding], most: usize) -> Vec<Vec<usize>> {
    let of_query = |query: &Embedding| {
        let scores: Vec<_> = vectors.iter().map(|vector| query.cosine(vector)).collect();
        best(&scores, most)
    };
    queries.iter().map(of_query).collect()
}
