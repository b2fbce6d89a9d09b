//! Against a count that follows every spread, and on documents of known measures.

use async_graphql::parser::parse_query;
use proptest::prelude::*;

use super::*;
use crate::graphql::limits::Limit;

fn cost(document: &str) -> u64 {
    measure(&parse_query(document).unwrap(), None).cost
}

#[test]
fn doubled_fragments_are_counted_without_walking_them_all() {
    let mut document = String::from("{ ...f0 }");
    for level in 0..30 {
        let next = level + 1;
        document += &format!(" fragment f{level} on Query {{ ...f{next} ...f{next} }}");
    }
    document += " fragment f30 on Query { a }";
    assert_eq!(cost(&document), 1 << 30);
}

#[test]
fn a_long_chain_of_fragments_does_not_end_the_stack() {
    let fragment = |at: usize| format!("fragment f{at} on A{{...f{}}}", at + 1);
    let document: String = ["{...f0}".to_owned()].into_iter().chain((0..1_400).map(fragment)).collect();
    let measure = measure(&parse_query(document).unwrap(), None);
    assert!(measure.fragment_depth > Limit::FragmentDepth.max());
}

#[test]
fn what_is_nested_within_each_fragment_of_a_chain_does_not_end_the_stack() {
    for (open, close) in [("...{", "}"), ("a{", "}"), ("...on A{a{", "}}")] {
        let nested = |inside: &str| format!("{}{inside}{}", open.repeat(30), close.repeat(30));
        let fragment = |at: usize| format!("fragment f{at} on A{{{}}}", nested(&format!("...f{}", at + 1)));
        let document: String = ["{...f0}".to_owned()].into_iter().chain((0..1_000).map(fragment)).collect();
        let measure = measure(&parse_query(document).unwrap(), None);
        assert!(
            measure.fragment_depth > Limit::FragmentDepth.max() || measure.depth > Limit::Depth.max(),
            "{open}: {measure:?}"
        );
    }
}

#[test]
fn fragments_that_spread_each_other_are_counted_once() {
    assert_eq!(cost("{ ...a } fragment a on A { x ...b } fragment b on A { y ...a }"), 2);
}

#[test]
fn lists_multiply_what_is_selected_of_their_items() {
    assert_eq!(
        cost("{ articles(first: 100) { nodes { similarTo(k: 100) { score } } } }"),
        100 * (1 + SIMILAR_COST + 100 * (1 + RECOMMENDATION_COST)) + 1
    );
    assert_eq!(cost("{ articles { nodes { id } } }"), 20 * 2 + 1);
    assert_eq!(
        cost("{ recommend(query: \"x\", k: 7) { score } }"),
        7 * (1 + RECOMMENDATION_COST) + RECOMMEND_COST
    );
    assert_eq!(cost("{ nodes(ids: [1, 2, 3]) { id } }"), 3 + 1);
    assert_eq!(cost("{ articles(first: -1) { totalCount } articles(first: 1000) { totalCount } }"), 21 + 101);
    let most = format!("{}a{}", "{ recommend(k: 100) ".repeat(60), "}".repeat(60));
    assert_eq!(cost(&most), u64::MAX);
}

#[test]
fn variables_and_their_defaults_count() {
    let document = parse_query("query($k: Int! = 50) { recommend(k: $k) { score } }").unwrap();
    let cost = |given: serde_json::Value| measure(&document, given.as_object()).cost - RECOMMEND_COST;
    let each = 1 + RECOMMENDATION_COST;
    assert_eq!(cost(serde_json::json!({ "k": 3 })), 3 * each);
    assert_eq!(cost(serde_json::json!({})), 50 * each);
    assert_eq!(cost(serde_json::json!({ "k": -1 })), 10 * each);
    assert_eq!(cost(serde_json::json!({ "k": u64::MAX })), 100 * each);
    let ids = parse_query("query($ids: [ID!]!) { nodes(ids: $ids) { id } }").unwrap();
    assert_eq!(measure(&ids, serde_json::json!({ "ids": ["1", "2"] }).as_object()).cost, 3);
}

