//! `sentio export`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::progress::Progress;
use super::stream_format::StreamFormat;
use crate::article_file::{ArticleRecord, ArticleWriter};
use crate::config::Config;
use crate::db::Database;
use crate::entity::article;
use crate::sync;

/// Articles in memory at a time.
const PAGE: u64 = 100;

/// Export all articles as JSON Lines, CSV or Parquet, by the file's ending (`.gz` too, `-` for standard output).
///
/// `id` is the externalId, else Sentio's own id. The file appears when it is complete.
#[derive(Args)]
pub struct Export {
    /// File to write
    file: PathBuf,
    /// What to write to standard output; files are known by their endings
    #[arg(long, value_enum)]
    format: Option<StreamFormat>,
}

impl Export {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let db = Database::open(&config.database).await?;
        db.migrate().await?;
        self.export(&db).await.with_context(|| format!("cannot export to {}", self.file.display()))?;
        db.close().await?;
        Ok(ExitCode::SUCCESS)
    }

    async fn export(&self, db: &Database) -> anyhow::Result<()> {
        let mut writer = match self.format {
            Some(format) if self.file == Path::new("-") => ArticleWriter::create_stdout(format.into())?,
            _ => ArticleWriter::create(&self.file)?,
        };
        let mut progress = Progress::items("export", Some(sync::article_count(db).await?));
        let (mut written, mut last) = (0, i64::MIN);
        loop {
            let page = article::Entity::find()
                .filter(article::Column::Id.gt(last))
                .order_by_asc(article::Column::Id)
                .limit(PAGE)
                .all(db.reader())
                .await?;
            let Some(newest) = page.last() else { break };
            last = newest.id;
            for article in page {
                writer.write(&record(article))?;
                written += 1;
            }
            progress.advance_to(written);
        }
        writer.finish()?;
        progress.finish(format!("{written} articles exported"));
        Ok(())
    }
}

fn record(article: article::Model) -> ArticleRecord {
    ArticleRecord {
        id: Some(article.external_id.unwrap_or_else(|| article.id.to_string())),
        title: article.title,
        content: article.content,
        category: article.category,
        tags: article.tags.0,
        created_at: Some(article.created_at),
    }
}
