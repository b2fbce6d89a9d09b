//! The read side: a text or an article → a ranked list of articles.

mod arrange;
mod autocut;
mod background;
mod by_article;
mod by_text;
mod error;
mod examples;
mod freshness;
mod fusion;
mod mode;
mod moment;
mod options;
mod phrases;
mod pool;
mod semantic;
mod tier;
mod turns;
mod word_passages;

use crate::embedding::Models;
use crate::index::VectorIndex;
use crate::search::PassageSpan;

pub use arrange::{Ranked, Reason, ReasonKind};
pub use autocut::{JUMP_SHARE, length_before_jump};
pub use background::Background;
pub use by_article::{SimilarArticles, Source};
pub use by_text::TextMatches;
pub use error::RecommendError;
pub use freshness::Freshness;
pub use fusion::Contributions;
pub use mode::{Mode, Weights};
pub use moment::Moment;
pub use options::{NearDuplicates, RecommendOptions};
pub use tier::Tier;
pub use word_passages::Highlight;

/// A handle on the read side; cheap to clone.
#[derive(Clone)]
pub struct Recommender {
    models: Models,
    index: VectorIndex,
    turns: turns::Turns,
    exact: bool,
}

/// The part of an article that fits best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BestPassage {
    /// The revision whose content the offsets count in.
    pub revision: i64,
    /// In UTF-16 code units of the content.
    pub start: i32,
    pub end: i32,
}

impl From<PassageSpan> for BestPassage {
    fn from(span: PassageSpan) -> Self {
        Self { revision: span.revision, start: span.start, end: span.end }
    }
}

impl Recommender {
    pub fn new(models: Models, index: VectorIndex) -> Self {
        Self { models, index, turns: turns::Turns::new(), exact: false }
    }

    /// The same without the vector index: every vector is looked at, to measure what the index misses.
    pub fn exact(self) -> Self {
        Self { exact: true, ..self }
    }
}
