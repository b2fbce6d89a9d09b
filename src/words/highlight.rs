//! Where the words of a query stand in a text.

use std::ops::Range;

use super::analyzer::{Analyzer, Word};
use super::cut::Kind;
use super::language::Language;
use super::query::QueryWords;

impl Analyzer {
    /// Where the words of `query` stand in `text`, in bytes, in their order. Stop words are left out, unless the query has no others.
    pub fn highlights(&self, query: &QueryWords, text: &str) -> Vec<Range<usize>> {
        let analyzed = self.analyze(text);
        let is_stop_word = |word: &str| analyzed.language.is_some_and(|language| language.is_stop_word(word));
        let only_stop_words = query.0.iter().all(|word| is_stop_word(&word.text));
        let mut found: Vec<Range<usize>> = Vec::new();
        for word in analyzed.words {
            // A name covers its words, and a word its pieces.
            let is_covered = found.last().is_some_and(|last| last.end > word.range.start);
            if is_covered || word.is_stop_word && !only_stop_words {
                continue;
            }
            if query.has(&word, analyzed.language) {
                found.push(word.range);
            }
        }
        found
    }
}

impl QueryWords {
    /// Whether one of them is `word` of a text in `language`, apart from endings.
    fn has(&self, word: &Word, language: Option<Language>) -> bool {
        let is_piece = |kind| kind == Kind::Piece;
        self.0.iter().any(|wanted| {
            let same_stem = || match (language, &word.stem) {
                (Some(language), Some(stem)) => wanted.kind == Kind::Word && wanted.stem(language) == *stem,
                _ => false,
            };
            is_piece(wanted.kind) == is_piece(word.kind) && (wanted.text == word.text || same_stem())
        })
    }
}
