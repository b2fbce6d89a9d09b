//! The words of texts, as the index, queries, phrases and highlights see them.

use std::ops::Range;

use super::cut::{Cutter, Kind, LEFT_OUT};
use super::encoded::{encoded_runs, meets_run, without_runs};
use super::fold::Folded;
use super::language::Language;
use super::marks::without_marks;

/// Which languages texts are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Languages {
    /// Each text is in the one that it seems to be in.
    Detected,
    /// All are in one; `None`: words are found as they are written, apart from case and accents.
    All(Option<Language>),
}

/// Cuts texts into words. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Analyzer {
    cutter: Cutter,
    languages: Languages,
}

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// In small letters, without accents.
    pub text: String,
    /// With accents.
    pub folded: String,
    pub kind: Kind,
    /// Without its ending; only a word of a text in a known language has one.
    pub stem: Option<String>,
    /// Whether it means little on its own, in the text's language.
    pub is_stop_word: bool,
    /// Number of the word in the text; a name has that of its first word, a piece that of the word in which it begins.
    pub position: u32,
    /// Where it stands in the text as it was written, in bytes.
    pub range: Range<usize>,
}

/// The words of a text.
#[derive(Clone, Debug)]
pub struct Analyzed {
    pub language: Option<Language>,
    /// By their positions.
    pub words: Vec<Word>,
}

impl Analyzed {
    /// The position after the last word.
    pub fn end(&self) -> u32 {
        self.words.iter().map(|word| word.position + 1).max().unwrap_or(0)
    }
}

impl Analyzer {
    pub fn new(languages: Languages) -> Self {
        Self { cutter: Cutter::default(), languages }
    }

    /// Names everything that shapes words, of this version of the program.
    pub fn identity(&self) -> String {
        format!("{:?}", self.languages)
    }

    /// Cuts `text` into words.
    pub fn analyze(&self, text: &str) -> Analyzed {
        let encoded = encoded_runs(text);
        let language = match self.languages {
            Languages::Detected => Language::of(&without_runs(text, &encoded)),
            Languages::All(language) => language,
        };
        Analyzed { language, words: self.words_outside(text, language, &encoded) }
    }

    /// Cuts `text` into words of `language`.
    pub fn words(&self, text: &str, language: Option<Language>) -> Vec<Word> {
        self.words_outside(text, language, &encoded_runs(text))
    }

    /// The words of `text` that are not in `encoded` runs.
    fn words_outside(&self, text: &str, language: Option<Language>, encoded: &[Range<usize>]) -> Vec<Word> {
        let folded = Folded::of(text);
        let cuts = self.cutter.cut(&folded.text);
        let mut words = Vec::with_capacity(cuts.len());
        let mut stops_until = 0;
        for cut in cuts {
            let range = folded.written_start(cut.range.start)..folded.written_end(cut.range.end);
            if meets_run(&range, encoded) {
                continue;
            }
            let as_folded = &folded.text[cut.range.clone()];
            let text = match cut.kind {
                Kind::Name => without_marks(&as_folded.replace(LEFT_OUT, "")).into_owned(),
                Kind::Word | Kind::Piece => without_marks(as_folded).into_owned(),
            };
            if text.is_empty() {
                continue;
            }
            let is_listed = language.is_some_and(|language| language.is_stop_word(&text));
            // The words of a contraction go with it; names come before their words, which end where they do.
            if cut.kind == Kind::Name && is_listed {
                stops_until = cut.range.end;
            }
            let is_stop_word = cut.kind != Kind::Piece && (is_listed || cut.range.end <= stops_until);
            let stem = language
                .filter(|_| cut.kind == Kind::Word && !is_stop_word)
                .map(|language| language.stem(as_folded));
            words.push(Word {
                text,
                folded: as_folded.to_owned(),
                kind: cut.kind,
                stem,
                is_stop_word,
                position: cut.position,
                range,
            });
        }
        words
    }
}
