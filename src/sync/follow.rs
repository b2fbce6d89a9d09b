//! Reading an index that another process writes.

use super::SyncError;
use super::generations::{Generations, OpenGeneration, recorded_versions, view_of};
use crate::entity::index_generation::State;
use crate::error_chain::Chain;
use crate::events::Events;
use crate::index::{VectorIndex, Versions};

/// Keeps this process's view of the index at what SQL records.
pub struct Follower {
    generations: Generations,
    index: VectorIndex,
    events: Events,
    seen: Option<(OpenGeneration, Versions)>,
    /// What was told last: each trouble is told once, not at every look.
    told: Option<String>,
}

impl Follower {
    pub fn new(generations: Generations, events: Events) -> Self {
        let index = generations.index.clone();
        Self { generations, index, events, seen: None, told: None }
    }

    /// Opens or refreshes the live generation when SQL names newer versions. What fails is logged and tried again; until
    /// then no search is answered rather than one from an index that is out of date.
    pub async fn catch_up(&mut self) {
        let trouble = match self.look().await {
            Ok(()) => None,
            Err(SyncError::NoGeneration) => Some(SyncError::NoGeneration.to_string()),
            Err(error) => {
                self.seen = None;
                // A database that does not answer says nothing about the index.
                if !matches!(error, SyncError::Database(_)) {
                    self.index.clear_live();
                }
                Some(Chain(&error).to_string())
            }
        };
        if let Some(trouble) = trouble.as_ref().filter(|_| trouble != self.told) {
            tracing::warn!(trouble, "sync.follow_failed");
        }
        self.told = trouble;
    }

    async fn look(&mut self) -> Result<(), SyncError> {
        let row = self.generations.row(State::Live).await?.ok_or(SyncError::NoGeneration)?;
        let recorded = recorded_versions(&row);
        match &mut self.seen {
            Some((live, versions)) if live.id == row.id => {
                if *versions == recorded {
                    return Ok(());
                }
                live.tables.show(recorded).await?;
                *versions = recorded;
            }
            _ => {
                self.seen = Some((self.generations.open_for_search().await?, recorded));
                self.generations.models.keep(&[row.fingerprint.as_str()]);
            }
        }
        self.events.publish_view(view_of(row.id, recorded));
        Ok(())
    }
}
