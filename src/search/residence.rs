//! Whether what searches read most is in memory, or left to the system to read from files.

use super::segment::Segment;

/// Where segments that have files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residence {
    /// What every search reads is in memory; low bytes and positions of words are mapped.
    Memory,
    /// All is mapped.
    Disk,
    /// Memory up to so many bytes in all, then disk.
    MemoryUpTo(usize),
}

impl Residence {
    /// `segment`, which is mapped, where it belongs when others take `used` bytes of memory. Where there is not enough it stays mapped.
    pub(super) fn placed(self, mut segment: Segment, used: usize) -> Segment {
        let fits = match self {
            Self::Memory => true,
            Self::Disk => false,
            Self::MemoryUpTo(most) => used + segment.hot_bytes() <= most,
        };
        if fits && let Err(error) = segment.load() {
            tracing::warn!(%error, bytes = segment.hot_bytes(), "search.not_in_memory: it is read from its file");
        }
        segment
    }
}
