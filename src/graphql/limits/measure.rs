//! Counts in what is to be executed: a document whose fragments and directives are resolved, with its variables.

use std::collections::HashMap;

use async_graphql::Variables;
use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql_value::{ConstValue, Value};

/// What a list for a text counts besides its answer: it runs the model, which queues a limited number of texts.
const RECOMMEND_COST: u64 = 200;
/// What a list for an article counts besides its answer: it is a search.
const SIMILAR_COST: u64 = 10;
/// What a recommendation counts besides what is asked of it: its article is loaded.
const RECOMMENDATION_COST: u64 = 5;
/// What the content of an article counts: it may have a megabyte, and each alias is a copy.
const CONTENT_COST: u64 = 50;
/// Values in arguments that count one: a field reads and checks its arguments each time that it is in the answer.
const ARGUMENT_VALUES_PER_COST: u64 = 100;
/// The longest list that any argument can ask for.
const LIST_MAX: u64 = 100;
/// The lists by which introspection comes from one type to others.
const INTROSPECTION_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// The counts of a selection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Most values of the answer: a list counts as long as it may become.
    pub cost: u64,
    /// The deepest selection, in fields.
    pub depth: u64,
    /// The deepest nesting of lists of introspection.
    pub introspection_depth: u64,
}

impl Measure {
    /// Of two selections side by side.
    fn beside(self, other: Self) -> Self {
        Self {
            cost: self.cost.saturating_add(other.cost),
            depth: self.depth.max(other.depth),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
        }
    }

    /// Of a field with this measure inside.
    fn of_field(self, field: &Field, arguments: &Arguments<'_>) -> Self {
        let length = arguments.length_of(field);
        let name = field.name.node.as_str();
        let (own, each) = match name {
            "recommend" | "recommendations" => (RECOMMEND_COST, RECOMMENDATION_COST),
            "similarTo" => (SIMILAR_COST, RECOMMENDATION_COST),
            "content" => (CONTENT_COST, 0),
            _ => (1, 0),
        };
        let own = own.saturating_add(arguments.values_of(field) / ARGUMENT_VALUES_PER_COST);
        Self {
            cost: length.saturating_mul(self.cost.saturating_add(each)).saturating_add(own),
            depth: self.depth.saturating_add(1),
            introspection_depth: self.introspection_depth + u64::from(INTROSPECTION_LISTS.contains(&name)),
        }
    }
}

/// Counts in `document`, which is as deep as its limits allow.
pub fn measure(document: &ExecutableDocument, variables: &Variables) -> Measure {
    let arguments = Arguments::new(variables);
    let operations = document.operations.iter();
    operations.fold(Measure::default(), |sum, (_, operation)| {
        sum.beside(selections(&operation.node.selection_set.node, &arguments))
    })
}

fn selections(set: &SelectionSet, arguments: &Arguments<'_>) -> Measure {
    set.items.iter().fold(Measure::default(), |sum, selection| {
        sum.beside(match &selection.node {
            Selection::Field(field) => {
                selections(&field.node.selection_set.node, arguments).of_field(&field.node, arguments)
            }
            Selection::InlineFragment(fragment) => selections(&fragment.node.selection_set.node, arguments),
            // There are none any more.
            Selection::FragmentSpread(_) => Measure::default(),
        })
    })
}

/// Tells how long lists may become, and how much is given to fields.
struct Arguments<'a> {
    variables: &'a Variables,
    /// How many values each variable has.
    values: HashMap<&'a str, u64>,
}

impl<'a> Arguments<'a> {
    fn new(variables: &'a Variables) -> Self {
        let values = variables.iter().map(|(name, value)| (name.as_str(), values(value))).collect();
        Self { variables, values }
    }

    /// How many values the arguments of a field have. What a document has of its own is little.
    fn values_of(&self, field: &Field) -> u64 {
        field.arguments.iter().fold(0, |sum, (_, value)| sum.saturating_add(self.values_in(&value.node)))
    }

    fn values_in(&self, value: &Value) -> u64 {
        let sum = |sum: u64, value| sum.saturating_add(self.values_in(value));
        match value {
            Value::Variable(name) => self.values.get(name.as_str()).copied().unwrap_or(1),
            Value::List(items) => items.iter().fold(0, sum),
            Value::Object(fields) => fields.values().fold(0, sum),
            _ => 1,
        }
    }

    /// How long the list of a field may become. Arguments beyond their limits are refused when it is resolved.
    fn length_of(&self, field: &Field) -> u64 {
        let default = match field.name.node.as_str() {
            "articles" | "recommendations" => 20,
            "recommend" => 10,
            "similarTo" => 5,
            "nodes" if !field.arguments.is_empty() => LIST_MAX,
            _ => return 1,
        };
        let asked = ["first", "last", "k", "ids"].iter().filter_map(|name| field.get_argument(name));
        asked.filter_map(|value| self.asked(&value.node)).max().map_or(default, |length| length.min(LIST_MAX))
    }

    /// The length that the value of an argument asks for.
    fn asked(&self, value: &Value) -> Option<u64> {
        match value {
            Value::Variable(name) => match self.variables.get(name.as_str())? {
                ConstValue::Number(number) => number.as_u64(),
                ConstValue::List(items) => Some(items.len() as u64),
                _ => None,
            },
            Value::Number(number) => number.as_u64(),
            Value::List(items) => Some(items.len() as u64),
            _ => None,
        }
    }
}

fn values(value: &ConstValue) -> u64 {
    match value {
        ConstValue::List(items) => items.iter().map(values).sum(),
        ConstValue::Object(fields) => fields.values().map(values).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
