//! Documents of known measures.

use async_graphql::parser::parse_query;

use super::*;

fn measured(document: &str, given: serde_json::Value) -> u64 {
    measure(&parse_query(document).unwrap(), &Variables::from_json(given)).cost
}

fn cost(document: &str) -> u64 {
    measured(document, serde_json::json!({}))
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
    assert_eq!(
        cost("{ articles(first: -1) { totalCount } b: articles(first: 1000) { totalCount } }"),
        21 + 101
    );
    let most = format!("{}a{}", "{ recommend(k: 100) ".repeat(60), "}".repeat(60));
    assert_eq!(cost(&most), u64::MAX);
}

#[test]
fn variables_count_as_what_they_are() {
    let document = "query($k: Int!) { recommend(k: $k) { score } }";
    let cost = |given: serde_json::Value| measured(document, given) - RECOMMEND_COST;
    let each = 1 + RECOMMENDATION_COST;
    assert_eq!(cost(serde_json::json!({ "k": 3 })), 3 * each);
    assert_eq!(cost(serde_json::json!({})), 10 * each);
    assert_eq!(cost(serde_json::json!({ "k": -1 })), 10 * each);
    assert_eq!(cost(serde_json::json!({ "k": u64::MAX })), 100 * each);
    let ids = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    assert_eq!(measured(ids, serde_json::json!({ "ids": ["1", "2"] })), 3);
}

/// What a field is given is read once for each time that it is in the answer.
#[test]
fn many_values_in_arguments_count() {
    let document = "query($options: RecommendOptions, $ids: [ID!]) { articles(first: 10) { nodes {
        a: similarTo(k: 1, options: $options) { score }
        b: similarTo(k: 1, options: { excludeIds: $ids, filter: { tagsAny: [\"x\", \"y\"] } }) { score } } } }";
    let cost = |given: serde_json::Value| measured(document, given);
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
