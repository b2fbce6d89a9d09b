//! Whether what searches have in memory is what SQL says that the generation holds: after each load, and every hour.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::SyncError;
use super::generations::recorded_versions;
use super::handle::{WorkerHandle, pause};
use super::reconcile::record;
use crate::article::ArticleId;
use crate::db::Database;
use crate::entity::{article_index, index_generation};
use crate::error_chain::Chain;
use crate::index::VectorIndex;

/// How often a generation is compared.
const EVERY: Duration = Duration::from_secs(3_600);
/// How often a look is taken whether another one is searched, and whether the versions agree.
const LOOK: Duration = Duration::from_secs(1);

/// Compares the copy in memory with SQL, and has what differs indexed anew.
pub struct Checker {
    pub db: Database,
    pub index: VectorIndex,
    /// Between two comparisons of the same generation.
    pub every: Duration,
}

impl Checker {
    pub fn new(db: Database, index: VectorIndex) -> Self {
        Self { db, index, every: EVERY }
    }

    /// Starts the comparisons.
    pub fn start(self) -> WorkerHandle {
        WorkerHandle::spawn(|stop| async move {
            let mut last: Option<(String, Instant)> = None;
            while !stop.is_cancelled() {
                pause(LOOK, &stop).await;
                let Ok(live) = self.index.live() else { continue };
                let location = live.snapshot().location().to_owned();
                let is_due =
                    |(compared, at): &(String, Instant)| *compared != location || at.elapsed() >= self.every;
                if last.as_ref().is_some_and(|last| !is_due(last)) {
                    continue;
                }
                match self.compare(&location).await {
                    // The versions do not agree at the moment.
                    Ok(None) => {}
                    Ok(Some(_)) => last = Some((location, Instant::now())),
                    Err(error) => tracing::warn!(error = %Chain(&error), "search.not_compared"),
                }
            }
        })
    }

    /// The articles that memory has otherwise than SQL says; `None` when the two are of different versions.
    async fn compare(&self, location: &str) -> Result<Option<usize>, SyncError> {
        let Some(row) = self.row(location).await? else { return Ok(None) };
        let recorded: Vec<(i64, i64)> = article_index::Entity::find()
            .filter(article_index::Column::GenerationId.eq(row.id))
            .select_only()
            .column(article_index::Column::ArticleId)
            .column(article_index::Column::Revision)
            .into_tuple()
            .all(self.db.reader())
            .await?;
        // Nothing was recorded between the two.
        if self.row(location).await?.is_none_or(|after| recorded_versions(&after) != recorded_versions(&row))
        {
            return Ok(None);
        }
        let snapshot = self.index.live()?.snapshot();
        let Ok(view) = snapshot.view() else { return Ok(None) };
        if snapshot.versions().await? != recorded_versions(&row) {
            return Ok(None);
        }
        let differing = differing(view.revisions(), recorded);
        if !differing.is_empty() {
            tracing::error!(articles = differing.len(), "search.differs_from_sql: they are indexed anew");
            self.index.count_mismatches(differing.len() as u64);
            record(&self.db, differing.iter().map(|article| (*article, ())).collect()).await?;
        }
        Ok(Some(differing.len()))
    }

    async fn row(&self, location: &str) -> Result<Option<index_generation::Model>, SyncError> {
        let of_location = index_generation::Column::Location.eq(location);
        Ok(index_generation::Entity::find().filter(of_location).one(self.db.reader()).await?)
    }
}

/// The articles whose revisions differ, and those that one side alone has.
fn differing(
    found: impl Iterator<Item = (ArticleId, i64)>,
    recorded: impl IntoIterator<Item = (i64, i64)>,
) -> Vec<ArticleId> {
    let mut recorded: HashMap<_, _> = recorded.into_iter().collect();
    let mut differing: Vec<_> = found
        .filter(|(article, revision)| recorded.remove(&article.0) != Some(*revision))
        .map(|(article, _)| article)
        .collect();
    differing.extend(recorded.into_keys().map(ArticleId));
    differing.sort_unstable();
    differing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_revisions_and_what_one_side_lacks_differ() {
        let found = [(1, 1), (2, 2), (4, 1)].map(|(id, revision)| (ArticleId(id), revision));
        assert_eq!(differing(found.into_iter(), [(1, 1), (2, 3), (3, 1)]), [2, 3, 4].map(ArticleId));
        assert!(differing(found.into_iter(), found.map(|(id, revision)| (id.0, revision))).is_empty());
    }
}
