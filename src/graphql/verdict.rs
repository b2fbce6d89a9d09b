//! What the compiler says of the text of a document, to be remembered.

use std::sync::Arc;

use super::limits::{self, LimitExceeded};
use super::request_error::RequestError;
use crate::document::{Compiler, Document, Fault};

/// What a token of a valid document takes, in bytes: a field of one letter is about so large.
const TOKEN_BYTES: u64 = 384;
/// What a fault takes besides its sentence, in bytes.
const FAULT_BYTES: usize = 64;

/// The verdict on a text, and what remembering it takes.
#[derive(Debug)]
pub struct Verdict {
    outcome: Outcome,
    memory: u32,
}

#[derive(Debug)]
enum Outcome {
    Valid(Arc<Document>),
    NotParsed(Vec<Fault>),
    Invalid(Vec<Fault>),
}

impl Verdict {
    /// The verdict on `text`, which is within the limits of texts. The operation that `name` chooses is held to its limits first.
    pub fn on(compiler: &Compiler, text: &str, name: Option<&str>) -> Result<Self, LimitExceeded> {
        let outcome = match compiler.parse(text) {
            Err(faults) => Outcome::NotParsed(faults),
            Ok(syntax) => {
                limits::check_whole(&syntax.whole())?;
                limits::check_operation(syntax.extent(name).as_ref())?;
                match compiler.validate(syntax) {
                    Ok(document) => Outcome::Valid(Arc::new(document)),
                    Err(faults) => Outcome::Invalid(faults),
                }
            }
        };
        let memory = u32::try_from(outcome.memory(text)).unwrap_or(u32::MAX);
        Ok(Self { outcome, memory })
    }

    /// The document, when it is valid and the operation that `name` chooses is within its limits.
    pub fn document(&self, name: Option<&str>) -> Result<Arc<Document>, RequestError> {
        match &self.outcome {
            Outcome::Valid(document) => {
                limits::check_operation(document.extent(name).as_ref())?;
                Ok(Arc::clone(document))
            }
            Outcome::NotParsed(faults) => Err(RequestError::NotParsed(faults.clone())),
            Outcome::Invalid(faults) => Err(RequestError::Invalid(faults.clone())),
        }
    }

    /// In bytes, besides the text.
    pub fn memory(&self) -> u32 {
        self.memory
    }
}

impl Outcome {
    fn memory(&self, text: &str) -> u64 {
        match self {
            Self::Valid(document) => {
                let tokens = limits::scan(text.as_bytes()).tokens;
                (text.len() + document.memory()) as u64 + tokens * TOKEN_BYTES
            }
            Self::NotParsed(faults) | Self::Invalid(faults) => {
                faults.iter().map(|fault| (fault.message.len() + FAULT_BYTES) as u64).sum()
            }
        }
    }
}
