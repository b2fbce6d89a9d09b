//! Extents, against a count that follows every spread.

use apollo_compiler::ast::{Document, Selection};
use apollo_compiler::parser::Parser;
use proptest::prelude::*;

use super::super::extent::{Extent, Extents, VALUES_OF_A_VARIABLE};

fn parsed(text: &str) -> Document {
    Parser::new().parse_ast(text, "test.graphql").unwrap()
}

#[test]
fn doubled_fragments_are_counted_without_walking_them_all() {
    let mut text = String::from("{ ...f0 }");
    for level in 0..80 {
        let next = level + 1;
        text += &format!(" fragment f{level} on Query {{ ...f{next} ...f{next} }}");
    }
    text += " fragment f80 on Query { a }";
    assert_eq!(Extents::of(&parsed(&text)).whole.selections, u64::MAX);
}

#[test]
fn what_is_nested_in_a_long_chain_does_not_end_the_stack() {
    for (open, close) in [("", ""), ("...{", "}"), ("a{", "}"), ("...on A{a{", "}}")] {
        let nested = |inside: &str| format!("{}{inside}{}", open.repeat(30), close.repeat(30));
        let fragment = |at: usize| format!("fragment f{at} on A{{{}}}", nested(&format!("...f{}", at + 1)));
        let text: String = ["{...f0}".to_owned()].into_iter().chain((0..1_000).map(fragment)).collect();
        let whole = Extents::of(&parsed(&text)).whole;
        assert!(whole.fragment_depth > 64 || whole.depth > 64, "{open}: {whole:?}");
    }
}

#[test]
fn fragments_that_nobody_spreads_count_too() {
    let extents = Extents::of(&parsed("query Q { a } fragment F on A { a { b } }"));
    assert_eq!((extents.whole.selections, extents.whole.depth), (3, 2));
    assert_eq!(extents.operations.values().next().unwrap().selections, 1);
}

#[test]
fn values_count_wherever_they_are_reached() {
    let text = "query A { ...F ...F } query B { ...F a @x(y: $v) }
                fragment F on A { a(b: [1, 2, { c: $v }], d: E) @x(y: 3) }";
    let extents = Extents::of(&parsed(text));
    // The list, its three items, the variable, the enum's value, and that of the directive.
    let fragment = 6 + VALUES_OF_A_VARIABLE;
    let of = |name: &str| extents.operations[&Some(apollo_compiler::Name::new(name).unwrap())].values;
    assert_eq!(of("A"), 2 * fragment);
    assert_eq!(of("B"), fragment + VALUES_OF_A_VARIABLE);
    assert_eq!(extents.whole.values, of("A") + of("B"));
}

#[test]
fn operations_of_one_name_do_not_count_together() {
    let extents = Extents::of(&parsed("query Q { a } query Q { a b } { a } { a }"));
    assert!(extents.operations.values().all(|extent| extent.root_fields == 1), "{extents:?}");
    assert_eq!(extents.whole.root_fields, 5);
}

/// Selections of the fragments after the `own`th, so that none spreads itself.
fn selections(own: usize, fragments: usize) -> impl Strategy<Value = String> {
    let field = prop_oneof![Just("a".to_owned()), Just("b: a @x".to_owned()), Just("c { d }".to_owned())];
    let spread = (own + 1..=fragments).prop_map(|at| format!("...f{at} @x"));
    let leaf = if own < fragments { prop_oneof![2 => field, 1 => spread].boxed() } else { field.boxed() };
    leaf.prop_recursive(3, 12, 3, |inner| {
        let inner = prop::collection::vec(inner, 1..4).prop_map(|parts| parts.join(" "));
        prop_oneof![
            inner.clone().prop_map(|inner| format!("e {{ {inner} }}")),
            inner.prop_map(|inner| format!("... on A @x {{ {inner} }}")),
        ]
    })
}

fn documents() -> impl Strategy<Value = String> {
    (1_usize..5).prop_flat_map(|fragments| {
        let parts: Vec<_> = (0..=fragments).map(|own| selections(own, fragments)).collect();
        parts.prop_map(|parts| {
            let text = |(at, part): (usize, &String)| match at {
                0 => format!("query @x {{ {part} }}"),
                _ => format!(" fragment f{at} on A @x {{ {part} }}"),
            };
            parts.iter().enumerate().map(text).collect()
        })
    })
}

/// The selections of the operation, with each fragment walked wherever it is spread: (all, aliases, directives).
fn walked(document: &Document, selections: &[Selection]) -> (u64, u64, u64) {
    let mut sum = (0, 0, 0);
    for selection in selections {
        let (inside, alias, directives) = match selection {
            Selection::Field(field) => {
                let inside = walked(document, field.selection_set.as_deref().unwrap_or_default());
                (inside, u64::from(field.alias.is_some()), field.directives.len())
            }
            Selection::InlineFragment(part) => {
                (walked(document, &part.selection_set), 0, part.directives.len())
            }
            Selection::FragmentSpread(spread) => {
                let fragments = document.definitions.iter().filter_map(|one| one.as_fragment_definition());
                let mut named = fragments.filter(|fragment| fragment.name == spread.fragment_name);
                let fragment = named.next().unwrap();
                let inside = walked(document, &fragment.selection_set);
                (inside, 0, spread.directives.len() + fragment.directives.len())
            }
        };
        sum.0 += 1 + inside.0;
        sum.1 += alias + inside.1;
        sum.2 += directives as u64 + inside.2;
    }
    sum
}

proptest! {
    #[test]
    fn counting_each_fragment_once_is_counting_it_everywhere(text in documents()) {
        let document = parsed(&text);
        let operation = document.definitions.iter().find_map(|one| one.as_operation_definition()).unwrap();
        let (selections, aliases, directives) = walked(&document, &operation.selection_set);
        let found = *Extents::of(&document).operations.values().next().unwrap();
        let expected = Extent { selections, aliases, directives: directives + 1, ..found };
        prop_assert_eq!(found, expected);
    }

    /// Documents with cycles, with fragments that are missing, with anything else that parses.
    #[test]
    fn any_document_is_counted(parts in prop::collection::vec(0_usize..5, 1..60)) {
        let texts = ["a", "...f0", "...f1", "...f9", "... on A { ...f1 }"];
        let part = |from: usize| {
            let parts = parts.iter().skip(from).step_by(3).map(|at| texts[*at]);
            format!("b {}", parts.collect::<Vec<_>>().join(" "))
        };
        let text = format!("{{ {} }} fragment f0 on A {{ {} }} fragment f1 on A {{ {} }}", part(0), part(1), part(2));
        prop_assert!(Extents::of(&parsed(&text)).whole.selections > 0);
    }
}
