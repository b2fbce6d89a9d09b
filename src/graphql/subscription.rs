//! The subscription root: what happens, while it happens.

use std::time::Duration;

use async_graphql::{Context, Subscription};
use futures::{Stream, StreamExt, stream};
use tokio::sync::broadcast::error::RecvError;

use super::arguments;
use super::error::ApiError;
use super::status::index_status;
use super::types::{ArticleChange, ArticleFilterInput, IndexStatus};
use crate::db::{Changes, Database};
use crate::events::Events;
use crate::index::VectorIndex;

/// The least time between two statuses of one subscription.
const BETWEEN_STATUSES: Duration = Duration::from_millis(500);
/// How often the status is looked at when nothing ticks: ages and rates move by themselves.
const STATUS_POLL: Duration = Duration::from_secs(5);

pub struct Subscription;

/// What happens, while it happens.
#[Subscription]
impl Subscription {
    /// What happens to articles, whoever does it: clients, raw SQL, other programs, the index. A client that is too slow
    /// gets an error with the code `OVERLOADED` that says how many changes it missed, and then goes on with the next.
    async fn article_changed(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "Only articles that pass as they are after the change; a deleted one as it last was."
        )]
        filter: Option<ArticleFilterInput>,
    ) -> Result<impl Stream<Item = Result<ArticleChange, ApiError>> + use<>, ApiError> {
        let filter = arguments::filter("filter", filter)?;
        let listener = context.data_unchecked::<Events>().articles();
        let changes = stream::unfold(listener, |mut listener| async move {
            match listener.recv().await {
                Ok(event) => Some((Ok(event), listener)),
                Err(RecvError::Lagged(missed)) => Some((Err(ApiError::Missed(missed)), listener)),
                Err(RecvError::Closed) => None,
            }
        });
        Ok(changes.filter_map(move |change| {
            let passes = change.as_ref().map_or(true, |event| filter.passes(event.article, &event.facets));
            std::future::ready(passes.then(|| change.map(ArticleChange)))
        }))
    }

    /// The status of the index: at once, and whenever it changes.
    async fn index_status(
        &self,
        context: &Context<'_>,
    ) -> impl Stream<Item = Result<IndexStatus, ApiError>> + use<> {
        let db = context.data_unchecked::<Database>().clone();
        let index = context.data_unchecked::<VectorIndex>().clone();
        let ticks = context.data_unchecked::<Changes>().subscribe();
        let watch = StatusWatch { db, index, ticks, last: None };
        stream::unfold(watch, |mut watch| async move {
            let status = watch.next().await;
            Some((status, watch))
        })
    }
}

struct StatusWatch {
    db: Database,
    index: VectorIndex,
    ticks: tokio::sync::watch::Receiver<u64>,
    last: Option<IndexStatus>,
}

impl StatusWatch {
    /// The next status that differs from the one before.
    async fn next(&mut self) -> Result<IndexStatus, ApiError> {
        loop {
            if self.last.is_some() {
                tokio::time::sleep(BETWEEN_STATUSES).await;
                // A closed channel would return at once, every time; then the sleep above sets the pace.
                let _ = tokio::time::timeout(STATUS_POLL, self.ticks.changed()).await;
            }
            let status = index_status(&self.db, &self.index).await?;
            if self.last.as_ref() != Some(&status) {
                self.last = Some(status.clone());
                return Ok(status);
            }
        }
    }
}
