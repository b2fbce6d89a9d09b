//! What a document may cost, found out before it is parsed or executed.
//!
//! The parser recurses with each bracket and aborts the process when its stack ends; fragments that spread fragments
//! double the work of validation with each level. Neither can be caught later.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Field, FragmentDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value};

/// Most bytes of a document.
pub const DOCUMENT_MAX_BYTES: usize = 32 * 1024;
/// Deepest nesting of brackets of any kind.
pub const NESTING_MAX: usize = 64;
/// Most values of an answer, as far as the document tells: a list counts as long as it may become.
pub const COST_MAX: u64 = 25_000;
/// What a recommendation counts besides its answer: it runs the model, which queues a limited number of texts.
pub const RECOMMEND_COST: u64 = 200;
/// The longest list that any argument can ask for.
const LIST_MAX: u64 = 100;

/// A document is beyond a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitExceeded {
    #[error("the document has {found} bytes, at most {DOCUMENT_MAX_BYTES} are allowed")]
    Bytes { found: usize },
    #[error("the document nests brackets more than {NESTING_MAX} deep")]
    Nesting,
    #[error(
        "the answer may have {found} values, at most {COST_MAX} are allowed: ask for shorter or fewer lists"
    )]
    Cost { found: u64 },
}

/// Checks the text of a document; to be called before it is parsed.
pub fn check_text(document: &str) -> Result<(), LimitExceeded> {
    if document.len() > DOCUMENT_MAX_BYTES {
        return Err(LimitExceeded::Bytes { found: document.len() });
    }
    if nesting(document.as_bytes()) > NESTING_MAX { Err(LimitExceeded::Nesting) } else { Ok(()) }
}

/// The deepest nesting of brackets outside strings and comments. Closing brackets that match nothing are left to the
/// parser.
fn nesting(document: &[u8]) -> usize {
    let (mut depth, mut deepest, mut at) = (0_usize, 0, 0);
    while let Some(byte) = document.get(at) {
        at += match byte {
            b'{' | b'(' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
                1
            }
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                1
            }
            b'#' => document[at..].iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count(),
            b'"' => string_length(&document[at..]),
            _ => 1,
        };
    }
    deepest
}

/// Bytes of the string or block string that `text` begins with; an unfinished one ends with its line or the document.
fn string_length(text: &[u8]) -> usize {
    let block = text.starts_with(b"\"\"\"");
    let mut at = if block { 3 } else { 1 };
    while at < text.len() {
        match (block, &text[at..]) {
            (true, [b'\\', b'"', b'"', b'"', ..]) => at += 4,
            (true, [b'"', b'"', b'"', ..]) => return at + 3,
            (false, [b'\\', _, ..]) => at += 2,
            (false, [b'"', ..]) => return at + 1,
            (false, [b'\n' | b'\r', ..]) => return at,
            _ => at += 1,
        }
    }
    text.len()
}

/// Checks a parsed document; to be called before it is validated. Lists multiply what is selected of their items.
pub fn check_document(
    document: &ExecutableDocument,
    variables: Option<&serde_json::Map<String, serde_json::Value>>,
) -> Result<(), LimitExceeded> {
    let mut cost = Cost { fragments: &document.fragments, variables, counted: HashMap::new() };
    let found = document
        .operations
        .iter()
        .map(|(_, operation)| cost.selections(&operation.node.selection_set.node))
        .fold(0, u64::saturating_add);
    if found > COST_MAX { Err(LimitExceeded::Cost { found }) } else { Ok(()) }
}

/// Counts values with fragments spread, each fragment once.
struct Cost<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    variables: Option<&'a serde_json::Map<String, serde_json::Value>>,
    /// `None` while a fragment is being counted: a cycle, which validation refuses.
    counted: HashMap<&'a Name, Option<u64>>,
}

