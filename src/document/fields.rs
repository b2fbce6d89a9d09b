//! Which fields are executed: CollectFields of the specification, done before execution.
//!
//! The executor would select fragments by itself, but it executes a field as often as it is selected: a mutation twice. Types are
//! known and so are the variables, so directives and fragments can be resolved here, and equal fields joined.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::Value as Literal;
use apollo_compiler::executable::{DirectiveList, Field, Operation, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name as TypeName, Node};
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field as ExecutableField, InlineFragment, OperationDefinition,
    Selection as ExecutableSelection, SelectionSet as ExecutableSelectionSet, Type, TypeCondition,
    VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned, Value, Variables};

use super::compiler::{self, Compiler, Document};
use super::fault::Fault;
use super::literal;

/// What is executed of `operation`.
///
/// # Errors
/// A variable that decides whether something is included is null, which only values tell: its type may have a default.
pub fn collect(
    compiler: &Compiler,
    document: &Document,
    operation: &Operation,
    variables: &Variables,
) -> Result<ExecutableDocument, Fault> {
    let collector = Collector { compiler, document, variables, undecided: OnceCell::new() };
    let root = collector.selections(&operation.selection_set.ty, &[&operation.selection_set]);
    let pos = Pos::default();
    let operation = OperationDefinition {
        ty: compiler::kind(operation),
        variable_definitions: collector.definitions(operation),
        directives: Vec::new(),
        selection_set: Positioned::new(root, pos),
    };
    match collector.undecided.into_inner() {
        Some(fault) => Err(fault),
        None => Ok(ExecutableDocument {
            operations: DocumentOperations::Single(Positioned::new(operation, pos)),
            fragments: HashMap::new(),
        }),
    }
}

struct Collector<'a> {
    compiler: &'a Compiler,
    document: &'a Document,
    variables: &'a Variables,
    /// The first condition that has no value.
    undecided: OnceCell<Fault>,
}

/// The fields under each response name, in the order in which they appear.
type Grouped<'a> = IndexMap<&'a TypeName, Vec<&'a Node<Field>>>;

impl<'a> Collector<'a> {
    /// The executor looks a variable up here first. Defaults are among the values already.
    fn definitions(&self, operation: &Operation) -> Vec<Positioned<VariableDefinition>> {
        let definition = |variable: &Node<apollo_compiler::ast::VariableDefinition>| {
            let pos = self.place(variable.location());
            let definition = VariableDefinition {
                name: Positioned::new(Name::new(&variable.name), pos),
                var_type: Positioned::new(Type::new(&variable.ty.to_string())?, pos),
                directives: Vec::new(),
                default_value: None,
            };
            Some(Positioned::new(definition, pos))
        };
        operation.variables.iter().filter_map(definition).collect()
    }

    /// What is selected of an object of the type `object`.
    fn selections(&self, object: &str, sets: &[&'a SelectionSet]) -> ExecutableSelectionSet {
        let mut grouped = Grouped::default();
        let mut visited = HashSet::new();
        for set in sets {
            self.group(object, set, &mut grouped, &mut visited);
        }
        let field = |fields: Vec<&'a Node<Field>>| {
            let first = fields.first()?;
            let pos = self.place(first.location());
            let field = Positioned::new(self.field(first, &fields, pos), pos);
            Some(Positioned::new(ExecutableSelection::Field(field), pos))
        };
        ExecutableSelectionSet { items: grouped.into_values().filter_map(field).collect() }
    }

