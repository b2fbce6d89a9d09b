//! The text of a document → the document, parsed and within its limits.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;

use super::limits;
use super::repeated_fields;
use super::request_error::RequestError;
use super::type_name_fields;

/// What a token of a parsed document takes, in bytes: a field of one letter is about so large.
const TOKEN_BYTES: u64 = 256;

/// The SHA-256 of a document's text.
pub type DocumentHash = [u8; 32];

/// A document within its limits, parsed.
#[derive(Debug)]
pub struct Document {
    pub parsed: ExecutableDocument,
    /// What it takes, in bytes.
    pub(super) memory: u32,
}

impl Document {
    /// Parses `text` if it is within the limits that hold whatever the variables are.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        limits::check_text(text)?;
        let mut parsed = parse_query(text).map_err(|error| RequestError::NotParsed(error.to_string()))?;
        limits::check_structure(&parsed)?;
        type_name_fields::make_valid(&mut parsed)?;
        repeated_fields::merge(&mut parsed)?;
        let memory = text.len() as u64 + limits::scan(text.as_bytes()).tokens * TOKEN_BYTES;
        Ok(Self { parsed, memory: u32::try_from(memory).unwrap_or(u32::MAX) })
    }
}
