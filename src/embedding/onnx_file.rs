//! A finished ONNX graph, run as it is: for architectures that Sentio does not build.

use ort::{
    environment::Environment,
    value::{DynTensor, Tensor, TensorElementType, TensorRefMut, ValueType},
};

use super::{
    accelerator::Accelerator,
    encoder::session::{self, SharedSession},
    error::OpenError,
    folder::{ModelFolder, unsupported},
    pooling::Pooling,
};

/// An output that is already pooled: `[1, dimension]`.
const POOLED: &str = "sentence_embedding";
/// Names of outputs with one state per token: `[1, tokens, dimension]`.
const STATES: [&str; 2] = ["last_hidden_state", "token_embeddings"];

/// A session over the file, and what it takes and gives.
pub(super) struct OnnxFile {
    session: SharedSession,
    inputs: Vec<Input>,
    output: Output,
    dimension: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    TokenIds,
    AttentionMask,
    TokenTypes,
}

enum Output {
    Pooled,
    States { name: &'static str, pooling: Pooling },
}

impl OnnxFile {
    /// Loads the graph that is the weight file of `folder`.
    pub fn open(
        folder: &ModelFolder,
        environment: &Environment,
        accelerator: Option<Accelerator>,
    ) -> Result<Self, OpenError> {
        let path = folder.weights.path();
        let refused = |source| OpenError::Session { path: path.to_owned(), source };
        let mut options = session::options(environment, accelerator)?;
        let session = options.commit_from_file(path).map_err(refused)?;
        let inputs = session.inputs().iter().map(|input| Input::named(input.name()));
        let inputs = inputs
            .collect::<Result<_, _>>()
            .map_err(|name| unsupported(path, format!("it has an input `{name}`")))?;
        let outputs = session.outputs();
        let given = |name: &str| outputs.iter().find(|output| output.name() == name);
        let (given, output) = if let Some(pooled) = given(POOLED) {
            (pooled, Output::Pooled)
        } else if let Some((states, name)) = STATES.into_iter().find_map(|name| Some((given(name)?, name))) {
            (states, Output::States { name, pooling: folder.pooling })
        } else {
            let reason = format!("it has none of the outputs {POOLED}, {} and {}", STATES[0], STATES[1]);
            return Err(unsupported(path, reason));
        };
        if !matches!(given.dtype(), ValueType::Tensor { ty: TensorElementType::Float32, .. }) {
            let reason =
                format!("its output `{}` is {} instead of 32-bit floats", given.name(), given.dtype());
            return Err(unsupported(path, reason));
        }
        let session = SharedSession::new(session, accelerator.is_some());
        Ok(Self { session, inputs, output, dimension: folder.dimension })
    }

    /// Whether texts are run together: on an accelerator, if the graph can tell padding from text.
    pub fn takes_batches(&self) -> bool {
        self.session.is_accelerated() && self.inputs.contains(&Input::AttentionMask)
    }

    /// The vector of a text of at least one token and at most a window, not yet of unit length.
    pub fn encode(&self, token_ids: &[u32]) -> ort::Result<Vec<f32>> {
        let mut vectors = self.encode_together(&[token_ids])?;
        vectors.pop().ok_or_else(|| ort::Error::new("the run has no result"))
    }

    /// The vectors of several texts, padded to the longest and run together.
    pub fn encode_together(&self, texts: &[&[u32]]) -> ort::Result<Vec<Vec<f32>>> {
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        let inputs: Vec<_> = self
            .inputs
            .iter()
            .map(|input| Ok((input.name(), input.value(texts, longest)?)))
            .collect::<ort::Result<_>>()?;
        let dimension = self.dimension;
        let (name, each) = match self.output {
            Output::Pooled => (POOLED, dimension),
            Output::States { name, .. } => (name, longest * dimension),
        };
        let mut values = vec![0.0; texts.len() * each];
        let output = match self.output {
            Output::Pooled => {
                TensorRefMut::from_array_view_mut(([texts.len(), dimension], values.as_mut_slice()))
            }
            Output::States { .. } => {
                TensorRefMut::from_array_view_mut(([texts.len(), longest, dimension], values.as_mut_slice()))
            }
        };
        self.session.run(&inputs, name, output?)?;
        let of_each = values.chunks_exact(each.max(1)).zip(texts);
        Ok(match self.output {
            Output::Pooled => of_each.map(|(values, _)| values.to_vec()).collect(),
            Output::States { pooling, .. } => of_each
                .map(|(values, text)| pooling.pool(&values[..text.len() * dimension], dimension))
                .collect(),
        })
    }
}

impl Input {
    fn named(name: &str) -> Result<Self, String> {
        match name {
            "input_ids" => Ok(Self::TokenIds),
            "attention_mask" => Ok(Self::AttentionMask),
            "token_type_ids" => Ok(Self::TokenTypes),
            other => Err(other.to_owned()),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::TokenIds => "input_ids",
            Self::AttentionMask => "attention_mask",
            Self::TokenTypes => "token_type_ids",
        }
    }

    /// The input of texts side by side, `[texts, longest]`. The mask is one where there is text; a text is one segment,
    /// so that all types are zero.
    fn value(self, texts: &[&[u32]], longest: usize) -> ort::Result<DynTensor> {
        let mut values = vec![0_i64; texts.len() * longest];
        for (row, text) in values.chunks_exact_mut(longest).zip(texts) {
            for (value, id) in row.iter_mut().zip(*text) {
                *value = match self {
                    Self::TokenIds => i64::from(*id),
                    Self::AttentionMask => 1,
                    Self::TokenTypes => 0,
                };
            }
        }
        Ok(Tensor::from_array(([texts.len(), longest], values))?.upcast())
    }
}
