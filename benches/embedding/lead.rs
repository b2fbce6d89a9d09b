//! How much the first passage of an article should count in the article's own vector.

use std::path::Path;

use sentio::embedding::Embedding;
use sentio::sync::LEAD_SHARE;

use crate::corpus::{Article, Collection, lines};
use crate::cut_articles::CutArticles;
use crate::interval::with_interval;
use crate::shared_tags::SharedTags;
use crate::vectors::{engine, nearest, queries};

/// Nothing beside the mean of all passages, up to nothing but the first one.
const SHARES: [f32; 8] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0];

/// `data` holds test collections and `blog-18f.jsonl.gz`.
pub async fn measure(data: &Path, model: &str) -> anyhow::Result<()> {
    let embedder = engine(model, "auto", std::thread::available_parallelism()?.get())?;
    println!("model {model}, {}; {LEAD_SHARE} is in use", embedder.model().arithmetic());
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    for collection in Collection::all(data)? {
        let cut = CutArticles::of(&embedder, None, &collection.documents).await?;
        let asked: Vec<_> = collection.queries.iter().map(|query| query.text.as_str()).collect();
        let asked = queries(&embedder, &asked).await?;
        println!("\n{}, nDCG@10 by article vectors, and by both", collection.name);
        for share in SHARES {
            let wholes = cut.wholes(share)?;
            let alone = collection.ndcg(&nearest(&asked, &wholes, 10));
            let both: Vec<_> = asked.iter().map(|query| cut.rank(query, &wholes, 10)).collect();
            println!("{share:.1} {:.4} {:.4}", mean(&alone), mean(&collection.ndcg(&both)));
        }
    }

    let articles: Vec<Article> = lines(&data.join("blog-18f.jsonl.gz"))?;
    let cut = CutArticles::of(&embedder, None, &articles).await?;
    let tags = SharedTags::of(&articles);
    let by_share: Vec<_> = SHARES
        .into_iter()
        .map(|share| Ok(by_tags(&tags, &cut.wholes(share)?)))
        .collect::<anyhow::Result<_>>()?;
    println!(
        "\n{} posts, nDCG@10 of similar ones by shared tags, and what is gained on the mean",
        by_share[0].len()
    );
    for (share, ndcg) in SHARES.iter().zip(&by_share) {
        let gained: Vec<_> = ndcg.iter().zip(&by_share[0]).map(|(this, mean)| this - mean).collect();
        println!("{share:.1} {:.4} ({})", mean(ndcg), with_interval(&gained)?);
    }
    Ok(())
}

/// nDCG@10 of the articles most like each, of those that share tags with any.
fn by_tags(tags: &SharedTags, wholes: &[Embedding]) -> Vec<f64> {
    let ranked = nearest(wholes, wholes, 11);
    let of_article = |(article, ranked): (usize, Vec<usize>)| {
        let others: Vec<_> = ranked.into_iter().filter(|other| *other != article).take(10).collect();
        tags.ndcg(article, &others)
    };
    ranked.into_iter().enumerate().filter_map(of_article).collect()
}
