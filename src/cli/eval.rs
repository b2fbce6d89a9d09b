//! `sentio eval`

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use super::eval_report::{self, Measured, Report, VectorIndexLoss};
use super::eval_variant::Variant;
use super::output;
use super::progress::Progress;
use super::throwaway::Throwaway;
use crate::config::SettingValues;
use crate::evaluation::{
    Collection, Comparison, Run, SEED, read_pairs, recall_of_index, run, summary_of_pairs,
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
    /// Compare ways to rank in place of modes, each with the first: `default`, or NAME=VALUE with commas in between, of
    /// settings (SENTIO_MODEL=…) and options (mode, semantic, keyword, diversity, autocut, near-duplicates)
    #[arg(long, value_names = ["A", "B"], num_args = 2.., value_parser = Variant::parse, conflicts_with = "mode")]
    compare: Vec<Variant>,
    /// With --json: what the ranking of each query is worth, too
    #[arg(long, requires = "json")]
    per_query: bool,
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
        if let Some(twice) = self.named_twice() {
            bail!("--compare has {twice:?} twice: each is measured once");
        }
        let collection = Collection::read(&self.path)?;
        if collection.documents.is_empty() {
            bail!("{}: the corpus has no documents", self.path.display());
        }
        if collection.queries.is_empty() {
            bail!("{}: qrels.tsv has no judgements", self.path.display());
        }
        if collection.lacking_queries.len() == collection.queries.len() {
            bail!("{}: queries.jsonl has none of the queries that are judged", self.path.display());
        }
        warn_of_lacking("judged queries", "queries.jsonl", &collection.lacking_queries);
        warn_of_lacking("relevant documents", "corpus.jsonl", &collection.lacking_documents());
        let report = if self.compare.is_empty() {
            self.modes(values, &collection).await?
        } else {
            self.variants(values, &collection).await?
        };
        let text = if self.json { report.json(self.per_query) } else { eval_report::table(&report) };
        output::print(&format!("{text}\n"))?;
        Ok(ExitCode::SUCCESS)
    }

    async fn modes<'a>(
        &'a self,
        values: &SettingValues,
        collection: &'a Collection,
    ) -> anyhow::Result<Report<'a>> {
        let throwaway = Throwaway::over(values, &collection.documents).await?;
        let is_wanted = |mode: &Mode| self.mode.is_empty() || self.mode.contains(mode);
        let modes = Mode::ALL.into_iter().filter(is_wanted);
        let mut runs = Vec::new();
        for mode in modes {
            let options = RecommendOptions { mode, ..RecommendOptions::default() };
            runs.push((mode, ask(&throwaway, collection, &options, mode.name(), false).await?));
        }
        let semantic = RecommendOptions { mode: Mode::Semantic, ..RecommendOptions::default() };
        let found = match runs.iter().find(|(mode, _)| *mode == Mode::Semantic) {
            Some((_, run)) => run.clone(),
            None => ask(&throwaway, collection, &semantic, Mode::Semantic.name(), false).await?,
        };
        let exact = ask(&throwaway, collection, &semantic, "exact scan", true).await?;
        throwaway.close().await?;
        let loss = VectorIndexLoss {
            recall_at_10: recall_of_index(&found, &exact),
            semantic_minus_exact: Comparison::of(&found, &exact),
        };
        Ok(Report {
            path: &self.path,
            collection,
            measured: Measured::Modes,
            differences: differences(&runs),
            runs: runs.into_iter().map(|(mode, run)| (mode.name().to_owned(), run)).collect(),
            vector_index: Some(loss),
        })
    }

    /// Variants of the same settings share an index.
    async fn variants<'a>(
        &'a self,
        values: &SettingValues,
        collection: &'a Collection,
    ) -> anyhow::Result<Report<'a>> {
        let mut runs: Vec<Option<Run>> = vec![None; self.compare.len()];
        while let Some(next) = runs.iter().position(Option::is_none) {
            let settings = &self.compare[next].settings;
            let mut values = values.clone();
            for (name, value) in settings {
                values.set(name, value.clone());
            }
            let throwaway = Throwaway::over(&values, &collection.documents).await?;
            for (variant, run) in self.compare.iter().zip(&mut runs) {
                if variant.settings == *settings {
                    let found = ask(&throwaway, collection, &variant.options, &variant.name, false).await?;
                    *run = Some(found);
                }
            }
            throwaway.close().await?;
        }
        let named = self.compare.iter().map(|variant| variant.name.clone());
        let runs: Vec<_> = named.zip(runs.into_iter().flatten()).collect();
        let others = runs.iter().skip(1);
        let differences = others
            .map(|(name, run)| (format!("{name} - {}", runs[0].0), Comparison::of(run, &runs[0].1)))
            .collect();
        Ok(Report {
            path: &self.path,
            collection,
            measured: Measured::Variants,
            runs,
            differences,
            vector_index: None,
        })
    }

    fn named_twice(&self) -> Option<&str> {
        let mut names = HashSet::new();
        self.compare.iter().map(|variant| variant.name.as_str()).find(|name| !names.insert(*name))
    }

    async fn pairs(&self, values: &SettingValues) -> anyhow::Result<ExitCode> {
        let options = [
            ("--mode", !self.mode.is_empty()),
            ("--compare", !self.compare.is_empty()),
            ("--per-query", self.per_query),
        ];
        if let Some((option, _)) = options.into_iter().find(|(_, is_given)| *is_given) {
            bail!("{option} is for collections: {} is a file of pairs", self.path.display());
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
        output::print(&format!("{text}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Judgements that nothing can satisfy lower every figure.
fn warn_of_lacking(what: &str, file: &str, lacking: &[impl AsRef<str>]) {
    if !lacking.is_empty() {
        let first: Vec<_> = lacking.iter().take(5).map(AsRef::as_ref).collect();
        let more = if lacking.len() > first.len() { ", …" } else { "" };
        tracing::warn!(
            "eval: {} {what} are not in {file}, and count as not found: {}{more}",
            lacking.len(),
            first.join(", ")
        );
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
    name: &str,
    exact: bool,
) -> anyhow::Result<Run> {
    let progress =
        std::cell::RefCell::new(Progress::items(name.to_owned(), Some(collection.queries.len() as u64)));
    let recommender = throwaway.recommender(exact);
    let advanced = |answered| progress.borrow_mut().advance_to(answered);
    let run = run(&recommender, collection, options, advanced).await;
    let run = run.context("a query could not be answered")?;
    progress.into_inner().finish(format!("{} queries answered", collection.queries.len()));
    Ok(run)
}
