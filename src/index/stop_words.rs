//! Words of a language that mean nothing on their own, as full-text search sees words.

use std::collections::HashSet;

use lance_index::scalar::inverted::document_tokenizer::LanceTokenizer;
use lance_tokenizer::TokenStream;

use super::IndexError;
use super::composed::composed;
use super::full_text::words;
use crate::config::TextLanguage;

/// The stop words of a language, NLTK's, without their endings.
///
/// Full-text search cuts endings off before it looks for stop words, and of "does" leaves "doe" in. To leave such out of its
/// index, too, takes .15 points of nDCG@10 on one collection of three (`docs/decisions/0019-index-of-words.md`).
pub struct StopWords {
    tokenizer: Box<dyn LanceTokenizer>,
    words: HashSet<String>,
}

impl StopWords {
    pub(super) fn of(language: TextLanguage) -> Result<Self, IndexError> {
        let tokenizer = words(language).and_then(|words| Ok(words.remove_stop_words(false).build()?));
        let mut tokenizer = tokenizer.map_err(IndexError::during("cut stop words"))?;
        let listed = language.code().and_then(stop_words::lookup).unwrap_or_default();
        let mut words = HashSet::with_capacity(listed.len());
        for word in listed {
            tokenizer.token_stream_for_doc(word).process(&mut |token| {
                words.insert(token.text.clone());
            });
        }
        Ok(Self { tokenizer, words })
    }

    /// Whether `text` has no other words.
    pub fn are_all_of(&self, text: &str) -> bool {
        let (text, mut tokenizer) = (composed(text), self.tokenizer.box_clone());
        let mut tokens = tokenizer.token_stream_for_search(&text);
        while tokens.advance() {
            if !self.words.contains(&tokens.token().text) {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_told_also_where_they_lose_their_endings() {
        let english = StopWords::of(TextLanguage::default()).unwrap();
        for text in
            ["why does", "because any, very, before: only once", "I couldn't have been during it", "!?"]
        {
            assert!(english.are_all_of(text), "{text}");
        }
        assert!(!english.are_all_of("does a doctor do it"));
        assert!(!StopWords::of(TextLanguage::NONE).unwrap().are_all_of("the"));
    }

    #[test]
    fn every_language_has_its_own() {
        for (language, stop_words, word) in [
            ("arabic", "في", "كتاب"),
            ("danish", "blev havde", "bog"),
            ("dutch", "werd hebben", "boek"),
            ("english", "does", "book"),
            ("finnish", "minun ovat", "kirja"),
            ("french", "étaient vous", "livre"),
            ("german", "werden können", "Buch"),
            ("greek", "και", "βιβλίο"),
            ("hungarian", "azok", "könyv"),
            ("italian", "della stavano", "libro"),
            ("norwegian", "hadde være", "bok"),
            ("portuguese", "estava você", "livro"),
            ("romanian", "acestea", "carte"),
            ("russian", "когда быть", "книга"),
            ("spanish", "estaban nosotros", "libro"),
            ("swedish", "skulle hade", "bok"),
            ("tamil", "மற்றும்", "நூல்"),
            ("turkish", "çünkü", "kitap"),
        ] {
            let of_language = StopWords::of(TextLanguage::named(language).unwrap()).unwrap();
            assert!(of_language.are_all_of(stop_words), "{language}: {stop_words}");
            assert!(!of_language.are_all_of(word), "{language}: {word}");
        }
    }
}
