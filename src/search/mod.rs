//! Searches: a generation of the index, held in memory.
//!
//! It knows neither SQL nor GraphQL nor LanceDB, and reads no file. What it finds depends on the rows that live at a moment, and on nothing else.

mod bits;
mod columns;
mod passing;
mod searcher;
mod segment;
mod view;

pub use columns::{FIELDS, Field, Value};
pub use searcher::{Difference, Searcher};
pub use segment::{NewArticle, NewPassage};
pub use view::{ArticleHit, PassageHit, PassageSpan, Portrait, Size, Target, View};

#[cfg(test)]
mod tests;
