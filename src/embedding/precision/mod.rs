//! The arithmetic of the encoder's matrix products.

mod choice;
mod closeness;

use std::fmt;

pub(super) use self::choice::{choose, probe};
pub use self::{choice::Trial, closeness::Closeness};

/// What the arithmetic of an ONNX file is called.
const AS_EXPORTED: &str = "as-exported";

/// How an encoder that Sentio builds multiplies. The name of the scheme is part of the fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats, by ONNX Runtime.
    Fp32,
    /// 8-bit integers: weights with one scale per output, activations with one per token. Sentio's own layers.
    Int8PerToken,
    /// 8-bit integers: weights with one scale per output, activations with one per text and product. ONNX Runtime's
    /// operators.
    Int8PerTensor,
    /// The same, but the second product of the feed-forward block has a scale per token and 64 inputs, on both sides:
    /// there some models have outliers.
    Int8PerTensorAndBlock,
}

impl Precision {
    const ALL: [Self; 4] = [Self::Fp32, Self::Int8PerToken, Self::Int8PerTensor, Self::Int8PerTensorAndBlock];

    /// What [`name`] calls `name`; `None` for the arithmetic that an ONNX file brings.
    pub(in crate::embedding) fn named(name: &str) -> Result<Option<Self>, UnknownArithmetic> {
        if name == AS_EXPORTED {
            return Ok(None);
        }
        let found = Self::ALL.into_iter().find(|precision| precision.name() == name);
        found.map(Some).ok_or_else(|| UnknownArithmetic(name.to_owned()))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Int8PerToken => "int8-per-token",
            Self::Int8PerTensor => "int8-per-tensor",
            Self::Int8PerTensorAndBlock => "int8-per-tensor-and-block",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of an arithmetic, also of the one that an ONNX file brings.
pub(super) fn name(precision: Option<Precision>) -> String {
    precision.map_or(AS_EXPORTED, Precision::name).to_owned()
}

/// An arithmetic that this version of Sentio does not have.
#[derive(Debug, thiserror::Error)]
#[error("this version of Sentio has no arithmetic called `{0}`")]
pub struct UnknownArithmetic(String);

/// Whether the processor has instructions that add up products of 8-bit integers in 32 bits. Without them,
/// 8 bits gain little, and x86-64 kernels overflow unless told not to.
fn multiplies_int8() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx512vnni") || std::is_x86_feature_detected!("avxvnni");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("dotprod")
        || std::arch::is_aarch64_feature_detected!("i8mm");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}
