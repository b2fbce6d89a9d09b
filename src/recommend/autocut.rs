//! Where a list should end by itself: at a jump of the scores.

use super::{Ranked, Tier};

/// Articles of a list whose scores are looked at, however many are asked for.
pub const JUMP_SPAN: usize = 100;
/// A jump is at least this share of the whole way down from the first to the last score.
///
/// Chosen on cranfield, cacm and known items: docs/decisions/0020-steering-by-measurement.md.
pub const JUMP_SHARE: f64 = 0.2;
/// A jump is also at least so many times the mean step, so that even scores have none.
const STEPS_MIN: f64 = 1.5;

/// How much of `list` comes before the jump number `jumps`, counted from 1; all when there are fewer. A jump is `jump_share` of
/// the way down or more, and looked for after what is named or has the phrases.
pub fn length_before_jump(list: &[Ranked], jumps: usize, jump_share: f64) -> usize {
    let first = list.partition_point(|ranked| ranked.tier < Tier::Rest);
    let scores: Vec<_> = list[first..].iter().take(JUMP_SPAN).map(Ranked::score).collect();
    let end = before_jump(&scores, jumps, jump_share);
    if end < scores.len() { first + end } else { list.len() }
}

/// How many of `scores`, which descend, come before the jump.
fn before_jump(scores: &[f64], jumps: usize, jump_share: f64) -> usize {
    let (Some(first), Some(last)) = (scores.first(), scores.last()) else { return 0 };
    let way = first - last;
    #[expect(clippy::cast_precision_loss, reason = "at most as many as the span")]
    let mean_step = way / (scores.len() - 1).max(1) as f64;
    let least = (way * jump_share).max(mean_step * STEPS_MIN);
    let is_jump = |pair: &[f64]| way > 0.0 && pair[0] - pair[1] >= least;
    let mut positions = scores.windows(2).enumerate().filter(|(_, pair)| is_jump(pair)).map(|(at, _)| at + 1);
    positions.nth(jumps.saturating_sub(1)).unwrap_or(scores.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_at_the_jump_that_is_asked_for() {
        let scores = [0.9, 0.88, 0.85, 0.5, 0.49, 0.48, 0.2, 0.19];
        assert_eq!(before_jump(&scores, 1, JUMP_SHARE), 3);
        assert_eq!(before_jump(&scores, 2, JUMP_SHARE), 6);
        assert_eq!(before_jump(&scores, 3, JUMP_SHARE), scores.len());
    }

    #[test]
    fn even_or_few_scores_have_no_jump() {
        for scores in [&[][..], &[0.5], &[0.9, 0.1], &[0.9, 0.6, 0.3], &[0.5, 0.5, 0.5], &[-0.1, -0.2, -0.3]]
        {
            assert_eq!(before_jump(scores, 1, JUMP_SHARE), scores.len(), "{scores:?}");
        }
    }
}
