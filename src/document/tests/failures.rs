//! Fields whose variables are null where null cannot be: null with an error, as if they had been resolved.

use async_graphql::{Response, Value};
use serde_json::{Value as Json, json};

/// What `data`, answered to what is executed of `text`, becomes; and the paths of the errors.
fn corrected(text: &str, given: Json, data: Json) -> (Json, Vec<String>) {
    let compiler = super::compiler();
    let document = compiler.validate(compiler.parse(text).unwrap()).unwrap();
    let operation = document.operation(None).unwrap();
    let variables = document.variables(&compiler, operation, given.as_object().cloned().unwrap()).unwrap();
    let (_, failed) = document.executable(&compiler, operation, &variables).unwrap();
    let mut response = Response::new(Value::from_json(data).unwrap());
    failed.iter().for_each(|failed| failed.apply(&mut response));
    let paths = response.errors.iter().map(|error| serde_json::to_string(&error.path).unwrap());
    (serde_json::to_value(&response.data).unwrap(), paths.collect())
}

#[test]
fn a_nullable_field_is_null_and_others_are_answered() {
    let text =
        "query($v: Int = 1) { cat(id: 1) { id lives(left: $v) friend { id } } find { lives(left: $v) } }";
    let cat = json!({ "id": "1", "lives": "Cat", "friend": { "id": "2" } });
    let (data, paths) = corrected(
        text,
        json!({ "v": null }),
        json!({ "cat": cat, "find": [{ "lives": "Cat" }, { "lives": "Cat" }] }),
    );
    let cat = json!({ "id": "1", "lives": null, "friend": { "id": "2" } });
    assert_eq!(data, json!({ "cat": cat, "find": [{ "lives": null }, { "lives": null }] }));
    assert_eq!(paths, [r#"["cat","lives"]"#, r#"["find",0,"lives"]"#, r#"["find",1,"lives"]"#]);
    let answered = json!({ "cat": { "lives": 9 } });
    let (data, paths) = corrected(
        "query($v: Int = 1) { cat(id: 1) { lives(left: $v) } }",
        json!({ "v": 2 }),
        answered.clone(),
    );
    assert_eq!((data, paths.len()), (answered, 0));
}

#[test]
fn a_field_that_cannot_be_null_takes_its_parents_with_it() {
    // Of `named: [Named!]!`, in the list and in a value inside of it.
    let text = "query($v: ID = 1) { named(ids: [$v]) { id } cat(id: 1) { id } }";
    let (data, paths) =
        corrected(text, json!({ "v": null }), json!({ "named": "Query", "cat": { "id": "1" } }));
    assert_eq!((data, paths), (Json::Null, vec![r#"["named"]"#.to_owned()]));
}

#[test]
fn a_condition_without_a_value_fails_where_there_is_an_object() {
    let text = "query($v: Boolean = true) { find { id @include(if: $v) } cat(id: 1) { friend { id @skip(if: $v) } } }";
    let friend = json!({ "friend": { "__typename": "Cat" } });
    let found = json!([{ "__typename": "Cat" }, { "__typename": "Cat" }]);
    let (data, paths) = corrected(text, json!({ "v": null }), json!({ "find": found, "cat": friend }));
    assert_eq!((data, paths), (Json::Null, vec![r#"["find",0]"#.to_owned()]));
    let text = "query($v: Boolean = true) { cat(id: 1) { friend { id @skip(if: $v) } name } }";
    let cat = |friend: Json| json!({ "cat": { "friend": friend, "name": "Tom" } });
    let (data, paths) = corrected(text, json!({ "v": null }), cat(json!({ "__typename": "Cat" })));
    assert_eq!(data, cat(Json::Null));
    assert_eq!(paths, [r#"["cat","friend"]"#]);
    let (data, paths) = corrected(text, json!({ "v": null }), cat(Json::Null));
    assert_eq!((data, paths.len()), (cat(Json::Null), 0));
}

#[test]
fn a_subscription_has_no_stream_without_its_argument_and_events_that_fail_otherwise() {
    let null = json!({ "v": null });
    let compiler = super::compiler();
    let text = "subscription($v: Int = 1) { removed(last: $v) { id } }";
    let document = compiler.validate(compiler.parse(text).unwrap()).unwrap();
    let operation = document.operation(None).unwrap();
    let variables = document.variables(&compiler, operation, null.as_object().cloned().unwrap()).unwrap();
    assert!(document.executable(&compiler, operation, &variables).is_err());
    let text = "subscription($v: Boolean = true) { removed { id @include(if: $v) } }";
    let (data, paths) = corrected(text, null, json!({ "removed": { "__typename": "Cat" } }));
    assert_eq!((data, paths), (json!({ "removed": null }), vec![r#"["removed"]"#.to_owned()]));
}

#[test]
fn what_is_not_there_is_not_corrected() {
    let text =
        "query($v: Int = 1) { named { ... on Cat { lives(left: $v) } } cat(id: 1) { lives(left: $v) } }";
    let data = json!({ "named": [{ "lives": "Cat" }, {}], "cat": null });
    let (data, paths) = corrected(text, json!({ "v": null }), data);
    assert_eq!(data, json!({ "named": [{ "lives": null }, {}], "cat": null }));
    assert_eq!(paths, [r#"["named",0,"lives"]"#]);
}
