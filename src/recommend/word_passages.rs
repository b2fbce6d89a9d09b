//! Which passages have the words and the phrases of a query.

use std::collections::{HashMap, HashSet};

use super::by_text::TextMatches;
use super::fusion::share;
use super::phrases::Phrases;
use super::{BestPassage, Mode, RecommendError, Weights};
use crate::article::{ArticleId, Slices};
use crate::index::{Highlight, IndexError, QueryWords};
use crate::search::{PassageHit, PassageSpan};

/// Articles whose texts are in memory together: a text has a megabyte at most.
const ARTICLES_AT_A_TIME: usize = 10;

/// What a passage has of a query.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shared {
    span: PassageSpan,
    /// To the query; 0 by words alone, where meaning tells nothing.
    cosine: f32,
    phrases: usize,
    /// Each counted once.
    words: usize,
}

impl TextMatches {
    /// Of each listed article the passage with most of the query's phrases, and of those the one that fits best as articles do:
    /// by words the one with most of them, by meaning the nearest, in the hybrid mode by both. Articles without any word (by
    /// meaning: phrase) in their contents are absent.
    pub async fn passages_by_words(
        &self,
        words: &QueryWords,
    ) -> Result<HashMap<ArticleId, BestPassage>, RecommendError> {
        let listed: Vec<_> = self.ranked.iter().map(|ranked| ranked.article).collect();
        let mut best = HashMap::new();
        for articles in listed.chunks(ARTICLES_AT_A_TIME) {
            let texts = self.snapshot.texts_of(articles).await?;
            let mut passages: HashMap<ArticleId, Vec<PassageHit>> = HashMap::new();
            for passage in self.passages_of(articles).await? {
                passages.entry(passage.span.article).or_default().push(passage);
            }
            let (words, phrases) = (words.clone(), self.phrases.clone());
            let (mode, weights) = (self.mode, self.weights);
            let of_articles = move || {
                let best_of = |(article, passages): (ArticleId, Vec<PassageHit>)| {
                    // The title is the text's first line.
                    let (_title, content) = texts.get(&article)?.split_once('\n')?;
                    let shared = shared(content, passages, &words, &phrases);
                    Some((article, best_fit(shared, mode, weights)?.into()))
                };
                passages.into_iter().filter_map(best_of).collect::<Vec<_>>()
            };
            // On a thread that may be held up.
            best.extend(tokio::task::spawn_blocking(of_articles).await.map_err(IndexError::from)?);
        }
        Ok(best)
    }

    async fn passages_of(&self, articles: &[ArticleId]) -> Result<Vec<PassageHit>, RecommendError> {
        if self.mode == Mode::Keyword {
            let spans = self.snapshot.passage_spans(articles)?.into_iter();
            return Ok(spans.map(|span| PassageHit { span, cosine: 0.0 }).collect());
        }
        Ok(self.snapshot.passages_of(self.vector().await?, articles)?)
    }
}

/// What each of an article's `passages` has.
fn shared(
    content: &str,
    mut passages: Vec<PassageHit>,
    words: &QueryWords,
    phrases: &Phrases,
) -> Vec<Shared> {
    passages.sort_unstable_by_key(|passage| passage.span.start);
    let found = words.in_text(content);
    let mut slices = Slices::of(content);
    let mut phrases_in = |span: &PassageSpan| {
        // Without phrases nothing is to be walked through.
        if phrases.are_none() {
            return 0;
        }
        slices.next(span.start, span.end).map_or(0, |text| phrases.number_in(text))
    };
    let shared = passages.into_iter().map(|PassageHit { span, cosine }| Shared {
        span,
        cosine,
        phrases: phrases_in(&span),
        words: distinct_words(&span, &found),
    });
    shared.collect()
}

/// `words` are in the order of the text.
fn distinct_words(span: &PassageSpan, words: &[Highlight]) -> usize {
    let begin = words.partition_point(|word| word.start < span.start);
    let end = words.partition_point(|word| word.start < span.end);
    words[begin..end].iter().map(|word| &word.word).collect::<HashSet<_>>().len()
}

