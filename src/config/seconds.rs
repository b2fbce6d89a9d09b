//! Durations, which settings give in seconds.

use std::time::Duration;

/// Reads seconds such as `10`, `0.5` or `10s`, from `least` to `most`.
pub(super) fn seconds(text: &str, least: f64, most: f64) -> Option<Duration> {
    let number = text.trim();
    let seconds: f64 = number.strip_suffix('s').unwrap_or(number).trim_end().parse().ok()?;
    (least..=most).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_within_the_bounds_are_durations() {
        assert_eq!(seconds(" 0.5 s", 0.0, 1.0), Some(Duration::from_millis(500)));
        assert_eq!(seconds("10s", 0.0, 10.0), Some(Duration::from_secs(10)));
        assert_eq!(seconds("-0", 0.0, 10.0), Some(Duration::ZERO));
        for text in ["", "s", "10ss", "-1", "NaN", "inf", "-inf", "11", "1e9", "ten", "1 0"] {
            assert_eq!(seconds(text, 0.0, 10.0), None, "{text}");
        }
    }
}
