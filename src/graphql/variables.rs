//! Variables that a request leaves out.
//!
//! By the specification an argument that is a variable without a value counts as not given, so that its default holds.
//! async-graphql takes it as null instead; so such arguments are taken out of the document before it is executed.

use std::collections::HashSet;
use std::convert::Infallible;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Value};

/// Takes out of `document` the arguments that are variables without a value and without a default, and the definitions
/// of variables that nothing uses any more.
pub fn leave_out_absent(
    document: &mut ExecutableDocument,
    given: Option<&serde_json::Map<String, serde_json::Value>>,
) {
    let definitions =
        document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    let names = definitions
        .map(|definition| &definition.node)
        .filter(|definition| definition.var_type.node.nullable && definition.default_value.is_none())
        .map(|definition| definition.name.node.clone())
        .filter(|name| given.is_none_or(|given| !given.contains_key(name.as_str())))
        .collect::<HashSet<_>>();
    if names.is_empty() {
        return;
    }
    let mut absent = Absent { names, dropped: HashSet::new(), used: HashSet::new() };
    for operation in operations(document) {
        absent.directives(&operation.directives);
        absent.selections(&mut operation.selection_set.node);
    }
    for fragment in document.fragments.values_mut() {
        absent.directives(&fragment.node.directives);
        absent.selections(&mut fragment.node.selection_set.node);
    }
    let unused: HashSet<_> = absent.dropped.difference(&absent.used).cloned().collect();
    for operation in operations(document) {
        operation.variable_definitions.retain(|definition| !unused.contains(&definition.node.name.node));
    }
}

fn operations(document: &mut ExecutableDocument) -> Vec<&mut OperationDefinition> {
    match &mut document.operations {
        DocumentOperations::Single(operation) => vec![&mut operation.node],
        DocumentOperations::Multiple(operations) => {
            operations.values_mut().map(|operation| &mut operation.node).collect()
        }
    }
}

struct Absent {
    names: HashSet<Name>,
    /// Those that an argument was taken out for.
    dropped: HashSet<Name>,
    /// Those that stand inside of values, where a missing one is left out by the executor.
    used: HashSet<Name>,
}

impl Absent {
    fn selections(&mut self, selections: &mut SelectionSet) {
        for selection in &mut selections.items {
            match &mut selection.node {
                Selection::Field(field) => {
                    let field = &mut field.node;
                    self.directives(&field.directives);
                    field.arguments.retain(|(_, value)| !self.drops(&value.node.to_string()));
                    for (_, value) in &field.arguments {
                        // What a variable is replaced by is of no interest.
                        let _ = value.node.clone().into_const_with(|name| self.uses(name));
                    }
                    self.selections(&mut field.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.node.directives);
                    self.selections(&mut fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => self.directives(&spread.node.directives),
            }
        }
    }

    /// `@skip` and `@include` have no defaults: their variables are left as they are.
    fn directives(&mut self, directives: &[Positioned<Directive>]) {
        for (_, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
            let _ = value.node.clone().into_const_with(|name| self.uses(name));
        }
    }

    fn uses(&mut self, name: Name) -> Result<Value, Infallible> {
        self.used.insert(name);
        Ok(Value::Null)
    }

    /// Whether an argument with this value is to be taken out.
    fn drops(&mut self, value: &str) -> bool {
        let name = value.strip_prefix('$').and_then(|name| self.names.get(name)).cloned();
        name.inspect(|name| {
            self.dropped.insert(name.clone());
        })
        .is_some()
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn arguments(document: &str, given: &str) -> (String, usize) {
        let mut document = parse_query(document).unwrap();
        let given: serde_json::Value = serde_json::from_str(given).unwrap();
        leave_out_absent(&mut document, given.as_object());
        let operations = operations(&mut document);
        let operation = &operations[0];
        let Selection::Field(field) = &operation.selection_set.node.items[0].node else { panic!("a field") };
        let arguments =
            field.node.arguments.iter().map(|(name, value)| format!("{}:{}", name.node, value.node));
        (arguments.collect::<Vec<_>>().join(" "), operation.variable_definitions.len())
    }

    #[test]
    fn an_argument_without_a_value_is_left_out() {
        let document = "query($k: Int, $q: String!) { recommend(query: $q, k: $k) { score } }";
        assert_eq!(arguments(document, r#"{"q": "x"}"#), ("query:$q".to_owned(), 1));
        assert_eq!(arguments(document, r#"{"q": "x", "k": null}"#), ("query:$q k:$k".to_owned(), 2));
        assert_eq!(arguments(document, r#"{"q": "x", "k": 3}"#), ("query:$q k:$k".to_owned(), 2));
    }

    #[test]
    fn defaults_and_variables_inside_of_values_are_left_alone() {
        let default = "query($k: Int = 3) { recommend(k: $k) { score } }";
        assert_eq!(arguments(default, "{}"), ("k:$k".to_owned(), 1));
        let nested = "query($c: [String!]) { articles(filter: {categoryIn: $c}, first: $c) { totalCount } }";
        assert_eq!(arguments(nested, "{}").1, 1);
    }
}
