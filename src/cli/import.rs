//! `sentio import`

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, Set,
    SqlErr, TransactionTrait,
};
use tokio::sync::mpsc;

use super::indexing::Indexing;
use super::progress::Progress;
use super::stream_format::StreamFormat;
use crate::article::{ArticleChanges, ArticleDraft};
use crate::article_file::{ArticleReader, ArticleRecord, Line, ReadError};
use crate::config::Config;
use crate::db::Database;
use crate::entity::article;

/// Records written with one transaction.
const BATCH: usize = 250;

/// Import articles from JSON Lines, CSV or Parquet files (`.gz` too, `-` for standard input).
///
/// Fields: title, content (or text), optional id, category, tags, created_at (or date); others are ignored. The id is
/// kept as externalId and tells articles apart when the import is repeated; records without an id are always created.
/// A bad line is reported with its number and the rest goes on; when no line at all was good the exit code is 1. An
/// interrupted import can simply be started again.
#[derive(Args)]
pub struct Import {
    /// Files to read
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What to do with a record whose id exists
    #[arg(long, value_enum, default_value = "skip")]
    on_conflict: OnConflict,
    /// What standard input holds; files are known by their endings
    #[arg(long, value_enum)]
    format: Option<StreamFormat>,
    /// Stop at the first bad line; what came before it stays
    #[arg(long)]
    strict: bool,
    /// Return when the articles are stored, not when they are searchable
    #[arg(long)]
    no_wait: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnConflict {
    /// Keep the article as it is
    Skip,
    /// Make the article what the record says: category and tags that it lacks are cleared
    Update,
    /// Treat it as a bad line
    Error,
}

/// What became of the records.
#[derive(Default)]
struct Tally {
    created: u64,
    updated: u64,
    skipped: u64,
    rejected: u64,
}

/// Records read together, and how far into the file they reach.
struct Chunk {
    lines: Vec<Line>,
    bytes_read: u64,
    broken: Option<ReadError>,
}

impl Import {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let db = Database::open(&config.database).await?;
        db.migrate().await?;
        let indexing = Indexing::start(config, &db, self.no_wait);
        match self.import_all(&db).await {
            Ok(()) => indexing.finish().await,
            Err(error) => {
                indexing.abandon().await?;
                Err(error)
            }
        }
    }

    async fn import_all(&self, db: &Database) -> anyhow::Result<()> {
        let (mut good, mut bad) = (0, 0);
        for file in &self.files {
            let tally = self.import(db, file).await;
            let tally = tally.with_context(|| format!("cannot import {}", file.display()))?;
            good += tally.created + tally.updated + tally.skipped;
            bad += tally.rejected;
        }
        anyhow::ensure!(good > 0 || bad == 0, "all {bad} records were rejected");
        Ok(())
    }

    async fn import(&self, db: &Database, file: &Path) -> anyhow::Result<Tally> {
        let mut tally = Tally::default();
        let reader = match self.format {
            Some(format) if file == Path::new("-") => ArticleReader::open_stdin(format.into())?,
            _ => ArticleReader::open(file)?,
        };
        let mut progress = Progress::bytes("import", reader.total_bytes());
        let (sender, mut chunks) = mpsc::channel(2);
        let reading = tokio::task::spawn_blocking(move || read(reader, &sender));
        while let Some(chunk) = chunks.recv().await {
            let transaction = db.transaction().await?;
            let written = self.write(&transaction, file, chunk.lines, &mut tally, &progress).await;
            // What was accepted before a bad line stays, also when the bad line stops the import.
            transaction.commit().await?;
            written?;
            progress.advance_to(chunk.bytes_read);
            if let Some(error) = chunk.broken {
                return Err(error.into());
            }
        }
        reading.await?;
        progress.finish(format!(
            "{}: {} created, {} updated, {} skipped, {} rejected",
            file.display(),
            tally.created,
            tally.updated,
            tally.skipped,
            tally.rejected
        ));
        Ok(tally)
    }

    async fn write(
        &self,
        transaction: &DatabaseTransaction,
        file: &Path,
        lines: Vec<Line>,
        tally: &mut Tally,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        let mut known = known(transaction, lines.iter().filter_map(|line| line.record.as_ref().ok())).await?;
        for line in lines {
            let outcome = match line.record {
                Ok(record) => self.store(transaction, record, &mut known, tally).await?,
                Err(error) => Err(format!("{:#}", anyhow::Error::from(error))),
            };
            if let Err(problem) = outcome {
                tally.rejected += 1;
                let message = format!("{}:{}: {problem}", file.display(), line.number);
                if self.strict {
                    anyhow::bail!("{message}");
                }
                progress.suspend(|| eprintln!("{message}"));
            }
        }
        Ok(())
    }

