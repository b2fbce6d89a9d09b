//! What a document may cost, found out before it is parsed, validated or executed.
//!
//! The parser recurses with each bracket, validation with each field and each fragment, and the process is aborted when a
//! stack ends; fragments that spread fragments double the work with each level. Nothing of it can be caught later.

mod measure;
mod scan;

use std::fmt;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Value, Variables};

use crate::document::{Extent, VALUES_OF_A_VARIABLE};

use measure::measure;
pub use scan::{Scan, scan};

/// Fields within fields, and fragments within fragments, of any operation of a document: validation recurses with each.
const VALIDATED_DEPTH_MAX: u64 = 64;

/// The count that a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Bytes,
    Nesting,
    Tokens,
    Validation,
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
            // 19 KB of 900 operations that all spread a chain of 90 fragments have 82,000, and take half a second.
            Self::Validation => 20_000,
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
            Self::Validation => "validation",
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
            Limit::Validation => "the operations of the document reach {found} selections and values",
            Limit::Depth => "the operation selects fields {found} deep",
            Limit::Aliases => "the operation has {found} aliases",
            Limit::RootFields => "the operation has {found} root fields",
            Limit::Directives => "the operation has {found} directives",
            Limit::FragmentDepth => "the operation nests fragments {found} deep",
            Limit::IntrospectionDepth => "the operation nests lists of introspection {found} deep",
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

/// Checks all of a document together: what validation walks through.
pub fn check_whole(whole: &Extent) -> Result<(), LimitExceeded> {
    within(Limit::Validation, whole.selections.saturating_add(whole.values / VALUES_OF_A_VARIABLE))?;
    for (limit, found) in [(Limit::Depth, whole.depth), (Limit::FragmentDepth, whole.fragment_depth)] {
        if found > VALIDATED_DEPTH_MAX {
            return Err(LimitExceeded { limit, found });
        }
    }
    Ok(())
}

/// Checks the operation that was chosen as it is written; when none was, that is another error.
pub fn check_operation(extent: Option<&Extent>) -> Result<(), LimitExceeded> {
    let Some(extent) = extent else { return Ok(()) };
    within(Limit::Aliases, extent.aliases)?;
    within(Limit::RootFields, extent.root_fields)?;
    within(Limit::Directives, extent.directives)?;
    within(Limit::FragmentDepth, extent.fragment_depth)
}

