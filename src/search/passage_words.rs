//! Which passages have the words and the phrases of a query.

use std::collections::HashMap;

use super::hits::PassageSpan;
use super::matching::{LookedFor, Wanted};
use super::phrases::Phrase;
use super::postings::{Term, positions};
use super::segment::Segment;
use crate::article::ArticleId;

/// How much of a query a passage has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassageWords {
    pub span: PassageSpan,
    /// Words, each counted once.
    pub words: usize,
    /// Phrases, each counted once.
    pub phrases: usize,
}

/// Where something stands in articles of a segment, by place.
type Positions = HashMap<u32, Vec<u32>>;

impl LookedFor {
    /// How many of the query's words and of `phrases` each passage of `articles` contains; the passages of an article in their order.
    pub fn in_passages(&self, articles: &[ArticleId], phrases: &[Phrase]) -> Vec<PassageWords> {
        let view = &self.view;
        let mut places_of: Vec<Vec<u32>> = vec![Vec::new(); view.segments.len()];
        for (number, place) in articles.iter().filter_map(|article| view.find(*article)) {
            places_of[number].push(place as u32);
        }
        let mut found = Vec::new();
        for (number, (segment, mut places)) in view.segments.iter().zip(places_of).enumerate() {
            if places.is_empty() {
                continue;
            }
            places.sort_unstable();
            let terms = |word: &Wanted| {
                word.alternatives
                    .iter()
                    .flat_map(|alternatives| &alternatives.terms)
                    .cloned()
                    .collect::<Vec<_>>()
            };
            let words: Vec<_> =
                self.words.iter().map(|word| positions_of(segment, &terms(word), &places)).collect();
            let phrases: Vec<_> = phrases
                .iter()
                .map(|phrase| (positions_of_phrase(segment, phrase, &places), phrase.length()))
                .collect();
            for place in &places {
                for row in segment.passages_of(*place as usize) {
                    let within = segment.word_span(row);
                    let has = |positions: &Positions, length: u32| {
                        let fits =
                            |position: &u32| within.start <= *position && position + length <= within.end;
                        positions.get(place).is_some_and(|positions| positions.iter().any(fits))
                    };
                    found.push(PassageWords {
                        span: view.span_of(number, row),
                        words: words.iter().filter(|positions| has(positions, 1)).count(),
                        phrases: phrases.iter().filter(|(positions, length)| has(positions, *length)).count(),
                    });
                }
            }
        }
        found
    }
}

/// Where `terms` stand in the articles at `places`, which ascend.
fn positions_of(segment: &Segment, terms: &[Term], places: &[u32]) -> Positions {
    let mut found = Positions::new();
    for list in terms.iter().filter_map(|term| segment.words.list(term)) {
        list.each_of(places, |posting, bytes| {
            found.entry(posting.place).or_default().extend(positions(bytes));
        });
    }
    found
}

fn positions_of_phrase(segment: &Segment, phrase: &Phrase, places: &[u32]) -> Positions {
    let mut found = Positions::new();
    for (place, position) in phrase.begins(segment) {
        if places.binary_search(&place).is_ok() {
            found.entry(place).or_default().push(position);
        }
    }
    found
}
