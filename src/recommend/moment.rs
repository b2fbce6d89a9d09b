//! What a ranking depends on besides its arguments.

use chrono::{DateTime, SubsecRound, Utc};

use super::{RecommendError, Recommender};
use crate::index::{Generation, Snapshot, Versions};

/// What the index and the clock said when a list began: at the same moment the same arguments have the same ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Absent: what searches see now.
    pub versions: Option<Versions>,
    /// Up to when the ages of articles are counted; whole microseconds, as a cursor keeps them.
    pub time: DateTime<Utc>,
}

impl Moment {
    pub fn now() -> Self {
        Self { versions: None, time: Utc::now().trunc_subsecs(6) }
    }
}

impl Recommender {
    /// Why a list of `moment` has failed: what the index held then may have been removed while it was searched, which LanceDB
    /// tells in many ways.
    pub async fn cause(&self, error: RecommendError, moment: Moment) -> RecommendError {
        let (RecommendError::Index(_), true, Ok(generation)) =
            (&error, moment.versions.is_some(), self.index.live())
        else {
            return error;
        };
        match self.snapshot(&generation, moment).await {
            Err(RecommendError::Forgotten) => RecommendError::Forgotten,
            _ => error,
        }
    }

    /// Fails with [`RecommendError::Forgotten`] when the index no longer keeps what it held at `moment`.
    pub(super) async fn snapshot(
        &self,
        generation: &Generation,
        moment: Moment,
    ) -> Result<Snapshot, RecommendError> {
        let snapshot = match moment.versions {
            None => generation.snapshot(),
            Some(versions) => {
                let snapshot = generation.snapshot_at(versions).await?;
                if snapshot.versions().await? != versions {
                    return Err(RecommendError::Forgotten);
                }
                snapshot
            }
        };
        Ok(if self.exact { snapshot.exact() } else { snapshot })
    }
}
