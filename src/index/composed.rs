//! Texts in Unicode's normal form C, in which full-text search sees them: what looks the same is the same word.

use std::borrow::Cow;

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc, is_nfc_quick};

/// A text in normal form C, which knows where its parts stand in the text as it was written.
pub struct Composed<'a> {
    pub text: Cow<'a, str>,
    /// Of each part of a text that was not composed: where it begins in `text`, in bytes, and where in the written one. Parts
    /// are composed each by itself.
    parts: Vec<(usize, usize)>,
    written_bytes: usize,
}

/// `text` in normal form C; borrowed where it is that already.
pub fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { text.into() } else { text.nfc().collect() }
}

/// Whether `character` may be composed with what stands before it, or belongs to it as a mark (Unicode Standard Annex 15, 9).
fn belongs_to_what_is_before(character: char) -> bool {
    canonical_combining_class(character) != 0
        || is_nfc_quick(std::iter::once(character)) == IsNormalized::Maybe
}

/// The parts of `text` that are composed each by itself, with where they begin, in bytes.
fn parts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut begin = 0;
    std::iter::from_fn(move || {
        let mut characters = text[begin..].char_indices().skip(1);
        let next = characters.find(|(_, character)| !belongs_to_what_is_before(*character));
        let end = next.map_or(text.len(), |(at, _)| begin + at);
        let part = (begin, &text[begin..end]);
        begin = end;
        (!part.1.is_empty()).then_some(part)
    })
}

impl<'a> Composed<'a> {
    pub fn of(written: &'a str) -> Self {
        let text = composed(written);
        let mut begin = 0;
        let place = |(written, part): (usize, &str)| {
            let place = (begin, written);
            begin += part.nfc().map(char::len_utf8).sum::<usize>();
            place
        };
        let parts = match text {
            Cow::Borrowed(_) => Vec::new(),
            Cow::Owned(_) => parts(written).map(place).collect(),
        };
        Self { text, parts, written_bytes: written.len() }
    }

    /// Where the part begins, in the text as it was written, that has what begins at `byte` of this one; both in bytes.
    pub fn written_start(&self, byte: usize) -> usize {
        if self.parts.is_empty() {
            return byte;
        }
        let next = self.parts.partition_point(|(begin, _)| *begin <= byte);
        next.checked_sub(1).map_or(0, |part| self.parts[part].1)
    }

    /// Where what ends at `byte` of this text ends in the text as it was written, with its marks; both in bytes.
    pub fn written_end(&self, byte: usize) -> usize {
        if self.parts.is_empty() {
            let marks =
                self.text[byte..].chars().take_while(|character| belongs_to_what_is_before(*character));
            return byte + marks.map(char::len_utf8).sum::<usize>();
        }
        let next = self.parts.partition_point(|(begin, _)| *begin < byte);
        self.parts.get(next).map_or(self.written_bytes, |(_, written)| *written)
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
