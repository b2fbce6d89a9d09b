//! Which passages have the words and the phrases of a query.

use std::collections::HashMap;

use super::by_text::TextMatches;
use super::fusion::share;
use super::{BestPassage, Mode, RecommendError, Weights};
use crate::article::{ArticleId, Offsets};
use crate::search::{PassageSpan, PassageWords, Target};

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
    pub async fn passages_by_words(&self) -> Result<HashMap<ArticleId, BestPassage>, RecommendError> {
        let listed: Vec<_> = self.ranked.iter().map(|ranked| ranked.article).collect();
        let cosines: HashMap<_, _> = match self.mode {
            Mode::Keyword => HashMap::new(),
            Mode::Semantic | Mode::Hybrid => {
                let passages = self.snapshot.view()?.passages_of(&Target::new(self.vector().await?), &listed);
                passages.into_iter().map(|hit| ((hit.span.article, hit.span.start), hit.cosine)).collect()
            }
        };
        let mut passages: HashMap<ArticleId, Vec<Shared>> = HashMap::new();
        for PassageWords { span, words, phrases } in self.looked_for.in_passages(&listed, self.phrases.all())
        {
            let cosine = cosines.get(&(span.article, span.start)).copied().unwrap_or(0.0);
            passages.entry(span.article).or_default().push(Shared { span, cosine, phrases, words });
        }
        let best = passages.into_iter().filter_map(|(article, passages)| {
            Some((article, best_fit(passages, self.mode, self.weights)?.into()))
        });
        Ok(best.collect())
    }

    /// The words of the query in `text`, in their order.
    pub fn highlights(&self, text: &str) -> Vec<Highlight> {
        let mut offsets = Offsets::of(text);
        let found = self.analyzer.highlights(&self.words, text).into_iter();
        found
            .map(|highlight| Highlight { start: offsets.at(highlight.start), end: offsets.at(highlight.end) })
            .collect()
    }
}

/// A word of a text that the query has too, in UTF-16 code units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Highlight {
    pub start: i32,
    pub end: i32,
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
