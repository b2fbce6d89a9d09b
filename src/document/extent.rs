//! How much a document holds, counted before it is validated. Each fragment is counted once and its counts used wherever it is
//! spread, so that the time is that of the text and not of what it unfolds to.

use std::collections::HashMap;

use apollo_compiler::ast::{Argument, Directive, Document, Field, FragmentDefinition, Selection, Value};
use apollo_compiler::{Name, Node};

/// Fields within fields and fragments within fragments of which no more are counted: the document is refused already, and each is
/// some frames of the stack.
const COUNTED_DEPTH: u64 = 128;

/// A variable in a value costs validation as much as so many other values: it is looked for in each operation.
pub const VALUES_OF_A_VARIABLE: u64 = 16;

/// The counts of a selection with its fragments spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Fields, spreads and inline fragments, counted each time that they are reached.
    pub selections: u64,
    /// The deepest selection, in fields.
    pub depth: u64,
    /// The deepest nesting of fragments, spread ones and inline ones.
    pub fragment_depth: u64,
    pub aliases: u64,
    /// Fields of the outermost selection.
    pub root_fields: u64,
    pub directives: u64,
    /// Values in arguments, those within lists and inputs too; a variable counts [`VALUES_OF_A_VARIABLE`].
    pub values: u64,
}

impl Extent {
    /// Of two selections side by side.
    pub fn beside(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            depth: self.depth.max(other.depth),
            fragment_depth: self.fragment_depth.max(other.fragment_depth),
            aliases: self.aliases.saturating_add(other.aliases),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            directives: self.directives.saturating_add(other.directives),
            values: self.values.saturating_add(other.values),
        }
    }

    fn with_directives(mut self, directives: &[Node<Directive>]) -> Self {
        self.directives = self.directives.saturating_add(directives.len() as u64);
        let values = directives.iter().map(|directive| values_in(&directive.arguments)).sum();
        self.values = self.values.saturating_add(values);
        self
    }

    /// Of a field with this inside.
    fn of_field(self, field: &Field) -> Self {
        Self {
            selections: self.selections.saturating_add(1),
            depth: self.depth + 1,
            aliases: self.aliases.saturating_add(u64::from(field.alias.is_some())),
            root_fields: 1,
            values: self.values.saturating_add(values_in(&field.arguments)),
            ..self
        }
        .with_directives(&field.directives)
    }

    /// Of a fragment with this inside, spread or inline.
    fn of_fragment(self, directives: &[Node<Directive>]) -> Self {
        Self {
            selections: self.selections.saturating_add(1),
            fragment_depth: self.fragment_depth + 1,
            ..self
        }
        .with_directives(directives)
    }
}

/// The values in arguments, which are as many as the text has.
fn values_in(arguments: &[Node<Argument>]) -> u64 {
    arguments.iter().map(|argument| values(&argument.value)).sum()
}

/// The parser bounds how deep values are nested.
fn values(value: &Value) -> u64 {
    match value {
        Value::Variable(_) => VALUES_OF_A_VARIABLE,
        Value::List(items) => 1 + items.iter().map(|item| values(item)).sum::<u64>(),
        Value::Object(fields) => 1 + fields.iter().map(|(_, value)| values(value)).sum::<u64>(),
        _ => 1,
    }
}

/// The extents of a document.
#[derive(Debug, Default)]
pub struct Extents {
    /// Of each operation, by its name; of several with one name, which validation refuses, the first.
    pub operations: HashMap<Option<Name>, Extent>,
    /// Of all operations side by side, and of the fragments that none of them reaches: what validation walks.
    pub whole: Extent,
}

impl Extents {
    pub fn of(document: &Document) -> Self {
        let fragments = document.definitions.iter().filter_map(|one| one.as_fragment_definition());
        let fragments = fragments.map(|fragment| (&fragment.name, fragment)).collect();
        let mut counter = Counter { fragments, counted: HashMap::new(), fields: 0, fragments_around: 0 };
        let mut extents = Self::default();
        for operation in document.definitions.iter().filter_map(|one| one.as_operation_definition()) {
            let extent = counter.selections(&operation.selection_set);
            let extent = extent.with_directives(&operation.directives);
            extents.operations.entry(operation.name.clone()).or_insert(extent);
            extents.whole = extents.whole.beside(extent);
        }
        for fragment in document.definitions.iter().filter_map(|one| one.as_fragment_definition()) {
            if !counter.counted.contains_key(&fragment.name) {
                extents.whole = extents.whole.beside(counter.fragment(&fragment.name));
            }
        }
        extents
    }
}

struct Counter<'a> {
    fragments: HashMap<&'a Name, &'a Node<FragmentDefinition>>,
    /// `None` while a fragment is being counted: a cycle, which validation refuses.
    counted: HashMap<&'a Name, Option<Extent>>,
    /// Fields and fragments around what is being counted.
    fields: u64,
    fragments_around: u64,
}

impl<'a> Counter<'a> {
    fn selections(&mut self, selections: &'a [Selection]) -> Extent {
        selections.iter().fold(Extent::default(), |sum, selection| {
            sum.beside(match selection {
                Selection::Field(field) => {
                    self.inside_field(field.selection_set.as_deref().unwrap_or_default()).of_field(field)
                }
                Selection::InlineFragment(fragment) => {
                    self.inside_fragment(&fragment.selection_set).of_fragment(&fragment.directives)
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.fragment_name).of_fragment(&spread.directives)
                }
            })
        })
    }

    fn inside_field(&mut self, selections: &'a [Selection]) -> Extent {
        if self.fields >= COUNTED_DEPTH {
            return Extent::default();
        }
        self.fields += 1;
        let inside = self.selections(selections);
        self.fields -= 1;
        inside
    }

    fn inside_fragment(&mut self, selections: &'a [Selection]) -> Extent {
        if self.fragments_around >= COUNTED_DEPTH {
            return Extent::default();
        }
        self.fragments_around += 1;
        let inside = self.selections(selections);
        self.fragments_around -= 1;
        inside
    }

    fn fragment(&mut self, name: &'a Name) -> Extent {
        if let Some(counted) = self.counted.get(name) {
            return counted.unwrap_or_default();
        }
        let Some(fragment) = self.fragments.get(name).copied() else { return Extent::default() };
        self.counted.insert(name, None);
        let inside = self.inside_fragment(&fragment.selection_set);
        let extent = inside.with_directives(&fragment.directives);
        self.counted.insert(name, Some(extent));
        extent
    }
}
