//! Comparing SQL with the index, article by article.

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::SyncError;
use super::batch_size::fitting;
use super::content_hash::content_hash;
use super::generations::OpenGeneration;
use super::load::load;
use crate::article::ArticleId;
use crate::db::Database;
use crate::entity::{article, article_index};
use crate::index::Snapshot;
use crate::outbox;

/// Most articles compared at a time.
const PAGE: u64 = 128;
/// Most bytes of content compared at a time, unless one article alone has more: they are in memory together.
const PAGE_BYTES: i64 = 8 * 1024 * 1024;
/// Most rows of the index compared at a time: between two articles of SQL there may be any number of orphaned ones.
const PAGE_ROWS: usize = 32_000;
/// How often a difference is looked at again before it counts: the two sides are read one after the other, and a change
/// may pass in between.
const LOOKS: u32 = 4;
const BETWEEN_LOOKS: Duration = Duration::from_millis(150);
/// Examples kept of each kind of drift.
const EXAMPLES: usize = 10;

/// How an article and the index differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Drift {
    /// In SQL but not in the index, or without all of its passages.
    Missing,
    /// Indexed with another revision or content.
    Stale,
    /// In the index but not in SQL.
    Orphaned,
    /// More than once in the index, or with too many passages.
    Duplicated,
}

/// Which state of the index is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// What searches see. For the process that writes the index: its newest version may be half a change.
    Published,
    /// The newest version, whoever wrote it. For every other process.
    Newest,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Articles in SQL.
    pub articles: u64,
    pub missing: u64,
    pub stale: u64,
    pub orphaned: u64,
    pub duplicated: u64,
    /// Changes that are recorded and not indexed yet; they are no drift.
    pub pending: u64,
    /// The first articles of each kind.
    pub examples: HashMap<Drift, Vec<ArticleId>>,
}

impl VerifyReport {
    /// Whether the index holds exactly what SQL holds, pending changes apart.
    pub fn in_step(&self) -> bool {
        self.missing + self.stale + self.orphaned + self.duplicated == 0
    }

    /// How many articles differ in this way.
    pub fn count(&self, kind: Drift) -> u64 {
        match kind {
            Drift::Missing => self.missing,
            Drift::Stale => self.stale,
            Drift::Orphaned => self.orphaned,
            Drift::Duplicated => self.duplicated,
        }
    }

    fn add(&mut self, article: ArticleId, drift: Drift) {
        *match drift {
            Drift::Missing => &mut self.missing,
            Drift::Stale => &mut self.stale,
            Drift::Orphaned => &mut self.orphaned,
            Drift::Duplicated => &mut self.duplicated,
        } += 1;
        let examples = self.examples.entry(drift).or_default();
        if examples.len() < EXAMPLES {
            examples.push(article);
        }
    }
}

/// Compares everything, in constant memory. `progress` is told how many articles are through; `found` gets every
/// difference, page by page.
pub async fn verify<F>(
    db: &Database,
    live: &OpenGeneration,
    look: Look,
    progress: impl Fn(u64),
    mut found: impl FnMut(Vec<(ArticleId, Drift)>) -> F,
) -> Result<VerifyReport, SyncError>
where
    F: Future<Output = Result<(), SyncError>>,
{
    let mut report = VerifyReport::default();
    let mut first = ArticleId(i64::MIN);
    loop {
        let mut page = Page::read(first, db, live, look).await?;
        let drift = page.settled_drift(db, live).await?;
        for (article, kind) in &drift {
            report.add(*article, *kind);
        }
        report.articles += page.articles.len() as u64;
        progress(report.articles);
        if !drift.is_empty() {
            found(drift).await?;
        }
        if page.last.0 == i64::MAX {
            let lag = outbox::lag(db.reader()).await?;
            report.pending = lag.pending + lag.failed;
            return Ok(report);
        }
        first = ArticleId(page.last.0 + 1);
    }
}

/// How many articles there are to compare.
pub async fn article_count(db: &Database) -> Result<u64, SyncError> {
    Ok(article::Entity::find().count(db.reader()).await?)
}

/// A range of ids that is compared at a time, and both sides of it.
struct Page {
    first: ArticleId,
    last: ArticleId,
    look: Look,
    /// Articles of SQL in the range.
    articles: Vec<ArticleId>,
    snapshot: Snapshot,
}

