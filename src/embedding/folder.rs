//! Reads a sentence-transformers folder: everything but the weights and the tokenizer.
//!
//! Two layouts are in use. Up to sentence-transformers 5 the pooling is a set of flags and the window stands
//! in `sentence_bert_config.json`; since 6 the pooling is a name and the window may stand in
//! `tokenizer_config.json`.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

use super::{encoder::Architecture, error::OpenError, pooling::Pooling};

/// The window of a model whose folder names none.
const DEFAULT_WINDOW: usize = 512;
/// Larger windows are placeholders: tokenizers without a limit say 10³⁰.
const MAX_WINDOW: f64 = 1e6;

/// What a model folder says about itself.
#[derive(Debug)]
pub(super) struct ModelFolder {
    /// The folder's last component.
    pub name: String,
    pub path: PathBuf,
    pub config: TransformerConfig,
    pub pooling: Pooling,
    /// Components of a vector.
    pub dimension: usize,
    /// Tokens that the model sees of a text, special tokens included.
    pub window: usize,
    pub query_prompt: Option<String>,
    pub passage_prompt: Option<String>,
    pub tokenizer: PathBuf,
    pub weights: WeightsFile,
}

/// The file that the model runs from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightsFile {
    /// Sentio builds the graph itself.
    Safetensors(PathBuf),
    /// A finished graph, run as it is.
    Onnx(PathBuf),
}

impl WeightsFile {
    /// Where the file is.
    pub fn path(&self) -> &Path {
        let (Self::Safetensors(path) | Self::Onnx(path)) = self;
        path
    }
}

/// The parts of `config.json` that shape the encoder. Names differ by architecture.
#[derive(Debug, Deserialize)]
pub(super) struct TransformerConfig {
    pub model_type: String,
    #[serde(alias = "dim")]
    pub hidden_size: Option<usize>,
    #[serde(alias = "n_layers")]
    pub num_hidden_layers: Option<usize>,
    #[serde(alias = "n_heads")]
    pub num_attention_heads: Option<usize>,
    #[serde(alias = "hidden_dim")]
    pub intermediate_size: Option<usize>,
    #[serde(alias = "activation")]
    pub hidden_act: Option<String>,
    pub layer_norm_eps: Option<f32>,
    pub max_position_embeddings: Option<usize>,
    pub position_embedding_type: Option<String>,
    pub pad_token_id: Option<usize>,
    pub vocab_size: Option<usize>,
    pub type_vocab_size: Option<usize>,
    #[serde(default)]
    pub is_decoder: bool,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    class: String,
}

#[derive(Deserialize)]
struct PoolingConfig {
    #[serde(alias = "word_embedding_dimension")]
    embedding_dimension: Option<usize>,
    pooling_mode: Option<PoolingModes>,
    include_prompt: Option<bool>,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

/// One mode may stand in a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum PoolingModes {
    One(String),
    Several(Vec<String>),
}

#[derive(Default, Deserialize)]
struct SentenceConfig {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Default, Deserialize)]
struct TokenizerConfig {
    model_max_length: Option<f64>,
}

/// The part of `tokenizer.json` that changes texts before they are cut.
#[derive(Default, Deserialize)]
struct TokenizerFile {
    normalizer: Option<Normalizer>,
}

#[derive(Deserialize)]
struct Normalizer {
    #[serde(rename = "type")]
    class: String,
    #[serde(default)]
    lowercase: bool,
    #[serde(default)]
    normalizers: Vec<Normalizer>,
}

#[derive(Default, Deserialize)]
struct PromptConfig {
    #[serde(default)]
    prompts: BTreeMap<String, String>,
    default_prompt_name: Option<String>,
}

impl ModelFolder {
    /// Reads the folder at `path`.
    pub fn read(path: &Path) -> Result<Self, OpenError> {
        if !path.is_dir() {
            return Err(OpenError::ModelMissing { path: path.to_owned() });
        }
        let modules = Modules::read(path)?;
        let config = required(&modules.transformer.join("config.json"))?;
        let weights = weights(path, &modules.transformer, &config)?;
        Self::with_weights(path, &modules, config, weights)
    }

