//! Fetches models from the Hugging Face Hub, or from a mirror that speaks its protocol.
//!
//! [`Source`] says what is wanted. [`pull`] asks the Hub for the list of the repository's files (`client`), takes
//! those that Sentio runs from (`selection`), downloads and checks each (`download`) into a folder beside the
//! model's, and puts that in the model's place at the end (`staging`), with a record of what it holds
//! ([`Record`]). A folder is there whole or not at all, and an interrupted pull goes on where it stopped.

mod client;
mod download;
mod error;
mod listing;
mod pull;
mod record;
mod selection;
mod source;
mod staging;

pub use error::HubError;
pub use pull::{Part, Pulled, pull};
pub use record::Record;
pub use source::Source;
