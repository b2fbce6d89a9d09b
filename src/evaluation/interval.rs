//! How sure a mean over queries is.

use serde::Serialize;

/// Sets of queries that are drawn for one interval.
const RESAMPLES: usize = 10_000;
/// The same for statistics that take long.
const STATISTIC_RESAMPLES: usize = 1_000;
/// Where the drawing begins: the same intervals each time.
pub const SEED: u64 = 20_260_701;

/// A mean with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// By the percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13): queries are drawn
    /// with replacement as many as there are, 10,000 times, and the interval leaves out a fortieth of the means at each end.
    /// For a paired comparison `values` are the queries' differences. `None` when there are no values.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        // Nothing but zeros has the sum -0.
        let mean = |sum: f64| sum / values.len() as f64 + 0.0;
        let mut random = fastrand::Rng::with_seed(SEED);
        let mut resample = || mean((0..values.len()).map(|_| values[random.usize(..values.len())]).sum());
        let mut means: Vec<f64> = (0..RESAMPLES).map(|_| resample()).collect();
        means.sort_by(f64::total_cmp);
        let cut = RESAMPLES / 40;
        Some(Self { mean: mean(values.iter().sum()), low: means[cut], high: means[RESAMPLES - cut - 1] })
    }

    /// The same of any `statistic` of the drawn positions among `count`; `None` when it has no value for all of them. Draws for
    /// which it has none are left out.
    pub fn of_statistic(count: usize, statistic: impl Fn(&[usize]) -> Option<f64>) -> Option<Self> {
        let mean = statistic(&(0..count).collect::<Vec<_>>())?;
        let mut random = fastrand::Rng::with_seed(SEED);
        let mut drawn = vec![0; count];
        let mut resample = || {
            drawn.fill_with(|| random.usize(..count));
            statistic(&drawn)
        };
        let mut values: Vec<f64> = (0..STATISTIC_RESAMPLES).filter_map(|_| resample()).collect();
        values.sort_by(f64::total_cmp);
        let cut = values.len() / 40;
        Some(Self { mean, low: *values.get(cut)?, high: *values.get(values.len() - cut - 1)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_its_mean_and_is_the_same_each_time() {
        let values: Vec<f64> = (0..200).map(|number| f64::from(number % 10)).collect();
        let interval = Interval::of(&values).unwrap();
        assert_eq!(interval.mean, 4.5);
        // The standard error of the mean is 2.872 / sqrt(200) = 0.203; 1.96 of it are 0.398.
        assert!((interval.low - 4.1).abs() < 0.03 && (interval.high - 4.9).abs() < 0.03, "{interval:?}");
        assert_eq!(Interval::of(&values), Some(interval));
        assert_eq!(Interval::of(&[]), None);
        assert_eq!(Interval::of(&[2.0]), Some(Interval { mean: 2.0, low: 2.0, high: 2.0 }));
    }

    #[test]
    fn a_statistic_without_a_value_has_no_interval() {
        assert_eq!(Interval::of_statistic(3, |_| None), None);
        assert_eq!(Interval::of_statistic(0, |drawn| (!drawn.is_empty()).then_some(1.0)), None);
        let mean = |drawn: &[usize]| Some(drawn.iter().sum::<usize>() as f64 / drawn.len() as f64);
        let interval = Interval::of_statistic(101, mean).unwrap();
        assert_eq!(interval.mean, 50.0);
        assert!(interval.low > 42.0 && interval.low < 46.0 && interval.high > 54.0 && interval.high < 58.0);
    }
}
