//! What searches find.

use chrono::{DateTime, Utc};

use crate::article::ArticleId;

/// Where a passage lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassageSpan {
    pub article: ArticleId,
    /// The revision whose content the offsets count in.
    pub revision: i64,
    /// In UTF-16 code units.
    pub start: i32,
    pub end: i32,
}

/// A passage near a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PassageHit {
    pub span: PassageSpan,
    /// Cosine similarity, −1 to 1.
    pub cosine: f32,
}

/// An article near a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArticleHit {
    pub article: ArticleId,
    /// Cosine similarity, −1 to 1.
    pub cosine: f32,
}

/// What rankings look at of an article, apart from how well it fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Portrait {
    pub category: Option<String>,
    pub created_at: DateTime<Utc>,
    /// Of unit length.
    pub vector: Vec<f32>,
}
