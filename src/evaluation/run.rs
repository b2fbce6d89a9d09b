//! Rankings for all queries of a collection.

use std::time::Instant;

use super::collection::Collection;
use super::metrics::{DEPTH, QueryScores};
use super::store::position_of;
use crate::recommend::{Moment, RecommendError, RecommendOptions, Recommender};

/// Places whose articles the vector index is asked for.
const INDEX_TOP: usize = 10;

/// What all queries of a collection were answered with.
#[derive(Clone, Debug)]
pub struct Run {
    /// The documents' ids, best first, by query in the collection's order.
    pub rankings: Vec<Vec<String>>,
    /// What each ranking is worth.
    pub scores: Vec<QueryScores>,
    /// How long each query took, blank ones left out.
    pub milliseconds: Vec<f64>,
}

/// Asks for the first hundred of each query, one after the other; `advanced` hears how many are answered. A blank query
/// finds nothing.
pub async fn run(
    recommender: &Recommender,
    collection: &Collection,
    options: &RecommendOptions,
    advanced: impl Fn(u64),
) -> Result<Run, RecommendError> {
    let mut run = Run { rankings: Vec::new(), scores: Vec::new(), milliseconds: Vec::new() };
    for (query, answered) in collection.queries.iter().zip(1..) {
        let mut ranking = Vec::new();
        if !query.text.trim().is_empty() {
            let started = Instant::now();
            let found = recommender.by_text(&query.text, DEPTH, options, Moment::now()).await?;
            run.milliseconds.push(started.elapsed().as_secs_f64() * 1e3);
            let positions = found.ranked.iter().filter_map(|ranked| position_of(ranked.article));
            let documents = positions.filter_map(|position| collection.documents.get(position));
            ranking = documents.map(|document| document.id.clone()).collect();
        }
        let grades = collection.grades.get(&query.id);
        run.scores.push(grades.map_or_else(QueryScores::default, |grades| {
            QueryScores::of(ranking.iter().map(String::as_str), grades)
        }));
        run.rankings.push(ranking);
        advanced(answered);
    }
    Ok(run)
}

/// The share of the first ten of `exact` that `found` has among its first ten; the mean over the queries that found anything.
pub fn recall_of_index(found: &Run, exact: &Run) -> Option<f64> {
    let top = |ranking: &Vec<String>| ranking.iter().take(INDEX_TOP).cloned().collect::<Vec<_>>();
    let recall = |(found, exact): (&Vec<String>, &Vec<String>)| {
        let (found, exact) = (top(found), top(exact));
        let common = exact.iter().filter(|document| found.contains(document)).count();
        (!exact.is_empty()).then(|| common as f64 / exact.len() as f64)
    };
    let recalls: Vec<_> = found.rankings.iter().zip(&exact.rankings).filter_map(recall).collect();
    (!recalls.is_empty()).then(|| recalls.iter().sum::<f64>() / recalls.len() as f64)
}
