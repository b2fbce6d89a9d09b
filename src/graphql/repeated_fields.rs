//! Fields that a document selects several times under the same name, which are one field of the answer: async-graphql would
//! execute each of them, and do a mutation twice.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType,
    Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};

use super::request_error::RequestError;

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Makes one field of those beside each other that have the same response name, field name and arguments, and no directives.
/// Others stay, as reading twice does no harm, but not in the root of a mutation: there they are refused.
pub fn merge(document: &mut ExecutableDocument) -> Result<(), RequestError> {
    let ExecutableDocument { operations, fragments } = document;
    for fragment in fragments.values_mut() {
        merge_selections(&mut fragment.node.selection_set.node);
    }
    match operations {
        DocumentOperations::Single(operation) => merge_operation(&mut operation.node, fragments),
        DocumentOperations::Multiple(operations) => {
            operations.values_mut().try_for_each(|operation| merge_operation(&mut operation.node, fragments))
        }
    }
}

fn merge_operation(operation: &mut OperationDefinition, fragments: &Fragments) -> Result<(), RequestError> {
    let root = &mut operation.selection_set.node;
    merge_selections(root);
    if operation.ty == OperationType::Mutation {
        Roots { fragments, visited: HashSet::new(), names: HashSet::new() }.check(root)?;
    }
    Ok(())
}

fn merge_selections(selections: &mut SelectionSet) {
    let mut merged: Vec<Positioned<Selection>> = Vec::with_capacity(selections.items.len());
    // Where a field of this name is that others can join.
    let mut places: HashMap<Name, usize> = HashMap::new();
    for mut item in std::mem::take(&mut selections.items) {
        if let Selection::Field(field) = &mut item.node
            && field.node.directives.is_empty()
        {
            let place = *places.entry(field.node.response_key().node.clone()).or_insert(merged.len());
            if let Some(Selection::Field(first)) = merged.get_mut(place).map(|item| &mut item.node)
                && is_same(&first.node, &field.node)
            {
                first.node.selection_set.node.items.append(&mut field.node.selection_set.node.items);
                continue;
            }
        }
        merged.push(item);
    }
    for item in &mut merged {
        match &mut item.node {
            Selection::Field(field) => merge_selections(&mut field.node.selection_set.node),
            Selection::InlineFragment(fragment) => merge_selections(&mut fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
    selections.items = merged;
}

/// Whether two fields without directives, with the same response name, are the same field.
fn is_same(first: &Field, second: &Field) -> bool {
    let arguments = |field: &Field| -> HashMap<_, _> {
        field.arguments.iter().map(|(name, value)| (name.node.clone(), value.node.clone())).collect()
    };
    first.name.node == second.name.node
        && first.arguments.len() == second.arguments.len()
        && first.selection_set.node.items.is_empty() == second.selection_set.node.items.is_empty()
        && arguments(first) == arguments(second)
}

/// The fields in the root of a mutation, through fragments.
struct Roots<'a> {
    fragments: &'a Fragments,
    visited: HashSet<&'a Name>,
    names: HashSet<&'a Name>,
}

impl<'a> Roots<'a> {
    fn check(&mut self, selections: &'a SelectionSet) -> Result<(), RequestError> {
        selections.items.iter().try_for_each(|selection| match &selection.node {
            Selection::Field(field) => {
                let name = field.node.response_key();
                if field.node.name.node == "__typename" || self.names.insert(&name.node) {
                    return Ok(());
                }
                let message = format!(
                    "the mutation \"{}\" is selected in several places and would be done as often: select it once, \
                     or give each an alias",
                    name.node
                );
                Err(RequestError::Invalid { message, pos: name.pos })
            }
            Selection::InlineFragment(fragment) => self.check(&fragment.node.selection_set.node),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                match self.fragments.get(name) {
                    Some(fragment) if self.visited.insert(name) => self.check(&fragment.node.selection_set.node),
                    _ => Ok(()),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn names(selections: &SelectionSet) -> Vec<String> {
        let name = |selection: &Positioned<Selection>| match &selection.node {
            Selection::Field(field) => {
                format!("{}{:?}", field.node.response_key().node, names(&field.node.selection_set.node))
            }
            Selection::InlineFragment(fragment) => {
                format!("...{:?}", names(&fragment.node.selection_set.node))
            }
            Selection::FragmentSpread(spread) => format!("...{}", spread.node.fragment_name.node),
        };
        selections.items.iter().map(name).collect()
    }

    #[test]
    fn the_same_field_is_selected_once() {
        for (text, merged) in [
            ("{ a b a }", "{ a b }"),
            ("{ a { b { c } } d a { e b { f } } }", "{ a { b { c f } e } d }"),
            ("{ a(x: 1, y: $z) { b } a(y: $z, x: 1) { c } }", "{ a(x: 1, y: $z) { b c } }"),
            ("{ ... { a { b } a { c } } }", "{ ... { a { b c } } }"),
            // These are left as they are.
            ("{ a @skip(if: $b) a @skip(if: $c) }", "{ a @skip(if: $b) a @skip(if: $c) }"),
            ("{ a(x: 1) { b } a(x: 2) { c } }", "{ a(x: 1) { b } a(x: 2) { c } }"),
            ("{ a: b a: c }", "{ a: b a: c }"),
        ] {
            let [found, expected] = [text, merged].map(|text| parse_query(text).unwrap());
            let mut found = found;
            merge(&mut found).unwrap();
            let names = [found, expected]
                .map(|document| names(&document.operations.iter().next().unwrap().1.node.selection_set.node));
            assert_eq!(names[0], names[1], "{text}");
        }
    }

    #[test]
    fn a_mutation_is_done_once_or_refused() {
        let merged = |text: &str| merge(&mut parse_query(text).unwrap()).map_err(|error| error.to_string());
        for text in [
            "mutation { a { b } a { c } }",
            "mutation { ...F ...F } fragment F on Mutation { a }",
            "mutation { a(x: 1) b: a(x: 1) __typename ... { __typename } }",
            "query { ...F a } fragment F on Query { a }",
        ] {
            assert_eq!(merged(text), Ok(()), "{text}");
        }
        for text in [
            "mutation { a ...F } fragment F on Mutation { a }",
            "mutation { ... { a } a }",
            "mutation { a @include(if: $b) a @skip(if: $c) }",
            "mutation A { b } mutation C { ... @include(if: $d) { a } ... { a } }",
        ] {
            assert!(merged(text).unwrap_err().starts_with("the mutation \"a\" is selected"), "{text}");
        }
    }
}
