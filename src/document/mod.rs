//! Executable documents as the specification has them: parse, validate, choose the operation, coerce its variables, collect its
//! fields.
//!
//! The room knows a schema and no article. apollo-compiler parses and validates; `rules` adds what its version lacks. What comes
//! out is the document that async-graphql executes.

mod compiler;
mod extent;
mod failed_field;
mod fault;
mod fields;
mod grammar;
mod introspection;
mod literal;
mod place;
mod rules;
mod tokens;
mod variables;

pub use compiler::{Compiler, Document, ScalarCheck, SchemaError, Syntax, kind};
pub use extent::{Extent, VALUES_OF_A_VARIABLE};
pub use failed_field::FailedField;
pub use fault::Fault;
pub use variables::JsonObject;

#[cfg(test)]
mod tests;
