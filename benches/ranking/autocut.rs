//! What it brings to end a list at a jump of its scores.

use sentio::evaluation::Grades;
use sentio::recommend::{JUMP_SHARE, Ranked, RecommendOptions, length_before_jump};

use crate::lists::{LISTED, Lists};

/// Where a list of ten may end.
enum End {
    After(usize),
    /// At the first jump of this share of the way.
    Jump(f64),
}

const ENDS: [(&str, End); 6] = [
    ("ten", End::After(10)),
    ("five", End::After(5)),
    (".10", End::Jump(0.1)),
    (".15", End::Jump(0.15)),
    (".20", End::Jump(0.2)),
    (".30", End::Jump(0.3)),
];

/// Prints F1 of the first ten in HYBRID, for several shares that make a jump.
pub async fn measure(lists: &Lists<'_>) -> anyhow::Result<()> {
    println!("the first ten, HYBRID, ended at the first jump of a share ({JUMP_SHARE} is in use)");
    println!("{:>8} {:>9} {:>7} {:>7} {:>7}", "end", "precision", "recall", "F1", "median");
    let mut rankings = Vec::new();
    for (query, grades) in lists.judged() {
        let pool = lists.by_text(&query.text, &RecommendOptions::default(), usize::MAX).await?;
        let by_option = RecommendOptions { autocut: Some(1), ..RecommendOptions::default() };
        let by_option = lists.by_text(&query.text, &by_option, LISTED).await?.len();
        let same = by_option == length(&pool, &End::Jump(JUMP_SHARE));
        anyhow::ensure!(same, "the option ends the list of {:?} elsewhere", query.text);
        rankings.push((pool, grades));
    }
    for (name, end) in &ENDS {
        let (mut sums, mut lengths) = ([0.0; 3], Vec::new());
        for (pool, grades) in &rankings {
            let list = &pool[..length(pool, end)];
            for (sum, value) in sums.iter_mut().zip(scores(lists, list, grades)) {
                *sum += value;
            }
            lengths.push(list.len());
        }
        lengths.sort_unstable();
        let [precision, recall, f1] = sums.map(|sum| sum / rankings.len() as f64);
        let median = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
        println!("{name:>8} {precision:>9.3} {recall:>7.3} {f1:>7.3} {median:>7}");
    }
    Ok(())
}

fn length(pool: &[Ranked], end: &End) -> usize {
    let ended = match *end {
        End::After(count) => count,
        End::Jump(share) => length_before_jump(pool, 1, share),
    };
    ended.min(LISTED).min(pool.len())
}

/// Precision, recall of as many as fit, and their harmonic mean.
fn scores(lists: &Lists<'_>, list: &[Ranked], grades: &Grades) -> [f64; 3] {
    let relevant = grades.values().filter(|grade| **grade > 0.0).count().min(LISTED);
    let is_hit =
        |ranked: &&Ranked| grades.get(lists.document(ranked.article)).is_some_and(|grade| *grade > 0.0);
    let hits = list.iter().filter(is_hit).count() as f64;
    let (precision, recall) = (hits / list.len().max(1) as f64, hits / relevant as f64);
    let f1 = if hits > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 };
    [precision, recall, f1]
}
