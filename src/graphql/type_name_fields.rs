//! `__typename` fields, which the validation of async-graphql passes over.

use async_graphql::Positioned;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, InlineFragment, Selection, SelectionSet,
};

use super::request_error::RequestError;

/// Refuses a `__typename` with arguments or fields of its own, and moves its directives to where validation finds them and
/// their variables: `__typename @skip(if: $a)` and `... @skip(if: $a) { __typename }` are answered alike.
pub fn make_valid(document: &mut ExecutableDocument) -> Result<(), RequestError> {
    match &mut document.operations {
        DocumentOperations::Single(operation) => {
            make_selections_valid(&mut operation.node.selection_set.node)?
        }
        DocumentOperations::Multiple(operations) => operations
            .values_mut()
            .try_for_each(|operation| make_selections_valid(&mut operation.node.selection_set.node))?,
    }
    let mut fragments = document.fragments.values_mut();
    fragments.try_for_each(|fragment| make_selections_valid(&mut fragment.node.selection_set.node))
}

fn make_selections_valid(selections: &mut SelectionSet) -> Result<(), RequestError> {
    selections.items.iter_mut().try_for_each(|selection| match &mut selection.node {
        Selection::Field(field) if field.node.name.node == "__typename" => {
            check(field)?;
            if !field.node.directives.is_empty() {
                selection.node = with_directives_outside(field);
            }
            Ok(())
        }
        Selection::Field(field) => make_selections_valid(&mut field.node.selection_set.node),
        Selection::InlineFragment(fragment) => make_selections_valid(&mut fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => Ok(()),
    })
}

fn with_directives_outside(field: &mut Positioned<Field>) -> Selection {
    let pos = field.pos;
    let directives = std::mem::take(&mut field.node.directives);
    let items = vec![Positioned::new(Selection::Field(field.clone()), pos)];
    let selection_set = Positioned::new(SelectionSet { items }, pos);
    let fragment = InlineFragment { type_condition: None, directives, selection_set };
    Selection::InlineFragment(Positioned::new(fragment, pos))
}

fn check(field: &Positioned<Field>) -> Result<(), RequestError> {
    let (pos, message) = if let Some((argument, _)) = field.node.arguments.first() {
        (argument.pos, format!("Unknown argument \"{}\" on field \"__typename\".", argument.node))
    } else if let Some(first) = field.node.selection_set.node.items.first() {
        (first.pos, "Field \"__typename\" of type \"String!\" has no fields.".to_owned())
    } else {
        return Ok(());
    };
    Err(RequestError::Invalid { message, pos })
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn a_type_name_takes_nothing() {
        for (text, message) in [
            ("{ a { ... { __typename(b: 1) } } }", "Unknown argument \"b\" on field \"__typename\"."),
            (
                "{ ...F } fragment F on Query { __typename { a } }",
                "Field \"__typename\" of type \"String!\" has no fields.",
            ),
        ] {
            let error = make_valid(&mut parse_query(text).unwrap()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn directives_of_a_type_name_move_outside() {
        let mut document = parse_query("{ a { b: __typename @include(if: $c) __typename } }").unwrap();
        make_valid(&mut document).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let Selection::Field(a) = &operation.node.selection_set.node.items[0].node else { unreachable!() };
        let [wrapped, plain] = &a.node.selection_set.node.items[..] else { unreachable!() };
        let Selection::InlineFragment(fragment) = &wrapped.node else { unreachable!() };
        assert_eq!(fragment.node.directives[0].node.name.node, "include");
        let Selection::Field(b) = &fragment.node.selection_set.node.items[0].node else { unreachable!() };
        assert!(b.node.directives.is_empty() && b.node.alias.as_ref().unwrap().node == "b");
        assert!(matches!(plain.node, Selection::Field(_)));
    }
}
