//! The vector index: two LanceDB tables per generation, derived from SQL and never the truth.
//!
//! The only room that names LanceDB and Arrow. Vectors are unit length; every distance is the cosine's.

mod background;
mod columns;
mod contents;
mod coverage;
mod error;
mod generation;
mod location;
mod maintain;
mod memory;
mod nearness;
mod predicate;
mod rows;
mod search;
mod snapshot;
mod store;
mod stored;
mod versions;
mod write;
mod writer_lock;

pub use contents::IndexedArticle;
pub use error::IndexError;
pub use generation::{Generation, GenerationIdentity};
pub use memory::Resident;
pub use rows::{ArticleRow, Batch, Facets, PassageRow};
pub use snapshot::{Size, Snapshot};
pub use store::VectorIndex;
pub use versions::Versions;
pub use write::Previous;
pub use writer_lock::WriterLock;

/// The cosine of two unit vectors. Sums run side by side, which the processor can add up together.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut sums = [0.0; 16];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