    fn group(
        &self,
        object: &str,
        set: &'a SelectionSet,
        grouped: &mut Grouped<'a>,
        visited: &mut HashSet<&'a TypeName>,
    ) {
        for selection in &set.selections {
            if !self.is_included(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => grouped.entry(field.response_name()).or_default().push(field),
                Selection::InlineFragment(fragment) => {
                    if fragment.type_condition.as_ref().is_none_or(|on| self.applies(on, object)) {
                        self.group(object, &fragment.selection_set, grouped, visited);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.tree.fragments.get(&spread.fragment_name);
                    if let Some(fragment) = fragment
                        && visited.insert(&spread.fragment_name)
                        && self.applies(fragment.type_condition(), object)
                    {
                        self.group(object, &fragment.selection_set, grouped, visited);
                    }
                }
            }
        }
    }

    /// One field of those that were selected under its response name: validation has seen that they agree.
    fn field(&self, first: &'a Node<Field>, all: &[&'a Node<Field>], pos: Pos) -> ExecutableField {
        let sets: Vec<_> = all.iter().filter_map(|field| field.selection_set.as_ref()).collect();
        let inner = first.definition.ty.inner_named_type();
        let selection_set = match self.compiler.schema.types.get(inner) {
            Some(ExtendedType::Object(_)) => self.selections(inner, &sets),
            Some(ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
                self.selections_of_each(inner, &sets, pos)
            }
            _ => ExecutableSelectionSet::default(),
        };
        ExecutableField {
            alias: first.alias.as_ref().map(|alias| Positioned::new(Name::new(alias), pos)),
            name: Positioned::new(Name::new(&first.name), pos),
            arguments: self.arguments(first, pos),
            directives: Vec::new(),
            selection_set: Positioned::new(selection_set, pos),
        }
    }

    /// What is selected of each object that a value of an interface or a union may be.
    fn selections_of_each(&self, ty: &str, sets: &[&'a SelectionSet], pos: Pos) -> ExecutableSelectionSet {
        let objects = self.compiler.schema.types.iter().filter(|(name, definition)| {
            matches!(definition, ExtendedType::Object(_)) && self.applies(ty, name)
        });
        let fragment = |(object, _): (&TypeName, &ExtendedType)| {
            let fragment = InlineFragment {
                type_condition: Some(Positioned::new(
                    TypeCondition { on: Positioned::new(Name::new(object), pos) },
                    pos,
                )),
                directives: Vec::new(),
                selection_set: Positioned::new(self.selections(object, sets), pos),
            };
            Positioned::new(ExecutableSelection::InlineFragment(Positioned::new(fragment, pos)), pos)
        };
        ExecutableSelectionSet { items: objects.map(fragment).collect() }
    }

    /// The arguments that are given. One that is only a variable without a value is not, so that its default holds.
    fn arguments(
        &self,
        field: &Field,
        pos: Pos,
    ) -> Vec<(Positioned<Name>, Positioned<async_graphql_value::Value>)> {
        let given = field.arguments.iter().filter(|argument| match &*argument.value {
            Literal::Variable(name) => self.variables.contains_key(name.as_str()),
            _ => true,
        });
        let converted = given.filter_map(|argument| {
            let definition = field.definition.argument_by_name(&argument.name)?;
            let value = literal::value(&self.compiler.schema, &argument.value, &definition.ty);
            let at = self.place(argument.value.location());
            Some((Positioned::new(Name::new(&argument.name), pos), Positioned::new(value, at)))
        });
        converted.collect()
    }

    /// Whether a fragment on `condition` is for objects of the type `object`.
    fn applies(&self, condition: &str, object: &str) -> bool {
        condition == object || self.compiler.schema.is_subtype(condition, object)
    }

    /// Whether `@skip` and `@include` leave a selection in.
    fn is_included(&self, directives: &DirectiveList) -> bool {
        let condition = |name: &str| {
            let value = directives.get(name)?.specified_argument_by_name("if")?;
            match &**value {
                Literal::Boolean(value) => Some(*value),
                Literal::Variable(variable) => match self.variables.get(variable.as_str()) {
                    Some(Value::Boolean(value)) => Some(*value),
                    _ => {
                        let message =
                            format!("Variable \"${variable}\" must not be null: @{name} depends on it.");
                        self.undecided
                            .get_or_init(|| Fault::new(message, Some(self.place(value.location()))));
                        None
                    }
                },
                _ => None,
            }
        };
        condition("skip") != Some(true) && condition("include") != Some(false)
    }

    fn place(&self, span: Option<apollo_compiler::parser::SourceSpan>) -> Pos {
        span.map_or_else(Pos::default, |span| self.document.places.at(span.offset()))
    }
}
