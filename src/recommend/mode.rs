//! What recommendations for a text go by.

use std::str::FromStr;

/// Which likeness ranks the articles for a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Meaning: cosines of embeddings.
    Semantic,
    /// The words that both have: BM25.
    Keyword,
    /// Both.
    #[default]
    Hybrid,
}

/// The shares of the two in a hybrid ranking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    pub semantic: f32,
    pub keyword: f32,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Semantic, Self::Keyword, Self::Hybrid];

    pub fn name(self) -> &'static str {
        match self {
            Self::Semantic => "SEMANTIC",
            Self::Keyword => "KEYWORD",
            Self::Hybrid => "HYBRID",
        }
    }
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(name)).ok_or(())
    }
}

impl Default for Weights {
    fn default() -> Self {
        Self { semantic: 0.5, keyword: 0.5 }
    }
}
