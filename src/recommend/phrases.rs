//! The quoted phrases of a query, and whether a text has them.

use std::sync::Arc;

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::RecommendError;
use crate::article::title_key;
use crate::index::Generation;

/// Phrases of one query that count, the first ones.
const PHRASES_MAX: usize = 5;
/// What begins a phrase, and what can end it.
const QUOTES: [(char, &[char]); 7] = [
    ('"', &['"']),
    ('\u{201c}', &['\u{201d}']),
    ('\u{201e}', &['\u{201c}', '\u{201d}']),
    ('\u{ab}', &['\u{bb}']),
    ('\u{bb}', &['\u{ab}', '\u{bb}']),
    ('\u{300c}', &['\u{300d}']),
    ('\u{300e}', &['\u{300f}']),
];

/// The quoted phrases of a query; cheap to clone.
#[derive(Clone)]
pub struct Phrases(Arc<[String]>);

impl Phrases {
    /// Those of `text`, but for such as have stop words of the index's language only.
    pub fn of(text: &str, generation: &Generation) -> Result<Self, RecommendError> {
        let quoted = phrases_in(text);
        if quoted.is_empty() {
            return Ok(Self(Arc::default()));
        }
        let stop_words = generation.stop_words()?;
        let phrases = quoted.into_iter().filter(|phrase| !stop_words.are_all_of(phrase)).take(PHRASES_MAX);
        Ok(Self(phrases.map(title_key).collect()))
    }

    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `text` has all of them.
    pub fn are_in(&self, text: &str) -> bool {
        let text = title_key(text);
        self.0.iter().all(|phrase| contains_words(&text, phrase))
    }

    /// How many of them `text` has.
    pub fn number_in(&self, text: &str) -> usize {
        let text = title_key(text);
        self.0.iter().filter(|phrase| contains_words(&text, phrase)).count()
    }

    /// All of them, one after the other.
    pub fn words(&self) -> String {
        self.0.join(" ")
    }
}

/// What stands in quotation marks: two words or more. One quoted word in a longer text is emphasis, as in `a "smart" city`:
/// to put its articles first costs 1.3 points of nDCG@10 on a collection of questions. Where all is quoted, one word counts.
fn phrases_in(text: &str) -> Vec<&str> {
    let (mut phrases, between) = quoted(text);
    if between {
        phrases.retain(|phrase| phrase.unicode_words().nth(1).is_some());
    }
    phrases
}

/// What stands in quotation marks, blank ones left out, and whether words stand outside of them.
fn quoted(text: &str) -> (Vec<&str>, bool) {
    let mut phrases = Vec::new();
    let mut between = false;
    let mut rest = text;
    let has_words = |text: &str| text.chars().any(char::is_alphanumeric);
    while let Some(Quoted { before, inside, after }) = first_quoted(rest) {
        between |= has_words(before);
        let phrase = inside.trim();
        if has_words(phrase) {
            phrases.push(phrase);
        }
        rest = after;
    }
    (phrases, between || has_words(rest))
}

/// A text with a part in quotation marks.
struct Quoted<'a> {
    before: &'a str,
    inside: &'a str,
    after: &'a str,
}

/// The first part of `text` whose quotation marks are closed.
fn first_quoted(text: &str) -> Option<Quoted<'_>> {
    let mut unclosed = Vec::new();
    text.char_indices().find_map(|(begin, mark)| {
        let (_, closing) = QUOTES.iter().find(|(opens, _)| *opens == mark)?;
        let (before, inside) = (&text[..begin], &text[begin + mark.len_utf8()..]);
        // After a number it stands for inches.
        if unclosed.contains(&mark) || mark == '"' && before.ends_with(char::is_numeric) {
            return None;
        }
        let Some((inside, after)) = inside.split_once(*closing) else {
            unclosed.push(mark);
            return None;
        };
        Some(Quoted { before, inside, after })
    })
}

