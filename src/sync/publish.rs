//! Telling this process's listeners what the journal in SQL says, whichever program wrote it.

use std::time::Duration;

use sea_orm::DbErr;
use tokio::time::Instant;

use super::handle::WorkerHandle;
use crate::db::{Changes, Database};
use crate::events::{ArticleEventKind, Events, journal};
use crate::outbox;

/// Events read at a time.
const PAGE: u32 = 500;
/// How long an event that says "searches see it" is held back for searches of this process to see it.
const VIEW_MAX: Duration = Duration::from_secs(10);
/// How often the journal is read when nothing ticks.
const POLL: Duration = Duration::from_secs(1);

/// Reads the journal and publishes what is new.
#[derive(Clone)]
pub struct Publisher {
    pub db: Database,
    pub events: Events,
    pub changes: Changes,
}

impl Publisher {
    /// Publishes what is committed from now on, until it is stopped.
    pub fn start(self) -> WorkerHandle {
        WorkerHandle::spawn(|stop| async move {
            let mut ticks = self.changes.subscribe();
            let mut position = None;
            while !stop.is_cancelled() {
                if let Err(error) = self.publish(&mut position).await {
                    tracing::warn!(%error, "events.journal_not_read");
                }
                tokio::select! {
                    _ = ticks.changed() => {}
                    () = tokio::time::sleep(POLL) => {}
                    () = stop.cancelled() => {}
                }
            }
        })
    }

    async fn publish(&self, position: &mut Option<journal::Position>) -> Result<(), DbErr> {
        if position.is_none() || !self.events.has_listeners() {
            let end = journal::end(self.db.reader()).await?;
            // Who has begun to listen meanwhile may have written since: nothing after the look before is passed over.
            if position.is_none() || !self.events.has_listeners() {
                *position = Some(end);
            }
        }
        let Some(position) = position.as_mut().filter(|_| self.events.has_listeners()) else { return Ok(()) };
        loop {
            let journal::Page { events, more } = journal::read(self.db.reader(), position, PAGE).await?;
            if events.iter().any(|event| event.kind == ArticleEventKind::Indexed) {
                self.wait_for_view().await?;
            }
            self.events.wait_for_listeners().await;
            for event in events {
                self.events.publish(event);
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Another process may have written the index; this one's searches follow a moment later.
    async fn wait_for_view(&self) -> Result<(), DbErr> {
        let mut view = self.events.view();
        let deadline = Instant::now() + VIEW_MAX;
        loop {
            let seen = *view.borrow_and_update();
            if outbox::is_current(self.db.reader(), seen).await? || Instant::now() >= deadline {
                return Ok(());
            }
            // A closed channel would return at once, every time; the sender lives in `self`.
            let _ = tokio::time::timeout_at(deadline, view.changed()).await;
        }
    }
}
