//! Searches: a generation of the index, held in memory.
//!
//! It knows neither SQL nor GraphQL nor LanceDB, and reads no file. What it finds depends on the rows that live at a moment, and on nothing else.

mod bits;
mod columns;
mod hits;
mod matching;
mod passage_words;
mod passing;
mod phrases;
mod postings;
mod searcher;
mod segment;
mod size;
mod view;

pub use columns::{FIELDS, Field, Value};
pub use hits::{ArticleHit, PassageHit, PassageSpan, Portrait};
pub use matching::{LookedFor, Matches, TextHit};
pub use passage_words::PassageWords;
pub use phrases::Phrase;
pub use searcher::{Difference, Searcher};
pub use segment::{NewArticle, NewPassage};
pub use size::Size;
pub use view::{Target, View};

#[cfg(test)]
mod tests;
