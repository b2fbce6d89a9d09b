//! `sentio verify`

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::progress::Progress;
use super::{indexing, output};
use crate::app::App;
use crate::config::Config;
use crate::sync::{self, Drift, Look, VerifyReport};

/// Compare SQL with the index, article by article.
///
/// Exit code 0: in step. 1: not. Changes that are recorded and not indexed yet are no difference.
#[derive(Args)]
pub struct Verify {
    /// Index what differs, then compare once more
    #[arg(long)]
    repair: bool,
    /// Print the counts as JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let app = App::open(config).await?;
        let mut report = self.compare(&app, false).await?;
        if self.repair && !report.in_step() {
            self.compare(&app, true).await?;
            let worker = app.worker().start();
            let caught_up = indexing::catch_up(&app).await;
            worker.stop().await;
            caught_up?;
            report = self.compare(&app, false).await?;
        }
        output::print(&if self.json { as_json(&report) } else { as_text(&report) })?;
        app.close().await?;
        Ok(if report.in_step() { ExitCode::SUCCESS } else { ExitCode::from(super::ANSWER_IS_NO) })
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

fn as_json(report: &VerifyReport) -> String {
    let counts = json!({
        "articles": report.articles,
        "missing": report.missing,
        "stale": report.stale,
        "orphaned": report.orphaned,
        "duplicated": report.duplicated,
        "pending": report.pending,
    });
    format!("{counts}\n")
}

fn as_text(report: &VerifyReport) -> String {
    let mut text = format!("articles    {}\npending     {}\n", report.articles, report.pending);
    let kinds = [
        ("missing", report.missing, Drift::Missing),
        ("stale", report.stale, Drift::Stale),
        ("orphaned", report.orphaned, Drift::Orphaned),
        ("duplicated", report.duplicated, Drift::Duplicated),
    ];
    for (name, count, kind) in kinds {
        let examples = report.examples.get(&kind).map_or_else(String::new, |articles| {
            let ids: Vec<_> = articles.iter().map(ToString::to_string).collect();
            format!("  such as {}", ids.join(", "))
        });
        text += &format!("{name:11} {count}{examples}\n");
    }
    text += if report.in_step() {
        "the index is in step\n"
    } else {
        "the index is NOT in step: run `sentio verify --repair`\n"
    };
    text
}
