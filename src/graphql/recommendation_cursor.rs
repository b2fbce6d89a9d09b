//! Cursors of recommendations: a place in a ranking that can be made again, because all that it depends on is named.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::cursor::timestamp;
use super::error::ApiError;
use super::recommend_arguments::Purpose;
use crate::index::Versions;
use crate::recommend::{Moment, RecommendOptions};

/// A place in a ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecommendationCursor {
    /// Names the other arguments.
    #[serde(rename = "d")]
    digest: u64,
    /// The versions of the index's two tables, and their stamp.
    #[serde(rename = "v")]
    versions: (u64, u64, i64),
    /// Up to when ages are counted, in microseconds since 1970.
    #[serde(rename = "t")]
    time: i64,
    /// How many places lie before.
    #[serde(rename = "p")]
    places: u32,
}

/// Names what a ranking is of. Two programs of different versions may name the same differently: then a cursor of the other
/// one is refused.
pub fn digest(purpose: &Purpose, options: &RecommendOptions) -> u64 {
    let hash = blake3::hash(format!("{purpose:?} {options:?}").as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

impl RecommendationCursor {
    /// The beginning of the ranking.
    pub fn new(versions: Versions, time: DateTime<Utc>, digest: u64) -> Self {
        let versions = (versions.articles, versions.passages, versions.stamp);
        Self { digest, versions, time: time.timestamp_micros(), places: 0 }
    }

    /// The place after so many.
    pub fn after(self, places: usize) -> Self {
        Self { places: u32::try_from(places).unwrap_or(u32::MAX), ..self }
    }

    /// How many places lie before.
    pub fn places(self) -> usize {
        self.places as usize
    }

    /// When the ranking was made first.
    pub fn moment(self) -> Moment {
        let (articles, passages, stamp) = self.versions;
        let time = timestamp(self.time).unwrap_or_default();
        Moment { versions: Some(Versions { articles, passages, stamp }), time }
    }

    /// Opaque to clients.
    pub fn encode(self) -> String {
        // Serialising numbers to memory cannot fail.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&self).unwrap_or_default())
    }

    /// Reads a cursor that the field returned for the same other arguments, which `digest` names.
    pub fn decode(text: &str, digest: u64) -> Result<Self, ApiError> {
        let broken =
            || ApiError::bad_input("after", "not a cursor of recommendations: use one that they returned");
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| broken())?;
        let cursor: Self = serde_json::from_slice(&json).map_err(|_| broken())?;
        if timestamp(cursor.time).is_none() {
            return Err(broken());
        }
        if cursor.digest != digest {
            let message =
                "the cursor belongs to other arguments: keep query, articleId and options while paging";
            return Err(ApiError::bad_input("after", message));
        }
        Ok(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_count_ages_up_to_the_moment_of_the_first() {
        let moment = Moment::now();
        let versions = Versions { articles: 1, passages: 2, stamp: 3 };
        let cursor = RecommendationCursor::new(versions, moment.time, 4).after(5);
        let decoded = RecommendationCursor::decode(&cursor.encode(), 4).unwrap();
        assert_eq!(decoded, cursor);
        assert_eq!(decoded.moment(), Moment { versions: Some(versions), time: moment.time });
    }
}
