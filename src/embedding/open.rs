//! Opens a model: from its name to encoders that are warm.

use std::{
    panic,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use ort::environment::Environment;
use sentio_int8::Scratch;

use super::{
    ModelDescription,
    encoder::EncoderModel,
    error::{EmbedError, OpenError},
    fingerprint::{fingerprint, sha256},
    folder::{ModelFolder, WeightsFile, unsupported},
    known,
    mapped_file::MappedFile,
    onnx_file::OnnxFile,
    precision::{Precision, multiplies_int8},
    runtime,
    tokenizer::Tokenizer,
    vector::Embedding,
    workers::EncodeText,
};
use crate::config::{EmbeddingConfig, PrecisionSetting};

/// The first text of each session: the runtime prepares kernels and memory on a first run.
const WARM_UP: &str = "The first text that a session runs takes longer than those that follow.";

/// A model ready to embed.
pub(super) struct OpenModel {
    pub description: ModelDescription,
    pub tokenizer: Arc<Tokenizer>,
    /// One for each thread.
    pub encoders: Vec<EncodeText>,
}

/// From token ids to a vector that is not yet of unit length.
type EncodeTokens = Box<dyn FnMut(&[u32]) -> ort::Result<Vec<f32>> + Send>;

/// Reads the model folder, builds the encoders and runs each once. `precision` opens the model as it was once before;
/// otherwise the settings and the processor decide.
pub(super) fn open(config: &EmbeddingConfig, precision: Option<Precision>) -> Result<OpenModel, OpenError> {
    let folder = ModelFolder::read(&folder_path(config))?;
    let (tokenizer, tokenizer_json) = Tokenizer::read(&folder.tokenizer, folder.window)?;
    let tokenizer = Arc::new(tokenizer);
    let environment = runtime::environment(config.runtime_library.as_deref())?;
    let weights = Arc::new(MappedFile::open(folder.weights.path())?);

    // Hashing takes about as long as building an encoder.
    let (weights_sha256, encoders) = thread::scope(|scope| {
        let hash = scope.spawn(|| sha256(&weights));
        let encoders = match &folder.weights {
            WeightsFile::Onnx(_) => onnx_encoders(&folder, config, &environment),
            WeightsFile::Safetensors(_) => built_encoders(&folder, &weights, config, precision, &environment),
        };
        (joined(hash), encoders)
    });
    let (precision, encoders) = encoders?;
    let mut encoders: Vec<_> =
        encoders.into_iter().map(|encode| text_encoder(Arc::clone(&tokenizer), encode)).collect();
    for encode in &mut encoders {
        encode(WARM_UP)
            .map_err(|error| OpenError::WarmUp { path: folder.path.clone(), reason: error.to_string() })?;
    }
    let description = describe(config, &folder, &tokenizer, precision, weights_sha256, &tokenizer_json)?;
    Ok(OpenModel { description, tokenizer, encoders })
}

/// The folder that `config` names: a name under the folder of models, else a path as it stands.
fn folder_path(config: &EmbeddingConfig) -> PathBuf {
    let named = config.model_dir.join(&config.model);
    let path = Path::new(&config.model);
    if !named.is_dir() && path.is_dir() { path.to_owned() } else { named }
}

/// Encoders, one for each thread, and the arithmetic that they share; `None` for an ONNX file, which brings its own.
type Encoders = (Option<Precision>, Vec<EncodeTokens>);

fn onnx_encoders(
    folder: &ModelFolder,
    config: &EmbeddingConfig,
    environment: &Environment,
) -> Result<Encoders, OpenError> {
    if config.precision == PrecisionSetting::Int8 {
        return Err(unsupported(
            &folder.path,
            "it runs from an ONNX file, to which SENTIO_PRECISION=int8 cannot be applied",
        ));
    }
    let open = || OnnxFile::open(folder, environment);
    let encoder = |mut file: OnnxFile| -> EncodeTokens { Box::new(move |ids| file.encode(ids)) };
    Ok((None, in_parallel(config.threads, open)?.into_iter().map(encoder).collect()))
}

fn built_encoders(
    folder: &ModelFolder,
    weights: &Arc<MappedFile>,
    config: &EmbeddingConfig,
    precision: Option<Precision>,
    environment: &Environment,
) -> Result<Encoders, OpenError> {
    let model = Arc::new(EncoderModel::open(folder, Arc::clone(weights))?);
    let precision = precision.unwrap_or_else(|| resolve(config.precision, &model));
    let quantised = match precision {
        Precision::Int8PerToken => return Ok((Some(precision), int8_encoders(&model, config.threads)?)),
        Precision::Int8PerTensor => true,
        Precision::Fp32 => false,
    };
    let sessions = in_parallel(config.threads, || model.session(environment, quantised))?;
    let encoders = sessions.into_iter().map(|mut session| -> EncodeTokens {
        let model = Arc::clone(&model);
        Box::new(move |ids| model.encode(&mut session, ids))
    });
    Ok((Some(precision), encoders.collect()))
}

/// All threads share the layers; each has memory for one text.
fn int8_encoders(model: &Arc<EncoderModel>, threads: usize) -> Result<Vec<EncodeTokens>, OpenError> {
    let layers = Arc::new(model.int8_layers()?);
    let encoder = |_| -> EncodeTokens {
        let (model, layers) = (Arc::clone(model), Arc::clone(&layers));
        let mut scratch = Scratch::default();
        Box::new(move |ids| model.encode_in_int8(&layers, &mut scratch, ids))
    };
    Ok((0..threads.max(1)).map(encoder).collect())
}

/// What a setting means for this model on this processor.
fn resolve(setting: PrecisionSetting, model: &EncoderModel) -> Precision {
    let per_token = sentio_int8::Encoder::is_fast_here() && model.fits_int8_layers();
    match setting {
        PrecisionSetting::Fp32 => Precision::Fp32,
        PrecisionSetting::Int8 | PrecisionSetting::Auto if per_token => Precision::Int8PerToken,
        PrecisionSetting::Int8 => Precision::Int8PerTensor,
        PrecisionSetting::Auto if multiplies_int8() => Precision::Int8PerTensor,
        PrecisionSetting::Auto => Precision::Fp32,
    }
}

/// Does `make` as many times as there will be threads, at the same time.
fn in_parallel<T: Send>(
    threads: usize,
    make: impl Fn() -> Result<T, OpenError> + Sync,
) -> Result<Vec<T>, OpenError> {
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(&make)).collect();
        running.into_iter().map(joined).collect()
    })
}

/// The result of a thread; its panic goes on in the caller.
fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
}

fn text_encoder(tokenizer: Arc<Tokenizer>, mut encode: EncodeTokens) -> EncodeText {
    Box::new(move |text| {
        let ids = tokenizer.ids(text)?;
        let vector = encode(&ids).map_err(EmbedError::failed)?;
        Embedding::normalised(vector).map_err(EmbedError::failed)
    })
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
