//! How sure a mean is.

/// Drawn anew from the queries' differences, for the interval.
const RESAMPLES: usize = 10_000;

/// The mean and its 95 % interval by the bootstrap, with a fixed seed.
pub fn interval(values: &[f64]) -> (f64, f64, f64) {
    let mut state = 0x5e47_1000_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        values[(state >> 33) as usize % values.len()]
    };
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| (0..values.len()).map(|_| draw()).sum::<f64>() / values.len() as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, means[RESAMPLES / 40], means[RESAMPLES - RESAMPLES / 40 - 1])
}
