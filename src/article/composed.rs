//! Texts in Unicode's normal form C: what looks the same is the same text.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// `text` in normal form C; borrowed where it is that already.
pub fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { text.into() } else { text.nfc().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_their_marks_become_one_sign() {
        assert_eq!(composed("Du\u{308}sseldorf"), "D\u{fc}sseldorf");
        assert!(matches!(composed("D\u{fc}sseldorf"), Cow::Borrowed(_)));
    }
}
