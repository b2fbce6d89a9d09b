//! Devices beside the processor that can run a network: ONNX Runtime's execution providers.
//!
//! A provider is compiled in with the cargo feature of its name, and its runtime library is one that has it. Whoever asks
//! for one gets it or an error, never the processor instead.

use ort::{ep::ExecutionProviderDispatch, session::builder::SessionBuilder};

use crate::config::AcceleratorSetting;

/// An accelerator that this program was built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accelerator(AcceleratorSetting);

impl Accelerator {
    /// The processor as if it were one, which takes batches and needs no provider.
    #[cfg(test)]
    pub const PROCESSOR: Self = Self(AcceleratorSetting::None);

    /// The accelerator that `setting` names, `None` for the processor alone; refused when it is not compiled in.
    pub fn of(setting: AcceleratorSetting) -> Result<Option<Self>, AcceleratorError> {
        match setting {
            AcceleratorSetting::None => Ok(None),
            accelerator => match provider(accelerator) {
                Some(_) => Ok(Some(Self(accelerator))),
                None => Err(AcceleratorError::NotCompiled(accelerator)),
            },
        }
    }

    /// Lets the accelerator run what is built with `options`.
    pub fn take_over(self, options: SessionBuilder) -> Result<SessionBuilder, AcceleratorError> {
        let provider = provider(self.0).map(ExecutionProviderDispatch::error_on_failure);
        options
            .with_execution_providers(provider.as_slice())
            .map_err(|error| AcceleratorError::Unavailable { accelerator: self.0, source: error.into() })
    }
}

/// Why a requested accelerator is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum AcceleratorError {
    #[error(
        "this program was built without {0}: build it with `--features {0}`, or set SENTIO_ACCELERATOR=none"
    )]
    NotCompiled(AcceleratorSetting),
    #[error(
        "{accelerator} cannot be used with this ONNX Runtime library: \
         set SENTIO_ORT_LIB to one that has its provider, or SENTIO_ACCELERATOR=none"
    )]
    Unavailable { accelerator: AcceleratorSetting, source: ort::Error },
}

fn provider(accelerator: AcceleratorSetting) -> Option<ExecutionProviderDispatch> {
    match accelerator {
        #[cfg(feature = "cuda")]
        AcceleratorSetting::Cuda => Some(ort::ep::CUDA::default().build()),
        #[cfg(feature = "openvino")]
        AcceleratorSetting::OpenVino => Some(ort::ep::OpenVINO::default().build()),
        #[cfg(feature = "coreml")]
        AcceleratorSetting::CoreMl => Some(ort::ep::CoreML::default().build()),
        #[cfg(feature = "directml")]
        AcceleratorSetting::DirectMl => Some(ort::ep::DirectML::default().build()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_compiled_in_is_refused_with_the_feature_to_build() {
        for (setting, compiled) in [
            (AcceleratorSetting::Cuda, cfg!(feature = "cuda")),
            (AcceleratorSetting::OpenVino, cfg!(feature = "openvino")),
            (AcceleratorSetting::CoreMl, cfg!(feature = "coreml")),
            (AcceleratorSetting::DirectMl, cfg!(feature = "directml")),
        ] {
            match Accelerator::of(setting) {
                Ok(accelerator) => assert!(compiled && accelerator.is_some(), "{setting}"),
                Err(error) => {
                    assert!(!compiled, "{setting}");
                    assert!(error.to_string().contains(&format!("`--features {setting}`")), "{error}");
                }
            }
        }
        assert!(matches!(Accelerator::of(AcceleratorSetting::None), Ok(None)));
    }
}
