//! The language whose words full-text search brings together.

/// A language whose endings are cut off and whose stop words are left out, so that "recipes" finds "recipe".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLanguage(Option<Language>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Language {
    name: &'static str,
    /// ISO 639-1.
    code: &'static str,
}

const ENGLISH: Language = Language { name: "english", code: "en" };

/// Those that LanceDB knows.
const LANGUAGES: [Language; 18] = [
    Language { name: "arabic", code: "ar" },
    Language { name: "danish", code: "da" },
    Language { name: "dutch", code: "nl" },
    ENGLISH,
    Language { name: "finnish", code: "fi" },
    Language { name: "french", code: "fr" },
    Language { name: "german", code: "de" },
    Language { name: "greek", code: "el" },
    Language { name: "hungarian", code: "hu" },
    Language { name: "italian", code: "it" },
    Language { name: "norwegian", code: "no" },
    Language { name: "portuguese", code: "pt" },
    Language { name: "romanian", code: "ro" },
    Language { name: "russian", code: "ru" },
    Language { name: "spanish", code: "es" },
    Language { name: "swedish", code: "sv" },
    Language { name: "tamil", code: "ta" },
    Language { name: "turkish", code: "tr" },
];

impl TextLanguage {
    /// Words as they are written, apart from their case.
    pub const NONE: Self = Self(None);

    /// The language of this name, or `none`.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        if name == "none" {
            return Some(Self::NONE);
        }
        LANGUAGES.into_iter().find(|language| language.name == name).map(|language| Self(Some(language)))
    }

    /// Its English name in small letters; `None` for words as they are written.
    pub fn name(self) -> Option<&'static str> {
        self.0.map(|language| language.name)
    }

    /// Its code in ISO 639-1; `None` for words as they are written.
    pub fn code(self) -> Option<&'static str> {
        self.0.map(|language| language.code)
    }

    /// What a setting may be.
    pub(super) fn choices() -> String {
        format!("expected none or a language: {}", LANGUAGES.map(|language| language.name).join(", "))
    }
}

impl Default for TextLanguage {
    fn default() -> Self {
        Self(Some(ENGLISH))
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
