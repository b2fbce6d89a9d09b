//! One layer of an encoder.

use crate::Scratch;
use crate::activation::{QuantisedRows, gelu};
use crate::attention::{DistanceBias, attend};
use crate::lanes::Processor;
use crate::norm::Norm;
use crate::profile::{Meter, Stage};
use crate::team::Team;
use crate::weight::Weight;

/// Tokens whose feed-forward block is computed at a time, so that it stays in the processor's second cache.
const CHUNK: usize = 64;

/// Self-attention and feed-forward of one layer, each with the normalisation that follows it.
#[derive(Debug)]
pub struct Layer {
    query_key_value: Weight,
    attention_output: Weight,
    attention_norm: Norm,
    feed_forward_up: Weight,
    feed_forward_down: Weight,
    feed_forward_norm: Norm,
}

impl Layer {
    /// `query_key_value` has the three side by side; `heads` share its outputs evenly.
    pub fn new(
        mut query_key_value: Weight,
        attention_output: Weight,
        attention_norm: Norm,
        feed_forward_up: Weight,
        feed_forward_down: Weight,
        feed_forward_norm: Norm,
        heads: usize,
    ) -> Self {
        // Scores are divided by the root of a head's size; dividing the queries is the same.
        let hidden = query_key_value.inputs;
        query_key_value.scale_first(hidden, 1.0 / ((hidden / heads) as f32).sqrt());
        Self {
            query_key_value,
            attention_output,
            attention_norm,
            feed_forward_up,
            feed_forward_down,
            feed_forward_norm,
        }
    }

    pub fn bytes(&self) -> usize {
        [&self.query_key_value, &self.attention_output, &self.feed_forward_up, &self.feed_forward_down]
            .map(Weight::bytes)
            .iter()
            .sum()
    }

    /// Outputs of each of its weights; of the first, of a third of it.
    pub fn widths(&self) -> [usize; 2] {
        [self.attention_output.outputs, self.feed_forward_up.outputs]
    }

    /// Self-attention, added to `states` and normalised.
    #[inline(always)]
    pub fn attend<P: Processor, T: Team>(
        &self,
        heads: usize,
        bias: Option<&DistanceBias>,
        states: &mut [f32],
        scratch: &mut Scratch,
        team: &mut T,
        meter: &mut impl Meter,
    ) -> Result<(), T::Error> {
        let Scratch { rows, projected, attention, share, whole } = scratch;
        let hidden = self.query_key_value.inputs;
        let (columns, heads) = (team.share_of(hidden), team.share_of(heads));
        rows.quantise::<P>(states, hidden);
        meter.lap(Stage::Quantisation);
        let stride = 3 * columns.len();
        projected.resize(states.len() / hidden * stride, 0.0);
        if columns.len() == hidden {
            P::multiply(rows, self.query_key_value.columns(0..stride), projected, stride);
        } else {
            for part in 0..3 {
                let output = &mut projected[part * columns.len()..];
                let columns = part * hidden + columns.start..part * hidden + columns.end;
                P::multiply(rows, self.query_key_value.columns(columns), output, stride);
            }
        }
        meter.lap(Stage::Products);
        share.resize(states.len() / hidden * columns.len(), 0.0);
        attend::<P>(projected, columns.len(), heads, bias, attention, share);
        team.exchange(share, whole, hidden)?;
        meter.lap(Stage::Attention);
        rows.quantise::<P>(whole, hidden);
        meter.lap(Stage::Quantisation);
        multiply_share::<P, T>(rows, &self.attention_output, share, team);
        team.exchange(share, whole, hidden)?;
        meter.lap(Stage::Products);
        self.attention_norm.add::<P>(states, whole);
        meter.lap(Stage::Norm);
        Ok(())
    }

    /// The feed-forward block, added to `states` and normalised.
    #[inline(always)]
    pub fn feed_forward<P: Processor, T: Team>(
        &self,
        states: &mut [f32],
        scratch: &mut Scratch,
        team: &mut T,
        meter: &mut impl Meter,
    ) -> Result<(), T::Error> {
        let Scratch { rows, share, whole, .. } = scratch;
        let (hidden, intermediate) = (self.feed_forward_up.inputs, self.feed_forward_up.outputs);
        for states in states.chunks_mut(CHUNK * hidden) {
            rows.quantise::<P>(states, hidden);
            meter.lap(Stage::Quantisation);
            multiply_share::<P, T>(rows, &self.feed_forward_up, share, team);
            meter.lap(Stage::Products);
            gelu::<P>(share);
            team.exchange(share, whole, intermediate)?;
            meter.lap(Stage::Gelu);
            rows.quantise::<P>(whole, intermediate);
            meter.lap(Stage::Quantisation);
            multiply_share::<P, T>(rows, &self.feed_forward_down, share, team);
            team.exchange(share, whole, hidden)?;
            meter.lap(Stage::Products);
            self.feed_forward_norm.add::<P>(states, whole);
            meter.lap(Stage::Norm);
        }
        Ok(())
    }
}

/// The calling thread's share of the product of `rows` and `weight`.
#[inline(always)]
fn multiply_share<P: Processor, T: Team>(
    rows: &QuantisedRows,
    weight: &Weight,
    share: &mut Vec<f32>,
    team: &T,
) {
    let columns = team.share_of(weight.outputs);
    let width = columns.len();
    share.resize(rows.scales.len() * width, 0.0);
    P::multiply(rows, weight.columns(columns), share, width);
}
