//! What rankings are worth in the mean, and how they differ from others for the same queries.

use serde::Serialize;

use super::interval::Interval;
use super::metrics::QueryScores;
use super::run::Run;

/// What a ranking is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Ndcg,
    Recall,
    Mrr,
}

impl Measure {
    pub const ALL: [Self; 3] = [Self::Ndcg, Self::Recall, Self::Mrr];

    fn of(self, scores: &QueryScores) -> f64 {
        match self {
            Self::Ndcg => scores.ndcg_at_10,
            Self::Recall => scores.recall_at_100,
            Self::Mrr => scores.mrr_at_10,
        }
    }
}

/// The means of a run, with 95 % intervals over its queries.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    pub ndcg_at_10: f64,
    pub recall_at_100: f64,
    pub mrr_at_10: f64,
    /// Absent when no query was blank-free.
    pub latency_ms_p50: Option<f64>,
    pub intervals: Comparison,
}

/// A mean and its 95 % interval for each measure; absent without queries.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    pub ndcg_at_10: Option<Interval>,
    pub recall_at_100: Option<Interval>,
    pub mrr_at_10: Option<Interval>,
}

impl Summary {
    pub fn of(run: &Run) -> Self {
        let values =
            |measure: Measure| run.scores.iter().map(|scores| measure.of(scores)).collect::<Vec<_>>();
        let intervals = Comparison::by(|measure| Interval::of(&values(measure)));
        let mean = |interval: &Option<Interval>| interval.map_or(0.0, |interval| interval.mean);
        let mut milliseconds = run.milliseconds.clone();
        milliseconds.sort_by(f64::total_cmp);
        Self {
            ndcg_at_10: mean(&intervals.ndcg_at_10),
            recall_at_100: mean(&intervals.recall_at_100),
            mrr_at_10: mean(&intervals.mrr_at_10),
            latency_ms_p50: milliseconds.get(milliseconds.len() / 2).copied(),
            intervals,
        }
    }
}

impl Comparison {
    /// The mean differences of two runs over the same queries, paired.
    pub fn of(ours: &Run, theirs: &Run) -> Self {
        let difference = |measure: Measure| {
            let pairs = ours.scores.iter().zip(&theirs.scores);
            pairs.map(|(ours, theirs)| measure.of(ours) - measure.of(theirs)).collect::<Vec<_>>()
        };
        Self::by(|measure| Interval::of(&difference(measure)))
    }

    fn by(interval: impl Fn(Measure) -> Option<Interval>) -> Self {
        Self {
            ndcg_at_10: interval(Measure::Ndcg),
            recall_at_100: interval(Measure::Recall),
            mrr_at_10: interval(Measure::Mrr),
        }
    }

    pub fn get(&self, measure: Measure) -> Option<Interval> {
        match measure {
            Measure::Ndcg => self.ndcg_at_10,
            Measure::Recall => self.recall_at_100,
            Measure::Mrr => self.mrr_at_10,
        }
    }
}