/// What a field is given is read once for each time that it is in the answer.
#[test]
fn many_values_in_arguments_count() {
    let document = "query($options: RecommendOptions, $ids: [ID!]) { articles(first: 10) { nodes {
        a: similarTo(k: 1, options: $options) { score }
        b: similarTo(k: 1, options: { excludeIds: $ids, filter: { tagsAny: [\"x\", \"y\"] } }) { score } } } }";
    let document = parse_query(document).unwrap();
    let cost = |given: serde_json::Value| measure(&document, given.as_object()).cost;
    let ids = |count: usize| vec!["1"; count];
    let none = cost(serde_json::json!({}));
    assert_eq!(none, 1 + 10 * (1 + 2 * (SIMILAR_COST + RECOMMENDATION_COST + 1)));
    assert_eq!(cost(serde_json::json!({ "ids": ids(90) })), none);
    assert_eq!(cost(serde_json::json!({ "ids": ids(1_000) })), none + 10 * 10);
    let options = serde_json::json!({ "excludeIds": ids(1_000), "filter": { "tagsAny": ids(200) } });
    assert_eq!(cost(serde_json::json!({ "options": options })), none + 10 * 12);
}

#[test]
fn contents_count_more_than_other_fields() {
    assert_eq!(cost("{ articles(first: 10) { nodes { id a: content } } }"), 1 + 10 * (2 + CONTENT_COST));
}

/// Selections of the fragments after the `own`th, so that none spreads itself.
fn selections(own: usize, fragments: usize) -> impl Strategy<Value = String> {
    let field = prop_oneof![
        Just("a".to_owned()),
        Just("b: a @x".to_owned()),
        Just("similarTo(k: 3) { a }".to_owned()),
        Just("fields { a }".to_owned()),
    ];
    let spread = (own + 1..=fragments).prop_map(|at| format!("...f{at} @x"));
    let leaf = if own < fragments { prop_oneof![2 => field, 1 => spread].boxed() } else { field.boxed() };
    leaf.prop_recursive(3, 12, 3, |inner| {
        let inner = prop::collection::vec(inner, 1..4).prop_map(|parts| parts.join(" "));
        prop_oneof![
            inner.clone().prop_map(|inner| format!("articles(first: 2) {{ {inner} }}")),
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

/// Walks the fragments wherever they are spread.
fn walked(document: &ExecutableDocument) -> Measure {
    fn walk(document: &ExecutableDocument, arguments: &Arguments<'_>, selections: &SelectionSet) -> Measure {
        let mut sum = Measure::default();
        for selection in &selections.items {
            sum = sum.beside(match &selection.node {
                Selection::Field(field) => {
                    let inside = walk(document, arguments, &field.node.selection_set.node);
                    inside.of_field(&field.node, arguments)
                }
                Selection::InlineFragment(part) => walk(document, arguments, &part.node.selection_set.node)
                    .of_fragment(part.node.directives.len()),
                Selection::FragmentSpread(spread) => {
                    let fragment = &document.fragments[&spread.node.fragment_name.node].node;
                    walk(document, arguments, &fragment.selection_set.node)
                        .with_directives(fragment.directives.len())
                        .of_fragment(spread.node.directives.len())
                }
            });
        }
        sum
    }
    let arguments = Arguments::new(document, None);
    let operations = document.operations.iter();
    operations.fold(Measure::default(), |sum, (_, operation)| {
        let operation = &operation.node;
        let inside = walk(document, &arguments, &operation.selection_set.node);
        sum.beside(inside.with_directives(operation.directives.len()))
    })
}

proptest! {
    #[test]
    fn counting_each_fragment_once_is_counting_it_everywhere(text in documents()) {
        let document = parse_query(&text).unwrap();
        prop_assert_eq!(measure(&document, None), walked(&document));
    }

    /// Documents with cycles, with fragments that are missing, with anything else that parses.
    #[test]
    fn any_document_is_counted(parts in prop::collection::vec(0_usize..6, 1..60)) {
        let texts = ["a", "...f0", "...f1", "...f9", "articles(first: 100) { ...f0 a }", "... on A { ...f1 }"];
        let part = |from: usize| {
            let parts = parts.iter().skip(from).step_by(3).map(|at| texts[*at]);
            format!("__typename {}", parts.collect::<Vec<_>>().join(" "))
        };
        let text = format!("{{ {} }} fragment f0 on A {{ {} }} fragment f1 on A {{ {} }}", part(0), part(1), part(2));
        let measure = measure(&parse_query(&text).unwrap(), None);
        prop_assert!(measure.cost > 0);
    }
}
