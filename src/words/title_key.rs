//! Titles and external ids as people mean them, to find one that is written a little differently.

use super::fold::{Folded, NON_JOINER};

/// Equal for titles that differ in case, in how Unicode writes them, in signs that nobody sees, in quotation marks, dashes and
/// apostrophes, in the punctuation at their ends, or in white space. Of what is nothing but such signs the signs count.
pub fn title_key(title: &str) -> String {
    let folded = Folded::of(title).text.replace(NON_JOINER, "");
    let meant: String = folded
        .chars()
        .filter(|sign| !is_quotation_mark(*sign))
        .map(|sign| if is_dash(sign) { ' ' } else { sign })
        .collect();
    let meant = meant.trim().trim_end_matches(is_final).trim_end();
    let key = if meant.is_empty() { &folded } else { meant };
    key.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Quotation marks and apostrophes.
fn is_quotation_mark(sign: char) -> bool {
    matches!(
        sign,
        '"' | '\'' | '`' | '\u{b4}' | '\u{ab}' | '\u{bb}' | '\u{2bc}' | '\u{2018}'..='\u{201f}' | '\u{2039}' | '\u{203a}' | '\u{300c}'..='\u{300f}'
    )
}

fn is_dash(sign: char) -> bool {
    matches!(sign, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// What ends sentences.
fn is_final(sign: char) -> bool {
    sign.is_whitespace()
        || matches!(
            sign,
            '.' | '!' | '?' | ',' | ';' | ':' | '\u{2026}' | '\u{3002}' | '\u{37e}' | '\u{61f}' | '\u{964}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_composition_width_spaces_and_punctuation_do_not_matter() {
        for (one, other) in [
            ("Spaghetti Carbonara", " spaghetti\u{a0}CARBONARA\n"),
            ("Caf\u{e9}", "CAFE\u{301}"),
            ("Stra\u{df}e", "STRASSE"),
            ("\u{fb01}nance", "FINANCE"),
            ("\u{ff21}\u{ff22}", "ab"),
            (
                "\u{3a3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c2}",
                "\u{3c3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c3}",
            ),
            ("Miso soup", "\u{201c}Miso soup\u{201d}"),
            ("What is it?", "what is it"),
            ("And then...", "And then\u{2026}"),
            ("Rock \u{2019}n\u{2019} roll", "Rock 'n' roll"),
            ("Low\u{2013}cost housing", "low-cost housing"),
            ("Low-cost housing", "low cost housing"),
            ("Sil\u{ad}ben\u{ad}tren\u{ad}nung", "silbentrennung"),
            ("\u{feff}Bread and butter", "bread and butter"),
        ] {
            assert_eq!(title_key(one), title_key(other));
        }
        assert_ne!(title_key("Cafe"), title_key("Caf\u{e9}"));
        assert_ne!(title_key("C"), title_key("C++"));
        assert_eq!(title_key("\u{1f35d}"), "\u{1f35d}");
        assert_eq!((title_key("\u{2026}").as_str(), title_key("\"").as_str()), ("...", "\""));
        assert_eq!(title_key(" \u{3000}"), "");
    }
}
