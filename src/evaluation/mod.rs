//! How good rankings are: test collections, measures, and how sure they are.

mod collection;
mod comparison;
mod interval;
mod metrics;
mod pairs;
mod run;
mod store;

pub use collection::{Collection, CollectionError, Document, Query};
pub use comparison::{Comparison, Measure, Summary};
pub use interval::{Interval, SEED};
pub use metrics::{DEPTH, Grades, QueryScores, spearman};
pub use pairs::{Pair, PairSummary, read_pairs, summary_of_pairs};
pub use run::{Run, recall_of_index, run};
pub use store::store;
