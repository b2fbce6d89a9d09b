//! Texts in Unicode's normal form C, in which full-text search sees them: what looks the same is the same word.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// A text in normal form C, which knows where its parts stand in the text as it was written.
pub struct Composed<'a> {
    pub text: Cow<'a, str>,
    /// Of each grapheme cluster of a text that was not composed: where it begins in `text`, in bytes, and where in the written
    /// one. Characters are composed within clusters only (Unicode Standard Annex 29).
    clusters: Vec<(usize, usize)>,
    written_bytes: usize,
}

/// `text` in normal form C.
pub fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes { text.into() } else { text.nfc().collect() }
}

impl<'a> Composed<'a> {
    pub fn of(written: &'a str) -> Self {
        let written_bytes = written.len();
        let text = composed(written);
        if text == written {
            return Self { text: written.into(), clusters: Vec::new(), written_bytes };
        }
        let mut begin = 0;
        let place = |(written, cluster): (usize, &str)| {
            let place = (begin, written);
            begin += cluster.nfc().map(char::len_utf8).sum::<usize>();
            place
        };
        Self { text, clusters: written.grapheme_indices(true).map(place).collect(), written_bytes }
    }

    /// Where the cluster begins, in the text as it was written, that has what begins at `byte` of this one; both in bytes.
    pub fn written_start(&self, byte: usize) -> usize {
        if self.clusters.is_empty() {
            let mut cursor = GraphemeCursor::new(byte, self.text.len(), true);
            return match cursor.is_boundary(&self.text, 0) {
                Ok(false) => cursor.prev_boundary(&self.text, 0).ok().flatten().unwrap_or(byte),
                _ => byte,
            };
        }
        let next = self.clusters.partition_point(|(begin, _)| *begin <= byte);
        next.checked_sub(1).map_or(0, |cluster| self.clusters[cluster].1)
    }

    /// Where the cluster ends, in the text as it was written, that has what ends at `byte` of this one; both in bytes.
    pub fn written_end(&self, byte: usize) -> usize {
        if self.clusters.is_empty() {
            let mut cursor = GraphemeCursor::new(byte, self.text.len(), true);
            return match cursor.is_boundary(&self.text, 0) {
                Ok(false) => cursor.next_boundary(&self.text, 0).ok().flatten().unwrap_or(byte),
                _ => byte,
            };
        }
        let next = self.clusters.partition_point(|(begin, _)| *begin < byte);
        self.clusters.get(next).map_or(self.written_bytes, |(_, written)| *written)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The parts of `written` that the words of its normal form come from.
    fn written_words(written: &str) -> Vec<&str> {
        let composed = Composed::of(written);
        let mut from = 0;
        let mut words = Vec::new();
        for word in composed.text.split(' ') {
            words.push(&written[composed.written_start(from)..composed.written_end(from + word.len())]);
            from += word.len() + 1;
        }
        words
    }

    #[test]
    fn words_are_found_in_the_text_as_it_was_written() {
        for written in [
            "Bra\u{fc}haus in D\u{fc}sseldorf",
            "Brau\u{308}haus in Du\u{308}sseldorf",
            "\u{1f600} na\u{ef}ve cre\u{300}me bru\u{302}le\u{301}e",
            "\u{110c}\u{1169}\u{11c2}\u{110b}\u{1161} \u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}",
            "q\u{307}\u{323} a",
            "",
        ] {
            assert_eq!(written_words(written), written.split(' ').collect::<Vec<_>>());
        }
        assert_eq!(Composed::of("Du\u{308}sseldorf").text, "D\u{fc}sseldorf");
    }

    proptest! {
        #[test]
        fn every_place_is_one_of_the_written_text(written in "[a-c e\u{301}\u{308}\u{323}\u{1100}-\u{1112}\u{1161}\u{11a8}\u{915}\u{93e}\u{9c7}\u{9be}\u{1f600}]{0,12}") {
            let composed = Composed::of(&written);
            prop_assert_eq!(composed.text.as_ref(), written.nfc().collect::<String>());
            for (byte, character) in composed.text.char_indices() {
                let (start, end) = (composed.written_start(byte), composed.written_end(byte + character.len_utf8()));
                let part = written[start..end].nfc().collect::<String>();
                prop_assert!(part.contains(character), "{:?} in {:?}", character, part);
            }
        }
    }
}
