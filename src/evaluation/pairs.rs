//! Pairs of sentences that people have judged: how well cosines agree with them.

use std::path::Path;

use serde::Serialize;

use super::collection::{CollectionError, is_heading, numbered_lines};
use super::interval::Interval;
use super::metrics::spearman;

/// Two sentences and how alike people find them.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub score: f64,
    pub first: String,
    pub second: String,
}

/// How well cosines agree with people.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PairSummary {
    pub pairs: usize,
    /// Spearman's rank correlation, with its 95 % interval over pairs; absent when one side does not vary.
    pub spearman: Option<Interval>,
}

/// Reads a file of a score and two sentences a line, tabs between them, maybe a heading.
pub fn read_pairs(path: &Path) -> Result<Vec<Pair>, CollectionError> {
    let mut pairs = Vec::new();
    for line in numbered_lines(path)? {
        let (number, line) = line?;
        let invalid =
            |problem: String| CollectionError::Line { path: path.to_owned(), line: number, problem };
        let fields: Vec<_> = line.split('\t').map(str::trim).collect();
        let [score, first, second] = fields[..] else {
            return Err(invalid("is not a score and two sentences with tabs between them".to_owned()));
        };
        match score.parse::<f64>() {
            Ok(score) if score.is_finite() => {
                pairs.push(Pair { score, first: first.to_owned(), second: second.to_owned() })
            }
            Err(_) if number == 1 && is_heading(score) => {}
            _ => return Err(invalid(format!("the score {score:?} is not a number"))),
        }
    }
    Ok(pairs)
}

/// Of the pairs' scores and the cosines of their sentences.
pub fn summary_of_pairs(scores: &[f64], cosines: &[f64]) -> PairSummary {
    let statistic = |drawn: &[usize]| {
        let pick = |values: &[f64]| drawn.iter().map(|pair| values[*pair]).collect::<Vec<_>>();
        spearman(&pick(scores), &pick(cosines))
    };
    PairSummary { pairs: scores.len(), spearman: Interval::of_statistic(scores.len(), statistic) }
}
