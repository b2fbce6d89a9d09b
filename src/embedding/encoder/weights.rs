//! The tensors of a safetensors file, mapped into memory and read by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};

use crate::embedding::{error::OpenError, folder::unsupported};
use crate::mapped_file::MappedFile;

/// Parts of a published model that an encoder without a head does not need: the pooler, the heads of language
/// models, classifiers and question answering, and a table of the numbers 0, 1, 2, ….
const UNNEEDED: [&str; 10] = [
    "pooler.",
    "cls.",
    "lm_head.",
    "vocab_transform.",
    "vocab_layer_norm.",
    "vocab_projector.",
    "pre_classifier.",
    "classifier.",
    "qa_outputs.",
    "embeddings.position_ids",
];

/// Where each tensor stands in a safetensors file.
struct WeightFile {
    path: PathBuf,
    bytes: Arc<MappedFile>,
    tensors: BTreeMap<String, Tensor>,
}

struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    /// Within the file.
    bytes: Range<usize>,
}

impl WeightFile {
    /// Reads the header and checks that the file is whole.
    fn read(path: &Path, bytes: Arc<MappedFile>) -> Result<Self, OpenError> {
        let (header, metadata) = SafeTensors::read_metadata(&bytes)
            .map_err(|error| OpenError::FileInvalid { path: path.to_owned(), source: error.into() })?;
        // Eight bytes with the header's length come first; offsets count from the header's end.
        let data = 8 + header;
        let tensors = metadata.tensors().into_iter().map(|(name, info)| {
            let (start, end) = info.data_offsets;
            let tensor =
                Tensor { dtype: info.dtype, shape: info.shape.clone(), bytes: data + start..data + end };
            (name, tensor)
        });
        let tensors = tensors.collect();
        Ok(Self { path: path.to_owned(), bytes, tensors })
    }
}

/// Reads tensors as 32-bit floats and remembers which were left.
///
/// A tensor that the graph does not use means that the graph is not the model: such a file must be refused.
#[derive(Clone)]
pub(super) struct WeightReader {
    file: Arc<WeightFile>,
    prefix: &'static str,
    unread: BTreeSet<String>,
}

impl WeightReader {
    /// Reads the safetensors file at `path`, of which `bytes` is the content. Names may start with `prefix`.
    pub fn new(path: &Path, bytes: Arc<MappedFile>, prefix: &'static str) -> Result<Self, OpenError> {
        let file = WeightFile::read(path, bytes)?;
        let prefixed = file.tensors.keys().any(|name| name.starts_with(prefix));
        Ok(Self {
            prefix: if prefixed { prefix } else { "" },
            unread: file.tensors.keys().cloned().collect(),
            file: Arc::new(file),
        })
    }

    /// Row by row the numbers of the tensor `name`, which must have this `shape`.
    pub fn floats(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, OpenError> {
        let rows = self.rows(name, shape)?;
        let mut floats = Vec::with_capacity(shape.iter().product());
        rows.elements(0..shape.iter().product(), |value| floats.push(value));
        Ok(floats)
    }

    /// The tensor `name` of this `shape`, left in the file.
    pub fn rows(&mut self, name: &str, shape: &[usize]) -> Result<MappedTensor, OpenError> {
        let name = format!("{}{name}", self.prefix);
        let refuse = |reason| unsupported(&self.file.path, reason);
        let Some(tensor) = self.file.tensors.get(&name) else {
            return Err(refuse(format!("it has no tensor `{name}`")));
        };
        if tensor.shape != shape {
            return Err(refuse(format!("its tensor `{name}` is {:?} instead of {shape:?}", tensor.shape)));
        }
        let float = match tensor.dtype {
            Dtype::F32 => Float::F32,
            Dtype::F16 => Float::F16,
            Dtype::BF16 => Float::Bf16,
            other => return Err(refuse(format!("its tensor `{name}` holds {other}"))),
        };
        self.unread.remove(&name);
        Ok(MappedTensor { file: Arc::clone(&self.file.bytes), float, bytes: tensor.bytes.clone() })
    }

    /// Refuses a file with tensors that nothing has read.
    pub fn finish(self) -> Result<(), OpenError> {
        let needed = |name: &&String| {
            let name = name.strip_prefix(self.prefix).unwrap_or(name);
            !UNNEEDED.iter().any(|unneeded| name.starts_with(unneeded))
        };
        match self.unread.iter().find(needed) {
            None => Ok(()),
            Some(name) => {
                let reason = format!(
                    "its tensor `{name}` has no place in the architecture that its config.json names"
                );
                Err(unsupported(&self.file.path, reason))
            }
        }
    }
}

/// How numbers are stored.
#[derive(Clone, Copy, Debug)]
enum Float {
    F32,
    F16,
    Bf16,
}

/// A tensor in the mapped file.
pub(super) struct MappedTensor {
    file: Arc<MappedFile>,
    float: Float,
    bytes: Range<usize>,
}

impl MappedTensor {
    /// Gives the numbers at `elements`, counted row by row, to `take`.
    ///
    /// # Panics
    /// When `elements` reaches beyond the tensor.
    pub fn elements(&self, elements: Range<usize>, take: impl FnMut(f32)) {
        let bytes = &self.file[self.bytes.clone()];
        match self.float {
            Float::F32 => convert(bytes, elements, f32::from_le_bytes, take),
            Float::F16 => convert(bytes, elements, |value| f16::from_le_bytes(value).to_f32(), take),
            Float::Bf16 => convert(bytes, elements, |value| bf16::from_le_bytes(value).to_f32(), take),
        }
    }
}

fn convert<const SIZE: usize>(
    bytes: &[u8],
    elements: Range<usize>,
    decode: impl Fn([u8; SIZE]) -> f32,
    take: impl FnMut(f32),
) {
    let (values, _) = bytes.as_chunks::<SIZE>();
    values[elements].iter().copied().map(decode).for_each(take);
}
