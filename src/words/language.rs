//! The language of a text, and what is known of languages: endings, and words that mean little.

use std::collections::HashSet;
use std::sync::OnceLock;

use caseless::default_case_fold_str;
use frostem::{Algorithm, Stemmer};
use whatlang::{Lang, Script};

use super::marks::without_marks;

/// A language whose endings are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language(u8);

struct Known {
    name: &'static str,
    /// ISO 639-1.
    code: &'static str,
    detected: Lang,
    endings: Algorithm,
}

const fn known(name: &'static str, code: &'static str, detected: Lang, endings: Algorithm) -> Known {
    Known { name, code, detected, endings }
}

/// In the order of their numbers.
const LANGUAGES: [Known; 18] = [
    known("arabic", "ar", Lang::Ara, Algorithm::Arabic),
    known("danish", "da", Lang::Dan, Algorithm::Danish),
    known("dutch", "nl", Lang::Nld, Algorithm::Dutch),
    known("english", "en", Lang::Eng, Algorithm::English),
    known("finnish", "fi", Lang::Fin, Algorithm::Finnish),
    known("french", "fr", Lang::Fra, Algorithm::French),
    known("german", "de", Lang::Deu, Algorithm::German),
    known("greek", "el", Lang::Ell, Algorithm::Greek),
    known("hungarian", "hu", Lang::Hun, Algorithm::Hungarian),
    known("italian", "it", Lang::Ita, Algorithm::Italian),
    known("norwegian", "no", Lang::Nob, Algorithm::Norwegian),
    known("portuguese", "pt", Lang::Por, Algorithm::Portuguese),
    known("romanian", "ro", Lang::Ron, Algorithm::Romanian),
    known("russian", "ru", Lang::Rus, Algorithm::Russian),
    known("spanish", "es", Lang::Spa, Algorithm::Spanish),
    known("swedish", "sv", Lang::Swe, Algorithm::Swedish),
    known("tamil", "ta", Lang::Tam, Algorithm::Tamil),
    known("turkish", "tr", Lang::Tur, Algorithm::Turkish),
];

/// So much of a text is looked at to tell its language: the detector is right about 99.8 % of texts of 150 signs that it calls reliable.
const LOOKED_AT_BYTES: usize = 600;
/// How sure the detector must be of a short text: below, it takes titles in English for any language.
const SURE: f64 = 0.15;

impl Language {
    /// The language of this English name.
    pub fn named(name: &str) -> Option<Self> {
        LANGUAGES.iter().position(|known| known.name == name).map(|number| Self(number as u8))
    }

    /// The language of `text`; `None` for one whose endings are not known. A text too short to tell counts as English where its letters are
    /// Latin.
    pub fn of(text: &str) -> Option<Self> {
        let beginning = &text[..text.floor_char_boundary(LOOKED_AT_BYTES)];
        let info = whatlang::detect(beginning)?;
        if info.is_reliable() || info.confidence() >= SURE || info.script() != Script::Latin {
            let number = LANGUAGES.iter().position(|known| known.detected == info.lang())?;
            return Some(Self(number as u8));
        }
        Self::named("english")
    }

    /// Whether `word`, without marks, means little on its own in any language.
    pub fn any_has_stop_word(word: &str) -> bool {
        (0..LANGUAGES.len()).any(|number| Self(number as u8).is_stop_word(word))
    }

    /// Its number among all.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The language with a number.
    pub fn with_number(number: u8) -> Option<Self> {
        (usize::from(number) < LANGUAGES.len()).then_some(Self(number))
    }

    fn known(self) -> &'static Known {
        &LANGUAGES[usize::from(self.0)]
    }

    /// `word`, folded before, without its ending and marks.
    pub fn stem(self, word: &str) -> String {
        without_marks(&Stemmer::new(self.known().endings).stem(word)).into_owned()
    }

    /// Whether `word`, without marks, means little on its own.
    pub fn is_stop_word(self, word: &str) -> bool {
        static STOP_WORDS: [OnceLock<HashSet<String>>; LANGUAGES.len()] =
            [const { OnceLock::new() }; LANGUAGES.len()];
        STOP_WORDS[usize::from(self.0)].get_or_init(|| stop_words(self.known())).contains(word)
    }
}

/// Heads of contractions, such as of "won't", that are words of their own.
const WORDS_ALL_THE_SAME: [&str; 3] = ["won", "ma", "don"];

fn stop_words(language: &Known) -> HashSet<String> {
    let listed = stop_words::lookup(language.code).unwrap_or_default();
    let folded =
        listed.iter().map(|word| without_marks(&default_case_fold_str(word)).replace(['\'', '’'], ""));
    folded.filter(|word| !WORDS_ALL_THE_SAME.contains(&word.as_str())).collect()
}
