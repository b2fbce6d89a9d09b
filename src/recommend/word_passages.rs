//! Which passages have the words and the phrases of a query.

use std::collections::{HashMap, HashSet};

use super::by_text::TextMatches;
use super::{BestPassage, Mode, RecommendError};
use crate::article::{ArticleId, Slices};
use crate::index::{Highlight, IndexError, PassageSpan, QueryWords};

/// Articles whose texts are in memory together: a text has a megabyte at most.
const ARTICLES_AT_A_TIME: usize = 10;

/// What a passage has of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shared {
    span: PassageSpan,
    phrases: usize,
    /// Each counted once.
    words: usize,
}

impl TextMatches {
    /// Of each listed article the passage with most of the query's phrases; of those by words the one with most of them, in the
    /// hybrid mode the nearest of those that have any. Articles without any in their contents are absent.
    pub async fn passages_by_words(
        &self,
        words: &QueryWords,
    ) -> Result<HashMap<ArticleId, BestPassage>, RecommendError> {
        let listed: Vec<_> = self.ranked.iter().map(|ranked| ranked.article).collect();
        let mut best = HashMap::new();
        for articles in listed.chunks(ARTICLES_AT_A_TIME) {
            let texts = self.snapshot.texts_of(articles).await?;
            let mut spans: HashMap<ArticleId, Vec<PassageSpan>> = HashMap::new();
            for span in self.snapshot.passage_spans(articles).await? {
                spans.entry(span.article).or_default().push(span);
            }
            // On a thread that may be held up.
            let (words, phrases, mode) = (words.clone(), self.phrases.clone(), self.mode);
            let of_articles = move || {
                let shared = |(article, mut spans): (ArticleId, Vec<PassageSpan>)| {
                    spans.sort_unstable_by_key(|span| span.start);
                    // The title is the text's first line.
                    let (_title, content) = texts.get(&article)?.split_once('\n')?;
                    let found = words.in_text(content);
                    let mut slices = Slices::of(content);
                    let mut phrases_in = |span: &PassageSpan| {
                        // Without phrases nothing is to be walked through.
                        if phrases.are_none() {
                            return 0;
                        }
                        slices.next(span.start, span.end).map_or(0, |text| phrases.number_in(text))
                    };
                    let shared = spans.into_iter().map(|span| Shared {
                        span,
                        phrases: phrases_in(&span),
                        words: distinct_words(&span, &found),
                    });
                    Some((article, shared.collect::<Vec<_>>()))
                };
                spans.into_iter().filter_map(shared).collect::<Vec<_>>()
            };
            for (article, shared) in
                tokio::task::spawn_blocking(of_articles).await.map_err(IndexError::from)?
            {
                // By words alone meaning tells nothing.
                let nearest = match mode {
                    Mode::Keyword => None,
                    Mode::Hybrid | Mode::Semantic => self.nearness(article).await?,
                };
                let nearest = nearest.map(|nearest| nearest.passage);
                best.extend(best_fit(shared, nearest.as_ref(), mode).map(|span| (article, span.into())));
            }
        }
        Ok(best)
    }
}

/// `words` are in the order of the text.
fn distinct_words(span: &PassageSpan, words: &[Highlight]) -> usize {
    let begin = words.partition_point(|word| word.start < span.start);
    let end = words.partition_point(|word| word.start < span.end);
    words[begin..end].iter().map(|word| &word.word).collect::<HashSet<_>>().len()
}

/// Of equal ones the first; `None` when no passage has anything.
fn best_fit(mut shared: Vec<Shared>, nearest: Option<&BestPassage>, mode: Mode) -> Option<PassageSpan> {
    let fit = |passage: &Shared| {
        let words = match mode {
            Mode::Keyword => passage.words,
            Mode::Hybrid => passage.words.min(1),
            Mode::Semantic => 0,
        };
        (passage.phrases, words)
    };
    let best = shared.iter().map(fit).max().filter(|best| *best != (0, 0))?;
    shared.retain(|passage| fit(passage) == best);
    shared.sort_unstable_by_key(|passage| (std::cmp::Reverse(passage.words), passage.span.start));
    let is_nearest = |passage: &&Shared| nearest.is_some_and(|nearest| nearest.start == passage.span.start);
    let chosen = shared.iter().find(is_nearest).filter(|_| mode != Mode::Keyword).or(shared.first());
    chosen.map(|passage| passage.span)
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
    fn phrases_count_first_then_words_then_meaning() {
        let passage = |start, phrases, words| Shared { span: span(start, start + 10), phrases, words };
        let of = |passages: &[Shared], nearest: i32, mode| {
            let nearest = BestPassage { revision: 1, start: nearest, end: nearest + 10 };
            best_fit(passages.to_vec(), Some(&nearest), mode).map(|span| span.start)
        };
        let words = [passage(0, 0, 0), passage(8, 0, 1), passage(16, 0, 2), passage(24, 0, 2)];
        assert_eq!(of(&words, 8, Mode::Keyword), Some(16), "most words, the first");
        assert_eq!(of(&words, 8, Mode::Hybrid), Some(8), "the nearest has one");
        assert_eq!(of(&words, 0, Mode::Hybrid), Some(16), "the nearest has none");
        assert_eq!(of(&words, 0, Mode::Semantic), None);
        let phrase = [passage(0, 0, 5), passage(8, 1, 2), passage(16, 1, 2)];
        assert_eq!(of(&phrase, 0, Mode::Keyword), Some(8));
        for mode in [Mode::Hybrid, Mode::Semantic] {
            assert_eq!((of(&phrase, 0, mode), of(&phrase, 16, mode)), (Some(8), Some(16)));
        }
        assert_eq!(of(&words[..1], 0, Mode::Hybrid), None);
    }
}
