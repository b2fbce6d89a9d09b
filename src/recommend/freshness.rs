//! Scores that decay with age.

use chrono::{DateTime, TimeDelta, Utc};

/// How the scores of old articles decay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Freshness {
    /// The age at which the part that decays has halved; above zero.
    pub half_life: TimeDelta,
    /// The part of a score that decays, 0 to 1.
    pub weight: f64,
}

impl Freshness {
    /// What age makes of `score`, as a difference: 0 or less. A score that is not above zero does not decay, which would
    /// raise it.
    pub fn contribution(self, score: f64, created_at: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
        let age = (now - created_at).max(TimeDelta::zero());
        let half_lives = age.as_seconds_f64() / self.half_life.as_seconds_f64();
        // 0 without a sign.
        score.max(0.0) * self.weight * ((-half_lives).exp2() - 1.0) + 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_life_takes_half_of_what_decays() {
        let now: DateTime<Utc> = "2026-11-25T12:00:00Z".parse().unwrap();
        let day = TimeDelta::days(1);
        let whole = Freshness { half_life: day, weight: 1.0 };
        let half = Freshness { half_life: day, weight: 0.5 };
        assert!((whole.contribution(0.8, now - day, now) - -0.4).abs() < 1e-12);
        assert!((whole.contribution(0.8, now - day * 2, now) - -0.6).abs() < 1e-12);
        assert!((half.contribution(0.8, now - day, now) - -0.2).abs() < 1e-12);
        for unchanged in [whole.contribution(0.8, now + day, now), whole.contribution(-0.8, now - day, now)] {
            assert!(unchanged.abs() < 1e-12);
        }
    }
}
