//! Searches: a generation of the index, held in memory.
//!
//! It knows neither SQL nor GraphQL nor LanceDB. What it finds depends on the rows that live at a moment, and on nothing else.

mod bits;
mod columns;
mod files;
mod hits;
mod lives;
mod matching;
mod passage_words;
mod passing;
mod phrases;
mod postings;
mod residence;
mod searcher;
mod segment;
mod segment_file;
mod size;
mod slab;
mod view;

pub use columns::{FIELDS, Field, Value};
pub use files::{FileReport, SegmentFiles};
pub use hits::{ArticleHit, PassageHit, PassageSpan, Portrait};
pub use matching::{Coverage, LookedFor, Matches, TextHit};
pub use passage_words::PassageWords;
pub use phrases::Phrase;
pub use residence::Residence;
pub use searcher::{Difference, Searcher};
pub use segment::{NewArticle, NewPassage};
pub use segment_file::SegmentFileError;
pub use size::Size;
pub use view::{Target, View};

#[cfg(test)]
mod tests;
