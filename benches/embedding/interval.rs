//! How a difference is printed.

use anyhow::Context;
use sentio::evaluation::Interval;

/// The mean of paired differences, and how sure it is.
pub fn with_interval(differences: &[f64]) -> anyhow::Result<String> {
    let Interval { mean, low, high } = Interval::of(differences).context("nothing was compared")?;
    Ok(format!("{mean:+.4}, 95 % interval {low:+.4} to {high:+.4}"))
}
