//! Opens a model: from its name to encoders that are warm.

use std::{
    panic,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use ort::environment::Environment;

use super::{
    ModelDescription,
    accelerator::Accelerator,
    batch::BatchEncoder,
    encoder::EncoderModel,
    error::OpenError,
    fingerprint::{fingerprint, sha256},
    folder::{ModelFolder, WeightsFile, unsupported},
    known,
    network::Network,
    precision::{self, Precision, Trial},
    runtime,
    text_encoder::TextEncoder,
    tokenizer::Tokenizer,
    vector::Embedding,
    workers::{Encode, Encoders},
};
use crate::config::{EmbeddingConfig, PrecisionSetting};
use crate::mapped_file::MappedFile;

/// A model ready to embed.
pub(super) struct OpenModel {
    pub description: ModelDescription,
    pub tokenizer: Arc<Tokenizer>,
    pub encoders: Encoders,
    /// What was tried before the arithmetic was chosen.
    pub trials: Vec<Trial>,
    /// The vectors of texts that are always the same.
    pub probes: Vec<Embedding>,
}

fn map(path: &Path) -> Result<MappedFile, OpenError> {
    MappedFile::open(path).map_err(|source| OpenError::FileUnreadable { path: path.to_owned(), source })
}

/// Arithmetic that was chosen before.
pub(super) struct Decided {
    pub precision: Precision,
    /// What was tried then.
    pub trials: Vec<Trial>,
}

/// Reads the model folder, builds the network and runs it on a few texts. `decided` opens the model as it was once
/// before; otherwise the settings, the processor and a comparison with 32-bit floats decide.
pub(super) fn open(config: &EmbeddingConfig, decided: Option<Decided>) -> Result<OpenModel, OpenError> {
    let folder = ModelFolder::read(&folder_path(config))?;
    let (tokenizer, tokenizer_json) = Tokenizer::read(&folder.tokenizer, folder.window)?;
    let tokenizer = Arc::new(tokenizer);
    let accelerator = Accelerator::of(config.accelerator)?;
    let environment = runtime::environment(config.runtime_library.as_deref())?;
    let weights = Arc::new(map(folder.weights.path())?);

    // Hashing takes about as long as building a network.
    let (weights_sha256, chosen) = thread::scope(|scope| {
        let hash = scope.spawn(|| sha256(&weights));
        let source = Source { folder: &folder, weights: &weights, tokenizer: &tokenizer };
        let chosen = source.network(config, decided, &environment, accelerator);
        (hash.join().unwrap_or_else(|panic| panic::resume_unwind(panic)), chosen)
    });
    let Chosen { precision, network, trials } = chosen?;
    // Hashing and building have read all of it; texts need some rows of its word embeddings.
    weights.forget_pages();
    let probes = precision::probe(&network, &tokenizer)
        .map_err(|reason| OpenError::WarmUp { path: folder.path.clone(), reason })?;
    let encoders = encoders(&tokenizer, network, config.threads);
    let description = describe(config, &folder, &tokenizer, precision, weights_sha256, &tokenizer_json)?;
    Ok(OpenModel { description, tokenizer, encoders, trials, probes })
}

/// What a network is made from.
struct Source<'a> {
    folder: &'a ModelFolder,
    weights: &'a Arc<MappedFile>,
    tokenizer: &'a Tokenizer,
}

/// A network and its arithmetic; `None` for an ONNX file, which brings its own.
struct Chosen {
    precision: Option<Precision>,
    network: Network,
    trials: Vec<Trial>,
}

