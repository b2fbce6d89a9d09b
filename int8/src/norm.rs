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
            let updates = update.as_chunks::<LANES>().0;
            for (state, update) in row.as_chunks_mut::<LANES>().0.iter_mut().zip(updates) {
                P::Vector::load(state).add(P::Vector::load(update)).store(state);
            }
            self.normalise::<P>(row);
        }
    }

    #[inline(always)]
    fn normalise<P: Processor>(&self, row: &mut [f32]) {
        let width = row.len() as f32;
        let mean = P::Vector::splat(summed::<P>(row, |lanes, sum| sum.add(lanes)) / width);
        let squares = summed::<P>(row, |lanes, squares| {
            let difference = lanes.sub(mean);
            difference.mul_add(difference, squares)
        });
        let factor = P::Vector::splat(1.0 / (squares / width + self.epsilon).sqrt());
        let affine = self.scale.as_chunks::<LANES>().0.iter().zip(self.shift.as_chunks::<LANES>().0);
        for (lanes, (scale, shift)) in row.as_chunks_mut::<LANES>().0.iter_mut().zip(affine) {
            let normal = P::Vector::load(lanes).sub(mean).mul(factor);
            normal.mul_add(P::Vector::load(scale), P::Vector::load(shift)).store(lanes);
        }
    }
}

/// The sum of what `add` adds for each number. Four sums at a time do not wait for each other.
#[inline(always)]
fn summed<P: Processor>(row: &[f32], add: impl Fn(P::Vector, P::Vector) -> P::Vector) -> f32 {
    let mut sums = [P::Vector::splat(0.0); 4];
    for four in row.as_chunks::<{ 4 * LANES }>().0 {
        for number in 0..4 {
            sums[number] = add(P::Vector::load(&four[number * LANES..]), sums[number]);
        }
    }
    sums[0].add(sums[1]).add(sums[2].add(sums[3])).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portable::Portable;

    #[test]
    fn rows_have_mean_and_deviation_of_shift_and_scale() {
        let norm = Norm { scale: vec![2.0; 64], shift: vec![1.0; 64], epsilon: 1e-12 };
        let mut states: Vec<f32> = (0..128).map(|value| (value * value % 37) as f32).collect();
        norm.add::<Portable>(&mut states, &vec![5.0; 128]);
        for row in states.chunks_exact(64) {
            let mean = row.iter().sum::<f32>() / 64.0;
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 64.0;
            assert!((mean - 1.0).abs() < 1e-5 && (variance - 4.0).abs() < 1e-4, "{mean} {variance}");
        }
    }
}
