//! The arithmetic of the encoder's matrix products.

use std::fmt;

use crate::config::PrecisionSetting;

/// How a graph that Sentio builds multiplies. The name of the scheme is part of the fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats.
    Fp32,
    /// 8-bit integers: weights with one scale per output, activations with one scale per text and product.
    Int8,
}

impl Precision {
    /// What `setting` means on this processor.
    pub(super) fn resolve(setting: PrecisionSetting) -> Self {
        match setting {
            PrecisionSetting::Fp32 => Self::Fp32,
            PrecisionSetting::Int8 => Self::Int8,
            PrecisionSetting::Auto if multiplies_int8() => Self::Int8,
            PrecisionSetting::Auto => Self::Fp32,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fp32 => "fp32",
            Self::Int8 => "int8-dynamic-per-tensor",
        })
    }
}

/// Whether the processor has instructions that add up products of 8-bit integers in 32 bits. Without them,
/// 8 bits gain little, and x86-64 kernels overflow unless told not to.
pub(super) fn multiplies_int8() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx512vnni") || std::is_x86_feature_detected!("avxvnni");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("dotprod")
        || std::arch::is_aarch64_feature_detected!("i8mm");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}
