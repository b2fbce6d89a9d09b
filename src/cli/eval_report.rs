//! The tables of `sentio eval`.

use std::fmt::Write as _;
use std::path::Path;

use super::eval::Report;
use crate::evaluation::{Comparison, Interval, Measure, PairSummary};

/// A table of the modes and one of their differences.
pub fn table(report: &Report<'_>) -> String {
    let mut text = format!(
        "{}: {} documents, {} judged queries; means with 95 % intervals over queries\n\n{:<24}{}\n",
        report.path.display(),
        report.documents,
        report.queries,
        "",
        heading(),
    );
    for (mode, summary) in &report.modes {
        let latency = summary.latency_ms_p50.map_or_else(String::new, |p50| format!("{p50:>8.2}"));
        let _ = writeln!(text, "{:<24}{}{latency}", mode.name(), row(&summary.intervals, false));
    }
    let _ = writeln!(text, "\ndifferences, query by query");
    for (name, comparison) in &report.differences {
        let _ = writeln!(text, "{name:<24}{}", row(comparison, true));
    }
    let _ = writeln!(text, "{:<24}{}", "SEMANTIC - exact scan", row(&report.semantic_minus_exact, true));
    if let Some(recall) = report.vector_index_recall_at_10 {
        let _ =
            writeln!(text, "\nthe vector index finds {:.2} % of an exact scan's first ten", 100.0 * recall);
    }
    text.trim_end().to_owned()
}

/// One line for a file of pairs.
pub fn pairs(path: &Path, summary: &PairSummary) -> String {
    let correlation = summary
        .spearman
        .map_or_else(|| "none, one side does not vary".to_owned(), |found| cell(found, false));
    format!("{}: {} pairs, Spearman's correlation {}", path.display(), summary.pairs, correlation.trim())
}

fn heading() -> String {
    format!("{:<28}{:<28}{:<28}{:>8}", "nDCG@10", "recall@100", "MRR@10", "p50 ms")
}

fn row(comparison: &Comparison, signed: bool) -> String {
    let cells = Measure::ALL
        .map(|measure| comparison.get(measure).map_or_else(String::new, |found| cell(found, signed)));
    cells.map(|cell| format!("{cell:<28}")).concat()
}

fn cell(Interval { mean, low, high }: Interval, signed: bool) -> String {
    if signed {
        format!("{mean:+.4} ({low:+.4} to {high:+.4})")
    } else {
        format!("{mean:.4} ({low:.4} to {high:.4})")
    }
}
