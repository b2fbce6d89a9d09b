//! How much a document holds, counted before it is validated. Each fragment is counted once and its counts used wherever it is
//! spread, so that the time is that of the text and not of what it unfolds to.

use std::collections::HashMap;

use apollo_compiler::ast::{Document, Field, FragmentDefinition, Selection};
use apollo_compiler::{Name, Node};

/// Fields within fields and fragments within fragments of which no more are counted: the document is refused already, and each is
/// some frames of the stack.
const COUNTED_DEPTH: u64 = 128;

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
        }
    }

    fn with_directives(mut self, count: usize) -> Self {
        self.directives = self.directives.saturating_add(count as u64);
        self
    }

    /// Of a field with this inside.
    fn of_field(self, field: &Field) -> Self {
        Self {
            selections: self.selections.saturating_add(1),
            depth: self.depth + 1,
            aliases: self.aliases.saturating_add(u64::from(field.alias.is_some())),
            root_fields: 1,
            ..self
        }
        .with_directives(field.directives.len())
    }

    /// Of a fragment with this inside, spread or inline.
    fn of_fragment(self, directives: usize) -> Self {
        Self {
            selections: self.selections.saturating_add(1),
            fragment_depth: self.fragment_depth + 1,
            ..self
        }
        .with_directives(directives)
    }
}

/// The extents of a document.
#[derive(Debug, Default)]
pub struct Extents {
    /// Of each operation, by its name. Two of one name count together: validation refuses them.
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
            let extent = extent.with_directives(operation.directives.len());
            let sum = extents.operations.entry(operation.name.clone()).or_default();
            *sum = sum.beside(extent);
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
                    self.inside_fragment(&fragment.selection_set).of_fragment(fragment.directives.len())
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.fragment_name).of_fragment(spread.directives.len())
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
        let extent = inside.with_directives(fragment.directives.len());
        self.counted.insert(name, Some(extent));
        extent
    }
}
