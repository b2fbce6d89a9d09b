//! Reading an index that another process writes.

use super::SyncError;
use super::generations::{Generations, LiveGeneration, recorded_versions, view_of};
use crate::error_chain::Chain;
use crate::events::Events;
use crate::index::Versions;

/// Keeps this process's view of the index at what SQL records.
pub struct Follower {
    generations: Generations,
    events: Events,
    seen: Option<(LiveGeneration, Versions)>,
}

impl Follower {
    pub fn new(generations: Generations, events: Events) -> Self {
        Self { generations, events, seen: None }
    }

    /// Opens or refreshes the live generation when SQL names newer versions. What fails is logged and tried again.
    pub async fn catch_up(&mut self) {
        match self.look().await {
            Ok(()) | Err(SyncError::NoGeneration) => {}
            Err(error) => tracing::warn!(error = %Chain(&error), "sync.follow_failed"),
        }
    }

    async fn look(&mut self) -> Result<(), SyncError> {
        let row = self.generations.live_row().await?.ok_or(SyncError::NoGeneration)?;
        let recorded = recorded_versions(&row);
        match &mut self.seen {
            Some((live, versions)) if live.id == row.id => {
                if *versions == recorded {
                    return Ok(());
                }
                live.tables.show(recorded).await?;
                *versions = recorded;
            }
            _ => self.seen = Some((self.generations.open().await?, recorded)),
        }
        self.events.publish_view(view_of(row.id, recorded));
        Ok(())
    }
}
