//! Waiting until a change is searchable.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, Statement};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{control, lag};
use crate::article::ArticleId;
use crate::events::SearchView;

/// How often SQL is asked when no completion is announced in this process (another process may hold the writer lock).
const POLL: Duration = Duration::from_millis(100);

/// A change to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub article: ArticleId,
    pub seq: i64,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOutcome {
    /// Every change is searchable, or was tried and failed.
    Settled,
    /// The time was up, or the index can't be written at present.
    Pending,
}

/// Waits for changes by looking at their rows in SQL; what is published in this process only says when to look.
#[derive(Clone, Debug)]
pub struct IndexWait {
    view: watch::Receiver<SearchView>,
    limit: Duration,
    stop: CancellationToken,
}

impl IndexWait {
    /// `view` tells what searches of this process see, and when to look again; `limit` bounds each wait,
    /// and `stop` ends all: a server that stops does not wait for its index.
    pub fn new(view: watch::Receiver<SearchView>, limit: Duration, stop: CancellationToken) -> Self {
        Self { view, limit, stop }
    }

    /// Waits until searches of this process see each change: it is no longer in the outbox, was overtaken by a later indexed one, or has failed once; at
    /// most the configured time, and not at all while the index can't be written or is not open.
    ///
    /// Never waits for "everything up to a number": PostgreSQL's sequences commit out of order, and one article's error
    /// would hold everybody. Cancel safe.
    pub async fn until_searchable<C>(&self, connection: &C, tickets: &[Ticket]) -> Result<WaitOutcome, DbErr>
    where
        C: ConnectionTrait,
    {
        let mut view = self.view.clone();
        let deadline = Instant::now() + self.limit;
        loop {
            let seen = *view.borrow_and_update();
            if settled(connection, tickets).await? && is_current(connection, seen).await? {
                return Ok(WaitOutcome::Settled);
            }
            let not_open = seen.generation == 0;
            if not_open || Instant::now() >= deadline || control::last_error(connection).await?.is_some() {
                return Ok(WaitOutcome::Pending);
            }
            let next_look = deadline.min(Instant::now() + POLL);
            tokio::select! {
                changed = view.changed() => if changed.is_err() {
                    tokio::time::sleep_until(next_look).await;
                },
                () = tokio::time::sleep_until(next_look) => {}
                () = self.stop.cancelled() => return Ok(WaitOutcome::Pending),
            }
        }
    }
}

async fn settled<C>(connection: &C, tickets: &[Ticket]) -> Result<bool, DbErr>
where
    C: ConnectionTrait,
{
    let articles: Vec<_> = tickets.iter().map(|ticket| ticket.article).collect();
    let waiting = lag::states(connection, &articles).await?;
    for ticket in tickets {
        let Some(state) = waiting.get(&ticket.article) else { continue };
        let failed = state.seq == ticket.seq && state.attempts > 0;
        if !failed && !indexed(connection, *ticket).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the live generation holds the change although a later one of the same article is waiting.
async fn indexed<C>(connection: &C, ticket: Ticket) -> Result<bool, DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "SELECT 1 AS found FROM article_index
         JOIN index_generation ON index_generation.id = article_index.generation_id
         WHERE index_generation.state = 'live' AND article_id = $1 AND seq >= $2",
        [ticket.article.0.into(), ticket.seq.into()],
    );
    Ok(connection.query_one_raw(statement).await?.is_some())
}

/// Whether searches of this process see what SQL records. Another process may have written the index.
pub async fn is_current<C>(connection: &C, seen: SearchView) -> Result<bool, DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "SELECT 1 AS found FROM index_generation
         WHERE state = 'live' AND id = $1 AND article_version <= $2 AND passage_version <= $3",
        [
            seen.generation.into(),
            i64::try_from(seen.article_version).unwrap_or(i64::MAX).into(),
            i64::try_from(seen.passage_version).unwrap_or(i64::MAX).into(),
        ],
    );
    Ok(connection.query_one_raw(statement).await?.is_some())
}
