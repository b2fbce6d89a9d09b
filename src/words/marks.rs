//! Words without the marks that people leave out when they type.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Letters that no normal form takes apart, and how they are written where keyboards lack them.
const LETTERS: [(char, &str); 8] =
    [('æ', "ae"), ('œ', "oe"), ('ø', "o"), ('ł', "l"), ('đ', "d"), ('ð', "d"), ('þ', "th"), ('ı', "i")];

/// `word`, folded before, without accents of Latin and Greek, stress marks and the dots of ё in Cyrillic, and the vowel marks of Arabic and
/// Hebrew. Marks of other scripts are letters.
pub fn without_marks(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        return word.into();
    }
    let mut kept = String::with_capacity(word.len());
    let mut base = ' ';
    for sign in word.nfd() {
        match sign {
            '\u{300}'..='\u{36f}' if is_left_out(base, sign) => {}
            // Points of Hebrew, marks of Arabic, and what only stretches a word.
            '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}' | '\u{5c7}' => {
            }
            '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}' => {
            }
            super::fold::NON_JOINER => {}
            _ => {
                match LETTERS.iter().find(|(letter, _)| *letter == sign) {
                    Some((_, written)) => kept.push_str(written),
                    None => kept.push(sign),
                }
                if !matches!(sign, '\u{300}'..='\u{36f}') {
                    base = sign;
                }
            }
        }
    }
    kept.nfc().collect::<String>().into()
}

fn is_left_out(base: char, mark: char) -> bool {
    match base {
        // й and ї are letters of their own.
        '\u{400}'..='\u{52f}' => mark == '\u{301}' || mark == '\u{300}' || mark == '\u{308}' && base == 'е',
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => true,
        _ => {
            base.is_ascii()
                || ('\u{80}'..='\u{24f}').contains(&base)
                || ('\u{1e00}'..='\u{1eff}').contains(&base)
        }
    }
}