/// Checks what is to be executed, with the variables it is executed with; returns its cost.
pub fn check_executable(document: &ExecutableDocument, variables: &Variables) -> Result<u64, LimitExceeded> {
    let measure = measure(document, variables);
    within(Limit::Depth, measure.depth)?;
    within(Limit::IntrospectionDepth, measure.introspection_depth)?;
    within(Limit::Cost, measure.cost)?;
    Ok(measure.cost)
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
    use crate::document::Compiler;

    const SCHEMA: &str = "directive @again repeatable on FIELD
        type Query { a: Query leaf: Int fields: Query articles(first: Int): Query list(values: [Int]): Int }";

    /// Holds a document to every limit, in the order in which requests are.
    fn check(text: &str) -> Result<(), Limit> {
        let checked = || {
            check_text(text)?;
            let compiler = Compiler::new(SCHEMA, &[]).unwrap();
            let syntax = compiler.parse(text).unwrap();
            check_whole(&syntax.whole())?;
            check_operation(syntax.extent(Some("Chosen")).as_ref())?;
            let document = compiler.validate(syntax).unwrap();
            let operation = document.operation(Some("Chosen")).unwrap();
            let (executable, _) = document.executable(&compiler, operation, &Variables::default()).unwrap();
            check_executable(&executable, &Variables::default())
        };
        checked().map(|_| ()).map_err(|exceeded: LimitExceeded| exceeded.limit)
    }

    fn spreads(count: usize) -> String {
        let fragment = |at: usize| format!(" fragment f{at} on Query {{ ...f{} }}", at + 1);
        let chain: String = (1..count).map(fragment).collect();
        format!("{{ ...f1 }}{chain} fragment f{count} on Query {{ leaf }}")
    }

    fn nested(field: &str, count: usize) -> String {
        format!("{} leaf {}", format!("{{ {field} ").repeat(count) + "{", "}".repeat(count + 1))
    }

    /// Each limit has a document at it and one beyond it.
    #[test]
    fn a_document_may_reach_each_limit_and_not_pass_it() {
        let bytes = |count: usize| format!("{{leaf}}{}", " ".repeat(count - 6 - "query Chosen ".len()));
        let tokens = |count: usize| format!("{{ list(values: [{}]) }}", "1 ".repeat(count - 11));
        let aliases = |count: usize| format!("{{ a {{ {} }} }}", "b: leaf ".repeat(count));
        let roots = |count: usize| format!("{{ {} }}", "leaf ".repeat(count));
        let directives = |count: usize| format!("{{ leaf {} }}", "@again ".repeat(count));
        let inline = |count: usize| nested("...", count);
        let deep = |count: usize| nested("a", count - 1);
        let introspection = |count: usize| nested("fields", count);
        for (limit, document, most) in [
            (Limit::Bytes, &bytes as &dyn Fn(usize) -> String, 32 * 1024),
            (Limit::Tokens, &tokens, 8_000),
            (Limit::Aliases, &aliases, 100),
            (Limit::RootFields, &roots, 50),
            (Limit::Directives, &directives, 100),
            (Limit::FragmentDepth, &spreads, 32),
            (Limit::FragmentDepth, &inline, 32),
            (Limit::Depth, &deep, 20),
            (Limit::IntrospectionDepth, &introspection, 2),
        ] {
            let document = |count: usize| format!("query Chosen {}", document(count));
            assert_eq!(check(&document(most)), Ok(()), "{limit:?}");
            assert_eq!(check(&document(most + 1)), Err(limit));
        }
    }

    #[test]
    fn operations_that_are_not_chosen_count_for_validation_only() {
        let others: String = (0..60).map(|at| format!("query Q{at} {{ b: leaf }} ")).collect();
        assert_eq!(check(&format!("{others} query Chosen {{ leaf }}")), Ok(()));
        let deep = nested("a", 30);
        assert_eq!(check(&format!("query Deep {deep} query Chosen {{ leaf }}")), Ok(()));
        let chain: String = (1..90).map(|at| format!("fragment f{at} on Query{{...f{}}}", at + 1)).collect();
        let chain = format!("{chain} fragment f90 on Query {{ leaf }}");
        let many: String = (0..400).map(|at| format!("query Q{at}{{...f60}}")).collect();
        assert_eq!(check(&format!("{many} {chain} query Chosen {{ leaf }}")), Err(Limit::FragmentDepth));
        let doubled = |level: usize| format!("fragment f{level} on Query{{...f{0} ...f{0}}}", level + 1);
        let doubled: String = (0..22).map(doubled).collect();
        let doubled = format!("query Chosen{{...f0}}{doubled}fragment f22 on Query{{leaf}}");
        assert_eq!(check(&doubled), Err(Limit::Validation));
    }

    #[test]
    fn what_is_skipped_counts_nothing() {
        let page = "articles(first: 100) { leaf fields { fields { fields { leaf } } } }";
        assert_eq!(check(&format!("query Chosen {{ {page} }}")), Err(Limit::IntrospectionDepth));
        assert_eq!(check(&format!("query Chosen {{ ... @skip(if: true) {{ {page} }} leaf }}")), Ok(()));
    }

    #[test]
    fn an_error_names_the_limit_and_the_value() {
        let exceeded = LimitExceeded { limit: Limit::Aliases, found: 101 };
        assert_eq!(exceeded.to_string(), "the operation has 101 aliases, at most 100 are allowed");
    }

    #[test]
    fn a_document_that_would_end_the_parsers_stack_is_refused() {
        let document = format!("{{ a(b: {}1{}) }}", "[".repeat(1_600), "]".repeat(1_600));
        assert_eq!(check(&document), Err(Limit::Nesting));
        let nested = |count: usize| format!("{{ a(b: {}{}) }}", "[".repeat(count), "]".repeat(count));
        assert!(check_text(&nested(62)).is_ok() && check_text(&nested(63)).is_err());
    }
}
