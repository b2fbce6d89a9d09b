//! 5.3.2 Field Selection Merging: the compiler takes two lists for equal when one begins with the other.

use std::collections::{HashMap, HashSet};

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::Value;
use apollo_compiler::executable::{ExecutableDocument, Field, Selection, SelectionSet};

use super::super::fault::Fault;
use super::super::place::Places;

/// Refuses fields under one name whose lists differ in length.
pub fn check(document: &ExecutableDocument, places: &Places, faults: &mut Vec<Fault>) {
    if !has_lists_twice(document) {
        return;
    }
    let merging = Merging { document, places };
    for operation in document.operations.iter() {
        merging.check(&[&operation.selection_set], faults);
    }
}

/// Whether two fields of one response name have arguments with lists: rare enough to look closer.
fn has_lists_twice(document: &ExecutableDocument) -> bool {
    let operations = document.operations.iter().map(|operation| &operation.selection_set);
    let mut sets: Vec<_> =
        operations.chain(document.fragments.values().map(|fragment| &fragment.selection_set)).collect();
    let mut names = HashSet::new();
    while let Some(set) = sets.pop() {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    let lists = field.arguments.iter().any(|argument| has_list(&argument.value));
                    if lists && !names.insert(field.response_name()) {
                        return true;
                    }
                    sets.extend(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => sets.push(&fragment.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    false
}

fn has_list(value: &Value) -> bool {
    match value {
        Value::List(_) => true,
        Value::Object(fields) => fields.iter().any(|(_, value)| has_list(value)),
        _ => false,
    }
}

struct Merging<'a> {
    document: &'a ExecutableDocument,
    places: &'a Places,
}

impl<'a> Merging<'a> {
    fn check(&self, sets: &[&'a SelectionSet], faults: &mut Vec<Fault>) {
        for fields in self.grouped(sets).into_values() {
            let Some((first, rest)) = fields.split_first() else { continue };
            for other in rest {
                if first.name == other.name && !same_arguments(first, other) {
                    let message = format!(
                        "Fields \"{}\" conflict because they have differing arguments. Use different aliases on the \
                         fields to fetch both if this was intentional.",
                        first.response_name()
                    );
                    faults.push(Fault::new(
                        message,
                        other.location().map(|span| self.places.at(span.offset())),
                    ));
                }
            }
            let inside: Vec<_> = fields.iter().filter_map(|field| field.selection_set.as_ref()).collect();
            if !inside.is_empty() {
                self.check(&inside, faults);
            }
        }
    }

    fn grouped(&self, sets: &[&'a SelectionSet]) -> HashMap<&'a Name, Vec<&'a Node<Field>>> {
        let mut grouped: HashMap<_, Vec<_>> = HashMap::new();
        let mut visited = HashSet::new();
        let mut sets = sets.to_vec();
        while let Some(set) = sets.pop() {
            for selection in &set.selections {
                match selection {
                    Selection::Field(field) => grouped.entry(field.response_name()).or_default().push(field),
                    Selection::InlineFragment(fragment) => sets.push(&fragment.selection_set),
                    Selection::FragmentSpread(spread) => {
                        if let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                            && visited.insert(&spread.fragment_name)
                        {
                            sets.push(&fragment.selection_set);
                        }
                    }
                }
            }
        }
        grouped
    }
}

fn same_arguments(one: &Field, other: &Field) -> bool {
    one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|argument| {
            let same = other.arguments.iter().find(|candidate| candidate.name == argument.name);
            same.is_some_and(|candidate| same_value(&argument.value, &candidate.value))
        })
}

/// Whether two values are the same; the order of fields of an object does not matter.
fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| {
                    let same = other.iter().find(|(candidate, _)| candidate == name);
                    same.is_some_and(|(_, candidate)| same_value(value, candidate))
                })
        }
        (one, other) => one == other,
    }
}