    /// Writes one record, or says what is wrong with it.
    async fn store(
        &self,
        transaction: &DatabaseTransaction,
        record: ArticleRecord,
        known: &mut Known,
        tally: &mut Tally,
    ) -> anyhow::Result<Result<(), String>> {
        let created_at = record.created_at;
        let draft = ArticleDraft {
            external_id: record.id,
            title: record.title,
            content: record.content,
            category: record.category,
            tags: record.tags,
        };
        if let Some(violation) = draft.violations().into_iter().next() {
            return Ok(Err(violation.message));
        }
        if let Some(known) = draft.external_id.as_ref().and_then(|id| known.get_mut(id)) {
            return self.merge(transaction, known, draft, created_at, tally).await;
        }
        let mut active = article::ActiveModel::from_draft(draft.clone());
        if let Some(created_at) = created_at {
            active.created_at = Set(created_at);
        }
        // A statement that fails ends PostgreSQL's transaction, but not the one around it.
        let inner = transaction.begin().await?;
        match active.insert(&inner).await {
            Ok(created) => {
                inner.commit().await?;
                tally.created += 1;
                known.extend(created.external_id.clone().map(|id| (id, created)));
                Ok(Ok(()))
            }
            Err(error) => {
                inner.rollback().await?;
                // Another program was faster: now the article is known.
                let taken = matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)));
                let same = article::Column::ExternalId.eq(draft.external_id.as_deref());
                match article::Entity::find().filter(same).one(transaction).await?.filter(|_| taken) {
                    Some(mut known) => self.merge(transaction, &mut known, draft, created_at, tally).await,
                    None => Err(error.into()),
                }
            }
        }
    }

    /// Does with a record whose id exists what `--on-conflict` says.
    async fn merge(
        &self,
        transaction: &DatabaseTransaction,
        known: &mut article::Model,
        draft: ArticleDraft,
        created_at: Option<DateTime<Utc>>,
        tally: &mut Tally,
    ) -> anyhow::Result<Result<(), String>> {
        match self.on_conflict {
            OnConflict::Skip => tally.skipped += 1,
            OnConflict::Update => update(transaction, known, draft, created_at, tally).await?,
            OnConflict::Error => {
                let message = format!("the id belongs to article {}: choose another --on-conflict", known.id);
                return Ok(Err(message));
            }
        }
        Ok(Ok(()))
    }
}

/// Articles by their external ids.
type Known = HashMap<String, article::Model>;

/// The articles that have the ids of `records`.
async fn known(
    transaction: &DatabaseTransaction,
    records: impl Iterator<Item = &ArticleRecord>,
) -> anyhow::Result<Known> {
    let ids: Vec<_> = records.filter_map(|record| record.id.as_deref()).collect();
    let same = article::Column::ExternalId.is_in(ids);
    let articles = article::Entity::find().filter(same).all(transaction).await?;
    Ok(articles.into_iter().filter_map(|article| Some((article.external_id.clone()?, article))).collect())
}

async fn update(
    transaction: &DatabaseTransaction,
    known: &mut article::Model,
    draft: ArticleDraft,
    created_at: Option<DateTime<Utc>>,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let same = created_at.is_none_or(|time| time == known.created_at)
        && known.title == draft.title
        && known.content == draft.content
        && known.category == draft.category
        && known.tags.0 == draft.tags;
    if same {
        tally.skipped += 1;
        return Ok(());
    }
    let mut active = known.clone().into_active_model();
    active.apply(ArticleChanges {
        external_id: None,
        title: Some(draft.title),
        content: Some(draft.content),
        category: Some(draft.category),
        tags: Some(draft.tags),
    });
    if let Some(created_at) = created_at {
        active.created_at = Set(created_at);
    }
    *known = active.update(transaction).await?;
    tally.updated += 1;
    Ok(())
}

/// Reads to the end of the file, or until nobody takes the chunks any more.
fn read(mut reader: ArticleReader, chunks: &mpsc::Sender<Chunk>) {
    loop {
        let mut lines = Vec::with_capacity(BATCH);
        let mut broken = None;
        for line in reader.by_ref().take(BATCH) {
            match line {
                Ok(line) => lines.push(line),
                Err(error) => broken = Some(error),
            }
        }
        let last = lines.len() < BATCH;
        let chunk = Chunk { lines, bytes_read: reader.bytes_read(), broken };
        if chunks.blocking_send(chunk).is_err() || last {
            return;
        }
    }
}
