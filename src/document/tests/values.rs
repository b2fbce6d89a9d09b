//! Absent, null and default, in each place where a variable can stand; and what values are coerced to.

use serde_json::{Value as Json, json};

use super::request;

/// What is executed of `text` with the variable `v` given as each of: absent, null, a value.
fn three_ways(text: &str, value: Json) -> [Result<String, String>; 3] {
    [json!({}), json!({ "v": null }), json!({ "v": value })]
        .map(|given| request(text, None, given).map_err(|fault| fault.message))
}

#[test]
fn an_argument_that_is_only_an_absent_variable_is_left_out() {
    let [absent, null, given] =
        three_ways("query($v: Int) { find(first: $v, text: \"x\") { id } }", json!(5));
    assert_eq!(absent.unwrap(), r#"{find(text:"x"){id}} {}"#);
    assert_eq!(null.unwrap(), r#"{find(first:$v,text:"x"){id}} {v: null}"#);
    assert_eq!(given.unwrap(), r#"{find(first:$v,text:"x"){id}} {v: 5}"#);
    let [absent, null, given] = three_ways("query($v: Int = 7) { find(first: $v) { id } }", json!(5));
    assert_eq!(absent.unwrap(), "{find(first:$v){id}} {v: 7}");
    assert_eq!(null.unwrap(), "{find(first:$v){id}} {v: null}");
    assert_eq!(given.unwrap(), "{find(first:$v){id}} {v: 5}");
    // The default of the argument stands in for the variable.
    let [absent, null, given] = three_ways("query($v: Int) { cat(id: 1) { lives(left: $v) } }", json!(5));
    assert_eq!(absent.unwrap(), r#"{cat(id:"1"){lives}} {}"#);
    assert_eq!(null.unwrap_err(), "Variable \"$v\" must not be null: \"Int!\" is expected.");
    assert_eq!(given.unwrap(), r#"{cat(id:"1"){lives(left:$v)}} {v: 5}"#);
}

/// Inside of values the executor leaves absent variables out, or takes them as null in lists: the variable is not among those it
/// is given.
#[test]
fn variables_inside_of_values_are_given_or_not() {
    let text = "query($v: String) { find(where: { name: $v, inside: { name: $v } }) { id } }";
    let [absent, null, given] = three_ways(text, json!("x"));
    let executed = "{find(where:{name: $v, inside: {name: $v}}){id}}";
    assert_eq!(absent.unwrap(), format!("{executed} {{}}"));
    assert_eq!(null.unwrap(), format!("{executed} {{v: null}}"));
    assert_eq!(given.unwrap(), format!(r#"{executed} {{v: "x"}}"#));
    let [absent, null, given] =
        three_ways("query($v: Colour) { find(colours: [RED, $v]) { id } }", json!("GREEN"));
    assert_eq!(absent.unwrap(), "{find(colours:[RED, $v]){id}} {}");
    assert_eq!(null.unwrap(), "{find(colours:[RED, $v]){id}} {v: null}");
    assert_eq!(given.unwrap(), "{find(colours:[RED, $v]){id}} {v: GREEN}");
}

#[test]
fn a_variable_that_must_have_a_value_has_one() {
    let [absent, null, given] = three_ways("query($v: ID!) { cat(id: $v) { id } }", json!("1"));
    assert_eq!(absent.unwrap_err(), "Variable \"$v\" of required type \"ID!\" was not provided.");
    assert_eq!(null.unwrap_err(), "Variable \"$v\" got an invalid value: expected \"ID!\", not null.");
    assert!(given.is_ok());
    let [absent, null, _] = three_ways("query($v: ID! = 5) { cat(id: $v) { id } }", json!("1"));
    assert_eq!(absent.unwrap(), r#"{cat(id:$v){id}} {v: "5"}"#);
    assert!(null.is_err());
}

#[test]
fn directives_follow_the_values_of_variables() {
    let [absent, null, given] =
        three_ways("query($v: Boolean = true) { cat(id: 1) { id name @include(if: $v) } }", json!(false));
    assert_eq!(absent.unwrap(), r#"{cat(id:"1"){id name}} {v: true}"#);
    assert_eq!(null.unwrap_err(), "Variable \"$v\" must not be null: @include depends on it.");
    assert_eq!(given.unwrap(), r#"{cat(id:"1"){id}} {v: false}"#);
    let [absent, _, given] = three_ways(
        "query($v: Boolean! = true) { cat(id: 1) { id ...F @skip(if: $v) } } fragment F on Cat { name }",
        json!(false),
    );
    assert_eq!(absent.unwrap(), r#"{cat(id:"1"){id}} {v: true}"#);
    assert_eq!(given.unwrap(), r#"{cat(id:"1"){id name}} {v: false}"#);
}

#[test]
fn variables_are_those_of_the_chosen_operation() {
    let text = "query A($v: Int) { ...F } query B($v: Int = 3) { ...F } query C($v: Int!) { ...F }
        query D { named { id } } fragment F on Query { find(first: $v) { id } }";
    let of = |name: &str, given: Json| request(text, Some(name), given).map_err(|fault| fault.message);
    assert_eq!(of("A", json!({})).unwrap(), "{find{id}} {}");
    assert_eq!(of("B", json!({})).unwrap(), "{find(first:$v){id}} {v: 3}");
    assert!(of("C", json!({})).is_err());
    assert_eq!(of("D", json!({ "v": "of no interest" })).unwrap(), "{named{...Cat{id} ...Dog{id}}} {}");
    assert_eq!(of("E", json!({})).unwrap_err(), "no operation is named \"E\"");
    assert!(request(text, None, json!({})).unwrap_err().message.contains("choose one"));
}

#[test]
fn values_are_coerced_by_their_types() {
    let coerced = |ty: &str, value: Json| {
        let text = format!(
            "query($v: {ty}) {{ __typename @include(if: true) ...F }} fragment F on Query {{ {} }}",
            usage(ty)
        );
        let done = request(&text, None, json!({ "v": value })).map_err(|fault| fault.message);
        done.map(|text| text.split_once("} {v: ").unwrap().1.trim_end_matches('}').to_owned())
    };
    for (ty, value, expected) in [
        ("Int", json!(3.0), "3"),
        ("Int", json!(-0.0), "0"),
        ("Int", json!(3e0), "3"),
        ("Float", json!(3), "3"),
        ("ID", json!(7), "\"7\""),
        ("ID", json!(7.0), "\"7\""),
        ("ID", json!(u64::MAX), "\"18446744073709551615\""),
        ("ID", json!(1e20), "\"100000000000000000000\""),
        ("ID", json!("a"), "\"a\""),
        ("Boolean", json!(true), "true"),
        ("[Colour]", json!("RED"), "[RED]"),
        ("[Colour]", json!(["RED", null]), "[RED, null]"),
        ("Where", json!({ "names": "x" }), "{names: [\"x\"]"),
        ("Where", json!({ "from": "2026-01-31", "limit": 1.0 }), "{from: \"2026-01-31\", limit: 1"),
        ("Choice", json!({ "id": 3 }), "{id: \"3\""),
    ] {
        assert_eq!(coerced(ty, value.clone()).as_deref(), Ok(expected), "{ty} {value}");
    }
    for (ty, value, part) in [
        ("Int", json!(3.5), "3.5 is no whole number of 32 bits"),
        ("Int", json!(2_147_483_648_i64), "2147483648 is no whole number of 32 bits"),
        ("Int", json!("3"), "expected \"Int\", not \"3\""),
        ("Int", json!(true), "expected \"Int\", not true"),
        ("Int", json!([1]), "expected \"Int\", not a list"),
        ("Float", json!("1"), "expected \"Float\""),
        ("ID", json!(1.5), "1.5 is no id"),
        ("String", json!(1), "expected \"String\", not 1"),
        ("Boolean", json!(1), "expected \"Boolean\", not 1"),
        ("Boolean", json!("true"), "expected \"Boolean\""),
        ("[Colour]", json!(["BLUE"]), "at \"v[0]\": \"BLUE\" is no value of \"Colour\""),
        ("[Colour]", json!(["REDD"]), "did you mean \"RED\"?"),
        ("Where", json!([{}]), "expected an object of \"Where\", not a list"),
        ("Where", json!({ "nam": 1 }), "\"Where\" has no field \"nam\"; did you mean \"name\"?"),
        ("Where", json!({ "names": ["a", null] }), "at \"v.names[1]\": expected \"String!\", not null"),
        ("Where", json!({ "limit": null }), "at \"v.limit\""),
        ("Where", json!({ "from": "yesterday" }), "expected a day such as 2026-01-31"),
        ("Where", json!({ "from": 5 }), "expected \"Day\" as a string, not 5"),
        ("Choice", json!({}), "exactly one field of \"Choice\""),
        ("Choice", json!({ "id": 1, "name": "x" }), "exactly one field of \"Choice\""),
        ("Choice", json!({ "id": null }), "exactly one field of \"Choice\""),
    ] {
        let message = coerced(ty, value.clone()).unwrap_err();
        assert!(message.contains(part), "{ty} {value}: {message}");
    }
}

/// A field that takes the variable `v` of this type.
fn usage(ty: &str) -> &'static str {
    match ty {
        "Int" => "find(first: $v) { id }",
        "Float" => "find(ratio: $v) { id }",
        "ID" => "find(id: $v) { id }",
        "String" => "find(text: $v) { id }",
        "Boolean" => "find(exact: $v) { id }",
        "[Colour]" => "find(colours: $v) { id }",
        "Where" => "find(where: $v) { id }",
        _ => "pet(choice: $v) { __typename }",
    }
}

#[test]
fn long_values_are_not_repeated() {
    let text = "query($v: Int) { find(first: $v) { id } }";
    let message = request(text, None, json!({ "v": "x".repeat(10_000) })).unwrap_err().message;
    assert!(message.len() < 200, "{message}");
    let many = json!({ "v": vec![1; 100_000] });
    let faults = {
        let compiler = super::compiler();
        let text = "query($v: [Colour]) { find(colours: $v) { id } }";
        let document = compiler.validate(compiler.parse(text).unwrap()).unwrap();
        let operation = document.operation(None).unwrap();
        document.variables(&compiler, operation, many.as_object().cloned().unwrap()).unwrap_err()
    };
    assert_eq!((faults.len(), faults[99].message.as_str()), (100, "99901 more errors are left out."));
}
