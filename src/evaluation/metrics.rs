//! How good one query's ranking is, as trec_eval counts it.

use std::collections::HashMap;

use serde::Serialize;

/// Grades of the documents that somebody judged for one query; above zero is relevant.
pub type Grades = HashMap<String, f64>;

/// Places that nDCG and the reciprocal rank look at.
const TOP: usize = 10;
/// Places that recall looks at.
pub const DEPTH: usize = 100;

/// What one query's ranking is worth, each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct QueryScores {
    /// Discounted gain of the first ten over the largest that is possible. The gain is the grade (linear), the discount
    /// log₂(place + 1), as in trec_eval's `ndcg_cut.10`.
    pub ndcg_at_10: f64,
    /// The share of the relevant documents among the first hundred: trec_eval's `recall.100`.
    pub recall_at_100: f64,
    /// One over the place of the first relevant document, if that is among the first ten: the mean over queries is MRR@10.
    pub mrr_at_10: f64,
}

impl QueryScores {
    /// Of the ids of a ranking, best first, without repetitions. Documents that nobody judged count as not relevant, and a
    /// query without relevant documents has zeros.
    pub fn of<'a>(ranking: impl IntoIterator<Item = &'a str>, grades: &Grades) -> Self {
        let mut ideal: Vec<f64> = grades.values().copied().filter(|grade| *grade > 0.0).collect();
        if ideal.is_empty() {
            return Self::default();
        }
        ideal.sort_by(|a, b| b.total_cmp(a));
        let gains: Vec<f64> = ranking
            .into_iter()
            .take(DEPTH)
            .map(|document| grades.get(document).map_or(0.0, |grade| grade.max(0.0)))
            .collect();
        let found = gains.iter().filter(|gain| **gain > 0.0).count();
        let first = gains.iter().take(TOP).position(|gain| *gain > 0.0);
        Self {
            ndcg_at_10: discounted(&gains) / discounted(&ideal),
            recall_at_100: found as f64 / ideal.len() as f64,
            mrr_at_10: first.map_or(0.0, |place| 1.0 / (place + 1) as f64),
        }
    }
}

fn discounted(gains: &[f64]) -> f64 {
    let places = (2..).map(f64::from);
    gains.iter().take(TOP).zip(places).map(|(gain, place)| gain / place.log2()).sum()
}

/// Spearman's rank correlation of paired values, equal ones at their mean rank; `None` when one side does not vary.
pub fn spearman(first: &[f64], second: &[f64]) -> Option<f64> {
    pearson(&ranks(first), &ranks(second))
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let mean = start as f64 + (equal.len() - 1) as f64 / 2.0;
        for place in equal {
            ranks[*place] = mean;
        }
        start += equal.len();
    }
    ranks
}

fn pearson(first: &[f64], second: &[f64]) -> Option<f64> {
    let count = first.len() as f64;
    let (mean_first, mean_second) = (first.iter().sum::<f64>() / count, second.iter().sum::<f64>() / count);
    let (mut both, mut squares_first, mut squares_second) = (0.0, 0.0, 0.0);
    for (a, b) in first.iter().zip(second) {
        let (a, b) = (a - mean_first, b - mean_second);
        both += a * b;
        squares_first += a * a;
        squares_second += b * b;
    }
    let scale = (squares_first * squares_second).sqrt();
    (scale > 0.0).then(|| both / scale)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        queries: Vec<GoldenQuery>,
        correlations: Vec<Correlation>,
    }

    #[derive(Deserialize)]
    struct GoldenQuery {
        grades: Grades,
        ranking: Vec<String>,
        ndcg_at_10: f64,
        recall_at_100: f64,
        mrr_at_10: f64,
    }

    #[derive(Deserialize)]
    struct Correlation {
        first: Vec<f64>,
        second: Vec<f64>,
        spearman: f64,
    }

    fn golden() -> Golden {
        serde_json::from_str(include_str!("../../tests/fixtures/trec.golden.json")).unwrap()
    }

    #[test]
    fn measures_are_those_of_trec_eval() {
        let queries = golden().queries;
        assert!(queries.iter().filter(|query| query.ndcg_at_10 > 0.0).count() > 20);
        for query in queries {
            let scores = QueryScores::of(query.ranking.iter().map(String::as_str), &query.grades);
            for (ours, theirs) in [
                (scores.ndcg_at_10, query.ndcg_at_10),
                (scores.recall_at_100, query.recall_at_100),
                (scores.mrr_at_10, query.mrr_at_10),
            ] {
                assert!((ours - theirs).abs() < 1e-6, "{ours} {theirs}");
            }
        }
    }

    #[test]
    fn correlations_are_those_of_scipy() {
        for Correlation { first, second, spearman: theirs } in golden().correlations {
            assert!((spearman(&first, &second).unwrap() - theirs).abs() < 1e-9);
        }
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[], &[]), None);
    }
}
