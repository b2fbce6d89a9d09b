//! Which documents are valid, and what is executed of them.

use serde_json::json;

use super::request;

fn executed(text: &str) -> String {
    let executed = request(text, None, json!({})).unwrap_or_else(|fault| panic!("{text}: {}", fault.message));
    executed.trim_end_matches(" {}").to_owned()
}

fn refused(text: &str) -> (String, usize, usize) {
    let fault = match request(text, None, json!({})) {
        Ok(executed) => panic!("{text} was taken as {executed}"),
        Err(fault) => fault,
    };
    let place = fault.locations.first().map_or((0, 0), |place| (place.line, place.column));
    (fault.message, place.0, place.1)
}

#[test]
fn fragments_are_resolved_and_equal_fields_are_one() {
    for (text, expected) in [
        (
            "{ cat(id: 1) { id ...F ... { name } } } fragment F on Cat { id name }",
            r#"{cat(id:"1"){id name}}"#,
        ),
        (
            "{ cat(id: 1) { id } ...F } fragment F on Query { cat(id: 1) { name } }",
            r#"{cat(id:"1"){id name}}"#,
        ),
        ("{ a: cat(id: 1) { id } cat(id: 1) { id } }", r#"{a:cat(id:"1"){id} cat(id:"1"){id}}"#),
        (
            "{ cat(id: 1) { ...N } } fragment N on Named { id ... on Cat { meows } ... on Dog { barks } }",
            r#"{cat(id:"1"){id meows}}"#,
        ),
        (
            "{ named { id ... on Dog { barks } ... on Cat { meows id } __typename } }",
            "{named{...Cat{id meows __typename} ...Dog{id barks __typename}}}",
        ),
        ("{ pet { ... on Named { id } } }", "{pet{...Cat{id} ...Dog{id}}}"),
        ("{ pet { ... on Dog { id } } }", "{pet{...Cat{} ...Dog{id}}}"),
        (
            "{ named { ... on Cat { x: meows } ... on Dog { x: barks } } }",
            "{named{...Cat{x:meows} ...Dog{x:barks}}}",
        ),
        ("{ cat(id: 1) { __typename @skip(if: true) id } }", r#"{cat(id:"1"){id}}"#),
        (
            "mutation { rename(id: 1) { id } ...F } fragment F on Mutation { rename(id: 1) { name } }",
            r#"{rename(id:"1"){id name}}"#,
        ),
        (
            "mutation { a: rename(id: 1) { id } b: rename(id: 1) { id } }",
            r#"{a:rename(id:"1"){id} b:rename(id:"1"){id}}"#,
        ),
        ("subscription { ...F } fragment F on Subscription { renamed { id } }", "{renamed{id}}"),
        (
            "subscription { ... { renamed { id } } ... on Subscription { renamed { name } } }",
            "{renamed{id name}}",
        ),
        ("subscription { renamed { id } renamed { name } }", "{renamed{id name}}"),
    ] {
        assert_eq!(executed(text), expected, "{text}");
    }
}

#[test]
fn texts_are_read_as_the_specification_writes_them() {
    for (text, expected) in [
        (
            r#"{ find(text: "Party \ud83c\udf89 \u{1F389} \u00e9") { id } }"#,
            r#"{find(text:"Party 🎉 🎉 é"){id}}"#,
        ),
        (r#"{ find(text: """Say \""" loudly.""") { id } }"#, r#"{find(text:"Say \"\"\" loudly."){id}}"#),
        ("{ find(text: \"\"\"\n    a\n  \n      b\n    \"\"\") { id } }", r#"{find(text:"a\n\n  b"){id}}"#),
        ("\u{feff}{ find { id } }", "{find{id}}"),
        ("# note\r\n,,{ find\r{ id,, } } # end", "{find{id}}"),
        ("{ a,, :,find(first,:# é\n1,) { ...,F } } fragment,F,on,Cat { id }", "{a:find(first:1){id}}"),
        (
            "{ find(colours: [,], where: {,}) { ... # why\n @include(if: true) { id } } }",
            "{find(colours:[],where:{}){id}}",
        ),
        (
            "{ named(ids: 12345678901234567890) { id } }",
            r#"{named(ids:"12345678901234567890"){...Cat{id} ...Dog{id}}}"#,
        ),
        ("{ find(ratio: 1) { id } }", "{find(ratio:1){id}}"),
        (
            "\"\"\"Finds.\"\"\" query Q(\"how many\" $n: Int = 1) { find(first: $n) { ...F } } \"a part\" fragment F on Cat { id }",
            "{find(first:$n){id}} {n: 1}",
        ),
        (
            "{ on: find { id } type: find { id } null: find { id } }",
            "{on:find{id} type:find{id} null:find{id}}",
        ),
    ] {
        assert_eq!(executed(text), expected, "{text}");
    }
}

#[test]
fn faults_of_syntax_have_their_place() {
    for (text, line, column) in [
        ("{\n  find { ", 2, 10),
        ("", 1, 1),
        ("# nothing", 1, 10),
        ("{ }", 1, 3),
        ("{ find { } }", 1, 10),
        ("{ find { ... { } } }", 1, 16),
        ("{ find(first: 01) { id } }", 1, 16),
        ("{ find(first: 1a) { id } }", 1, 16),
        ("{ find(first: 1.) { id } }", 1, 17),
        ("{ find(first: -) { id } }", 1, 16),
        ("{ find(first: 1e) { id } }", 1, 17),
        ("{ find(first: 1.5.2) { id } }", 1, 18),
        ("{ find(text: \"\\ud83d\") { id } }", 1, 15),
        ("{ find(text: \"\\ude00\\ud83d\") { id } }", 1, 15),
        ("{ find(text: \"\\ud83d\\u{de00}\") { id } }", 1, 15),
        ("{ find(text: \"\\u{110000}\") { id } }", 1, 15),
        ("{ find(text: \"\\u{}\") { id } }", 1, 15),
        ("{ find(text: \"\\u12\") { id } }", 1, 15),
        ("{ find(text: \"\\x\") { id } }", 1, 15),
        ("{ find(text: \"a\nb\") { id } }", 1, 16),
        ("{ find(text: \"\na\") { id } }", 1, 15),
        ("{ find(text: \"\"\"a) { id } }", 1, 28),
        ("{ find { id } } }", 1, 17),
        ("\"no\" { find { id } }", 1, 6),
        ("query Q(\"a\" \"b\" $v: Int) { find(first: $v) { id } }", 1, 13),
        ("query ($v: Int = $w) { find(first: $v) { id } }", 1, 18),
        ("query () { find { id } }", 1, 8),
        ("query ($v Int) { find { id } }", 1, 11),
        ("query ($v: [Int) { find { id } }", 1, 16),
        ("fragment on on Cat { id } { find { ...on } }", 1, 10),
        ("fragment F($v: Int) on Cat { id }", 1, 11),
        ("{ find(first 1) { id } }", 1, 14),
        ("{ find(where: { name }) { id } }", 1, 22),
        ("{ find(where: { namenull }) { id } }", 1, 26),
        ("{ find() { id } }", 1, 8),
        ("{ find @include(if true) { id } }", 1, 20),
        ("{ find(text: how to) { id } }", 1, 20),
        ("{ a: b: find { id } }", 1, 7),
        ("{ é }", 1, 3),
        ("{ find { id } ; }", 1, 15),
        ("{ ..find }", 1, 3),
        ("query Q { find { id } } Q", 1, 25),
    ] {
        let (message, found_line, found_column) = refused(text);
        assert!(message.starts_with("Syntax error: "), "{text}: {message}");
        assert_eq!((found_line, found_column), (line, column), "{text}: {message}");
    }
}

#[test]
fn invalid_documents_are_refused_with_the_name_that_was_meant() {
    for (text, part) in [
        ("{ fnd { id } }", "Cannot query field \"fnd\" on type \"Query\". Did you mean \"find\"?"),
        ("{ find { naem } }", "Did you mean \"name\"?"),
        (
            "{ find(frist: 1) { id } }",
            "Unknown argument \"frist\" on field \"Query.find\". Did you mean \"first\"?",
        ),
        ("{ find(where: { nmae: 1 }) { id } }", "Did you mean \"name\"?"),
        ("{ find(colours: GREN) { id } }", "Did you mean \"GREEN\"?"),
        (
            "{ find(colours: \"GREEN\") { id } }",
            "Colour cannot represent value: \"GREEN\". Did you mean GREEN, without quotation marks?",
        ),
        ("query($v: Colur) { find { id } }", "Unknown type \"Colur\". Did you mean \"Colour\"?"),
        ("{ find { ... on Catt { id } } }", "Did you mean \"Cat\"?"),
        ("{ find { ...Fo } } fragment Foo on Cat { id }", "Unknown fragment \"Fo\". Did you mean \"Foo\"?"),
        ("{ find @inclde(if: true) { id } }", "Did you mean \"@include\"?"),
        (
            "query($first: Int) { a: find(first: $first) { id } find(first: $fist) { id } }",
            "Variable \"$fist\" is not defined. Did you mean \"$first\"?",
        ),
    ] {
        let (message, line, _) = refused(text);
        assert!(message.contains(part) && line == 1, "{text}: {message}");
    }
}

#[test]
fn what_the_compiler_lets_pass_is_refused() {
    for (text, part) in [
        ("{ find(where: { name: \"a\", name: \"b\" }) { id } }", "only one input field named \"name\""),
        (
            "{ find(where: { inside: { name: \"a\", name: \"b\" } }) { id } }",
            "only one input field named \"name\"",
        ),
        (
            "query($v: Where = { name: \"a\", name: \"b\" }) { find(where: $v) { id } }",
            "only one input field",
        ),
        ("{ find(where: { from: 5 }) { id } }", "Expected a value of type \"Day\", found 5"),
        ("{ find(where: { from: \"x\" }) { id } }", "expected a day such as 2026-01-31"),
        ("{ find(where: { from: {} }) { id } }", "Expected a value of type \"Day\""),
        ("{ find(where: { from: [] }) { id } }", "Expected a value of type \"Day\", found []"),
        ("{ find(where: { from: [\"2026-01-31\"] }) { id } }", "Expected a value of type \"Day\""),
        (
            "query($v: Day = 5) { find(where: { from: $v }) { id } }",
            "Expected a value of type \"Day\", found 5",
        ),
        ("query($v: ID = null) { cat(id: $v) { id } }", "\"$v\", which is null by default"),
        (
            "query($v: ID = null) { ...F } fragment F on Query { cat(id: $v) { id } }",
            "which is null by default",
        ),
        ("query($v: Boolean = null) { find { id @skip(if: $v) } }", "which is null by default"),
        (
            "query($v: Boolean = null) { ...F @skip(if: $v) } fragment F on Query { find { id } }",
            "which is null",
        ),
        (
            "query($v: [ID!] = null, $w: ID = null) { named(ids: [$w]) { id } n: named(ids: $v) { id } }",
            "\"$w\", which is null",
        ),
        ("{ named(ids: [1]) { id } named(ids: [1, 2]) { id } }", "Fields \"named\" conflict"),
        (
            "{ named(ids: [1]) { id } ...F } fragment F on Query { named(ids: [1, 2]) { id } }",
            "Fields \"named\" conflict",
        ),
        (
            "{ a: cat(id: 1) { lives(left: 1) } a: cat(id: 1) { lives(left: 2) } }",
            "Fields \"lives\" conflict",
        ),
    ] {
        let (message, line, _) = refused(text);
        assert!(message.contains(part) && line == 1, "{text}: {message}");
    }
    // And what is valid beside them.
    for text in [
        "query($v: String = null) { find(text: $v) { id } }",
        "{ named(ids: [1, 2]) { id } named(ids: [1, 2]) { __typename } }",
        "{ find(where: { from: null }) { id } }",
        "{ find(where: { from: \"2026-01-31\" }) { id } }",
    ] {
        executed(text);
    }
}

#[test]
fn invalid_documents_are_refused() {
    for text in [
        "{ find(where: \"x\") { id } }",
        "{ find(where: { limit: null }) { id } }",
        "{ find(text: 5) { id } }",
        "{ find(first: 2147483648) { id } }",
        "{ find(first: 3.0) { id } }",
        "{ find(first: \"3\") { id } }",
        "{ required { id } }",
        "{ cat(id: null) { id } }",
        "{ cat(id: 1, id: 2) { id } }",
        "{ find }",
        "{ find { id { a } } }",
        "{ find { x: id ...F } } fragment F on Cat { x: name }",
        "{ find { ... on Dog { id } } }",
        "{ ...F } fragment F on Query { ...F }",
        "{ find { id } } fragment F on Cat { id }",
        "query Q { find { id } } query Q { find { id } }",
        "{ find { id } } query Q { find { id } }",
        "query($v: Int, $v: Int) { find(first: $v) { id } }",
        "query($v: Int) { find { id } }",
        "query($v: String) { find(first: $v) { id } }",
        "query($v: String) { find(where: { names: [$v] }) { id } }",
        "query($v: Int) { find(where: { limit: 1, name: $v }) { id } }",
        "query($v: ID) { pet(choice: { id: $v }) { __typename } }",
        "{ pet(choice: {}) { __typename } }",
        "{ pet(choice: { id: 1, name: \"x\" }) { __typename } }",
        "{ pet { name } }",
        "subscription { renamed { id } removed { id } }",
        "subscription { a: renamed { id } b: renamed { id } }",
        "subscription { ...F } fragment F on Subscription { renamed { id } removed { id } }",
        "subscription { renamed @include(if: true) { id } }",
        "subscription { __typename }",
        "{ find @skip(if: true) @skip(if: true) { id } }",
        "{ find @skip { id } }",
        "query @skip(if: true) { find { id } }",
        "{ find @deprecated { id } }",
        "type A { b: Int }",
        "{ __schema { directives(includeDeprecated: true) { name } } }",
        "{ __schema { directives { isDeprecated } } }",
        "{ __typename(a: 1) }",
        "{ __typename { a } }",
    ] {
        refused(text);
    }
}

#[test]
fn a_hundred_faults_are_reported_and_the_rest_counted() {
    let fields: String = (0..250).map(|at| format!("f{at} ")).collect();
    let compiler = super::compiler();
    let faults = compiler.validate(compiler.parse(&format!("{{ {fields} }}")).unwrap()).unwrap_err();
    assert_eq!((faults.len(), faults[99].message.as_str()), (100, "151 more errors are left out."));
}
