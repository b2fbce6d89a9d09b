//! From one state per token to one vector per text.
//!
//! A text runs alone and without padding, so that every row counts. The modes are those of
//! sentence-transformers' `Pooling` module.

use std::fmt;

/// How the states of a text's tokens become its vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The average over all tokens.
    Mean,
    /// The first token's state.
    Cls,
    /// The maximum of each component.
    Max,
    /// The sum over all tokens, divided by the square root of their number.
    MeanSqrtLen,
    /// The average weighted by position: the first token counts once, the n-th n times.
    WeightedMean,
    /// The last token's state.
    LastToken,
}

impl Pooling {
    /// The mode that sentence-transformers 6 calls `name`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "mean" => Self::Mean,
            "cls" => Self::Cls,
            "max" => Self::Max,
            "mean_sqrt_len_tokens" => Self::MeanSqrtLen,
            "weightedmean" => Self::WeightedMean,
            "lasttoken" => Self::LastToken,
            _ => return None,
        })
    }

    /// Pools `states`, one row of `width` numbers per token, of which there is at least one.
    pub(super) fn pool(self, states: &[f32], width: usize) -> Vec<f32> {
        let rows = states.chunks_exact(width);
        let tokens = rows.len() as f32;
        match self {
            Self::Mean => weighted_sum(rows, width, |_| 1.0 / tokens),
            Self::MeanSqrtLen => weighted_sum(rows, width, |_| 1.0 / tokens.sqrt()),
            Self::WeightedMean => {
                let total = tokens * (tokens + 1.0) / 2.0;
                weighted_sum(rows, width, |token| (token + 1) as f32 / total)
            }
            Self::Cls => rows.take(1).flatten().copied().collect(),
            Self::LastToken => rows.rev().take(1).flatten().copied().collect(),
            Self::Max => rows.fold(vec![f32::NEG_INFINITY; width], |mut best, row| {
                for (best, value) in best.iter_mut().zip(row) {
                    *best = best.max(*value);
                }
                best
            }),
        }
    }
}

fn weighted_sum<'a>(
    rows: impl Iterator<Item = &'a [f32]>,
    width: usize,
    weight: impl Fn(usize) -> f32,
) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    for (token, row) in rows.enumerate() {
        let weight = weight(token);
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += value * weight;
        }
    }
    sum
}

impl fmt::Display for Pooling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
            Self::Max => "max",
            Self::MeanSqrtLen => "mean_sqrt_len_tokens",
            Self::WeightedMean => "weightedmean",
            Self::LastToken => "lasttoken",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_pools_as_its_name_says() {
        let states = [1.0, 8.0, 3.0, 4.0, 5.0, 0.0, 7.0, 0.0];
        for (name, vector) in [
            ("mean", [4.0, 3.0]),
            ("cls", [1.0, 8.0]),
            ("max", [7.0, 8.0]),
            ("mean_sqrt_len_tokens", [8.0, 6.0]),
            ("weightedmean", [5.0, 1.6]),
            ("lasttoken", [7.0, 0.0]),
        ] {
            let pooling = Pooling::from_name(name).unwrap();
            let pooled = pooling.pool(&states, 2);
            let close = pooled.iter().zip(vector).all(|(a, b)| (a - b).abs() < 1e-5);
            assert!(close, "{name}: {pooled:?}");
            assert_eq!(pooling.to_string(), name);
        }
    }
}
