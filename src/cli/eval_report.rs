//! What `sentio eval` prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::evaluation::{Collection, Comparison, Interval, Measure, PairSummary, Run, SEED, Summary};
use crate::recommend::Mode;

/// Narrowest column of names.
const NAMES_MIN: usize = 24;

/// What was measured on one collection.
pub struct Report<'a> {
    pub path: &'a Path,
    pub collection: &'a Collection,
    pub measured: Measured,
    pub runs: Vec<(String, Run)>,
    /// What was taken from what, with the mean of the queries' differences.
    pub differences: Vec<(String, Comparison)>,
    pub vector_index: Option<VectorIndexLoss>,
}

/// What the runs are named by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    Modes,
    Variants,
}

/// What the vector index costs the semantic mode.
pub struct VectorIndexLoss {
    pub recall_at_10: Option<f64>,
    pub semantic_minus_exact: Comparison,
}

impl Report<'_> {
    /// For programs.
    pub fn json(&self, per_query: bool) -> String {
        let summaries: BTreeMap<_, _> =
            self.runs.iter().map(|(name, run)| (name, Summary::of(run))).collect();
        let mut differences: BTreeMap<_, _> =
            self.differences.iter().map(|(name, comparison)| (name.as_str(), comparison)).collect();
        let kind = match self.measured {
            Measured::Modes => "modes",
            Measured::Variants => "variants",
        };
        let mut report = json!({
            "default_mode": Mode::default().name(),
            "documents": self.collection.documents.len(),
            "queries": self.collection.queries.len(),
            "lacking_queries": self.collection.lacking_queries,
            "lacking_documents": self.collection.lacking_documents(),
            "seed": SEED,
            kind: summaries,
        });
        if let Some(vector_index) = &self.vector_index {
            differences.insert("SEMANTIC - exact scan", &vector_index.semantic_minus_exact);
            report["vector_index_recall_at_10"] = json!(vector_index.recall_at_10);
        }
        report["differences"] = json!(differences);
        if per_query {
            let scores: BTreeMap<_, _> =
                self.runs.iter().map(|(name, run)| (name, self.scores(run))).collect();
            report["per_query"] = json!(scores);
        }
        format!("{report:#}")
    }

    fn scores(&self, run: &Run) -> BTreeMap<&str, Value> {
        let queries = self.collection.queries.iter().map(|query| query.id.as_str());
        queries.zip(&run.scores).map(|(query, scores)| (query, json!(scores))).collect()
    }
}

/// A table of the runs and one of their differences.
pub fn table(report: &Report<'_>) -> String {
    let names =
        report.runs.iter().map(|(name, _)| name).chain(report.differences.iter().map(|(name, _)| name));
    let width = names.map(|name| name.chars().count() + 2).fold(NAMES_MIN, usize::max);
    let mut text = format!(
        "{}: {} documents, {} judged queries; means with 95 % intervals over queries\n\n{:<width$}{}\n",
        report.path.display(),
        report.collection.documents.len(),
        report.collection.queries.len(),
        "",
        heading(),
    );
    for (name, run) in &report.runs {
        let summary = Summary::of(run);
        let latency = summary.latency_ms_p50.map_or_else(String::new, |p50| format!("{p50:>8.2}"));
        let _ = writeln!(text, "{name:<width$}{}{latency}", row(&summary.intervals, false));
    }
    let _ = writeln!(text, "\ndifferences, query by query");
    for (name, comparison) in &report.differences {
        let _ = writeln!(text, "{name:<width$}{}", row(comparison, true));
    }
    if let Some(VectorIndexLoss { recall_at_10, semantic_minus_exact }) = &report.vector_index {
        let _ = writeln!(text, "{:<width$}{}", "SEMANTIC - exact scan", row(semantic_minus_exact, true));
        if let Some(recall) = recall_at_10 {
            let _ = writeln!(
                text,
                "\nthe vector index finds {:.2} % of an exact scan's first ten",
                100.0 * recall
            );
        }
    }
    text.trim_end().to_owned()
}

/// One line for a file of pairs.
pub fn pairs(path: &Path, summary: &PairSummary) -> String {
    let correlation = summary.spearman.map_or_else(
        || "none: two pairs at least must differ on both sides".to_owned(),
        |found| cell(found, false),
    );
    format!("{}: {} pairs, Spearman's correlation {}", path.display(), summary.pairs, correlation.trim())
}

fn heading() -> String {
    format!("{:<30}{:<30}{:<30}{:>8}", "nDCG@10", "recall@100", "MRR@10", "p50 ms")
}

fn row(comparison: &Comparison, signed: bool) -> String {
    let cells = Measure::ALL
        .map(|measure| comparison.get(measure).map_or_else(String::new, |found| cell(found, signed)));
    cells.map(|cell| format!("{cell:<30}")).concat()
}

fn cell(Interval { mean, low, high }: Interval, signed: bool) -> String {
    if signed {
        format!("{mean:+.4} ({low:+.4} to {high:+.4})")
    } else {
        format!("{mean:.4} ({low:.4} to {high:.4})")
    }
}
