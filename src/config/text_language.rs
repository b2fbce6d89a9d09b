//! The language whose words full-text search brings together.

/// A language whose endings are cut off and whose stop words are left out, so that "recipes" finds "recipe".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLanguage(Option<&'static str>);

/// Those that LanceDB knows.
const LANGUAGES: [&str; 18] = [
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
    /// Words as they are written, apart from their case.
    pub const NONE: Self = Self(None);

    /// The language of this name, or `none`.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        if name == "none" {
            return Some(Self::NONE);
        }
        LANGUAGES.into_iter().find(|language| *language == name).map(|language| Self(Some(language)))
    }

    /// Its English name in small letters; `None` for words as they are written.
    pub fn name(self) -> Option<&'static str> {
        self.0
    }

    /// What a setting may be.
    pub(super) fn choices() -> String {
        format!("expected none or a language: {}", LANGUAGES.join(", "))
    }
}

impl Default for TextLanguage {
    fn default() -> Self {
        Self(Some("english"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_in_any_case() {
        assert_eq!(TextLanguage::named("German").and_then(TextLanguage::name), Some("german"));
        assert_eq!(TextLanguage::named(" none "), Some(TextLanguage::NONE));
        assert_eq!(TextLanguage::named("klingon"), None);
        assert_eq!(TextLanguage::named("english"), Some(TextLanguage::default()));
    }
}
