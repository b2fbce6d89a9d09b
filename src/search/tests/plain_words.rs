//! Words by loops over all texts.

use std::collections::BTreeMap;

use super::random::{Article, Articles, analyzer};
use crate::words::{Kind, QueryWord, Word};

/// How often a text has what `counts`.
pub(super) fn count(article: &Article, counts: impl Fn(&Word) -> bool) -> f64 {
    article.text.words.iter().filter(|word| counts(word)).count() as f64
}

/// The words of a query that are looked for, and whether no article has others than stop words.
pub(super) fn looked_for(articles: &Articles, query: &str) -> (Vec<QueryWord>, bool) {
    let having = |counts: &dyn Fn(&Word) -> bool| {
        articles.values().filter(|article| count(article, counts) > 0.0).count()
    };
    let is_stop = |text: &str| {
        let counts = |stops: bool| {
            having(&|word| word.kind != Kind::Piece && word.is_stop_word == stops && word.text == text)
        };
        let (stops, words) = (counts(true), counts(false));
        stops > words
    };
    let words = analyzer().query(query).0;
    let (stops, telling): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| is_stop(&word.text));
    let occurs = |wanted: &QueryWord| {
        articles.values().any(|article| {
            let has = |word: &Word| as_written(wanted, false, word) || by_stem(wanted, false, article, word);
            article.text.words.iter().any(has)
        })
    };
    let only_stops = !telling.iter().any(occurs);
    (if only_stops { stops } else { telling }, only_stops)
}

pub(super) fn as_written(wanted: &QueryWord, only_stops: bool, word: &Word) -> bool {
    let same_kind = (word.kind == Kind::Piece) == (wanted.kind == Kind::Piece);
    same_kind && word.text == wanted.text && (only_stops || !word.is_stop_word)
}

pub(super) fn by_stem(wanted: &QueryWord, only_stops: bool, article: &Article, word: &Word) -> bool {
    let stem = article.text.language.map_or(wanted.text.clone(), |language| wanted.stem(language));
    let same = word.stem.as_ref().unwrap_or(&word.text) == &stem;
    !only_stops && wanted.kind == Kind::Word && word.kind == Kind::Word && !word.is_stop_word && same
}

/// BM25 by loops over all texts.
pub(super) fn plain_scores(articles: &Articles, query: &str) -> BTreeMap<i64, f64> {
    let length = |article: &Article| count(article, |word| word.kind == Kind::Word && !word.is_stop_word);
    let mean = (articles.values().map(length).sum::<f64>() / articles.len() as f64).max(1.0);
    let mut scores = BTreeMap::new();
    let mut add = |weight: f64, counts: &dyn Fn(&Article, &Word) -> bool| {
        let counted: Vec<_> = articles
            .iter()
            .map(|(id, article)| (id, count(article, |word| counts(article, word)), length(article)))
            .collect();
        let having = counted.iter().filter(|(_, count, _)| *count > 0.0).count() as f64;
        let rarity = ((articles.len() as f64 - having + 0.5) / (having + 0.5) + 1.0).ln();
        for (id, count, length) in counted.into_iter().filter(|(_, count, _)| *count > 0.0) {
            let bm25 = rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / mean));
            *scores.entry(*id).or_default() += weight * bm25;
        }
    };
    let (words, only_stops) = looked_for(articles, query);
    for wanted in &words {
        let weight = match wanted.kind {
            _ if only_stops => 1.0,
            Kind::Name => 0.3,
            Kind::Piece => 0.5,
            Kind::Word => 0.1,
        };
        add(weight, &|_, word| as_written(wanted, only_stops, word));
        add(0.9, &|article, word| by_stem(wanted, only_stops, article, word));
    }
    scores
}

/// A position and a text.
type Token = (u32, String);

/// The words of a text and its names, with their positions.
fn tokens(words: &[Word]) -> (Vec<Token>, Vec<Token>) {
    let of = |kind| {
        words
            .iter()
            .filter(move |word| word.kind == kind)
            .map(|word| (word.position, word.text.clone()))
            .collect()
    };
    (of(Kind::Word), of(Kind::Name))
}

/// The positions at which `words` have `phrase`.
pub(super) fn phrase_begins(words: &[Word], phrase: &[Word]) -> Vec<u32> {
    let ((wanted, names), (words, words_names)) = (tokens(phrase), tokens(words));
    let begins = words.iter().map(|(position, _)| *position).filter(|begin| {
        let moved = |(position, text): &(u32, String)| (position + begin, text.clone());
        let has_words = wanted.iter().map(moved).all(|word| words.contains(&word));
        // Joined by hyphens or apostrophes, words are no other than apart.
        let signs = |name: &&(u32, String)| !name.1.chars().all(char::is_alphanumeric);
        !wanted.is_empty()
            && has_words
            && names.iter().filter(signs).map(moved).all(|name| words_names.contains(&name))
    });
    begins.collect()
}
