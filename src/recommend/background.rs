//! What a cosine is worth: how many pairs of passages that have nothing to do with each other are less like each other.

/// The cosines of random pairs of passages of one generation.
#[derive(Clone, Debug, PartialEq)]
pub struct Background {
    ascending: Vec<f32>,
}

impl Background {
    /// `None` without any pair.
    pub fn new(ascending: Vec<f32>) -> Option<Self> {
        (!ascending.is_empty()).then_some(Self { ascending })
    }

    /// The share of pairs with a lower cosine, 0 to 1. It tells how unusual the likeness is, not how probable it is that the
    /// article is wanted.
    pub fn share_below(&self, cosine: f32) -> f64 {
        let below = self.ascending.partition_point(|known| *known < cosine);
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let share = below as f64 / self.ascending.len() as f64;
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_counts_lower_cosines_only() {
        let background = Background::new(vec![-0.5, 0.0, 0.25, 0.25]).unwrap();
        let shares = [-1.0, 0.0, 0.25, 0.3].map(|cosine| background.share_below(cosine));
        assert_eq!(shares, [0.0, 0.25, 0.5, 1.0]);
        assert_eq!(Background::new(Vec::new()), None);
    }
}