/// Whether `text` has `phrase`, not as parts of longer words.
fn contains_words(text: &str, phrase: &str) -> bool {
    let mut from = 0;
    while let Some(found) = text[from..].find(phrase).filter(|_| !phrase.is_empty()) {
        let (begin, end) = (from + found, from + found + phrase.len());
        if is_edge_of_word(text, begin) && is_edge_of_word(text, end) {
            return true;
        }
        let mut next = text[begin..].char_indices().map(|(at, _)| begin + at).skip(1);
        let Some(edge) = next.find(|at| is_edge_of_word(text, *at)) else { return false };
        from = edge;
    }
    false
}

/// Whether no word goes on at `at`: marks belong to the sign before them, and scripts that write words without spaces have an
/// edge between any two signs (Unicode Standard Annex 29).
fn is_edge_of_word(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    let (Some(last), Some(first)) = (before.chars().next_back(), after.chars().next()) else { return true };
    if last.is_ascii() && first.is_ascii() {
        return !(last.is_alphanumeric() && first.is_alphanumeric());
    }
    if GraphemeCursor::new(at, text.len(), true).is_boundary(text, 0) == Ok(false) {
        return false;
    }
    let sign = before.graphemes(true).next_back().unwrap_or_default();
    if !(sign.contains(char::is_alphanumeric) && first.is_alphanumeric()) {
        return true;
    }
    format!("{sign}{first}").split_word_bounds().count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_stand_in_quotation_marks() {
        assert_eq!(
            phrases_in(r#"the "red apple" and “blue sky” or „graue Maus“"#),
            ["red apple", "blue sky", "graue Maus"]
        );
        assert_eq!(
            phrases_in("»graue Maus« frisst schnell »rote Katze«, »grå mus» «le chat noir»"),
            ["graue Maus", "rote Katze", "grå mus", "le chat noir"]
        );
        assert_eq!(phrases_in(r#"«le chat» "" " " "!?" "x""#), ["le chat", "x"]);
        assert_eq!(phrases_in(r#"a "smart" city with "low-cost" housing"#), ["low-cost"]);
        assert_eq!(phrases_in(r#""smart" cities"#), [""; 0]);
        assert_eq!(phrases_in(r#" "smart"!"#), ["smart"]);
        assert!(phrases_in("plain words").is_empty());
        assert_eq!(phrases_in("„zielone jabłko” 「東京 タワー」"), ["zielone jabłko", "東京 タワー"]);
    }

    #[test]
    fn what_is_not_closed_quotes_nothing() {
        assert!(phrases_in(r#"it is 5" wide"#).is_empty());
        assert!(phrases_in(r#"a 27" or 32" screen"#).is_empty());
        assert_eq!(phrases_in(r#"a 27" screen "with a stand""#), ["with a stand"]);
        assert_eq!(phrases_in(r#"“never closed „nor this "red apple" «x"#), ["red apple"]);
        assert!(phrases_in(&"“„".repeat(4_000)).is_empty());
    }

    #[test]
    fn a_phrase_is_whole_words() {
        for (text, phrase) in [
            ("a red apple.", "red apple"),
            ("red apple", "red apple"),
            ("bred apple, red apple", "red apple"),
            ("in c++ code", "c++"),
            ("casino no no", "no no"),
            ("我喜欢咖啡", "咖啡"),
            ("東京タワーへ", "タワー"),
            ("वह सत्य बोलता है", "सत्य बोलता"),
            ("alpha omegaq\u{302} beta", "alpha omegaq\u{302}"),
            ("👩🏽\u{200d}🍳 cooks", "cooks"),
        ] {
            assert!(contains_words(text, phrase), "{phrase} in {text}");
        }
        for (text, phrase) in [
            ("a red apples", "red apple"),
            ("bred apple", "red apple"),
            ("anything", ""),
            ("aaaa aaaa", "aaa"),
            ("приятель", "я"),
            ("वह सत्य बोलता है", "वह सत"),
            ("वह सत्य बोलता है", "वह सत्"),
            ("alpha omegaq\u{302} beta", "alpha omegaq"),
            ("ń kọ\u{301}", "ń kọ"),
            ("👩🏽\u{200d}🍳 cooks", "🍳 cooks"),
        ] {
            assert!(!contains_words(text, phrase), "{phrase} in {text}");
        }
    }
}
