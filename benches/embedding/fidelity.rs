//! What rounding to 8 bits costs: top-10 lists and nDCG@10 beside those of 32-bit floats.

use std::path::Path;

use sentio::embedding::{Embedder, Embedding};

use crate::corpus::{Article, Collection, lines};
use crate::interval::with_interval;
use crate::vectors::{engine, nearest, passages, queries};

const ARTICLES: usize = 10_000;
const TITLES: usize = 1_000;

pub async fn measure(articles: &Path, collections: &Path, model: &str) -> anyhow::Result<()> {
    let threads = std::thread::available_parallelism()?.get();
    let exact = engine(model, "fp32", threads)?;
    let rounded = engine(model, "int8", threads)?;
    println!("model {model}: {} beside {}", rounded.model().arithmetic(), exact.model().arithmetic());
    for trial in rounded.trials() {
        println!("as measured when it was opened: {} {:?}", trial.arithmetic, trial.closeness);
    }
    let mut articles: Vec<Article> = lines(articles)?;
    articles.truncate(ARTICLES);
    let texts: Vec<_> = articles.iter().map(|article| article.content.clone()).collect();
    let titles: Vec<_> = articles.iter().take(TITLES).map(|article| article.title.as_str()).collect();
    let (ours, theirs) = (lists(&rounded, &texts, &titles).await?, lists(&exact, &texts, &titles).await?);
    let shared = |(ours, theirs): (&Vec<usize>, &Vec<usize>)| {
        ours.iter().filter(|document| theirs.contains(document)).count() as f64 / theirs.len() as f64
    };
    let overlap = ours.iter().zip(&theirs).map(shared).sum::<f64>() / titles.len() as f64;
    println!("{} titles over {} abstracts: overlap of top-10 lists {overlap:.4}", titles.len(), texts.len());

    let mut differences = Vec::new();
    for collection in Collection::all(collections)? {
        let (ours, theirs) = (ndcg(&rounded, &collection).await?, ndcg(&exact, &collection).await?);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        println!(
            "{:10} {:4} queries: nDCG@10 {:.4} in 8 bits, {:.4} in floats",
            collection.name,
            ours.len(),
            mean(&ours),
            mean(&theirs)
        );
        differences.extend(ours.iter().zip(&theirs).map(|(ours, theirs)| ours - theirs));
    }
    println!("pooled paired difference {}", with_interval(&differences)?);
    Ok(())
}

async fn lists(embedder: &Embedder, texts: &[String], titles: &[&str]) -> anyhow::Result<Vec<Vec<usize>>> {
    Ok(nearest(&queries(embedder, titles).await?, &passages(embedder, texts).await?, 10))
}

/// nDCG@10 of each query, documents as one vector of what the window takes.
pub async fn ndcg(embedder: &Embedder, collection: &Collection) -> anyhow::Result<Vec<f64>> {
    let text = |article: &Article| format!("{}\n{}", article.title, article.content);
    let documents: Vec<_> = collection.documents.iter().map(text).collect();
    let asked: Vec<_> = collection.queries.iter().map(|query| query.text.as_str()).collect();
    let (documents, asked): (Vec<Embedding>, Vec<Embedding>) =
        (passages(embedder, &documents).await?, queries(embedder, &asked).await?);
    Ok(collection.ndcg(&nearest(&asked, &documents, 10)))
}