    fn with_weights(
        path: &Path,
        modules: &Modules,
        config: TransformerConfig,
        weights: WeightsFile,
    ) -> Result<Self, OpenError> {
        let (pooling, dimension) = pooling(path, &modules.pooling)?;
        let Some(dimension) = dimension.or(config.hidden_size) else {
            return Err(unsupported(path, "its pooling names no dimension"));
        };
        let sentence: SentenceConfig = optional(&modules.transformer.join("sentence_bert_config.json"))?;
        let window = window(path, &modules.transformer, &config, sentence.max_seq_length)?;
        let tokenizer = existing(modules.transformer.join("tokenizer.json"))?;
        if sentence.do_lower_case && !lower_cases(&tokenizer)? {
            let reason = "its sentence_bert_config.json lower-cases texts, and its tokenizer does not";
            return Err(unsupported(path, reason));
        }
        let prompts: PromptConfig = optional(&path.join("config_sentence_transformers.json"))?;
        Ok(Self {
            name: name(path),
            path: path.to_owned(),
            pooling,
            dimension,
            window,
            query_prompt: prompts.named(&["query"]),
            passage_prompt: prompts.named(&["passage", "document", "corpus"]),
            tokenizer,
            weights,
            config,
        })
    }
}

/// Where the weights of the folder at `path` may lie, relative to it, the best first. Refuses a folder that
/// cannot be used whatever its weights are.
pub fn weight_candidates(path: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let modules = Modules::read(path)?;
    let config = required(&modules.transformer.join("config.json"))?;
    let candidates = candidates(path, &modules.transformer, &config);
    if let Some(weights) = candidates.first() {
        ModelFolder::with_weights(path, &modules, config, weights.clone())?;
    }
    let relative = |file: &WeightsFile| file.path().strip_prefix(path).map(Path::to_owned);
    let mut candidates: Vec<_> = candidates.iter().filter_map(|file| relative(file).ok()).collect();
    // In most folders the transformer lies at the top.
    candidates.dedup();
    Ok(candidates)
}

/// Where the two modules that Sentio runs keep their files. Normalisation needs none: every vector is
/// normalised.
struct Modules {
    transformer: PathBuf,
    pooling: PathBuf,
}

impl Modules {
    fn read(folder: &Path) -> Result<Self, OpenError> {
        let modules: Vec<Module> = required(&folder.join("modules.json"))?;
        let (mut transformer, mut pooling, mut normalises) = (None, None, false);
        for module in modules {
            let class = module.class.rsplit('.').next().unwrap_or_default();
            let is_late = match class {
                "Transformer" => pooling.is_some() || normalises,
                "Pooling" => transformer.is_none() || normalises,
                _ => false,
            };
            if is_late {
                let reason = format!("its modules.json has `{class}` in the wrong place");
                return Err(unsupported(folder, reason));
            }
            normalises |= class == "Normalize";
            let seen = match class {
                "Transformer" => transformer.replace(folder.join(&module.path)),
                "Pooling" => pooling.replace(folder.join(&module.path)),
                "Normalize" => None,
                other => {
                    let reason =
                        format!("its modules.json has a module `{other}`, which Sentio does not have");
                    return Err(unsupported(folder, reason));
                }
            };
            if seen.is_some() {
                let reason = format!("its modules.json has the module `{class}` twice");
                return Err(unsupported(folder, reason));
            }
        }
        match (transformer, pooling) {
            (Some(transformer), Some(pooling)) => Ok(Self { transformer, pooling }),
            _ => Err(unsupported(folder, "its modules.json lacks a Transformer or a Pooling module")),
        }
    }
}

fn pooling(folder: &Path, module: &Path) -> Result<(Pooling, Option<usize>), OpenError> {
    let config: PoolingConfig = required(&module.join("config.json"))?;
    if config.include_prompt == Some(false) {
        return Err(unsupported(folder, "its pooling leaves out the prompt"));
    }
    let modes: Vec<&str> = match &config.pooling_mode {
        Some(PoolingModes::One(mode)) => vec![mode],
        Some(PoolingModes::Several(modes)) => modes.iter().map(String::as_str).collect(),
        None => config.flags().collect(),
    };
    // What sentence-transformers takes when none is named.
    let modes = if modes.is_empty() { vec!["mean"] } else { modes };
    let [mode] = modes[..] else {
        let reason = format!("its pooling has {} modes instead of one", modes.len());
        return Err(unsupported(folder, reason));
    };
    match Pooling::from_name(mode) {
        Some(pooling) => Ok((pooling, config.embedding_dimension)),
        None => Err(unsupported(folder, format!("its pooling mode `{mode}` is not known"))),
    }
}

impl PoolingConfig {
    /// The modes whose flags are set in the old layout: `pooling_mode_mean_tokens` is `mean`.
    fn flags(&self) -> impl Iterator<Item = &str> {
        let set = self.rest.iter().filter(|(_, value)| **value == serde_json::Value::Bool(true));
        set.filter_map(|(name, _)| match name.strip_prefix("pooling_mode_")? {
            "mean_sqrt_len_tokens" => Some("mean_sqrt_len_tokens"),
            "cls_token" => Some("cls"),
            mode => Some(mode.strip_suffix("_tokens").unwrap_or(mode)),
        })
    }
}

