//! A finished ONNX graph, run as it is: for architectures that Sentio does not build.

use ort::{
    environment::Environment,
    session::{Session, SessionInputValue},
    value::Tensor,
};

use super::{
    encoder::session,
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
    session: Session,
    inputs: Vec<Input>,
    output: Output,
    dimension: usize,
}

#[derive(Clone, Copy)]
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
    pub fn open(folder: &ModelFolder, environment: &Environment) -> Result<Self, OpenError> {
        let path = folder.weights.path();
        let refused = |source| OpenError::Session { path: path.to_owned(), source };
        let mut options = session::options(environment).map_err(refused)?;
        let session = options.commit_from_file(path).map_err(refused)?;
        let inputs = session.inputs().iter().map(|input| Input::named(input.name()));
        let inputs = inputs
            .collect::<Result<_, _>>()
            .map_err(|name| unsupported(path, format!("it has an input `{name}`")))?;
        let gives = |name: &str| session.outputs().iter().any(|output| output.name() == name);
        let output = if gives(POOLED) {
            Output::Pooled
        } else if let Some(name) = STATES.into_iter().find(|name| gives(name)) {
            Output::States { name, pooling: folder.pooling }
        } else {
            let reason = format!("it has none of the outputs {POOLED}, {} and {}", STATES[0], STATES[1]);
            return Err(unsupported(path, reason));
        };
        Ok(Self { session, inputs, output, dimension: folder.dimension })
    }

    /// The vector of a text of at least one token and at most a window, not yet of unit length.
    pub fn encode(&mut self, token_ids: &[u32]) -> ort::Result<Vec<f32>> {
        let inputs: Vec<_> = self
            .inputs
            .iter()
            .map(|input| Ok((input.name(), input.value(token_ids)?)))
            .collect::<ort::Result<_>>()?;
        let outputs = self.session.run(inputs)?;
        let (name, expected) = match self.output {
            Output::Pooled => (POOLED, self.dimension),
            Output::States { name, .. } => (name, token_ids.len() * self.dimension),
        };
        let (shape, values) = outputs[name].try_extract_tensor::<f32>()?;
        if values.len() != expected {
            return Err(ort::Error::new(format!(
                "the output `{name}` is {shape:?}, but the model's vectors have {} numbers",
                self.dimension
            )));
        }
        Ok(match self.output {
            Output::Pooled => values.to_vec(),
            Output::States { pooling, .. } => pooling.pool(values, self.dimension),
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

    /// A text runs alone and is one segment: the mask is all ones, the types are all zeros.
    fn value(self, token_ids: &[u32]) -> ort::Result<SessionInputValue<'static>> {
        let values = match self {
            Self::TokenIds => token_ids.iter().copied().map(i64::from).collect(),
            Self::AttentionMask => vec![1; token_ids.len()],
            Self::TokenTypes => vec![0; token_ids.len()],
        };
        Ok(Tensor::from_array(([1, token_ids.len()], values))?.into())
    }
}
