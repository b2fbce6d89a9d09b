//! Cursors of article lists: the sort key and the id of a row, so that a page begins where the last one ended whatever
//! was written in between.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};

use super::arguments;
use super::error::ApiError;
use super::types::{ArticleOrder, ArticleOrderField};
use crate::entity::article_row::ArticleHead;

/// Titles sort by this many of their characters, on both databases.
pub const TITLE_SORT_CHARS: usize = 300;

/// A place in a list with a certain order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    #[serde(rename = "k")]
    pub key: SortKey,
    #[serde(rename = "i")]
    pub id: i64,
}

/// What a list is sorted by, before the id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SortKey {
    /// Microseconds since 1970.
    #[serde(rename = "c")]
    CreatedAt(i64),
    /// Microseconds since 1970.
    #[serde(rename = "u")]
    UpdatedAt(i64),
    #[serde(rename = "t")]
    Title(String),
}

impl Cursor {
    /// The place of `article` in a list ordered by `field`.
    pub fn of(article: &ArticleHead, field: ArticleOrderField) -> Self {
        let key = match field {
            ArticleOrderField::CreatedAt => SortKey::CreatedAt(article.created_at.timestamp_micros()),
            ArticleOrderField::UpdatedAt => SortKey::UpdatedAt(article.updated_at.timestamp_micros()),
            ArticleOrderField::Title => {
                SortKey::Title(article.title.chars().take(TITLE_SORT_CHARS).collect())
            }
        };
        Self { key, id: article.id }
    }

    /// Opaque to clients.
    pub fn encode(&self) -> String {
        // Serialising numbers and strings to memory cannot fail.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads the cursor that `argument` holds; it must come from a list in the same order.
    pub fn decode(argument: &str, text: &str, order: ArticleOrder) -> Result<Self, ApiError> {
        let broken = || ApiError::bad_input(argument, "not a cursor of this list: use one that it returned");
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| broken())?;
        let cursor: Self = serde_json::from_slice(&json).map_err(|_| broken())?;
        let field = match &cursor.key {
            SortKey::CreatedAt(micros) if timestamp(*micros).is_some() => ArticleOrderField::CreatedAt,
            SortKey::UpdatedAt(micros) if timestamp(*micros).is_some() => ArticleOrderField::UpdatedAt,
            SortKey::Title(title) if !title.contains('\0') => ArticleOrderField::Title,
            _ => return Err(broken()),
        };
        if field != order.field {
            let message = "the cursor comes from a list in another order: keep orderBy while paging";
            return Err(ApiError::bad_input(argument, message));
        }
        Ok(cursor)
    }
}

/// The time that a cursor holds, when it is one that an article can have.
pub fn timestamp(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).filter(|time| arguments::YEARS.contains(&time.year()))
}
