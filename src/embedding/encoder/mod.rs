//! The encoder that Sentio builds itself from `model.safetensors`.
//!
//! `weights` maps the file, `architecture` says what its tensors are called, `layer` reads them. Then either
//! `graph` composes the network for ONNX Runtime (`quantisation` rounds its weights to 8 bits), or the crate
//! `sentio-int8` takes the layers. This file runs both. Word embeddings stay in the file: they are half of the
//! weights, and a text needs a few rows.

mod architecture;
mod graph;
mod layer;
mod padded;
mod quantisation;
mod relative_positions;
pub(super) mod session;
mod weights;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ort::{environment::Environment, value::TensorRefMut};

pub(super) use self::{architecture::Architecture, graph::Products};
use self::{
    architecture::Dimensions,
    graph::{ATTENTION_BIAS, EMBEDDINGS, EncoderGraph, GraphInputs, STATES},
    layer::{Layer, LayerNorm},
    relative_positions::RelativePositions,
    session::SharedSession,
    weights::{MappedTensor, WeightReader},
};
use super::{
    accelerator::Accelerator,
    error::OpenError,
    folder::{ModelFolder, unsupported},
    pooling::Pooling,
};
use crate::mapped_file::MappedFile;

/// Raised when the graph changes in a way that changes vectors.
pub(super) const GRAPH_VERSION: u32 = 1;

/// What all threads share: the tables outside the graph, and what it takes to build one.
pub(super) struct EncoderModel {
    path: PathBuf,
    architecture: Architecture,
    dimensions: Dimensions,
    pooling: Pooling,
    embeddings: Embeddings,
    embeddings_norm: LayerNorm,
    relative_positions: Option<RelativePositions>,
    /// Where the layers' tensors are still to be read.
    layers: WeightReader,
}

/// The tables that turn token ids into the graph's input.
struct Embeddings {
    words: MappedTensor,
    vocabulary: usize,
    /// Positions, counted from the first token's, plus the first token type.
    positions: Vec<f32>,
}

impl EncoderModel {
    /// Reads the tables of the model in `folder`, of whose safetensors file `bytes` is the content.
    pub fn open(folder: &ModelFolder, bytes: Arc<MappedFile>) -> Result<Self, OpenError> {
        let refuse = |reason: String| unsupported(&folder.path, reason);
        let Some(architecture) = Architecture::of(&folder.config) else {
            return Err(refuse(format!(
                "Sentio does not build the architecture `{}`",
                folder.config.model_type
            )));
        };
        let dimensions = Dimensions::of(&folder.config).map_err(refuse)?;
        if folder.dimension != dimensions.hidden {
            return Err(refuse(format!(
                "its pooling gives {} numbers, its encoder {}",
                folder.dimension, dimensions.hidden
            )));
        }
        let mut weights = WeightReader::new(folder.weights.path(), bytes, architecture.prefix)?;
        let embeddings = Embeddings::read(&mut weights, folder, &architecture, &dimensions)?;
        let relative_positions = match architecture.relative_positions {
            true => {
                let shape = RelativePositions::table_shape(dimensions.heads);
                let table = weights.floats("encoder.relative_attention_bias.weight", &shape)?;
                Some(RelativePositions::new(&table, dimensions.heads, folder.window))
            }
            false => None,
        };
        Ok(Self {
            path: folder.path.clone(),
            architecture,
            dimensions,
            pooling: folder.pooling,
            embeddings,
            embeddings_norm: LayerNorm::read(&mut weights, "embeddings.LayerNorm", &dimensions)?,
            relative_positions,
            layers: weights,
        })
    }

    /// Builds a session. On an accelerator it takes several texts at once.
    pub fn session(
        &self,
        environment: &Environment,
        products: Products,
        accelerator: Option<Accelerator>,
    ) -> Result<SharedSession, OpenError> {
        let refused = |source| OpenError::Session { path: self.path.clone(), source };
        let mut weights = self.layers.clone();
        let inputs = GraphInputs {
            attention_bias: self.relative_positions.is_some() || accelerator.is_some(),
            several_texts: accelerator.is_some(),
        };
        let mut graph =
            EncoderGraph::new(self.dimensions, products, inputs, &self.embeddings_norm).map_err(refused)?;
        for number in 0..self.dimensions.layers {
            let layer = Layer::read(&mut weights, &self.architecture, &self.dimensions, number)?;
            graph.add(&layer).map_err(refused)?;
        }
        weights.finish()?;
        let options = session::options(environment, accelerator)?;
        let session = graph.finish().and_then(|model| model.into_session(&options)).map_err(refused)?;
        Ok(SharedSession::new(session, accelerator.is_some()))
    }

    /// The model's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the layers of `sentio-int8` take the model's sizes.
    pub fn fits_int8_layers(&self) -> bool {
        let Dimensions { hidden, heads, intermediate, .. } = self.dimensions;
        sentio_int8::Encoder::takes(hidden, heads, intermediate)
    }

