//! What a document may cost, found out before it is parsed or validated.
//!
//! The parser recurses with each bracket, execution with each field and each fragment, and the process is aborted when a
//! stack ends; fragments that spread fragments double the work of validation with each level. Nothing of it can be caught
//! later.

mod measure;
mod scan;

use std::fmt;

use async_graphql::Value;
use async_graphql::parser::types::ExecutableDocument;

pub use measure::{Given, measure, measure_operation};
pub use scan::{Scan, scan};

/// The count that a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Bytes,
    Nesting,
    Tokens,
    Depth,
    Aliases,
    RootFields,
    Directives,
    FragmentDepth,
    IntrospectionDepth,
    Cost,
}

impl Limit {
    /// The most that is allowed.
    pub const fn max(self) -> u64 {
        match self {
            Self::Bytes => 32 * 1024,
            Self::Nesting => 64,
            // Documents that people write have about five bytes a token.
            Self::Tokens => 8_000,
            // GraphiQL's introspection query needs 15.
            Self::Depth => 20,
            Self::Aliases | Self::Directives => 100,
            Self::RootFields => 50,
            Self::FragmentDepth => 32,
            // As graphql-js has it: enough for every tool, too little to walk the schema in circles.
            Self::IntrospectionDepth => 2,
            Self::Cost => 25_000,
        }
    }

    /// The name of the limit in errors.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Nesting => "nesting",
            Self::Tokens => "tokens",
            Self::Depth => "depth",
            Self::Aliases => "aliases",
            Self::RootFields => "rootFields",
            Self::Directives => "directives",
            Self::FragmentDepth => "fragmentDepth",
            Self::IntrospectionDepth => "introspectionDepth",
            Self::Cost => "cost",
        }
    }
}

/// A document is beyond a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitExceeded {
    pub limit: Limit,
    pub found: u64,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, max) = (self.found, self.limit.max());
        let what = match self.limit {
            Limit::Bytes => "the document has {found} bytes",
            Limit::Nesting => "the document nests brackets {found} deep",
            Limit::Tokens => "the document has {found} tokens",
            Limit::Depth => "the document selects fields {found} deep",
            Limit::Aliases => "the document has {found} aliases",
            Limit::RootFields => "the document has {found} root fields",
            Limit::Directives => "the document has {found} directives",
            Limit::FragmentDepth => "the document nests fragments {found} deep",
            Limit::IntrospectionDepth => "the document nests lists of introspection {found} deep",
            Limit::Cost => "the answer may have {found} values",
        };
        let advice = if self.limit == Limit::Cost { ": ask for shorter or fewer lists" } else { "" };
        let what = what.replace("{found}", &found.to_string());
        write!(formatter, "{what}, at most {max} are allowed{advice}")
    }
}

impl std::error::Error for LimitExceeded {}

fn within(limit: Limit, found: u64) -> Result<(), LimitExceeded> {
    if found > limit.max() { Err(LimitExceeded { limit, found }) } else { Ok(()) }
}

/// Checks the text of a document; to be called before it is parsed.
pub fn check_text(document: &str) -> Result<(), LimitExceeded> {
    within(Limit::Bytes, document.len() as u64)?;
    let Scan { nesting, tokens } = scan(document.as_bytes());
    within(Limit::Nesting, nesting)?;
    within(Limit::Tokens, tokens)
}

/// Checks a document as it was parsed. Its operations count together, because validation walks all.
pub fn check_structure(document: &ExecutableDocument) -> Result<(), LimitExceeded> {
    let measure = measure(document, None);
    within(Limit::Depth, measure.depth)?;
    within(Limit::Aliases, measure.aliases)?;
    within(Limit::RootFields, measure.root_fields)?;
    within(Limit::Directives, measure.directives)?;
    within(Limit::FragmentDepth, measure.fragment_depth)?;
    within(Limit::IntrospectionDepth, measure.introspection_depth)
}

