//! Where the words of a folded text are.

use std::ops::Range;

use icu_segmenter::options::WordBreakInvariantOptions;
use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed};

use super::fold::NON_JOINER;

/// Words of a name that are also taken as a whole; longer runs are their words alone.
const NAME_WORDS_MAX: usize = 8;
/// Bytes of the longest word.
const WORD_BYTES_MAX: usize = 256;

/// A part of a folded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// In bytes.
    pub range: Range<usize>,
    /// Number of the word; a name has that of its first word, a piece that of the word in which it begins.
    pub position: u32,
    pub kind: Kind,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Word,
    /// Words that are joined by signs, such as an address, or a word with signs that make it another, such as C++.
    Name,
    /// One or two signs of a script that writes words without spaces, whatever words they belong to.
    Piece,
}

/// What joins words to a name. Hyphens and apostrophes are left out of it: spellings differ.
const JOINS: [char; 9] = ['-', '\u{2010}', '\u{2011}', '/', '\\', '@', '&', '+', '.'];
/// What stands inside of what Unicode takes for a word (Standard Annex 29) and joins several.
const JOINS_INSIDE: [char; 9] = ['\'', '\u{2019}', '\u{2bc}', '.', '_', ':', '\u{b7}', '\u{387}', NON_JOINER];
/// What ends a name.
const SUFFIXES: [char; 2] = ['+', '#'];
/// What is left out of a name.
pub const LEFT_OUT: [char; 7] = ['-', '\u{2010}', '\u{2011}', '\'', '\u{2019}', '\u{2bc}', NON_JOINER];

/// Cuts folded texts.
#[derive(Clone, Copy)]
pub struct Cutter(WordSegmenterBorrowed<'static>);

impl Default for Cutter {
    fn default() -> Self {
        Self(WordSegmenter::new_dictionary(WordBreakInvariantOptions::default()))
    }
}

/// A part between two boundaries.
#[derive(Clone, Copy)]
struct Segment {
    start: usize,
    end: usize,
    is_word: bool,
}

impl Cutter {
    /// The words, names and pieces of `text`, by their positions.
    pub fn cut(&self, text: &str) -> Vec<Cut> {
        let segments = self.segments(text);
        let mut cuts = Cuts { text, cuts: Vec::with_capacity(segments.len()), position: 0 };
        let mut next = 0;
        while next < segments.len() {
            next = if segments[next].is_word { cuts.take_run(&segments, next) } else { next + 1 };
        }
        cuts.add_pieces();
        // A name before its words, pieces after them.
        let order = |cut: &Cut| match cut.kind {
            Kind::Name => 0,
            Kind::Word => 1,
            Kind::Piece => 2,
        };
        cuts.cuts.sort_by_key(|cut| (cut.position, order(cut)));
        cuts.cuts
    }

    fn segments(&self, text: &str) -> Vec<Segment> {
        let mut start = 0;
        let mut segments = Vec::with_capacity(text.len() / 3);
        for end in self.0.segment_str(text) {
            if end > start {
                // The type that the segmenter tells is none for words that end with a mark.
                let is_word = text[start..end].contains(char::is_alphanumeric);
                segments.push(Segment { start, end, is_word });
                start = end;
            }
        }
        segments
    }
}

struct Cuts<'a> {
    text: &'a str,
    cuts: Vec<Cut>,
    position: u32,
}

impl Cuts<'_> {
    /// Takes the words that are joined to `segments[first]`; returns the number of what follows them.
    fn take_run(&mut self, segments: &[Segment], first: usize) -> usize {
        let mut last = first;
        while let [_, join, word, ..] = &segments[last..]
            && word.is_word
            && self.is_one_of(*join, &JOINS)
        {
            last += 2;
        }
        let mut end = segments[last].end;
        let mut next = last + 1;
        let suffix: Vec<_> =
            segments[next..].iter().take_while(|segment| self.is_one_of(**segment, &SUFFIXES)).collect();
        let is_open = segments.get(next + suffix.len()).is_none_or(|segment| !segment.is_word);
        let has_suffix = is_open && (1..=3).contains(&suffix.len());
        if has_suffix {
            end = suffix[suffix.len() - 1].end;
            next += suffix.len();
        }
        let prefix = self.prefix(segments, first);
        let begin = self.position;
        for segment in segments[first..=last].iter().filter(|segment| segment.is_word) {
            self.take_words(*segment);
        }
        let words = self.position - begin;
        if has_suffix || prefix.is_some() || (2..=NAME_WORDS_MAX).contains(&(words as usize)) {
            self.push(prefix.unwrap_or(segments[first].start)..end, begin, Kind::Name);
        }
        next
    }

    fn is_one_of(&self, segment: Segment, signs: &[char]) -> bool {
        !segment.is_word
            && self.text[segment.start..segment.end].chars().all(|sign| signs.contains(&sign))
            && self.text[segment.start..segment.end].chars().nth(1).is_none()
    }

    /// Where the dot stands that belongs to a name such as .NET.
    fn prefix(&self, segments: &[Segment], first: usize) -> Option<usize> {
        let dot = segments[first.checked_sub(1)?];
        let word = &self.text[segments[first].start..];
        let before = &self.text[..dot.start];
        let is_name = &self.text[dot.start..dot.end] == "."
            && word.starts_with(char::is_alphabetic)
            && !before.ends_with(|sign: char| {
                sign.is_alphanumeric() || matches!(sign, '.' | ')' | ']' | '"' | '\'')
            });
        is_name.then_some(dot.start)
    }

    fn take_words(&mut self, segment: Segment) {
        let mut start = segment.start;
        for part in self.text[segment.start..segment.end].split(JOINS_INSIDE) {
            // Marks without a letter before them are none of the word.
            if let Some(marks) = part.find(char::is_alphanumeric) {
                self.push(start + marks..start + part.len(), self.position, Kind::Word);
                self.position += 1;
            }
            let join = self.text[start + part.len()..].chars().next().map_or(0, char::len_utf8);
            start += part.len() + join;
        }
    }

    fn push(&mut self, range: Range<usize>, position: u32, kind: Kind) {
        if range.len() <= WORD_BYTES_MAX {
            self.cuts.push(Cut { range, position, kind });
        }
    }

    /// Adds pairs of signs, of Chinese and Korean, and signs of Chinese by themselves: words that are cut in other ways are found too.
    fn add_pieces(&mut self) {
        let words = std::mem::take(&mut self.cuts);
        let mut before: Option<(usize, usize, u32)> = None;
        let mut pieces = Vec::new();
        for word in words.iter().filter(|cut| cut.kind == Kind::Word) {
            for (at, sign) in self.text[word.range.clone()].char_indices() {
                let (start, end) = (word.range.start + at, word.range.start + at + sign.len_utf8());
                if !is_cut_into_pieces(sign) {
                    before = None;
                    continue;
                }
                if let Some((from, to, position)) = before
                    && to == start
                {
                    pieces.push(Cut { range: from..end, position, kind: Kind::Piece });
                }
                if is_ideograph(sign) {
                    pieces.push(Cut { range: start..end, position: word.position, kind: Kind::Piece });
                }
                before = Some((start, end, word.position));
            }
        }
        self.cuts = words;
        self.cuts.extend(pieces);
    }
}

fn is_ideograph(sign: char) -> bool {
    matches!(sign, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' | '々')
}

fn is_cut_into_pieces(sign: char) -> bool {
    is_ideograph(sign) || matches!(sign, '\u{ac00}'..='\u{d7a3}')
}
