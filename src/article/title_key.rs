//! Titles and external ids as people mean them, to find one that is written a little differently.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// Equal for titles that differ in case, in how Unicode writes them, or in white space: Unicode's caseless matching with
/// compatibility (The Unicode Standard, section 3.13, D146).
pub fn title_key(title: &str) -> String {
    let folded: String = title.nfd().default_case_fold().nfkd().default_case_fold().nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_composition_width_and_spaces_do_not_matter() {
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
        ] {
            assert_eq!(title_key(one), title_key(other));
        }
        assert_ne!(title_key("Cafe"), title_key("Caf\u{e9}"));
        assert_eq!(title_key("\u{1f35d}"), "\u{1f35d}");
        assert_eq!(title_key(" \u{3000}"), "");
    }
}