impl Page {
    /// The range that begins with `first` and is as long as can be.
    async fn read(
        first: ArticleId,
        db: &Database,
        live: &OpenGeneration,
        look: Look,
    ) -> Result<Self, SyncError> {
        let found: Vec<(i64, i64)> = article::Entity::find()
            .select_only()
            .column(article::Column::Id)
            .expr(Expr::cust("CAST(length(content) AS BIGINT)"))
            .filter(article::Column::Id.gte(first.0))
            .order_by_asc(article::Column::Id)
            .limit(PAGE)
            .into_tuple()
            .all(db.reader())
            .await?;
        let fits = fitting(found.iter().map(|(_, length)| *length), PAGE_BYTES);
        let is_end = fits == found.len() && (fits as u64) < PAGE;
        let mut last = if is_end { ArticleId(i64::MAX) } else { ArticleId(found[fits - 1].0) };
        let snapshot = look_at(live, look).await?;
        if last.0.abs_diff(first.0) >= PAGE
            && let Some(end) = snapshot.end_of_rows(first, last, PAGE_ROWS).await?
        {
            last = end;
        }
        let articles = found.iter().map(|(id, _)| ArticleId(*id)).take_while(|id| *id <= last).collect();
        Ok(Self { first, last, look, articles, snapshot })
    }

    /// What differs still after several looks.
    async fn settled_drift(
        &mut self,
        db: &Database,
        live: &OpenGeneration,
    ) -> Result<Vec<(ArticleId, Drift)>, SyncError> {
        let mut looks = 1;
        loop {
            let drift = self.drift(db, live.id).await?;
            if drift.is_empty() || looks == LOOKS {
                return Ok(drift);
            }
            looks += 1;
            tokio::time::sleep(BETWEEN_LOOKS).await;
            self.look_again(db, live).await?;
        }
    }

    async fn look_again(&mut self, db: &Database, live: &OpenGeneration) -> Result<(), SyncError> {
        let ids: Vec<i64> = article::Entity::find()
            .select_only()
            .column(article::Column::Id)
            .filter(article::Column::Id.between(self.first.0, self.last.0))
            .into_tuple()
            .all(db.reader())
            .await?;
        self.articles = ids.into_iter().map(ArticleId).collect();
        self.snapshot = look_at(live, self.look).await?;
        Ok(())
    }

    async fn drift(&self, db: &Database, generation: i64) -> Result<Vec<(ArticleId, Drift)>, SyncError> {
        let articles = load(db, &self.articles).await?;
        let recorded: HashMap<i64, i32> = article_index::Entity::find()
            .select_only()
            .columns([article_index::Column::ArticleId, article_index::Column::Passages])
            .filter(article_index::Column::GenerationId.eq(generation))
            .filter(article_index::Column::ArticleId.between(self.first.0, self.last.0))
            .into_tuple()
            .all(db.reader())
            .await?
            .into_iter()
            .collect();
        let mut passages = self.snapshot.passage_counts_between(self.first, self.last).await?;
        let mut indexed: HashMap<ArticleId, Vec<_>> = HashMap::new();
        for row in self.snapshot.articles_between(self.first, self.last).await? {
            indexed.entry(row.article).or_default().push(row);
        }

        let mut drift = Vec::new();
        for (id, article) in articles {
            let rows = indexed.remove(&id).unwrap_or_default();
            let found = passages.remove(&id).unwrap_or(0);
            let expected = recorded.get(&id.0).and_then(|count| u32::try_from(*count).ok()).unwrap_or(0);
            let kind = match rows.as_slice() {
                [] => Some(Drift::Missing),
                [_, _, ..] => Some(Drift::Duplicated),
                [_] if found > expected => Some(Drift::Duplicated),
                [_] if found < expected => Some(Drift::Missing),
                [row] => {
                    // What cannot be read is not what is indexed.
                    let current = article.as_ref().is_ok_and(|article| {
                        row.revision == article.revision && row.content_hash == content_hash(article)
                    });
                    (!current).then_some(Drift::Stale)
                }
            };
            drift.extend(kind.map(|kind| (id, kind)));
        }
        drift.extend(indexed.into_keys().map(|id| (id, Drift::Orphaned)));
        drift.extend(passages.into_keys().map(|id| (id, Drift::Orphaned)));
        drift.sort_by_key(|(id, _)| *id);
        drift.dedup_by_key(|(id, _)| *id);

        // Asked last: what was recorded while the two sides were read is a change on its way, no drift.
        let ids: Vec<_> = drift.iter().map(|(id, _)| *id).collect();
        let pending = outbox::states(db.reader(), &ids).await?;
        drift.retain(|(id, _)| !pending.contains_key(id));
        Ok(drift)
    }
}

async fn look_at(live: &OpenGeneration, look: Look) -> Result<Snapshot, SyncError> {
    if look == Look::Newest {
        live.tables.refresh().await?;
    }
    Ok(live.tables.snapshot())
}