impl PromptConfig {
    /// The first non-empty prompt under one of `names`, else the default prompt. Version 5 and later write
    /// empty prompts into every model they save.
    fn named(&self, names: &[&str]) -> Option<String> {
        let names = names.iter().copied().chain(self.default_prompt_name.as_deref());
        let mut prompts = names.filter_map(|name| self.prompts.get(name));
        prompts.find(|prompt| !prompt.is_empty()).cloned()
    }
}

fn window(
    folder: &Path,
    transformer: &Path,
    config: &TransformerConfig,
    max_seq_length: Option<usize>,
) -> Result<usize, OpenError> {
    let tokenizer: TokenizerConfig = optional(&transformer.join("tokenizer_config.json"))?;
    let stated = max_seq_length.or(tokenizer
        .model_max_length
        .filter(|tokens| (1.0..=MAX_WINDOW).contains(tokens))
        .map(|tokens| tokens as usize));
    let first_position = Architecture::of(config).map_or(0, |architecture| architecture.first_position);
    let positions = config.max_position_embeddings.map(|positions| positions.saturating_sub(first_position));
    let window = match (stated, positions) {
        (Some(stated), Some(positions)) => stated.min(positions),
        (stated, positions) => stated.or(positions).unwrap_or(DEFAULT_WINDOW),
    };
    // Two special tokens and one of content.
    if window < 3 {
        return Err(unsupported(folder, format!("its window is {window} tokens")));
    }
    Ok(window)
}

/// Whether the tokenizer at `path` lower-cases texts, so that doing it before changes nothing.
fn lower_cases(path: &Path) -> Result<bool, OpenError> {
    let tokenizer: TokenizerFile = required(path)?;
    Ok(tokenizer.normalizer.is_some_and(|normalizer| normalizer.lower_cases()))
}

impl Normalizer {
    fn lower_cases(&self) -> bool {
        match self.class.as_str() {
            "BertNormalizer" => self.lowercase,
            "Sequence" => self.normalizers.iter().any(Self::lower_cases),
            class => class == "Lowercase",
        }
    }
}

/// The files that the model could run from, the best first.
fn candidates(folder: &Path, transformer: &Path, config: &TransformerConfig) -> Vec<WeightsFile> {
    let safetensors =
        Architecture::of(config).map(|_| WeightsFile::Safetensors(transformer.join("model.safetensors")));
    let onnx = [folder.join("onnx/model.onnx"), transformer.join("model.onnx"), folder.join("model.onnx")];
    safetensors.into_iter().chain(onnx.into_iter().map(WeightsFile::Onnx)).collect()
}

fn weights(folder: &Path, transformer: &Path, config: &TransformerConfig) -> Result<WeightsFile, OpenError> {
    let candidates = candidates(folder, transformer, config);
    if let Some(file) = candidates.iter().find(|file| file.path().is_file()) {
        return Ok(file.clone());
    }
    if let Some(WeightsFile::Safetensors(path)) = candidates.into_iter().next() {
        return Err(OpenError::FileMissing { path });
    }
    let reason = format!(
        "Sentio does not build the architecture `{}` and the folder has no onnx/model.onnx",
        config.model_type
    );
    Err(unsupported(folder, reason))
}

fn name(path: &Path) -> String {
    let absolute = path.canonicalize();
    let name = absolute.as_deref().unwrap_or(path).file_name();
    name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn existing(path: PathBuf) -> Result<PathBuf, OpenError> {
    if path.is_file() { Ok(path) } else { Err(OpenError::FileMissing { path }) }
}

fn required<T: DeserializeOwned>(path: &Path) -> Result<T, OpenError> {
    read_json(path)?.ok_or_else(|| OpenError::FileMissing { path: path.to_owned() })
}

fn optional<T: DeserializeOwned + Default>(path: &Path) -> Result<T, OpenError> {
    Ok(read_json(path)?.unwrap_or_default())
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, OpenError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(OpenError::FileUnreadable { path: path.to_owned(), source }),
    };
    let value = serde_json::from_slice(&bytes)
        .map_err(|error| OpenError::FileInvalid { path: path.to_owned(), source: error.into() })?;
    Ok(Some(value))
}

pub(super) fn unsupported(path: &Path, reason: impl Into<String>) -> OpenError {
    OpenError::Unsupported { path: path.to_owned(), reason: reason.into() }
}
