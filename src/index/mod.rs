//! The vector index: two LanceDB tables per generation, derived from SQL and never the truth.
//!
//! The only room that names LanceDB and Arrow. Vectors are unit length; every distance is the cosine's.

mod background;
mod contents;
mod coverage;
mod error;
mod full_text;
mod generation;
mod highlight;
mod maintain;
mod portrait;
mod predicate;
mod rows;
mod search;
mod store;
mod stored;
mod write;
mod writer_lock;

pub use contents::IndexedArticle;
pub use error::IndexError;
pub use full_text::{TextHit, Words};
pub use generation::{Generation, GenerationIdentity, Size, Versions};
pub use highlight::{Highlight, QueryWords};
pub use portrait::Portrait;
pub use rows::{ArticleRow, Batch, Facets, PassageRow};
pub use search::{ArticleHit, PassageHit, Snapshot};
pub use store::VectorIndex;
pub use stored::{PassageSpan, StoredPassage};
pub use write::Previous;
pub use writer_lock::WriterLock;