/// Of equal ones the first; `None` when no passage has anything.
fn best_fit(mut shared: Vec<Shared>, mode: Mode, weights: Weights) -> Option<PassageSpan> {
    let phrases = shared.iter().map(|passage| passage.phrases).max()?;
    shared.retain(|passage| passage.phrases == phrases);
    let words = |passage: &Shared| passage.words as f64;
    let cosine = |passage: &Shared| f64::from(passage.cosine);
    let most_words = shared.iter().map(words).fold(0.0, f64::max);
    let largest_cosine = shared.iter().map(cosine).fold(0.0, f64::max);
    if phrases == 0 && (most_words == 0.0 || mode == Mode::Semantic) {
        return None;
    }
    let score = |passage: &Shared| match mode {
        Mode::Keyword => words(passage),
        Mode::Semantic => cosine(passage),
        Mode::Hybrid => {
            f64::from(weights.semantic) * share(cosine(passage), largest_cosine)
                + f64::from(weights.keyword) * share(words(passage), most_words)
        }
    };
    let by_score =
        |a: &&Shared, b: &&Shared| score(a).total_cmp(&score(b)).then(b.span.start.cmp(&a.span.start));
    shared.iter().max_by(by_score).map(|passage| passage.span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: i32, end: i32) -> PassageSpan {
        PassageSpan { article: ArticleId(1), revision: 1, start, end }
    }

    #[test]
    fn words_of_a_passage_count_once() {
        let words = [(1, "a"), (5, "a"), (9, "b"), (15, "a"), (19, "b"), (25, "a")];
        let words = words.map(|(start, word)| Highlight { start, end: start + 1, word: word.to_owned() });
        let counts =
            [span(0, 8), span(0, 10), span(8, 20), span(30, 40)].map(|span| distinct_words(&span, &words));
        assert_eq!(counts, [1, 2, 2, 0]);
    }

    #[test]
    fn phrases_count_first_then_what_the_mode_goes_by() {
        let passage =
            |start, phrases, words, cosine| Shared { span: span(start, start + 10), cosine, phrases, words };
        let weights = Weights::default();
        let of =
            |passages: &[Shared], mode| best_fit(passages.to_vec(), mode, weights).map(|span| span.start);
        let words =
            [passage(0, 0, 0, 0.5), passage(8, 0, 1, 0.4), passage(16, 0, 2, 0.3), passage(24, 0, 2, 0.3)];
        assert_eq!(of(&words, Mode::Keyword), Some(16), "most words, the first");
        assert_eq!(of(&words, Mode::Hybrid), Some(16), "½·.3/.5 + ½ is more than ½·.4/.5 + ½·½ and ½");
        assert_eq!(of(&words[..2], Mode::Hybrid), Some(8), "½·.4/.5 + ½ is more than ½");
        assert_eq!(of(&words, Mode::Semantic), None);
        let near = [passage(0, 0, 1, 0.9), passage(8, 0, 2, 0.2)];
        assert_eq!(of(&near, Mode::Hybrid), Some(0), "½ + ½·½ is more than ½·.2/.9 + ½");
        let by_words = Weights { semantic: 0.0, keyword: 1.0 };
        assert_eq!(best_fit(near.to_vec(), Mode::Hybrid, by_words).map(|span| span.start), Some(8));
        let phrase = [passage(0, 0, 5, 0.9), passage(8, 1, 2, 0.2), passage(16, 1, 2, 0.3)];
        assert_eq!(of(&phrase, Mode::Keyword), Some(8));
        assert_eq!((of(&phrase, Mode::Semantic), of(&phrase, Mode::Hybrid)), (Some(16), Some(16)));
        assert_eq!((of(&words[..1], Mode::Hybrid), of(&[], Mode::Hybrid)), (None, None));
    }
}
