//! The words of a query, in whatever language.

use super::analyzer::Analyzer;
use super::cut::Kind;
use super::language::Language;

/// A word of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryWord {
    /// In small letters, without accents.
    pub text: String,
    /// With accents, which endings depend on.
    folded: String,
    pub kind: Kind,
    /// Number of the word in the query; names have that of their first word, and pieces that of the word in which they begin.
    pub position: u32,
}

impl QueryWord {
    /// Without the ending that it has in `language`.
    pub fn stem(&self, language: Language) -> String {
        language.stem(&self.folded)
    }
}

/// The words of a query, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryWords(pub Vec<QueryWord>);

impl Analyzer {
    /// Cuts a query into words. Of pieces, single signs are left out where they are part of a pair.
    pub fn query(&self, text: &str) -> QueryWords {
        let mut words: Vec<QueryWord> = Vec::new();
        let mut last_pair_end = 0;
        let analyzed = self.words(text, None);
        for (number, word) in analyzed.iter().enumerate() {
            if word.kind == Kind::Piece {
                let is_single = word.text.chars().nth(1).is_none();
                let begins_pair = analyzed[number + 1..].iter().any(|next| {
                    next.kind == Kind::Piece
                        && next.range.start == word.range.start
                        && next.range.end > word.range.end
                });
                if is_single && (begins_pair || word.range.start < last_pair_end) {
                    continue;
                }
                last_pair_end = last_pair_end.max(word.range.end);
            }
            words.push(QueryWord {
                text: word.text.clone(),
                folded: word.folded.clone(),
                kind: word.kind,
                position: word.position,
            });
        }
        QueryWords(words)
    }
}
