//! What turns token ids into a vector: Sentio's own layers, a graph that Sentio builds, or a finished ONNX file.

use std::sync::Arc;

use ort::environment::Environment;
use sentio_int8::{PartnerLeft, Scratch};

use super::{
    accelerator::Accelerator,
    encoder::{EncoderModel, Products, session::SharedSession},
    error::OpenError,
    folder::ModelFolder,
    onnx_file::OnnxFile,
    precision::Precision,
    shared_text::SharedText,
};

/// A network with its weights, which any number of threads share.
pub(super) enum Network {
    /// 8-bit integers.
    Layers {
        model: Arc<EncoderModel>,
        layers: sentio_int8::Encoder,
    },
    Graph {
        model: Arc<EncoderModel>,
        session: SharedSession,
    },
    File(OnnxFile),
}

impl Network {
    /// The network of `model`, with this arithmetic.
    pub fn built(
        model: &Arc<EncoderModel>,
        precision: Precision,
        environment: &Environment,
        accelerator: Option<Accelerator>,
    ) -> Result<Self, OpenError> {
        let model = Arc::clone(model);
        Ok(match precision {
            Precision::Int8PerToken => Self::Layers { layers: model.int8_layers()?, model },
            // In 8-bit integers the processor is asked for, whatever the accelerator.
            Precision::Int8PerTensor => {
                Self::Graph { session: model.session(environment, Products::Int8, None)?, model }
            }
            Precision::Int8PerTensorAndBlock => {
                Self::Graph { session: model.session(environment, Products::Int8AndBlocks, None)?, model }
            }
            Precision::Fp32 => {
                Self::Graph { session: model.session(environment, Products::Fp32, accelerator)?, model }
            }
        })
    }

    /// The network in the ONNX file of `folder`.
    pub fn file(
        folder: &ModelFolder,
        environment: &Environment,
        accelerator: Option<Accelerator>,
    ) -> Result<Self, OpenError> {
        Ok(Self::File(OnnxFile::open(folder, environment, accelerator)?))
    }

    /// The vector of a text of at least one token and at most a window, not yet of unit length. Depends on nothing else.
    pub fn encode(&self, token_ids: &[u32], scratch: &mut Scratch) -> ort::Result<Vec<f32>> {
        match self {
            Self::Layers { model, layers } => {
                let mut states = model.int8_states(token_ids)?;
                layers.run(&mut states, scratch);
                Ok(model.pool(&states))
            }
            Self::Graph { model, session } => model.encode(session, token_ids),
            Self::File(file) => file.encode(token_ids),
        }
    }

    /// Whether two threads can run one text.
    pub fn takes_help(&self) -> bool {
        matches!(self, Self::Layers { layers, .. } if layers.can_be_shared())
    }

    /// As [`Network::encode`], with the same bits, half of it computed by a thread that calls [`Network::help`], if there
    /// is one in time. The network must take help.
    pub fn encode_with_help(
        &self,
        token_ids: &[u32],
        scratch: &mut Scratch,
        shared: &SharedText,
    ) -> ort::Result<Vec<f32>> {
        if let Self::Layers { model, layers } = self {
            let mut states = model.int8_states(token_ids)?;
            let partner = shared.offer(&states);
            match layers.run_with_partner(&mut states, scratch, partner) {
                Ok(()) => return Ok(model.pool(&states)),
                Err(PartnerLeft) => tracing::debug!("embedding.alone: no thread helped in time"),
            }
        }
        self.encode(token_ids, scratch)
    }

    /// Computes half of what another thread encodes with [`Network::encode_with_help`].
    pub fn help(&self, shared: &SharedText, scratch: &mut Scratch) {
        if let Self::Layers { layers, .. } = self
            && let Some((mut states, partner)) = shared.join()
        {
            // An error means that the other one went on alone.
            let _ = layers.run_with_partner(&mut states, scratch, partner);
        }
    }

    /// Whether texts are run together, on an accelerator.
    pub fn takes_batches(&self) -> bool {
        match self {
            Self::Layers { .. } => false,
            Self::Graph { session, .. } => session.is_accelerated(),
            Self::File(file) => file.takes_batches(),
        }
    }

    /// The vectors of several texts, run together with padding.
    pub fn encode_together(&self, texts: &[&[u32]]) -> ort::Result<Vec<Vec<f32>>> {
        match self {
            Self::Graph { model, session } => model.encode_together(session, texts),
            Self::File(file) => file.encode_together(texts),
            Self::Layers { .. } => {
                let mut scratch = Scratch::default();
                texts.iter().map(|text| self.encode(text, &mut scratch)).collect()
            }
        }
    }
}
