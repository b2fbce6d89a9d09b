//! The words of texts, in every script: one way to cut and fold them for the index, queries, phrases, titles and highlights.
//!
//! It knows neither articles nor indexes.

mod analyzer;
mod cut;
mod encoded;
mod fold;
mod highlight;
mod language;
mod marks;
mod query;
mod title_key;

pub use analyzer::{Analyzed, Analyzer, Languages, Word};
pub use cut::Kind;
pub use encoded::{encoded_runs, meets_run, without_runs};
pub use language::Language;
pub use query::{QueryWord, QueryWords};
pub use title_key::title_key;

#[cfg(test)]
mod tests;
