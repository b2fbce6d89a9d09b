//! Plain values side by side: in memory, or in a file that is mapped.

use std::collections::TryReserveError;
use std::ops::{Deref, Range};
use std::sync::Arc;

use bytemuck::Pod;

use crate::mapped_file::MappedFile;

/// Values of one type, read as a slice wherever they are.
#[derive(Clone, Debug)]
pub enum Slab<T> {
    Memory(Vec<T>),
    File(Part),
}

/// A part of a file.
#[derive(Clone, Debug)]
pub struct Part {
    file: Arc<MappedFile>,
    bytes: Range<usize>,
}

impl<T: Pod> Slab<T> {
    /// What a part of a file holds; `None` when it is outside of the file, or the values do not lie as they must.
    pub fn of_file(file: &Arc<MappedFile>, bytes: Range<usize>) -> Option<Self> {
        bytemuck::try_cast_slice::<u8, T>(file.get(bytes.clone())?).ok()?;
        Some(Self::File(Part { file: Arc::clone(file), bytes }))
    }

    /// The values to be changed, which are brought into memory if need be.
    pub fn to_mut(&mut self) -> &mut Vec<T> {
        if let Self::File(_) = self {
            *self = Self::Memory(self.to_vec());
        }
        match self {
            Self::Memory(values) => values,
            Self::File(_) => unreachable!("it was brought into memory"),
        }
    }

    /// Brings the values into memory. Fails without a change when there is not enough.
    pub fn load(&mut self) -> Result<(), TryReserveError> {
        if let Self::File(_) = self {
            let mut values = Vec::new();
            values.try_reserve_exact(self.len())?;
            values.extend_from_slice(self);
            *self = Self::Memory(values);
        }
        Ok(())
    }

    pub fn as_bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self)
    }

    /// The bytes that it takes of memory.
    pub fn memory(&self) -> usize {
        match self {
            Self::Memory(values) => values.capacity() * size_of::<T>(),
            Self::File(_) => 0,
        }
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::Memory(Vec::new())
    }
}

impl<T> From<Vec<T>> for Slab<T> {
    fn from(values: Vec<T>) -> Self {
        Self::Memory(values)
    }
}

impl<T: Pod> Deref for Slab<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Memory(values) => values,
            Self::File(Part { file, bytes }) => bytemuck::cast_slice(&file[bytes.clone()]),
        }
    }
}
