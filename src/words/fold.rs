//! Texts as searches see them: Unicode's NFKC case folding, which knows where its parts stand in the text as it was written.

use caseless::Caseless;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Joins the letters of a word visibly apart: Persian writes endings after it.
pub const NON_JOINER: char = '\u{200c}';

/// A folded text.
#[derive(Debug)]
pub struct Folded {
    pub text: String,
    /// Of each part whose signs have other lengths than as they were written, and of what follows it: where it begins in `text` and in the
    /// written text, in bytes, and whether it is the former. Parts are folded each by itself.
    parts: Vec<(usize, usize, bool)>,
    written_bytes: usize,
}

impl Folded {
    pub fn of(written: &str) -> Self {
        let mut text = String::with_capacity(written.len());
        let mut parts = Vec::new();
        let mut shifted = false;
        for (begin, part) in Parts(written, 0) {
            let from = text.len();
            fold_part(part, &mut text);
            // Nearly all parts keep the lengths of their signs: a place is noted only where one does not.
            let same = text[from..].chars().map(char::len_utf8).eq(part.chars().map(char::len_utf8));
            if shifted || !same {
                parts.push((from, begin, !same));
            }
            shifted = !same;
        }
        if shifted {
            parts.push((text.len(), written.len(), false));
        }
        Self { text, parts, written_bytes: written.len() }
    }

    /// Where the part that has `byte` begins in the text as it was written, in bytes.
    pub fn written_start(&self, byte: usize) -> usize {
        let next = self.parts.partition_point(|(begin, ..)| *begin <= byte);
        next.checked_sub(1).map_or(byte, |part| {
            let (begin, written, _) = self.parts[part];
            // Beyond the end of a part whose length has changed the next one is noted.
            if self.is_changed(part) { written } else { written + (byte - begin) }
        })
    }

    /// Where what ends at `byte` ends in the text as it was written, in bytes.
    pub fn written_end(&self, byte: usize) -> usize {
        let next = self.parts.partition_point(|(begin, ..)| *begin < byte);
        let Some(part) = next.checked_sub(1) else { return byte };
        if self.is_changed(part) {
            return self.parts.get(next).map_or(self.written_bytes, |(_, written, _)| *written);
        }
        let (begin, written, _) = self.parts[part];
        written + (byte - begin)
    }

    fn is_changed(&self, part: usize) -> bool {
        self.parts[part].2
    }
}

/// The parts of a text that are folded each by itself, with where they begin.
struct Parts<'a>(&'a str, usize);

impl<'a> Iterator for Parts<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<(usize, &'a str)> {
        let Self(text, begin) = *self;
        let rest = &text[begin..];
        let bytes = rest.as_bytes();
        let first = *bytes.first()?;
        // Two signs of ASCII that follow each other stay apart.
        let length = if first.is_ascii() && bytes.get(1).is_none_or(u8::is_ascii) {
            1
        } else {
            let mut signs = rest.char_indices().skip(1);
            signs.find(|(_, sign)| !belongs_to_what_is_before(*sign)).map_or(rest.len(), |(at, _)| at)
        };
        self.1 += length;
        Some((begin, &rest[..length]))
    }
}

/// Whether `sign` may be composed with what stands before it, belongs to it as a mark, or is ignored (Unicode Standard Annex 15, 9).
fn belongs_to_what_is_before(sign: char) -> bool {
    if sign.is_ascii() {
        return false;
    }
    let mut first = None;
    decompose_compatible(sign, |part| first = first.or(Some(part)));
    let first = first.unwrap_or(sign);
    canonical_combining_class(first) != 0
        || is_nfc_quick(std::iter::once(first)) == IsNormalized::Maybe
        || is_ignored(sign)
}

/// Signs that nobody sees, such as the soft hyphen.
fn is_ignored(sign: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(sign)
}

/// Appends `part` in the form that The Unicode Standard calls NFKC_Casefold (section 3.13, D147). A non-joiner stays, and what marks a
/// trade mark separates.
fn fold_part(part: &str, folded: &mut String) {
    if let [sign] = part.as_bytes() {
        folded.push(char::from(*sign).to_ascii_lowercase());
        return;
    }
    if part.starts_with(['\u{2122}', '\u{2120}']) {
        folded.push(' ');
        return;
    }
    let once = part.nfd().default_case_fold().nfkd().default_case_fold().nfkd();
    folded.extend(once.filter(|sign| *sign == NON_JOINER || !is_ignored(*sign)).nfc());
}