impl Source<'_> {
    fn network(
        &self,
        config: &EmbeddingConfig,
        decided: Option<Decided>,
        environment: &Environment,
        accelerator: Option<Accelerator>,
    ) -> Result<Chosen, OpenError> {
        let folder = self.folder;
        if let WeightsFile::Onnx(_) = &folder.weights {
            if config.precision == PrecisionSetting::Int8 {
                return Err(unsupported(
                    &folder.path,
                    "it runs from an ONNX file, to which SENTIO_PRECISION=int8 cannot be applied (auto can)",
                ));
            }
            let network = Network::file(folder, environment, accelerator)?;
            return Ok(Chosen { precision: None, network, trials: Vec::new() });
        }
        let model = Arc::new(EncoderModel::open(folder, Arc::clone(self.weights))?);
        let build = |precision| Network::built(&model, precision, environment, accelerator);
        if let Some(Decided { precision, trials }) = decided {
            return Ok(Chosen { precision: Some(precision), network: build(precision)?, trials });
        }
        let choice = precision::choose(config.effective_precision(), &model, self.tokenizer, build)?;
        Ok(Chosen { precision: Some(choice.precision), network: choice.network, trials: choice.trials })
    }
}

/// An encoder for each thread and a spare one, or one that runs texts together where an accelerator does the work.
fn encoders(tokenizer: &Arc<Tokenizer>, network: Network, threads: usize) -> Encoders {
    if network.takes_batches() {
        let encoder = BatchEncoder { tokenizer: Arc::clone(tokenizer), network };
        return Encoders { threads: vec![Box::new(encoder)], spare: None };
    }
    let network = Arc::new(network);
    let encoder = || -> Box<dyn Encode> { Box::new(TextEncoder::new(tokenizer, &network, threads)) };
    Encoders { threads: (0..threads.max(1)).map(|_| encoder()).collect(), spare: Some(encoder()) }
}

/// The folder that `config` names: a name under the folder of models, else a path as it stands.
fn folder_path(config: &EmbeddingConfig) -> PathBuf {
    let named = config.model_dir.join(&config.model);
    let path = Path::new(&config.model);
    if !named.is_dir() && path.is_dir() { path.to_owned() } else { named }
}

fn describe(
    config: &EmbeddingConfig,
    folder: &ModelFolder,
    tokenizer: &Tokenizer,
    precision: Option<Precision>,
    weights_sha256: String,
    tokenizer_json: &[u8],
) -> Result<ModelDescription, OpenError> {
    let known = known::find(&folder.name);
    let prompt = |configured: &Option<String>, own: &Option<String>, known: Option<&str>| {
        let prompt = configured.as_deref().or(own.as_deref()).or(known);
        prompt.unwrap_or_default().to_owned()
    };
    let query_prompt =
        prompt(&config.query_prompt, &folder.query_prompt, known.map(|model| model.query_prompt));
    let passage_prompt =
        prompt(&config.passage_prompt, &folder.passage_prompt, known.map(|model| model.passage_prompt));
    let rule = known.map_or(known::DEFAULT_PASSAGE, |model| model.passage);
    let passage_tokens = rule.tokens.min(folder.window);
    let passage_overhead = tokenizer
        .overhead(&passage_prompt)
        .map_err(|error| unsupported(&folder.path, format!("its passage prompt fails: {error}")))?;
    if passage_overhead >= passage_tokens {
        let reason = format!("its passage prompt fills a passage of {passage_tokens} tokens");
        return Err(unsupported(&folder.path, reason));
    }
    let query_overhead = tokenizer
        .overhead(&query_prompt)
        .map_err(|error| unsupported(&folder.path, format!("its query prompt fails: {error}")))?;
    if query_overhead >= folder.window {
        let reason = format!("its query prompt fills the window of {} tokens", folder.window);
        return Err(unsupported(&folder.path, reason));
    }
    let mut description = ModelDescription {
        name: folder.name.clone(),
        folder: folder.path.clone(),
        architecture: folder.config.model_type.clone(),
        dimension: folder.dimension,
        window: folder.window,
        passage_tokens,
        // A passage brings at least one new token of content.
        passage_overlap: rule.overlap.min(passage_tokens - passage_overhead - 1),
        passage_overhead,
        pooling: folder.pooling,
        precision,
        query_prompt,
        passage_prompt,
        weights_sha256,
        fingerprint: String::new(),
    };
    description.fingerprint = fingerprint(&description, &sha256(tokenizer_json));
    Ok(description)
}
