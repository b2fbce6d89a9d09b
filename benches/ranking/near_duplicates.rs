//! How like each other the vectors of articles are whose words are nearly the same, and the words of those whose vectors are.
//!
//! Two texts are nearly the same when at least four tenths of their distinct runs of four words are in both (Broder's
//! resemblance, 1997), and partly from 15 hundredths on.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use sentio::article::ArticleId;
use sentio::index::dot;

use crate::filled::Filled;

const RUN: usize = 4;
/// A run that more texts have is a figure of speech.
const TEXTS_MAX: usize = 30;
const SAME: f64 = 0.4;
const PARTLY: f64 = 0.15;
const COSINE_MIN: f32 = 0.85;

pub async fn measure(filled: &Filled) -> anyhow::Result<()> {
    let snapshot = filled.app.index.live()?.snapshot();
    let mut runs: HashMap<ArticleId, HashSet<u64>> = HashMap::new();
    for articles in filled.articles.chunks(500) {
        let texts = snapshot.texts_of(articles).await?;
        runs.extend(texts.into_iter().map(|(article, text)| {
            let content = text.split_once('\n').map_or("", |(_title, content)| content).to_lowercase();
            let words: Vec<_> = content
                .split(|character: char| !character.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .collect();
            (article, words.windows(RUN).map(hash).collect())
        }));
    }
    let resemblance = |a: &ArticleId, b: &ArticleId| {
        let (a, b) = (&runs[a], &runs[b]);
        let common = a.intersection(b).count();
        common as f64 / (a.len() + b.len() - common).max(1) as f64
    };
    let vectors = filled.vectors(usize::MAX).await?;
    let cosine = |a: usize, b: usize| dot(&vectors[a], &vectors[b]);

    let mut by_words = Vec::new();
    let places: HashMap<_, _> = filled.articles.iter().copied().zip(0..).collect();
    for (a, b) in pairs_with_common_runs(&runs) {
        if resemblance(&a, &b) >= SAME {
            by_words.push(cosine(places[&a], places[&b]));
        }
    }
    by_words.sort_by(f32::total_cmp);
    println!("{} pairs have nearly the same words; their cosines: {by_words:.3?}", by_words.len());

    let mut by_cosine: BTreeMap<i32, [usize; 3]> = BTreeMap::new();
    for (place, article) in filled.articles.iter().enumerate() {
        let hits = snapshot.nearest_articles(&vectors[place..=place], 11, &Default::default(), &[]).await?;
        for hit in hits.into_iter().flatten().filter(|hit| hit.article > *article && hit.cosine >= COSINE_MIN)
        {
            let alike = resemblance(article, &hit.article);
            let kind = if alike >= SAME {
                0
            } else if alike >= PARTLY {
                1
            } else {
                2
            };
            by_cosine.entry((hit.cosine * 100.0) as i32).or_default()[kind] += 1;
        }
    }
    println!("{:>7} {:>11} {:>7} {:>7}", "cosine", "same words", "partly", "other");
    for (hundredths, [same, partly, other]) in by_cosine.into_iter().rev() {
        println!("{:>7.2} {same:>11} {partly:>7} {other:>7}", f64::from(hundredths) / 100.0);
    }
    Ok(())
}

fn hash(run: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    run.hash(&mut hasher);
    hasher.finish()
}

fn pairs_with_common_runs(runs: &HashMap<ArticleId, HashSet<u64>>) -> HashSet<(ArticleId, ArticleId)> {
    let mut texts: HashMap<u64, Vec<ArticleId>> = HashMap::new();
    for (article, runs) in runs {
        for run in runs {
            texts.entry(*run).or_default().push(*article);
        }
    }
    let mut pairs = HashSet::new();
    for articles in texts.into_values().filter(|articles| articles.len() <= TEXTS_MAX) {
        for (number, a) in articles.iter().enumerate() {
            pairs.extend(articles[..number].iter().map(|b| (*a.min(b), *a.max(b))));
        }
    }
    pairs
}
