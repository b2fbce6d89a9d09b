//! What the specification says of documents, on a small schema.

mod extents;
mod failures;
mod values;
mod verdicts;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use serde_json::Value as Json;

use super::{Compiler, Fault};

const SCHEMA: &str = r#"
    scalar Day
    enum Colour { RED GREEN }
    interface Named { name: String id: ID! }
    type Cat implements Named { name: String id: ID! meows: Boolean lives(left: Int! = 9): Int friend: Named }
    type Dog implements Named { name: String id: ID! barks: Boolean lives: Int }
    union Pet = Cat | Dog
    input Where { name: String names: [String!] colour: Colour from: Day limit: Int! = 3 inside: Where }
    input Choice @oneOf { id: ID name: String }
    type Query {
        cat(id: ID!): Cat
        named(ids: [ID!]): [Named!]!
        pet(choice: Choice): Pet
        find(where: Where, first: Int, text: String, ratio: Float, exact: Boolean, colours: [Colour], id: ID): [Cat!]!
        required(where: Where!): Int
    }
    type Mutation { rename(id: ID!, name: String): Cat }
    type Subscription { renamed(id: ID): Cat removed(last: Int! = 1): Cat }
"#;

fn compiler() -> Compiler {
    let day = |text: &str| {
        if text.len() == 10 { Ok(()) } else { Err("expected a day such as 2026-01-31".to_owned()) }
    };
    Compiler::new(SCHEMA, &[("Day", day)]).unwrap()
}

/// What a request comes to: the fields that are executed and the variables they are executed with, or the first fault.
fn request(text: &str, name: Option<&str>, given: Json) -> Result<String, Fault> {
    let compiler = compiler();
    let first = |faults: Vec<Fault>| faults.into_iter().next().unwrap();
    let document = compiler.validate(compiler.parse(text).map_err(first)?).map_err(first)?;
    let operation = document.operation(name)?;
    let given = given.as_object().cloned().unwrap_or_default();
    let variables = document.variables(&compiler, operation, given).map_err(first)?;
    let (executable, failed) = document.executable(&compiler, operation, &variables)?;
    if let Some(failed) = failed.first() {
        return Err(Fault { message: failed.message.clone(), locations: vec![failed.pos] });
    }
    Ok(format!("{} {variables}", fields(&executable)))
}

fn fields(document: &ExecutableDocument) -> String {
    let mut operations = document.operations.iter();
    let (_, operation) = operations.next().unwrap();
    assert!(operations.next().is_none() && document.fragments.is_empty());
    written(&operation.node.selection_set.node)
}

fn written(selections: &SelectionSet) -> String {
    let selections = selections.items.iter().map(|item| match &item.node {
        Selection::Field(field) => {
            let field = &field.node;
            assert!(field.directives.is_empty());
            let alias = field.alias.as_ref().map(|alias| format!("{}:", alias.node)).unwrap_or_default();
            let arguments: Vec<_> =
                field.arguments.iter().map(|(name, value)| format!("{}:{}", name.node, value.node)).collect();
            let arguments =
                if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(",")) };
            let inside = &field.selection_set.node;
            let inside = if inside.items.is_empty() { String::new() } else { written(inside) };
            format!("{alias}{}{arguments}{inside}", field.name.node)
        }
        Selection::InlineFragment(fragment) => {
            let on = &fragment.node.type_condition.as_ref().unwrap().node.on.node;
            format!("...{on}{}", written(&fragment.node.selection_set.node))
        }
        Selection::FragmentSpread(_) => panic!("no fragment is left"),
    });
    format!("{{{}}}", selections.collect::<Vec<_>>().join(" "))
}
