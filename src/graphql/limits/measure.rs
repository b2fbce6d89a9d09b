//! Counts in a parsed document, with fragments spread: each fragment is counted once and its counts used wherever it is
//! spread, so that the time is that of the document's length and not of what it unfolds to.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value;

/// The variables of a request.
pub type Given<'a> = Option<&'a serde_json::Map<String, serde_json::Value>>;

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
/// Fields within fields, and fragments within fragments, of which no more are counted: the document is refused already, and
/// each is some frames of the stack.
const COUNTED_DEPTH: u64 = 128;
/// The lists by which introspection comes from one type to others.
const INTROSPECTION_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// The counts of a selection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Most values of the answer, as far as the document tells: a list counts as long as it may become.
    pub cost: u64,
    /// The deepest selection, in fields.
    pub depth: u64,
    pub aliases: u64,
    /// Fields of the outermost selection.
    pub root_fields: u64,
    pub directives: u64,
    /// The deepest nesting of fragments, spread ones and inline ones.
    pub fragment_depth: u64,
    /// The deepest nesting of lists of introspection.
    pub introspection_depth: u64,
}

impl Measure {
    /// Of two selections side by side.
    fn beside(self, other: Self) -> Self {
        Self {
            cost: self.cost.saturating_add(other.cost),
            depth: self.depth.max(other.depth),
            aliases: self.aliases.saturating_add(other.aliases),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            directives: self.directives.saturating_add(other.directives),
            fragment_depth: self.fragment_depth.max(other.fragment_depth),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
        }
    }

    fn with_directives(mut self, count: usize) -> Self {
        self.directives = self.directives.saturating_add(count as u64);
        self
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
            aliases: self.aliases.saturating_add(u64::from(field.alias.is_some())),
            root_fields: 1,
            introspection_depth: self.introspection_depth + u64::from(INTROSPECTION_LISTS.contains(&name)),
            ..self
        }
        .with_directives(field.directives.len())
    }

    /// Of a fragment with this measure, spread or inline.
    fn of_fragment(self, directives: usize) -> Self {
        Self { fragment_depth: self.fragment_depth.saturating_add(1), ..self }.with_directives(directives)
    }
}

/// Counts in all operations of `document` together.
pub fn measure(document: &ExecutableDocument, given: Given<'_>) -> Measure {
    let mut counter = Counter::new(document, given);
    let operations = document.operations.iter();
    operations.fold(Measure::default(), |sum, (_, operation)| sum.beside(counter.operation(&operation.node)))
}

/// Counts in one operation of `document`.
pub fn measure_operation(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    given: Given<'_>,
) -> Measure {
    Counter::new(document, given).operation(operation)
}

struct Counter<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    arguments: Arguments<'a>,
    /// `None` while a fragment is being counted: a cycle, which validation refuses.
    counted: HashMap<&'a Name, Option<Measure>>,
    /// Fields and fragments around what is being counted.
    fields: u64,
    fragments_around: u64,
}

impl<'a> Counter<'a> {
    fn new(document: &'a ExecutableDocument, given: Given<'a>) -> Self {
        let arguments = Arguments::new(document, given);
        let counted = HashMap::new();
        Self { fragments: &document.fragments, arguments, counted, fields: 0, fragments_around: 0 }
    }

    fn operation(&mut self, operation: &'a OperationDefinition) -> Measure {
        self.selections(&operation.selection_set.node).with_directives(operation.directives.len())
    }

    fn selections(&mut self, selections: &'a SelectionSet) -> Measure {
        selections.items.iter().fold(Measure::default(), |sum, selection| {
            sum.beside(match &selection.node {
                Selection::Field(field) => {
                    let inside = self.inside_field(&field.node.selection_set.node);
                    inside.of_field(&field.node, &self.arguments)
                }
                Selection::InlineFragment(fragment) => {
                    let inside = self.inside_fragment(&fragment.node.selection_set.node);
                    inside.of_fragment(fragment.node.directives.len())
                }
                Selection::FragmentSpread(spread) => {
                    let inside = self.fragment(&spread.node.fragment_name.node);
                    inside.of_fragment(spread.node.directives.len())
                }
            })
        })
    }

    fn inside_field(&mut self, selections: &'a SelectionSet) -> Measure {
        if self.fields >= COUNTED_DEPTH {
            return Measure::default();
        }
        self.fields += 1;
        let inside = self.selections(selections);
        self.fields -= 1;
        inside
    }

    fn inside_fragment(&mut self, selections: &'a SelectionSet) -> Measure {
        if self.fragments_around >= COUNTED_DEPTH {
            return Measure::default();
        }
        self.fragments_around += 1;
        let inside = self.selections(selections);
        self.fragments_around -= 1;
        inside
    }

    fn fragment(&mut self, name: &'a Name) -> Measure {
        if let Some(counted) = self.counted.get(name) {
            return counted.unwrap_or_default();
        }
        let Some(fragment) = self.fragments.get(name) else { return Measure::default() };
        self.counted.insert(name, None);
        let inside = self.inside_fragment(&fragment.node.selection_set.node);
        let measure = inside.with_directives(fragment.node.directives.len());
        self.counted.insert(name, Some(measure));
        measure
    }
}

/// Tells how long lists may become, and how much is given to fields.
struct Arguments<'a> {
    given: Given<'a>,
    /// How many values the variables have that are given.
    values_given: HashMap<&'a str, u64>,
    /// The lengths that variables ask for by default; the longest where operations differ.
    defaults: HashMap<&'a str, u64>,
}

impl<'a> Arguments<'a> {
    fn new(document: &'a ExecutableDocument, given: Given<'a>) -> Self {
        let mut defaults = HashMap::new();
        for (_, operation) in document.operations.iter() {
            for definition in operation.node.variable_definitions.iter().map(|definition| &definition.node) {
                let value = definition.default_value.as_ref().map(|value| value.node.clone().into_value());
                if let Some(length) = value.as_ref().and_then(length) {
                    let known = defaults.entry(definition.name.node.as_str()).or_insert(length);
                    *known = length.max(*known);
                }
            }
        }
        let values_given = given.into_iter().flatten().map(|(name, value)| (name.as_str(), values(value)));
        Self { given, values_given: values_given.collect(), defaults }
    }

    /// How many values the arguments of a field have. What a document has of its own is little.
    fn values_of(&self, field: &Field) -> u64 {
        field.arguments.iter().fold(0, |sum, (_, value)| sum.saturating_add(self.values_in(&value.node)))
    }

    fn values_in(&self, value: &Value) -> u64 {
        let sum = |sum: u64, value| sum.saturating_add(self.values_in(value));
        match value {
            Value::Variable(name) => self.values_given.get(name.as_str()).copied().unwrap_or(1),
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
        let Value::Variable(name) = value else { return length(value) };
        match self.given.and_then(|given| given.get(name.as_str())) {
            Some(serde_json::Value::Number(number)) => number.as_u64(),
            Some(serde_json::Value::Array(items)) => Some(items.len() as u64),
            Some(_) => None,
            None => self.defaults.get(name.as_str()).copied(),
        }
    }
}

fn length(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::List(items) => Some(items.len() as u64),
        _ => None,
    }
}

fn values(value: &serde_json::Value) -> u64 {
    match value {
        serde_json::Value::Array(items) => items.iter().map(values).sum(),
        serde_json::Value::Object(fields) => fields.values().map(values).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
