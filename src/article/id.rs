//! The id of an article: the SQL id, shown to clients as a decimal string.

use std::fmt;
use std::str::FromStr;

/// The SQL id of an article. Its text form is bare decimal, the only bare decimal id in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArticleId(pub i64);

impl fmt::Display for ArticleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The text is not the canonical decimal form of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an article id: an article id is a whole number such as 42")]
pub struct ParseArticleIdError;

impl FromStr for ArticleId {
    type Err = ParseArticleIdError;

    /// Accepts the canonical form only (no `+`, no leading zeros), so that one article has one id in every cache.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id: i64 = text.parse().map_err(|_| ParseArticleIdError)?;
        if id.to_string() == text { Ok(Self(id)) } else { Err(ParseArticleIdError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_decimal_form_is_an_id() {
        assert_eq!("42".parse(), Ok(ArticleId(42)));
        assert_eq!("-7".parse(), Ok(ArticleId(-7)));
        for text in ["", "042", "+42", " 42", "4.2", "article:42", "9223372036854775808"] {
            assert_eq!(text.parse::<ArticleId>(), Err(ParseArticleIdError), "{text:?}");
        }
    }
}
