//! `sentio verify`

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::progress::Progress;
use super::{indexing, output};
use crate::app::App;
use crate::config::Config;
use crate::search::FileReport;
use crate::sync::{self, Drift, Look, VerifyReport};

/// Compare SQL with the index, article by article.
///
/// Exit code 0: in step. 1: not, or a file that makes starts fast is damaged. Changes that are recorded and not indexed yet are no difference.
#[derive(Args)]
pub struct Verify {
    /// Index what differs and remove damaged files, then compare once more
    #[arg(long)]
    repair: bool,
    /// Print the counts as JSON, with the first ids of each kind that differs
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let app = App::open(config).await?;
        let mut report = self.compare(&app, false).await?;
        let mut files = search_files(&app, self.repair).await?;
        if self.repair && !report.in_step() {
            self.compare(&app, true).await?;
            let worker = app.indexer().start();
            let caught_up = indexing::catch_up(&app).await;
            worker.stop().await;
            caught_up?;
            report = self.compare(&app, false).await?;
            files = search_files(&app, false).await?;
        }
        output::print(&if self.json { as_json(&report, &files) } else { as_text(&report, &files) })?;
        app.close().await?;
        Ok(if report.in_step() && files.damaged.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(super::ANSWER_IS_NO)
        })
    }

    async fn compare(&self, app: &App, record: bool) -> anyhow::Result<VerifyReport> {
        let live = app.generations.open_live().await.context("the index cannot be opened")?;
        let progress = Progress::items("verify", Some(sync::article_count(&app.db).await?));
        let progress = std::cell::RefCell::new(progress);
        let report = sync::verify(
            &app.db,
            &live,
            Look::Newest,
            |articles| progress.borrow_mut().advance_to(articles),
            |drift| async { if record { sync::record(&app.db, drift).await } else { Ok(()) } },
        )
        .await?;
        progress.into_inner().finish(format!("{} articles compared", report.articles));
        Ok(report)
    }
}

/// The files of what searches read, from which damaged ones are removed if that is wanted: they are written again.
async fn search_files(app: &App, repair: bool) -> anyhow::Result<FileReport> {
    let live = app.generations.open_live().await.context("the index cannot be opened")?;
    let mut files = live.tables.search_files().await?;
    for (path, error) in &files.damaged {
        tracing::warn!(path = %path.display(), %error, "search.file_damaged");
        if repair {
            std::fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    if repair {
        files.damaged.clear();
    }
    Ok(files)
}

/// The kinds of drift with the names that they are printed under.
const KINDS: [(&str, Drift); 4] = [
    ("missing", Drift::Missing),
    ("stale", Drift::Stale),
    ("orphaned", Drift::Orphaned),
    ("duplicated", Drift::Duplicated),
];

/// The first ids of one kind, as GraphQL writes ids.
fn examples(report: &VerifyReport, kind: Drift) -> Vec<String> {
    report.examples.get(&kind).into_iter().flatten().map(ToString::to_string).collect()
}

fn as_json(report: &VerifyReport, files: &FileReport) -> String {
    let mut counts = json!({
        "articles": report.articles,
        "missing": report.count(Drift::Missing),
        "stale": report.count(Drift::Stale),
        "orphaned": report.count(Drift::Orphaned),
        "duplicated": report.count(Drift::Duplicated),
        "pending": report.pending,
        "search_files": {
            "whole": files.whole,
            "bytes": files.bytes,
            "foreign": files.foreign,
            "damaged": files.damaged.len(),
        },
    });
    if !report.in_step() {
        let kinds = KINDS.iter().filter(|(_, kind)| report.count(*kind) > 0);
        counts["examples"] =
            kinds.map(|(name, kind)| ((*name).to_owned(), json!(examples(report, *kind)))).collect();
    }
    format!("{counts}\n")
}

fn as_text(report: &VerifyReport, files: &FileReport) -> String {
    let mut text = format!("articles    {}\npending     {}\n", report.articles, report.pending);
    for (name, kind) in KINDS {
        let examples = match examples(report, kind).join(", ") {
            none if none.is_empty() => none,
            ids => format!("  such as {ids}"),
        };
        text += &format!("{name:11} {}{examples}\n", report.count(kind));
    }
    let FileReport { whole, foreign, damaged, .. } = files;
    text += &format!("files       {whole} whole, {foreign} of another version, {} damaged\n", damaged.len());
    text += if report.in_step() && !damaged.is_empty() {
        "the index is in step, but a file that makes starts fast is damaged: run `sentio verify --repair`\n"
    } else if report.in_step() {
        "the index is in step\n"
    } else {
        "the index is NOT in step: run `sentio verify --repair`\n"
    };
    text
}
