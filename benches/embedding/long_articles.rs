//! Long articles: what passages find that one truncated vector does not, how long passages should be, and whether scoring
//! similar articles once more by their passages pays.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use sentio::embedding::{Embedder, Embedding};
use sentio::sync::LEAD_SHARE;

use crate::corpus::{Article, Collection, lines};
use crate::cut_articles::CutArticles;
use crate::interval::with_interval;
use crate::shared_tags::SharedTags;
use crate::vectors::{engine, nearest, passages, queries};

/// Tokens and overlap of the passages that are compared.
const LENGTHS: [(usize, usize); 4] = [(96, 24), (128, 32), (192, 48), (256, 64)];
/// Long documents of which a sentence is looked for.
const SOUGHT: usize = 50;
/// Similar articles that are scored once more.
const RESCORED: usize = 50;

/// `data` holds the test collections, `python-peps.jsonl.gz` and `blog-18f.jsonl.gz`.
pub async fn measure(data: &Path, model: &str) -> anyhow::Result<()> {
    let embedder = engine(model, "auto", std::thread::available_parallelism()?.get())?;
    println!("model {model}, {}", embedder.model().arithmetic());
    late_sentences(&embedder, &lines(&data.join("python-peps.jsonl.gz"))?).await?;
    lengths(&embedder, &Collection::all(data)?).await?;
    rescoring(&embedder, lines(&data.join("blog-18f.jsonl.gz"))?).await
}

/// A sentence from the last third of long documents: does it find its document first?
async fn late_sentences(embedder: &Embedder, articles: &[Article]) -> anyhow::Result<()> {
    let long =
        articles.iter().enumerate().filter(|(_, article)| article.content.split_whitespace().count() > 1_500);
    let long: Vec<_> = long.collect();
    let mut sought = Vec::new();
    for (number, article) in long.iter().step_by((long.len() / SOUGHT).max(1)).take(SOUGHT) {
        sought.extend(late_sentence(&article.content).map(|sentence| (*number, sentence)));
    }
    let sentences: Vec<_> = sought.iter().map(|(_, sentence)| sentence.as_str()).collect();
    let asked = queries(embedder, &sentences).await?;

    let whole = CutArticles::of(embedder, None, articles).await?;
    let wholes = whole.wholes(LEAD_SHARE)?;
    let text = |article: &Article| format!("{}\n{}", article.title, article.content);
    let truncated = passages(embedder, &articles.iter().map(text).collect::<Vec<_>>()).await?;
    let first = |ranked: &[usize], number: usize| usize::from(ranked.first() == Some(&number));
    let (mut by_passages, mut by_truncation) = (0, 0);
    for ((number, _), query) in sought.iter().zip(&asked) {
        by_passages += first(&whole.rank(query, &wholes, 1), *number);
        by_truncation += first(&nearest(std::slice::from_ref(query), &truncated, 1)[0], *number);
    }
    println!(
        "\na sentence from the last third of {} of {} documents finds its document first: {by_passages} times by \
         {} passages, {by_truncation} times when each is cut off at the window",
        sought.len(),
        articles.len(),
        whole.vectors.len()
    );
    Ok(())
}

/// The first sentence of middle length in the last third: prose, not markup.
fn late_sentence(content: &str) -> Option<String> {
    let start = content.ceil_char_boundary(content.len() / 3 * 2);
    let paragraphs = content[start..].split("\n\n").skip(1);
    let prose = paragraphs.filter(|paragraph| {
        let letters =
            paragraph.chars().filter(|character| character.is_alphabetic() || *character == ' ').count();
        !paragraph.starts_with([' ', '.', '-', '=']) && letters * 10 > paragraph.chars().count() * 9
    });
    let mut sentences = prose.flat_map(|paragraph| paragraph.split(". "));
    let sentence = sentences.find(|sentence| (60..250).contains(&sentence.len()))?;
    Some(sentence.split_whitespace().collect::<Vec<_>>().join(" "))
}

async fn lengths(embedder: &Embedder, collections: &[Collection]) -> anyhow::Result<()> {
    println!("\n{:>14} {:>12} {:>10} {:>10}  nDCG@10", "tokens/overlap", "collection", "passages", "seconds");
    let window = embedder.model().window;
    for lengths in LENGTHS.into_iter().filter(|(tokens, _)| *tokens <= window) {
        for collection in collections {
            let cut = CutArticles::of(embedder, Some(lengths), &collection.documents).await?;
            let wholes = cut.wholes(LEAD_SHARE)?;
            let asked: Vec<_> = collection.queries.iter().map(|query| query.text.as_str()).collect();
            let asked = queries(embedder, &asked).await?;
            let rankings: Vec<_> = asked.iter().map(|query| cut.rank(query, &wholes, 10)).collect();
            let ndcg = collection.ndcg(&rankings);
            println!(
                "{:>14} {:>12} {:>10} {:>10.1}  {:.4}",
                format!("{}/{}", lengths.0, lengths.1),
                collection.name,
                cut.vectors.len(),
                cut.seconds,
                ndcg.iter().sum::<f64>() / ndcg.len() as f64
            );
        }
    }
    Ok(())
}

/// Articles that share tags should be like each other: by article vectors alone, and with the best scored once more by
/// the symmetric mean of their passages' best matches.
async fn rescoring(embedder: &Embedder, articles: Vec<Article>) -> anyhow::Result<()> {
    let cut = CutArticles::of(embedder, None, &articles).await?;
    let wholes = cut.wholes(LEAD_SHARE)?;
    let tags = SharedTags::of(&articles);
    let (mut plain, mut gained) = (Vec::new(), Vec::new());
    let mut seconds = 0.0;
    for article in 0..articles.len() {
        let ranked = &nearest(&wholes[article..=article], &wholes, RESCORED + 1)[0];
        let mut ranked: Vec<_> =
            ranked.iter().copied().filter(|other| *other != article).take(RESCORED).collect();
        let Some(by_wholes) = tags.ndcg(article, &ranked) else { continue };
        let score = |other: usize| matched(cut.of_article(article), cut.of_article(other));
        let started = Instant::now();
        let scores: HashMap<_, _> = ranked.iter().map(|other| (*other, score(*other))).collect();
        seconds += started.elapsed().as_secs_f64();
        ranked.sort_by(|a, b| scores[b].total_cmp(&scores[a]));
        plain.push(by_wholes);
        gained.extend(tags.ndcg(article, &ranked).map(|by_passages| by_passages - by_wholes));
    }
    println!(
        "\nshared tags among {} posts as relevance, nDCG@10: {:.4} by article vectors; with the best {RESCORED} scored by their \
         passages {}, {:.1} ms an article",
        plain.len(),
        plain.iter().sum::<f64>() / plain.len() as f64,
        with_interval(&gained)?,
        seconds * 1000.0 / plain.len() as f64
    );
    Ok(())
}

/// The mean over the passages of both of each one's best match in the other.
fn matched(a: &[Embedding], b: &[Embedding]) -> f32 {
    let one_way = |from: &[Embedding], to: &[Embedding]| {
        let best = |passage: &Embedding| to.iter().map(|other| passage.cosine(other)).fold(-1.0, f32::max);
        from.iter().map(best).sum::<f32>() / from.len() as f32
    };
    (one_way(a, b) + one_way(b, a)) / 2.0
}
