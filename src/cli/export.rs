//! `sentio export`

use std::collections::HashSet;
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
/// `id` is the externalId, else Sentio's own id; it is left out where another article has that as its externalId. The file appears when it is complete.
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
            let taken = ids_taken(db, &page).await?;
            for article in page {
                let ambiguous = article.external_id.is_none() && taken.contains(&article.id.to_string());
                if ambiguous {
                    progress.suspend(|| {
                        eprintln!(
                            "article {} is exported without an id, because another article has the external id {0:?}",
                            article.id
                        );
                    });
                }
                writer.write(&record(article, ambiguous))?;
                written += 1;
            }
            progress.advance_to(written);
        }
        writer.finish()?;
        progress.finish(format!("{written} articles exported"));
        Ok(())
    }
}

/// Those of the page's ids that are another article's external id: an import would take the two for one.
async fn ids_taken(db: &Database, page: &[article::Model]) -> anyhow::Result<HashSet<String>> {
    let without = page.iter().filter(|article| article.external_id.is_none());
    let ids: Vec<_> = without.map(|article| article.id.to_string()).collect();
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let taken: Vec<String> = article::Entity::find()
        .select_only()
        .column(article::Column::ExternalId)
        .filter(article::Column::ExternalId.is_in(ids))
        .into_tuple()
        .all(db.reader())
        .await?;
    Ok(taken.into_iter().collect())
}

fn record(article: article::Model, ambiguous: bool) -> ArticleRecord {
    let own = (!ambiguous).then(|| article.id.to_string());
    ArticleRecord {
        id: article.external_id.or(own),
        title: article.title,
        content: article.content,
        category: article.category,
        tags: article.tags.0,
        created_at: Some(article.created_at),
    }
}
