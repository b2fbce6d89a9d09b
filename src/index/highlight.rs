//! Where the words of a query stand in a text, as full-text search sees words.

use std::collections::HashSet;

use lance_index::scalar::inverted::document_tokenizer::LanceTokenizer;
use lance_tokenizer::TokenStream;

use super::IndexError;
use super::composed::{Composed, composed};
use super::full_text::words;
use crate::config::TextLanguage;

/// The words of a query, apart from their endings.
pub struct QueryWords {
    tokenizer: Box<dyn LanceTokenizer>,
    words: HashSet<String>,
}

/// A word of a text that the query has too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Highlight {
    /// Where it begins in the text, in UTF-16 code units.
    pub start: i32,
    /// Where it ends.
    pub end: i32,
    /// The word without its ending.
    pub word: String,
}

impl Clone for QueryWords {
    fn clone(&self) -> Self {
        Self { tokenizer: self.tokenizer.box_clone(), words: self.words.clone() }
    }
}

impl QueryWords {
    pub(super) fn new(query: &str, language: TextLanguage) -> Result<Self, IndexError> {
        let tokenizer = words(language).and_then(|words| Ok(words.build()?));
        let mut tokenizer = tokenizer.map_err(IndexError::during("cut a query into words"))?;
        let mut words = HashSet::new();
        tokenizer.token_stream_for_search(&composed(query)).process(&mut |token| {
            words.insert(token.text.clone());
        });
        Ok(Self { tokenizer, words })
    }

    /// Those words in `text`, in their order.
    pub fn in_text(&self, text: &str) -> Vec<Highlight> {
        let mut found = Vec::new();
        if self.words.is_empty() {
            return found;
        }
        let (mut bytes, mut units) = (0, 0);
        // A mark can belong to a word that ends before it and be one of its own: places never go back.
        let mut in_utf16 = |until: usize| {
            let until = until.max(bytes);
            units += text.get(bytes..until).unwrap_or_default().chars().map(char::len_utf16).sum::<usize>();
            bytes = until;
            i32::try_from(units).unwrap_or(i32::MAX)
        };
        let composed = Composed::of(text);
        let mut tokenizer = self.tokenizer.box_clone();
        tokenizer.token_stream_for_doc(&composed.text).process(&mut |token| {
            if self.words.contains(&token.text) {
                let start = in_utf16(composed.written_start(token.offset_from));
                let end = in_utf16(composed.written_end(token.offset_to));
                if start < end {
                    found.push(Highlight { start, end, word: token.text.clone() });
                }
            }
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str, language: TextLanguage, text: &str) -> Vec<String> {
        let words = QueryWords::new(query, language).unwrap();
        let units: Vec<_> = text.encode_utf16().collect();
        let cut = |Highlight { start, end, .. }| {
            String::from_utf16(&units[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()])
                .unwrap()
        };
        words.in_text(text).into_iter().map(cut).collect()
    }

    #[test]
    fn places_count_utf16_units() {
        let words = QueryWords::new("w", TextLanguage::NONE).unwrap().in_text("é😀 w w");
        assert_eq!(words.iter().map(|word| word.start).collect::<Vec<_>>(), [4, 6]);
    }

    #[test]
    fn words_that_share_a_sign_stand_where_they_are() {
        for before in ["", "क\u{958}लम "] {
            let text = format!("{before}सत्य और सत्य.");
            assert_eq!(found("सत्य", TextLanguage::NONE, &text), ["सत्", "य", "सत्", "य"], "{text}");
        }
        // U+0345 is a mark and a letter.
        let marked = "q\u{302}\u{345}";
        for before in ["", "e\u{301} "] {
            let text = format!("{before}{marked} w {marked}");
            assert_eq!(found(marked, TextLanguage::NONE, &text), [marked, marked], "{text}");
        }
    }

    #[test]
    fn words_are_found_whatever_their_case_accents_and_endings() {
        let english = TextLanguage::default();
        assert_eq!(found("recipes, the CAFÉ", english, "A Recipe for the 😀 cafe."), ["Recipe", "cafe"]);
        assert_eq!(found("cafe", english, "Un café!"), ["café"]);
        assert_eq!(found("D\u{fc}sseldorf", english, "😀 in Du\u{308}sseldorf."), ["Du\u{308}sseldorf"]);
        assert_eq!(found("cafe\u{301}", english, "Un caf\u{e9}!"), ["caf\u{e9}"]);
        for text in ["ko\u{323}\u{301} ba", "k\u{1ecd}\u{301} ba"] {
            assert_eq!(found("k\u{1ecd}\u{301}", TextLanguage::NONE, text), [text.trim_end_matches(" ba")]);
        }
        assert_eq!(found("the 😀", english, "the 😀"), [""; 0]);
        assert_eq!(found("recipes", TextLanguage::NONE, "A recipe of recipes"), ["recipes"]);
    }
}
