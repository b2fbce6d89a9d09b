//! `sentio eval`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};

use super::eval_report;
use super::output;
use super::progress::Progress;
use super::throwaway::Throwaway;
use crate::config::SettingValues;
use crate::evaluation::{
    Collection, Comparison, Run, SEED, Summary, read_pairs, recall_of_index, run, summary_of_pairs,
};
use crate::recommend::{Mode, RecommendOptions};

/// Measure how good rankings are, on a test collection.
///
/// DIR has corpus.jsonl (id, title, text), queries.jsonl (id, text), both also as .gz, and qrels.tsv (query, document, grade). All is
/// indexed in a throwaway folder, never among your articles, with the vector index made however few the documents are.
/// Each figure has a 95 % interval over queries. A file of pairs (score, sentence, sentence, with tabs) in place of DIR gives
/// Spearman's correlation of scores and cosines.
#[derive(Args)]
pub struct Eval {
    /// A folder of a test collection, or a file of judged pairs
    #[arg(value_name = "DIR")]
    path: PathBuf,
    /// Only this mode: semantic, keyword or hybrid; may be repeated
    #[arg(long, value_name = "MODE", value_parser = mode)]
    mode: Vec<Mode>,
    /// Print JSON in place of tables
    #[arg(long)]
    json: bool,
}

fn mode(name: &str) -> Result<Mode, String> {
    name.parse().map_err(|()| "expected semantic, keyword or hybrid".to_owned())
}

impl Eval {
    pub async fn run(self, values: SettingValues) -> anyhow::Result<ExitCode> {
        if self.path.is_file() { self.pairs(&values).await } else { self.collection(&values).await }
    }

    async fn collection(&self, values: &SettingValues) -> anyhow::Result<ExitCode> {
        let collection = Collection::read(&self.path)?;
        if collection.queries.is_empty() || collection.documents.is_empty() {
            bail!("{} has no documents, or no query that somebody judged", self.path.display());
        }
        let throwaway = Throwaway::over(values, &collection.documents).await?;
        let modes = if self.mode.is_empty() { Mode::ALL.to_vec() } else { self.mode.clone() };
        let mut runs = Vec::new();
        for mode in modes {
            let options = RecommendOptions { mode, ..RecommendOptions::default() };
            runs.push((mode, ask(&throwaway, &collection, &options, false).await?));
        }
        let semantic = RecommendOptions { mode: Mode::Semantic, ..RecommendOptions::default() };
        let found = match runs.iter().find(|(mode, _)| *mode == Mode::Semantic) {
            Some((_, run)) => run.clone(),
            None => ask(&throwaway, &collection, &semantic, false).await?,
        };
        let exact = ask(&throwaway, &collection, &semantic, true).await?;
        let report = Report {
            path: &self.path,
            documents: collection.documents.len(),
            queries: collection.queries.len(),
            modes: runs.iter().map(|(mode, run)| (*mode, Summary::of(run))).collect(),
            differences: differences(&runs),
            vector_index_recall_at_10: recall_of_index(&found, &exact),
            semantic_minus_exact: Comparison::of(&found, &exact),
        };
        throwaway.close().await?;
        output::print(&if self.json { report.json() } else { eval_report::table(&report) })?;
        Ok(ExitCode::SUCCESS)
    }

    async fn pairs(&self, values: &SettingValues) -> anyhow::Result<ExitCode> {
        if !self.mode.is_empty() {
            bail!("--mode is for collections: {} is a file of pairs", self.path.display());
        }
        let pairs = read_pairs(&self.path)?;
        if pairs.is_empty() {
            bail!("{} has no pairs", self.path.display());
        }
        let throwaway = Throwaway::over(values, &[]).await?;
        let mut progress = Progress::items("pairs", Some(pairs.len() as u64));
        let mut cosines = Vec::with_capacity(pairs.len());
        for pair in &pairs {
            let (first, second) =
                tokio::try_join!(throwaway.embed(&pair.first), throwaway.embed(&pair.second))?;
            cosines.push(f64::from(first.cosine(&second)));
            progress.advance_to(cosines.len() as u64);
        }
        progress.finish("embedded".to_owned());
        throwaway.close().await?;
        let scores: Vec<_> = pairs.iter().map(|pair| pair.score).collect();
        let summary = summary_of_pairs(&scores, &cosines);
        let text = match self.json {
            true => serde_json::to_string_pretty(
                &json!({ "pairs": summary.pairs, "spearman": summary.spearman, "seed": SEED }),
            )?,
            false => eval_report::pairs(&self.path, &summary),
        };
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What was measured on one collection.
pub(super) struct Report<'a> {
    pub path: &'a Path,
    pub documents: usize,
    pub queries: usize,
    pub modes: Vec<(Mode, Summary)>,
    /// What was taken from what, with the mean of the queries' differences.
    pub differences: Vec<(String, Comparison)>,
    pub vector_index_recall_at_10: Option<f64>,
    /// What the vector index costs the semantic mode.
    pub semantic_minus_exact: Comparison,
}

impl Report<'_> {
    fn json(&self) -> String {
        let modes: BTreeMap<_, _> =
            self.modes.iter().map(|(mode, summary)| (mode.name(), json!(summary))).collect();
        let mut differences: BTreeMap<_, Value> =
            self.differences.iter().map(|(name, comparison)| (name.clone(), json!(comparison))).collect();
        differences.insert("SEMANTIC - exact scan".to_owned(), json!(self.semantic_minus_exact));
        let report = json!({
            "default_mode": Mode::default().name(),
            "documents": self.documents,
            "queries": self.queries,
            "seed": SEED,
            "modes": modes,
            "differences": differences,
            "vector_index_recall_at_10": self.vector_index_recall_at_10,
        });
        format!("{report:#}")
    }
}

/// The hybrid mode against each leg.
fn differences(runs: &[(Mode, Run)]) -> Vec<(String, Comparison)> {
    let Some((_, hybrid)) = runs.iter().find(|(mode, _)| *mode == Mode::Hybrid) else { return Vec::new() };
    let legs = runs.iter().filter(|(mode, _)| *mode != Mode::Hybrid);
    legs.map(|(mode, leg)| (format!("HYBRID - {}", mode.name()), Comparison::of(hybrid, leg))).collect()
}

async fn ask(
    throwaway: &Throwaway,
    collection: &Collection,
    options: &RecommendOptions,
    exact: bool,
) -> anyhow::Result<Run> {
    let name = if exact { "exact scan" } else { options.mode.name() };
    let progress = std::cell::RefCell::new(Progress::items(name, Some(collection.queries.len() as u64)));
    let recommender = throwaway.recommender(exact);
    let advanced = |answered| progress.borrow_mut().advance_to(answered);
    let run = run(&recommender, collection, options, advanced).await;
    let run = run.context("a query could not be answered")?;
    progress.into_inner().finish(format!("{} queries answered", collection.queries.len()));
    Ok(run)
}
