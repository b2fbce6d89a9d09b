//! Layer normalisation.

use crate::lanes::{LANES, Processor, Vector};

/// The scale and shift that follow the normalisation of each row.
#[derive(Clone, Debug)]
pub struct Norm {
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
    pub epsilon: f32,
}

impl Norm {
    /// Normalises each row of `states`.
    #[inline(always)]
    pub fn apply<P: Processor>(&self, states: &mut [f32]) {
        for row in states.chunks_exact_mut(self.scale.len()) {
            self.normalise::<P>(row);
        }
    }

    /// Adds `update` to `states` and normalises each row.
    #[inline(always)]
    pub fn add<P: Processor>(&self, states: &mut [f32], update: &[f32]) {
        let width = self.scale.len();
        for (row, update) in states.chunks_exact_mut(width).zip(update.chunks_exact(width)) {
            for (state, update) in row.chunks_exact_mut(LANES).zip(update.chunks_exact(LANES)) {
                P::Vector::load(state).add(P::Vector::load(update)).store(state);
            }
            self.normalise::<P>(row);
        }
    }

    #[inline(always)]
    fn normalise<P: Processor>(&self, row: &mut [f32]) {
        let width = row.len() as f32;
        let mut sum = P::Vector::splat(0.0);
        for lanes in row.chunks_exact(LANES) {
            sum = sum.add(P::Vector::load(lanes));
        }
        let mean = P::Vector::splat(sum.sum() / width);
        let mut squares = P::Vector::splat(0.0);
        for lanes in row.chunks_exact(LANES) {
            let difference = P::Vector::load(lanes).sub(mean);
            squares = difference.mul_add(difference, squares);
        }
        let factor = P::Vector::splat(1.0 / (squares.sum() / width + self.epsilon).sqrt());
        let affine = self.scale.chunks_exact(LANES).zip(self.shift.chunks_exact(LANES));
        for (lanes, (scale, shift)) in row.chunks_exact_mut(LANES).zip(affine) {
            let normal = P::Vector::load(lanes).sub(mean).mul(factor);
            normal.mul_add(P::Vector::load(scale), P::Vector::load(shift)).store(lanes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portable::Portable;

    #[test]
    fn rows_have_mean_and_deviation_of_shift_and_scale() {
        let norm = Norm { scale: vec![2.0; 32], shift: vec![1.0; 32], epsilon: 1e-12 };
        let mut states: Vec<f32> = (0..64).map(|value| (value * value % 37) as f32).collect();
        norm.add::<Portable>(&mut states, &vec![5.0; 64]);
        for row in states.chunks_exact(32) {
            let mean = row.iter().sum::<f32>() / 32.0;
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 32.0;
            assert!((mean - 1.0).abs() < 1e-5 && (variance - 4.0).abs() < 1e-4, "{mean} {variance}");
        }
    }
}
