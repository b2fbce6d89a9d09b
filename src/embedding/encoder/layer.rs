//! One layer's weights, read from the file into the shapes that the graph wants.

use super::{
    architecture::{Architecture, Dimensions},
    weights::WeightReader,
};
use crate::embedding::error::OpenError;

/// Self-attention and feed-forward of one layer, each with the normalisation that follows it.
pub(super) struct Layer {
    /// Query, key and value side by side.
    pub query_key_value: Linear,
    pub attention_output: Linear,
    pub attention_norm: LayerNorm,
    pub feed_forward_up: Linear,
    pub feed_forward_down: Linear,
    pub feed_forward_norm: LayerNorm,
}

impl Layer {
    /// Reads layer `number`, counted from 0.
    pub fn read(
        weights: &mut WeightReader,
        architecture: &Architecture,
        dimensions: &Dimensions,
        number: usize,
    ) -> Result<Self, OpenError> {
        let (hidden, intermediate) = (dimensions.hidden, dimensions.intermediate);
        let name = |part: &str| format!("{}.{number}.{part}", architecture.layer);
        let query_key_value = architecture.query_key_value.map(name);
        let mut linear = |part, inputs, outputs| Linear::read(weights, &[name(part)], inputs, outputs);
        let attention_output = linear(architecture.attention_output, hidden, hidden)?;
        let feed_forward_up = linear(architecture.feed_forward_up, hidden, intermediate)?;
        let feed_forward_down = linear(architecture.feed_forward_down, intermediate, hidden)?;
        Ok(Self {
            query_key_value: Linear::read(weights, &query_key_value, hidden, hidden)?,
            attention_output,
            attention_norm: LayerNorm::read(weights, &name(architecture.attention_norm), dimensions)?,
            feed_forward_up,
            feed_forward_down,
            feed_forward_norm: LayerNorm::read(weights, &name(architecture.feed_forward_norm), dimensions)?,
        })
    }

    /// The layer with its weights rounded to 8 bits.
    pub fn in_int8(&self, heads: usize, epsilon: f32) -> sentio_int8::Layer {
        sentio_int8::Layer::new(
            self.query_key_value.in_int8(),
            self.attention_output.in_int8(),
            self.attention_norm.in_int8_layers(epsilon),
            self.feed_forward_up.in_int8(),
            self.feed_forward_down.in_int8(),
            self.feed_forward_norm.in_int8_layers(epsilon),
            heads,
        )
    }
}

/// The scale and shift that follow the normalisation of each token.
pub(super) struct LayerNorm {
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

impl LayerNorm {
    pub fn read(weights: &mut WeightReader, name: &str, dimensions: &Dimensions) -> Result<Self, OpenError> {
        Ok(Self {
            scale: weights.floats(&format!("{name}.weight"), &[dimensions.hidden])?,
            shift: weights.floats(&format!("{name}.bias"), &[dimensions.hidden])?,
        })
    }

    pub fn in_int8_layers(&self, epsilon: f32) -> sentio_int8::Norm {
        sentio_int8::Norm { scale: self.scale.clone(), shift: self.shift.clone(), epsilon }
    }
}

/// `y = x · weight + bias`, with `weight` as in the file: `[outputs, inputs]`, row by row.
pub(super) struct Linear {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    pub inputs: usize,
    pub outputs: usize,
}

impl Linear {
    /// Reads linear layers of one input and puts their outputs one after the other.
    fn read(
        weights: &mut WeightReader,
        names: &[String],
        inputs: usize,
        outputs_each: usize,
    ) -> Result<Self, OpenError> {
        let outputs = names.len() * outputs_each;
        let (mut weight, mut bias) = (Vec::with_capacity(inputs * outputs), Vec::with_capacity(outputs));
        for name in names {
            weight.append(&mut weights.floats(&format!("{name}.weight"), &[outputs_each, inputs])?);
            bias.append(&mut weights.floats(&format!("{name}.bias"), &[outputs_each])?);
        }
        Ok(Self { weight, bias, inputs, outputs })
    }

    /// The weight as `[inputs, outputs]`, row by row.
    pub fn transposed(&self) -> Vec<f32> {
        let mut transposed = vec![0.0; self.weight.len()];
        for (output, row) in self.weight.chunks_exact(self.inputs).enumerate() {
            for (input, value) in row.iter().enumerate() {
                transposed[input * self.outputs + output] = *value;
            }
        }
        transposed
    }

    fn in_int8(&self) -> sentio_int8::Weight {
        sentio_int8::Weight::new(&self.weight, &self.bias)
    }
}