/// Checks how much a document asks for with the variables `given`; to be called before it is validated.
pub fn check_cost(document: &ExecutableDocument, given: Given<'_>) -> Result<(), LimitExceeded> {
    within(Limit::Cost, measure(document, given).cost)
}

/// What an answer tells of its cost: `{ "found": …, "max": … }`.
pub fn cost_extension(cost: u64) -> Value {
    let entries = [("found", cost), ("max", Limit::Cost.max())];
    Value::Object(
        entries.into_iter().map(|(name, number)| (async_graphql::Name::new(name), number.into())).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(document: &str) -> Result<(), Limit> {
        check_text(document).map_err(|exceeded| exceeded.limit)?;
        let parsed = async_graphql::parser::parse_query(document).unwrap();
        check_structure(&parsed).and_then(|()| check_cost(&parsed, None)).map_err(|exceeded| exceeded.limit)
    }

    /// Each limit has a document at it and one beyond it.
    #[test]
    fn a_document_may_reach_each_limit_and_not_pass_it() {
        let brackets = |count: usize| format!("{{ a(b: {}{}) }}", "[".repeat(count), "]".repeat(count));
        let deep = |count: usize| format!("{}{}", "{a".repeat(count), "}".repeat(count));
        let aliases = |count: usize| format!("{{ a {{ {} }} }}", "b: c ".repeat(count));
        let roots = |count: usize| format!("{{ {} }}", "a ".repeat(count));
        let directives = |count: usize| format!("{{ a {} }}", "@b ".repeat(count));
        let nested = |count: usize| format!("{{ {} a {} }}", "fields {".repeat(count), "}".repeat(count));
        let cost = |count: usize| {
            format!("{{ articles(first: {count}) {{ nodes(x: 1) {{ {} }} }} }}", "a ".repeat(249))
        };
        let spreads = |count: usize| {
            let fragment = |at: usize| format!(" fragment f{at} on A {{ ...f{} }}", at + 1);
            let chain: String = (1..count).map(fragment).collect();
            format!("{{ ...f1 }}{chain} fragment f{count} on A {{ a }}")
        };
        let inline = |count: usize| format!("{{ {} a {} }}", "... {".repeat(count), "}".repeat(count));
        let bytes = |count: usize| format!("{{a}}{}", " ".repeat(count - 3));
        let tokens = |count: usize| format!("{{ a(b: [{}]) }}", "1 ".repeat(count - 9));
        for (limit, document, most) in [
            (Limit::Bytes, &bytes as &dyn Fn(usize) -> String, 32 * 1024),
            (Limit::Nesting, &brackets, 62),
            (Limit::Tokens, &tokens, 8_000),
            (Limit::Depth, &deep, 20),
            (Limit::Aliases, &aliases, 100),
            (Limit::RootFields, &roots, 50),
            (Limit::Directives, &directives, 100),
            (Limit::FragmentDepth, &spreads, 32),
            (Limit::FragmentDepth, &inline, 32),
            (Limit::IntrospectionDepth, &nested, 2),
            (Limit::Cost, &cost, 1),
        ] {
            assert_eq!(check(&document(most)), Ok(()), "{limit:?}");
            assert_eq!(check(&document(most + 1)), Err(limit));
        }
    }

    #[test]
    fn an_error_names_the_limit_and_the_value() {
        let exceeded = LimitExceeded { limit: Limit::Aliases, found: 101 };
        assert_eq!(exceeded.to_string(), "the document has 101 aliases, at most 100 are allowed");
    }

    #[test]
    fn a_document_that_would_end_the_parsers_stack_is_refused() {
        let document = format!("{{ a(b: {}1{}) }}", "[".repeat(1_600), "]".repeat(1_600));
        assert_eq!(check(&document), Err(Limit::Nesting));
    }

    #[test]
    fn an_ordinary_document_passes() {
        let document = "{ articles { nodes { ...a } } } fragment a on Article { title similarTo { score } }";
        assert_eq!(check(document), Ok(()));
    }
}