    /// Builds the layers that all threads share.
    pub fn int8_layers(&self) -> Result<sentio_int8::Encoder, OpenError> {
        let mut weights = self.layers.clone();
        let epsilon = self.dimensions.layer_norm_epsilon;
        // One by one, so that only one layer's floats are in memory.
        let mut read = |number| {
            let layer = Layer::read(&mut weights, &self.architecture, &self.dimensions, number)?;
            Ok(layer.in_int8(self.dimensions.heads, epsilon))
        };
        let layers = (0..self.dimensions.layers).map(&mut read).collect::<Result<_, OpenError>>()?;
        weights.finish()?;
        Ok(sentio_int8::Encoder {
            embeddings_norm: self.embeddings_norm.in_int8_layers(epsilon),
            layers,
            heads: self.dimensions.heads,
            distance_bias: self.relative_positions.as_ref().map(RelativePositions::by_distance),
        })
    }

    /// What the layers of [`EncoderModel::int8_layers`] take of a text: the embeddings of its tokens, `[tokens, hidden]`.
    pub fn int8_states(&self, token_ids: &[u32]) -> ort::Result<Vec<f32>> {
        let states = self.embeddings.sum(token_ids, self.dimensions.hidden)?;
        // Rounded to integers it would be lost that something is no number.
        if !states.iter().all(|value| value.is_finite()) {
            return Err(ort::Error::new("an embedding of one of its tokens is no finite number"));
        }
        Ok(states)
    }

    /// The vector of a text, not yet of unit length, from the last layer's states.
    pub fn pool(&self, states: &[f32]) -> Vec<f32> {
        self.pooling.pool(states, self.dimensions.hidden)
    }

    /// The vector of a text of at least one token and at most a window, not yet of unit length.
    pub fn encode(&self, session: &SharedSession, token_ids: &[u32]) -> ort::Result<Vec<f32>> {
        Ok(self.pooling.pool(&self.states(session, &[token_ids])?, self.dimensions.hidden))
    }

    /// The vectors of several texts, run together. `session` must be made for that.
    pub fn encode_together(&self, session: &SharedSession, texts: &[&[u32]]) -> ort::Result<Vec<Vec<f32>>> {
        let hidden = self.dimensions.hidden;
        let states = self.states(session, texts)?;
        let of_each = states.chunks_exact(states.len() / texts.len().max(1));
        Ok(of_each
            .zip(texts)
            .map(|(states, text)| self.pooling.pool(&states[..text.len() * hidden], hidden))
            .collect())
    }

    /// The last layer's states, `[texts, longest, hidden]`.
    fn states(&self, session: &SharedSession, texts: &[&[u32]]) -> ort::Result<Vec<f32>> {
        let hidden = self.dimensions.hidden;
        let lengths: Vec<_> = texts.iter().map(|text| text.len()).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let sums: Vec<_> =
            texts.iter().map(|text| self.embeddings.sum(text, hidden)).collect::<ort::Result<_>>()?;
        let mut inputs = vec![(EMBEDDINGS, padded::embeddings(sums, hidden)?)];
        if session.inputs().any(|input| input == ATTENTION_BIAS) {
            inputs
                .push((ATTENTION_BIAS, padded::attention_bias(&lengths, self.relative_positions.as_ref())?));
        }
        let mut states = vec![0.0; texts.len() * longest * hidden];
        let shape = [texts.len(), longest, hidden];
        session.run(&inputs, STATES, TensorRefMut::from_array_view_mut((shape, states.as_mut_slice()))?)?;
        Ok(states)
    }
}

impl Embeddings {
    fn read(
        weights: &mut WeightReader,
        folder: &ModelFolder,
        architecture: &Architecture,
        dimensions: &Dimensions,
    ) -> Result<Self, OpenError> {
        let hidden = dimensions.hidden;
        let size = |name: &str, size: Option<usize>| {
            size.ok_or_else(|| unsupported(&folder.path, format!("its config.json has no {name}")))
        };
        let vocabulary = size("vocab_size", folder.config.vocab_size)?;
        let words = weights.rows("embeddings.word_embeddings.weight", &[vocabulary, hidden])?;
        let shape = [dimensions.positions, hidden];
        let mut positions = weights.floats("embeddings.position_embeddings.weight", &shape)?;
        positions.drain(..architecture.first_position * hidden);
        if architecture.token_types {
            let types = size("type_vocab_size", folder.config.type_vocab_size)?;
            let types = weights.floats("embeddings.token_type_embeddings.weight", &[types, hidden])?;
            for position in positions.chunks_exact_mut(hidden) {
                for (value, token_type) in position.iter_mut().zip(&types) {
                    *value += token_type;
                }
            }
        }
        Ok(Self { words, vocabulary, positions })
    }

    /// Adds up the embeddings of each token: `[tokens, hidden]`.
    fn sum(&self, token_ids: &[u32], hidden: usize) -> ort::Result<Vec<f32>> {
        let mut sum = self.positions[..token_ids.len() * hidden].to_vec();
        for (row, &id) in sum.chunks_exact_mut(hidden).zip(token_ids) {
            let id = id as usize;
            if id >= self.vocabulary {
                return Err(ort::Error::new(format!(
                    "the tokenizer gave token {id}, but the model has {}",
                    self.vocabulary
                )));
            }
            let mut row = row.iter_mut();
            self.words.elements(id * hidden..(id + 1) * hidden, |value| {
                if let Some(sum) = row.next() {
                    *sum += value;
                }
            });
        }
        Ok(sum)
    }
}
