//! Which model turns text into vectors, and how it is run.

use std::{fmt, path::PathBuf, str::FromStr};

use super::{ConfigError, SettingValues};

/// Settings of the embedding room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingConfig {
    /// The name of a folder under `model_dir`, or a path to a sentence-transformers folder.
    pub model: String,
    /// The folder that holds one folder per installed model.
    pub model_dir: PathBuf,
    /// The arithmetic of the encoder's matrix products.
    pub precision: PrecisionSetting,
    /// The device beside the processor that runs 32-bit floats and ONNX files.
    pub accelerator: AcceleratorSetting,
    /// Worker threads, at least one; each runs one text at a time.
    pub threads: usize,
    /// Put in front of every query. `None`: the model folder's prompt, else the known model's, else nothing.
    pub query_prompt: Option<String>,
    /// Put in front of every passage. `None`: the model folder's prompt, else the known model's, else
    /// nothing.
    pub passage_prompt: Option<String>,
    /// Most memory for the vectors of recent queries.
    pub query_cache_bytes: u64,
    /// ONNX Runtime's shared library. `None`: the one in `lib/`, as `make setup` installs it.
    pub runtime_library: Option<PathBuf>,
}

impl EmbeddingConfig {
    pub(super) fn from_values(values: &SettingValues) -> Result<Self, ConfigError> {
        let text = |name| values.given(name).map(str::to_owned);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = match values.given("SENTIO_EMBED_THREADS") {
            None => cores,
            Some(_) => values.parse("SENTIO_EMBED_THREADS", "expected a number from 1 to 256", |text| {
                text.parse().ok().filter(|threads| (1..=256).contains(threads))
            })?,
        };
        let precision: PrecisionSetting =
            values.parse("SENTIO_PRECISION", "expected auto, int8 or fp32", |text| text.parse().ok())?;
        let accelerator = values.parse(
            "SENTIO_ACCELERATOR",
            "expected none, cuda, openvino, coreml or directml",
            AcceleratorSetting::named,
        )?;
        if accelerator != AcceleratorSetting::None && precision == PrecisionSetting::Int8 {
            return Err(ConfigError::BadValue {
                name: "SENTIO_PRECISION",
                value: precision.to_string(),
                expected: format!(
                    "SENTIO_ACCELERATOR={accelerator} runs 32-bit floats, use auto or fp32 with it"
                ),
            });
        }
        let query_cache_mebibytes: u64 =
            values.parse("SENTIO_QUERY_CACHE", "expected MiB, a number from 0 to 65536", |text| {
                text.parse().ok().filter(|size| *size <= 65_536)
            })?;
        Ok(Self {
            model: values.text("SENTIO_MODEL").to_owned(),
            model_dir: values.text("SENTIO_MODEL_DIR").into(),
            precision,
            accelerator,
            threads,
            query_prompt: text("SENTIO_QUERY_PROMPT"),
            passage_prompt: text("SENTIO_PASSAGE_PROMPT"),
            query_cache_bytes: query_cache_mebibytes << 20,
            runtime_library: text("SENTIO_ORT_LIB").map(PathBuf::from),
        })
    }
}

impl EmbeddingConfig {
    /// The arithmetic asked for: accelerators run 32-bit floats.
    pub fn effective_precision(&self) -> PrecisionSetting {
        match (self.accelerator, self.precision) {
            (AcceleratorSetting::None, precision) => precision,
            _ => PrecisionSetting::Fp32,
        }
    }
}

/// The accelerator asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AcceleratorSetting {
    /// The processor does everything.
    #[default]
    None,
    Cuda,
    OpenVino,
    CoreMl,
    DirectMl,
}

impl AcceleratorSetting {
    const ALL: [Self; 5] = [Self::None, Self::Cuda, Self::OpenVino, Self::CoreMl, Self::DirectMl];

    /// The accelerator called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|accelerator| accelerator.name() == name)
    }

    /// As the setting and the cargo feature are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Cuda => "cuda",
            Self::OpenVino => "openvino",
            Self::CoreMl => "coreml",
            Self::DirectMl => "directml",
        }
    }
}

impl fmt::Display for AcceleratorSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The arithmetic asked for; the embedding room resolves `Auto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrecisionSetting {
    /// `Int8` where the processor multiplies 8-bit integers fast and the model bears it, else `Fp32`.
    #[default]
    Auto,
    /// 8-bit integer matrix products: two to four times as fast, slightly different vectors.
    Int8,
    /// 32-bit floats throughout.
    Fp32,
}

impl fmt::Display for PrecisionSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Int8 => "int8",
            Self::Fp32 => "fp32",
        })
    }
}

/// A precision that Sentio does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a precision: use auto, int8 or fp32")]
pub struct UnknownPrecision(String);

impl FromStr for PrecisionSetting {
    type Err = UnknownPrecision;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "int8" => Ok(Self::Int8),
            "fp32" => Ok(Self::Fp32),
            other => Err(UnknownPrecision(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_reads_what_it_writes() {
        for precision in [PrecisionSetting::Auto, PrecisionSetting::Int8, PrecisionSetting::Fp32] {
            assert_eq!(precision.to_string().parse(), Ok(precision));
        }
        let error = "fp64".parse::<PrecisionSetting>().unwrap_err();
        assert_eq!(error.to_string(), "`fp64` is not a precision: use auto, int8 or fp32");
    }
}
