//! Where the words of a query stand in a text, as full-text search sees words.

use std::collections::HashSet;
use std::ops::Range;

use lance_index::scalar::inverted::document_tokenizer::LanceTokenizer;
use lance_tokenizer::TokenStream;

use super::IndexError;
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
    /// In bytes of the text.
    pub range: Range<usize>,
    /// The word without its ending.
    pub word: String,
}

impl QueryWords {
    pub fn new(query: &str, language: TextLanguage) -> Result<Self, IndexError> {
        let tokenizer = words(language).and_then(|words| Ok(words.build()?));
        let mut tokenizer = tokenizer.map_err(IndexError::during("cut a query into words"))?;
        let mut words = HashSet::new();
        tokenizer.token_stream_for_search(query).process(&mut |token| {
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
        let mut tokenizer = self.tokenizer.box_clone();
        tokenizer.token_stream_for_doc(text).process(&mut |token| {
            if self.words.contains(&token.text) {
                found.push(Highlight { range: token.offset_from..token.offset_to, word: token.text.clone() });
            }
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(query: &str, language: TextLanguage, text: &'a str) -> Vec<&'a str> {
        let words = QueryWords::new(query, language).unwrap();
        words.in_text(text).into_iter().map(|highlight| &text[highlight.range]).collect()
    }

    #[test]
    fn words_are_found_whatever_their_case_accents_and_endings() {
        let english = TextLanguage::default();
        assert_eq!(found("recipes, the CAFÉ", english, "A Recipe for the 😀 cafe."), ["Recipe", "cafe"]);
        assert_eq!(found("cafe", english, "Un café!"), ["café"]);
        assert_eq!(found("the 😀", english, "the 😀"), [""; 0]);
        assert_eq!(found("recipes", TextLanguage::NONE, "A recipe of recipes"), ["recipes"]);
    }
}
