//! The compiler: a schema, and what it makes of the text of a document.

use std::collections::HashMap;

use apollo_compiler::executable::{ExecutableDocument, Operation};
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema, ast};
use async_graphql::parser::types::ExecutableDocument as Executable;
use async_graphql::{Variables, parser::types::OperationType};

use super::extent::{Extent, Extents};
use super::failed_field::FailedField;
use super::fault::{self, Fault, near};
use super::fields;
use super::grammar;
use super::introspection;
use super::place::Places;
use super::rules;
use super::variables::{self, JsonObject};

/// The parser counts white space and commas as tokens, too: more than the texts that callers let through can have.
const PARSER_TOKENS_MAX: usize = 33_000;
/// More than the brackets that callers let through: the parser recurses with each.
const PARSER_RECURSION_MAX: usize = 250;

/// Checks a value of a scalar that the specification does not know; says what is expected.
pub type ScalarCheck = fn(&str) -> Result<(), String>;

/// A schema, ready for documents.
#[derive(Debug)]
pub struct Compiler {
    pub(super) schema: Valid<Schema>,
    /// The scalars of the schema's own, which are strings.
    pub(super) scalars: HashMap<&'static str, ScalarCheck>,
}

/// The schema is not valid.
#[derive(Debug, thiserror::Error)]
#[error("the schema is not valid: {0}")]
pub struct SchemaError(String);

/// A document that was parsed and not validated.
#[derive(Debug)]
pub struct Syntax {
    tree: ast::Document,
    extents: Extents,
    places: Places,
}

/// A valid document.
#[derive(Debug)]
pub struct Document {
    pub(super) tree: Valid<ExecutableDocument>,
    pub(super) places: Places,
    extents: HashMap<Option<Name>, Extent>,
}

impl Compiler {
    /// Reads a schema in the schema definition language. `scalars` checks the values of its own scalars, which are strings.
    pub fn new(sdl: &str, scalars: &[(&'static str, ScalarCheck)]) -> Result<Self, SchemaError> {
        let schema = Schema::parse(sdl, "schema.graphql")
            .map_err(|found| SchemaError(found.errors.to_string()))
            .map(introspection::as_executed)?;
        let schema = schema.validate().map_err(|found| SchemaError(found.errors.to_string()))?;
        Ok(Self { schema, scalars: scalars.iter().copied().collect() })
    }

    /// The fields of an object type with their arguments. They must be those that the executor answers.
    pub fn fields(&self, type_name: &str) -> Vec<(String, Vec<String>)> {
        let Some(object) = self.schema.get_object(type_name) else { return Vec::new() };
        let field = |(name, field): (&Name, &Node<ast::FieldDefinition>)| {
            let arguments = field.arguments.iter().map(|argument| argument.name.to_string());
            (name.to_string(), arguments.collect())
        };
        object.fields.iter().map(field).collect()
    }

    /// Parses `text`. Takes time in proportion to its length; callers bound that, and the nesting of its brackets.
    ///
    /// # Errors
    /// The first fault of its syntax.
    pub fn parse(&self, text: &str) -> Result<Syntax, Vec<Fault>> {
        let places = Places::new(text);
        let plain = grammar::check(text)
            .map_err(|error| vec![Fault::new(error.message, Some(places.at(error.at)))])?;
        let mut parser = Parser::new().recursion_limit(PARSER_RECURSION_MAX).token_limit(PARSER_TOKENS_MAX);
        let tree = parser
            .parse_ast(plain, "document.graphql")
            .map_err(|found| fault::of_syntax(&found.errors, &places))?;
        let extents = Extents::of(&tree);
        Ok(Syntax { tree, extents, places })
    }

    /// Validates a document. Takes time in proportion to [`Syntax::whole`] at least.
    ///
    /// # Errors
    /// The faults of the document, a hundred at most.
    pub fn validate(&self, syntax: Syntax) -> Result<Document, Vec<Fault>> {
        let Syntax { tree: parsed, extents, places } = syntax;
        let tree = match parsed.to_executable_validate(&self.schema) {
            Ok(tree) => tree,
            Err(found) => {
                let faults = fault::of_validation(&found, &self.schema, &parsed, &places);
                if !faults.is_empty() {
                    return Err(faults);
                }
                Valid::assume_valid(found.partial)
            }
        };
        let faults = rules::of_document(self, &tree, &places);
        if faults.is_empty() {
            Ok(Document { tree, places, extents: extents.operations })
        } else {
            let count = faults.len();
            Err(fault::first(faults, count))
        }
    }
}

impl Syntax {
    /// What validation has to walk through.
    pub fn whole(&self) -> Extent {
        self.extents.whole
    }

    /// The extent of the operation that `name` chooses; `None` when it chooses none.
    pub fn extent(&self, name: Option<&str>) -> Option<Extent> {
        chosen_extent(&self.extents.operations, name)
    }
}

fn chosen_extent(extents: &HashMap<Option<Name>, Extent>, name: Option<&str>) -> Option<Extent> {
    let mut operations = extents.iter();
    let found = match name {
        Some(wanted) => operations.find(|(name, _)| name.as_ref().is_some_and(|name| *name == wanted)),
        None if extents.len() == 1 => operations.next(),
        None => None,
    };
    found.map(|(_, extent)| *extent)
}

impl Document {
    /// The operation that `name` chooses, or the only one.
    ///
    /// # Errors
    /// No operation has the name, or several could be meant.
    pub fn operation(&self, name: Option<&str>) -> Result<&Operation, Fault> {
        if let Ok(operation) = self.tree.operations.get(name) {
            return Ok(operation);
        }
        let names = self.tree.operations.named.keys().map(Name::as_str);
        let Some(name) = name else {
            return Err(Fault::new("the document has several operations: choose one by operationName", None));
        };
        let meant = near(name, names).map(|name| format!(": did you mean {name:?}?"));
        Err(Fault::new(format!("no operation is named {name:?}{}", meant.unwrap_or_default()), None))
    }

    /// The extent of the operation that `name` chooses; `None` when it chooses none.
    pub fn extent(&self, name: Option<&str>) -> Option<Extent> {
        chosen_extent(&self.extents, name)
    }

    /// Coerces the variables that a request gives to `operation`, by CoerceVariableValues of the specification: defaults are filled
    /// in, and a variable without value and default stays absent. Others than those of the operation are ignored.
    ///
    /// # Errors
    /// The faults of the values.
    pub fn variables(
        &self,
        compiler: &Compiler,
        operation: &Operation,
        given: JsonObject,
    ) -> Result<Variables, Vec<Fault>> {
        variables::coerce(compiler, operation, given, &self.places)
    }

    /// What async-graphql is to execute: `operation` with the fields that CollectFields of the specification gives, each once, and
    /// neither named fragments nor directives any more. Fields that fail for their variables are corrected in the response.
    ///
    /// # Errors
    /// A variable is null that decides whether a field of the root is included, or that an argument of a subscription's field
    /// needs.
    pub fn executable(
        &self,
        compiler: &Compiler,
        operation: &Operation,
        given: &Variables,
    ) -> Result<(Executable, Vec<FailedField>), Fault> {
        fields::collect(compiler, self, operation, given)
    }

    /// What the document takes besides its tree, in bytes.
    pub fn memory(&self) -> usize {
        self.places.memory()
    }
}

/// The kind of an operation, in the executor's words.
pub fn kind(operation: &Operation) -> OperationType {
    match operation.operation_type {
        ast::OperationType::Query => OperationType::Query,
        ast::OperationType::Mutation => OperationType::Mutation,
        ast::OperationType::Subscription => OperationType::Subscription,
    }
}
