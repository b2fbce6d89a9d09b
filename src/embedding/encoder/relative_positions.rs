//! MPNet's bias of attention scores by the distance between two tokens.

use sentio_int8::DistanceBias;

/// MPNet always uses this many buckets, half of them for keys after the query…
const BUCKETS: usize = 32;
/// …and puts all distances from here on into the last one.
const MAX_DISTANCE: f32 = 128.0;

/// The bias of each attention head, by distance.
pub(super) struct RelativePositions {
    heads: usize,
    /// The longest text.
    window: usize,
    /// For each head the bias of keys `window - 1` before the query to `window - 1` after it.
    by_distance: Vec<f32>,
}

impl RelativePositions {
    /// The shape of the table that [`RelativePositions::new`] takes.
    pub fn table_shape(heads: usize) -> [usize; 2] {
        [BUCKETS, heads]
    }

    /// Spreads the model's table, one row of `heads` numbers per bucket, over all distances.
    pub fn new(table: &[f32], heads: usize, window: usize) -> Self {
        let last = window as i64 - 1;
        let by_distance = (0..heads)
            .flat_map(|head| (-last..=last).map(move |distance| table[bucket(distance) * heads + head]))
            .collect();
        Self { heads, window, by_distance }
    }

    /// Attention heads, each with a bias of its own.
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// For layers that look the bias up by distance.
    pub fn by_distance(&self) -> DistanceBias {
        DistanceBias { by_distance: self.by_distance.clone(), window: self.window }
    }

    /// The bias `[heads, tokens, tokens]` of a text: head, query, key.
    pub fn bias(&self, tokens: usize) -> Vec<f32> {
        let mut bias = Vec::with_capacity(self.heads * tokens * tokens);
        for distances in self.by_distance.chunks_exact(2 * self.window - 1) {
            for query in 0..tokens {
                let first_key = self.window - 1 - query;
                bias.extend_from_slice(&distances[first_key..first_key + tokens]);
            }
        }
        bias
    }
}

/// The bucket of a key `distance` tokens after its query: T5's rule for attention in both directions (Raffel
/// et al. 2020, section 2.1). The first half of each direction's buckets holds one distance each, the rest
/// grow logarithmically.
fn bucket(distance: i64) -> usize {
    let direction = BUCKETS / 2;
    let exact = direction / 2;
    let base = if distance > 0 { direction } else { 0 };
    let distance = distance.unsigned_abs() as usize;
    if distance < exact {
        return base + distance;
    }
    let growth = (distance as f32 / exact as f32).ln() / (MAX_DISTANCE / exact as f32).ln();
    let bucket = exact + (growth * (direction - exact) as f32) as usize;
    base + bucket.min(direction - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_distances_have_their_own_bucket_and_far_ones_share() {
        assert_eq!([0, -1, -7, -8, -11, -12, -127, -500].map(bucket), [0, 1, 7, 8, 8, 9, 15, 15]);
        assert_eq!([1, 7, 8, 127, 500].map(bucket), [17, 23, 24, 31, 31]);
    }

    #[test]
    fn bias_depends_on_the_distance_alone() {
        let table: Vec<f32> = (0..BUCKETS * 2).map(|value| value as f32).collect();
        let positions = RelativePositions::new(&table, 2, 5);
        let bias = positions.bias(3);
        for head in 0..2 {
            for query in 0..3_i64 {
                for key in 0..3_i64 {
                    let expected = (bucket(key - query) * 2 + head) as f32;
                    assert_eq!(bias[head * 9 + query as usize * 3 + key as usize], expected);
                }
            }
        }
    }
}
