//! The language of the articles, for the words that searches look for.

/// Which endings are cut off and which words count for little, so that "recipes" finds "recipe".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextLanguage {
    /// Those of the language that each article seems to be in.
    #[default]
    Detected,
    /// None: words as they are written, apart from case and accents.
    None,
    /// Those of this language, by its English name in small letters.
    One(&'static str),
}

/// Those whose endings are known.
pub const LANGUAGES: [&str; 18] = [
    "arabic",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hungarian",
    "italian",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
];

impl TextLanguage {
    /// `auto`, `none` or a language, in any case.
    pub fn named(name: &str) -> Option<Self> {
        match name.trim().to_lowercase().as_str() {
            "auto" => Some(Self::Detected),
            "none" => Some(Self::None),
            name => LANGUAGES.into_iter().find(|language| *language == name).map(Self::One),
        }
    }

    /// What a setting may be.
    pub(super) fn choices() -> String {
        format!("expected auto, none or a language: {}", LANGUAGES.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_in_any_case() {
        assert_eq!(TextLanguage::named("German"), Some(TextLanguage::One("german")));
        assert_eq!(TextLanguage::named(" none "), Some(TextLanguage::None));
        assert_eq!(TextLanguage::named("AUTO"), Some(TextLanguage::default()));
        assert_eq!(TextLanguage::named("klingon"), None);
    }
}
