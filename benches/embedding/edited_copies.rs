//! How like an article its edited copies are: what hides near-duplicates should hide most of them.

use std::path::Path;

use sentio::embedding::Embedding;
use sentio::sync::LEAD_SHARE;

use crate::corpus::{Article, lines};
use crate::cut_articles::CutArticles;
use crate::vectors::engine;

/// Articles of which copies are made.
const ARTICLES: usize = 200;
/// Cosines at which near-duplicates could begin.
const LEAST: [f32; 5] = [0.98, 0.97, 0.96, 0.95, 0.94];

type Edit = fn(&Article, &mut fastrand::Rng) -> Article;

const EDITS: [(&str, Edit); 6] = [
    ("a word before the title", |article, _| Article {
        title: format!("Update: {}", article.title),
        ..article.clone()
    }),
    ("a sentence more at the end", |article, _| {
        with_content(
            article,
            format!("{} This article was first published on our old site last year.", article.content),
        )
    }),
    ("a sentence more in front", |article, _| {
        with_content(
            article,
            format!("Note: this article was updated to mend a mistake. {}", article.content),
        )
    }),
    ("one word in twenty lost", |article, random| {
        let kept: Vec<_> = article.content.split(' ').filter(|_| random.f32() > 0.05).collect();
        with_content(article, kept.join(" "))
    }),
    ("without the last fifth", |article, _| {
        let end = article.content.floor_char_boundary(article.content.len() / 5 * 4);
        with_content(article, article.content[..end].to_owned())
    }),
    ("without the first fifth", |article, _| {
        let start = article.content.ceil_char_boundary(article.content.len() / 5);
        with_content(article, article.content[start..].to_owned())
    }),
];

fn with_content(article: &Article, content: String) -> Article {
    Article { content, ..article.clone() }
}

pub async fn measure(articles: &Path, model: &str) -> anyhow::Result<()> {
    let embedder = engine(model, "auto", std::thread::available_parallelism()?.get())?;
    let all: Vec<Article> = lines(articles)?;
    let step = (all.len() / ARTICLES).max(1);
    let articles: Vec<_> = all.into_iter().step_by(step).take(ARTICLES).collect();
    let originals = CutArticles::of(&embedder, None, &articles).await?.wholes(LEAD_SHARE)?;
    println!("share of {} copies with a cosine of at least {LEAST:?}, and the median", articles.len());
    for (name, edit) in EDITS {
        let mut random = fastrand::Rng::with_seed(5);
        let copies: Vec<_> = articles.iter().map(|article| edit(article, &mut random)).collect();
        let copies = CutArticles::of(&embedder, None, &copies).await?.wholes(LEAD_SHARE)?;
        print(name, &originals, &copies);
    }
    Ok(())
}

fn print(name: &str, originals: &[Embedding], copies: &[Embedding]) {
    let mut cosines: Vec<_> =
        originals.iter().zip(copies).map(|(original, copy)| original.cosine(copy)).collect();
    cosines.sort_by(f32::total_cmp);
    let share = |least: f32| {
        let hidden = cosines.iter().filter(|cosine| **cosine >= least).count();
        format!("{:>6.2}", hidden as f64 / cosines.len() as f64)
    };
    println!("{name:<28}{}   {:.3}", LEAST.map(share).concat(), cosines[cosines.len() / 2]);
}
