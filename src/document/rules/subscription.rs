//! 5.2.4.1 Single Root Field: one name in the answer, however often it is selected. The compiler counts the selections.

use std::collections::HashSet;

use apollo_compiler::Name;
use apollo_compiler::executable::{ExecutableDocument, Operation, Selection};

/// Whether the fields of a subscription are all one in its answer. Directives are refused on them, so none is left out.
pub fn has_one_root_field(document: &ExecutableDocument, operation: &Operation) -> bool {
    let mut names: HashSet<&Name> = HashSet::new();
    let mut visited = HashSet::new();
    let mut sets = vec![&operation.selection_set];
    while let Some(set) = sets.pop() {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    names.insert(field.response_name());
                }
                Selection::InlineFragment(fragment) => sets.push(&fragment.selection_set),
                Selection::FragmentSpread(spread) => {
                    let fragment = document.fragments.get(&spread.fragment_name);
                    if let Some(fragment) = fragment
                        && visited.insert(&spread.fragment_name)
                    {
                        sets.push(&fragment.selection_set);
                    }
                }
            }
        }
    }
    names.len() == 1
}