impl<'a> Cost<'a> {
    fn selections(&mut self, selections: &'a SelectionSet) -> u64 {
        let count = |selection: &'a Positioned<Selection>| match &selection.node {
            Selection::Field(field) => {
                let inside = self.selections(&field.node.selection_set.node);
                let name = field.node.name.node.as_str();
                let own = if matches!(name, "recommend" | "recommendations") { RECOMMEND_COST } else { 1 };
                self.length(&field.node).saturating_mul(inside).saturating_add(own)
            }
            Selection::InlineFragment(fragment) => self.selections(&fragment.node.selection_set.node),
            Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
        };
        selections.items.iter().map(count).fold(0, u64::saturating_add)
    }

    fn fragment(&mut self, name: &'a Name) -> u64 {
        if let Some(counted) = self.counted.get(name) {
            return counted.unwrap_or(0);
        }
        let Some(fragment) = self.fragments.get(name) else { return 0 };
        self.counted.insert(name, None);
        let cost = self.selections(&fragment.node.selection_set.node);
        self.counted.insert(name, Some(cost));
        cost
    }

    /// How long the list of a field may become. Arguments beyond their limits are refused when it is resolved.
    fn length(&self, field: &Field) -> u64 {
        let default = match field.name.node.as_str() {
            "articles" | "recommendations" => 20,
            "recommend" => 10,
            "similarTo" => 5,
            "nodes" if !field.arguments.is_empty() => LIST_MAX,
            _ => return 1,
        };
        let given = |name: Name| {
            let value = self.variables.and_then(|variables| variables.get(name.as_str())).cloned();
            Value::from_json(value.unwrap_or_default())
        };
        let asked = ["first", "last", "k"].iter().filter_map(|name| field.get_argument(name));
        let numbers = asked.filter_map(|value| match value.node.clone().into_const_with(given) {
            Ok(Value::Number(number)) => number.as_u64(),
            _ => None,
        });
        numbers.max().map_or(default, |number| number.min(LIST_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(document: &str) -> Result<(), LimitExceeded> {
        check_document(&async_graphql::parser::parse_query(document).unwrap(), None)
    }

    #[test]
    fn brackets_count_outside_strings_and_comments_only() {
        assert_eq!(nesting(b"{ a(b: [[1]]) { c } }"), 4);
        assert_eq!(nesting(br#"{ a(b: "[[[[\"[[") # [[[["#), 2);
        assert_eq!(nesting(b"{ a(b: \"\"\"[[ \\\"\"\" [[ \"\"\") }"), 2);
        assert_eq!(nesting(b"{ a(b: \"[[\n[[[[ "), 6);
    }

    #[test]
    fn a_document_that_would_end_the_parsers_stack_is_refused() {
        let document = format!("{{ a(b: {}1{}) }}", "[".repeat(1_600), "]".repeat(1_600));
        assert_eq!(check_text(&document), Err(LimitExceeded::Nesting));
    }

    #[test]
    fn doubled_fragments_are_counted_without_walking_them_all() {
        let mut document = String::from("{ ...f0 }");
        for level in 0..64 {
            let next = level + 1;
            document += &format!(" fragment f{level} on Query {{ ...f{next} ...f{next} }}");
        }
        document += " fragment f64 on Query { a }";
        assert_eq!(cost(&document), Err(LimitExceeded::Cost { found: u64::MAX }));
    }

    #[test]
    fn lists_multiply_what_is_selected_of_their_items() {
        let page = "{ articles(first: 100) { nodes { similarTo(k: 100) { score } } } }";
        assert_eq!(cost(page), Ok(()));
        let deep = "{ articles(first: 100) { nodes { similarTo(k: 100) { article { similarTo(k: 9) { score } } } } } }";
        assert!(matches!(cost(deep), Err(LimitExceeded::Cost { .. })));
        let document = async_graphql::parser::parse_query(
            "query($k: Int!) { articles(first: 100) { nodes { similarTo(k: $k) { score article { id title } } } } }",
        )
        .unwrap();
        let variables = |k: i64| serde_json::Map::from_iter([("k".to_owned(), k.into())]);
        assert_eq!(check_document(&document, Some(&variables(3))), Ok(()));
        assert!(check_document(&document, Some(&variables(100))).is_err());
        assert_eq!(check_document(&document, Some(&variables(-1))), Ok(()));
    }

    #[test]
    fn an_ordinary_document_passes() {
        let document = "{ articles { nodes { ...a } } } fragment a on Article { title similarTo { score } }";
        assert_eq!(cost(document), Ok(()));
    }
}
