//! `sentio import`

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

use super::indexing;
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
        let (mut good, mut bad) = (0, 0);
        for file in &self.files {
            let tally = self.import(&db, file).await;
            let tally = tally.with_context(|| format!("cannot import {}", file.display()))?;
            good += tally.created + tally.updated + tally.skipped;
            bad += tally.rejected;
        }
        anyhow::ensure!(good > 0 || bad == 0, "all {bad} records were rejected");
        indexing::finish(config, db, self.no_wait).await
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
        for line in lines {
            let outcome = match line.record {
                Ok(record) => self.store(transaction, record, tally).await?,
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
        if let Some(known) = known(transaction, &draft).await? {
            return self.merge(transaction, known, draft, created_at, tally).await;
        }
        let mut active = article::ActiveModel::from_draft(draft.clone());
        if let Some(created_at) = created_at {
            active.created_at = Set(created_at);
        }
        // A statement that fails ends PostgreSQL's transaction, but not the one around it.
        let inner = transaction.begin().await?;
        match active.insert(&inner).await {
            Ok(_) => {
                inner.commit().await?;
                tally.created += 1;
                Ok(Ok(()))
            }
            Err(error) => {
                inner.rollback().await?;
                // Another program was faster: now the article is known.
                let taken = matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)));
                match known(transaction, &draft).await?.filter(|_| taken) {
                    Some(known) => self.merge(transaction, known, draft, created_at, tally).await,
                    None => Err(error.into()),
                }
            }
        }
    }

    /// Does with a record whose id exists what `--on-conflict` says.
    async fn merge(
        &self,
        transaction: &DatabaseTransaction,
        known: article::Model,
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

/// The article that has the draft's external id.
async fn known(
    transaction: &DatabaseTransaction,
    draft: &ArticleDraft,
) -> anyhow::Result<Option<article::Model>> {
    let Some(id) = &draft.external_id else { return Ok(None) };
    let same = article::Column::ExternalId.eq(id);
    Ok(article::Entity::find().filter(same).one(transaction).await?)
}

async fn update(
    transaction: &DatabaseTransaction,
    known: article::Model,
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
    let mut active = known.into_active_model();
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
    active.update(transaction).await?;
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
