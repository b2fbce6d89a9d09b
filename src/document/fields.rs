//! Which fields are executed: CollectFields of the specification, done before execution.
//!
//! The executor would select fragments by itself, but it executes a field as often as it is selected: a mutation twice. Types are
//! known and so are the variables, so directives and fragments can be resolved here, and equal fields joined.

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{self, OperationType, Value as Literal};
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
use super::failed_field::{FailedField, Step};
use super::fault::Fault;
use super::literal;

/// What is executed of `operation`, and its fields that fail before they are.
///
/// # Errors
/// A variable is null that decides whether a field of the root is included, or that an argument of a subscription's field needs:
/// nothing is left to execute then.
pub fn collect(
    compiler: &Compiler,
    document: &Document,
    operation: &Operation,
    variables: &Variables,
) -> Result<(ExecutableDocument, Vec<FailedField>), Fault> {
    let has_null = variables.values().any(|value| *value == Value::Null);
    let mut collector = Collector {
        compiler,
        document,
        variables,
        has_null,
        steps: Vec::new(),
        failed: Vec::new(),
        undecided: None,
    };
    let root = collector.selections(&operation.selection_set.ty, &[&operation.selection_set]);
    if let Some(fault) = collector.undecided.take() {
        return Err(fault);
    }
    let is_subscription = operation.operation_type == OperationType::Subscription;
    // Without its argument there is no stream. What fails inside of its events does so in each of them.
    let has_no_stream =
        |failed: &&FailedField| is_subscription && failed.steps.len() == 1 && !failed.only_values;
    if let Some(failed) = collector.failed.iter().find(has_no_stream) {
        return Err(Fault::new(failed.message.clone(), Some(failed.pos)));
    }
    let pos = Pos::default();
    let operation = OperationDefinition {
        ty: compiler::kind(operation),
        variable_definitions: collector.definitions(operation),
        directives: Vec::new(),
        selection_set: Positioned::new(root, pos),
    };
    let executable = ExecutableDocument {
        operations: DocumentOperations::Single(Positioned::new(operation, pos)),
        fragments: HashMap::new(),
    };
    Ok((executable, collector.failed))
}

struct Collector<'a> {
    compiler: &'a Compiler,
    document: &'a Document,
    variables: &'a Variables,
    /// Whether any of them is null: without, no field can fail here.
    has_null: bool,
    /// The way to the field whose selection is being collected.
    steps: Vec<Step>,
    failed: Vec<FailedField>,
    /// The first condition without a value in the selection that is being collected.
    undecided: Option<Fault>,
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
    fn selections(&mut self, object: &str, sets: &[&'a SelectionSet]) -> ExecutableSelectionSet {
        let mut grouped = Grouped::default();
        let mut visited = HashSet::new();
        for set in sets {
            self.group(object, set, &mut grouped, &mut visited);
        }
        let mut items = Vec::with_capacity(grouped.len());
        if self.undecided.is_none() {
            for fields in grouped.into_values() {
                let Some(first) = fields.first().copied() else { continue };
                let pos = self.place(first.location());
                let field = Positioned::new(self.field(first, &fields, pos), pos);
                items.push(Positioned::new(ExecutableSelection::Field(field), pos));
            }
        }
        ExecutableSelectionSet { items }
    }

    fn group(
        &mut self,
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
    fn field(&mut self, first: &'a Node<Field>, all: &[&'a Node<Field>], pos: Pos) -> ExecutableField {
        let step = Step { name: Name::new(first.response_name()), ty: first.definition.ty.clone() };
        self.steps.push(step);
        let mut selection_set = self.inside(first, all, pos);
        let undecided = self.undecided.take();
        let null_argument = self.null_argument(first);
        let has_null_argument = null_argument.is_some();
        if undecided.is_some() {
            let type_name = ExecutableSelection::Field(Positioned::new(type_name(pos), pos));
            selection_set = ExecutableSelectionSet { items: vec![Positioned::new(type_name, pos)] };
        }
        if let Some(Fault { message, locations }) = null_argument.or(undecided) {
            // What is inside is not executed.
            self.failed.retain(|failed| !starts_with(&failed.steps, &self.steps));
            let pos = locations.first().copied().unwrap_or(pos);
            self.failed.push(FailedField {
                steps: self.steps.clone(),
                message,
                pos,
                only_values: !has_null_argument,
            });
        }
        self.steps.pop();
        if has_null_argument {
            return stand_in(first, pos);
        }
        ExecutableField {
            alias: first.alias.as_ref().map(|alias| Positioned::new(Name::new(alias), pos)),
            name: Positioned::new(Name::new(&first.name), pos),
            arguments: self.arguments(first, pos),
            directives: Vec::new(),
            selection_set: Positioned::new(selection_set, pos),
        }
    }

    fn inside(
        &mut self,
        first: &'a Node<Field>,
        all: &[&'a Node<Field>],
        pos: Pos,
    ) -> ExecutableSelectionSet {
        let sets: Vec<_> = all.iter().filter_map(|field| field.selection_set.as_ref()).collect();
        let inner = first.definition.ty.inner_named_type();
        match self.compiler.schema.types.get(inner) {
            Some(ExtendedType::Object(_)) => self.selections(inner, &sets),
            Some(ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
                self.selections_of_each(inner, &sets, pos)
            }
            _ => ExecutableSelectionSet::default(),
        }
    }

    /// CoerceArgumentValues: a variable may be null where an absent one would leave a default.
    fn null_argument(&self, field: &Field) -> Option<Fault> {
        if !self.has_null {
            return None;
        }
        field.arguments.iter().find_map(|argument| {
            let definition = field.definition.argument_by_name(&argument.name)?;
            let message = self.null_value(&argument.value, &definition.ty)?;
            Some(Fault::new(message, Some(self.place(argument.value.location()))))
        })
    }

    /// What is wrong with `value`, if a variable in it is null that cannot be.
    fn null_value(&self, value: &Literal, ty: &ast::Type) -> Option<String> {
        match value {
            Literal::Variable(name) if ty.is_non_null() => {
                let null = self.variables.get(name.as_str()) == Some(&Value::Null);
                let message = || format!("Variable \"${name}\" must not be null: \"{ty}\" is expected.");
                null.then(message)
            }
            Literal::List(items) => items.iter().find_map(|item| self.null_value(item, ty.item_type())),
            Literal::Object(entries) => {
                let Some(ExtendedType::InputObject(input)) =
                    self.compiler.schema.types.get(ty.inner_named_type())
                else {
                    return None;
                };
                let entry = |(name, value): &(TypeName, Node<Literal>)| {
                    self.null_value(value, &input.fields.get(name)?.ty)
                };
                entries.iter().find_map(entry)
            }
            _ => None,
        }
    }

    /// What is selected of each object that a value of an interface or a union may be.
    fn selections_of_each(
        &mut self,
        ty: &str,
        sets: &[&'a SelectionSet],
        pos: Pos,
    ) -> ExecutableSelectionSet {
        let compiler = self.compiler;
        let mut items = Vec::new();
        for (object, definition) in &compiler.schema.types {
            if !matches!(definition, ExtendedType::Object(_)) || !self.applies(ty, object) {
                continue;
            }
            let on = TypeCondition { on: Positioned::new(Name::new(object), pos) };
            let fragment = InlineFragment {
                type_condition: Some(Positioned::new(on, pos)),
                directives: Vec::new(),
                selection_set: Positioned::new(self.selections(object, sets), pos),
            };
            let fragment = Positioned::new(fragment, pos);
            items.push(Positioned::new(ExecutableSelection::InlineFragment(fragment), pos));
        }
        ExecutableSelectionSet { items }
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
    fn is_included(&mut self, directives: &DirectiveList) -> bool {
        self.condition(directives, "skip") != Some(true)
            && self.condition(directives, "include") != Some(false)
    }

    fn condition(&mut self, directives: &DirectiveList, directive: &str) -> Option<bool> {
        let value = directives.get(directive)?.specified_argument_by_name("if")?;
        match &**value {
            Literal::Boolean(value) => Some(*value),
            Literal::Variable(variable) => match self.variables.get(variable.as_str()) {
                Some(Value::Boolean(value)) => Some(*value),
                _ => {
                    let message =
                        format!("Variable \"${variable}\" must not be null: @{directive} depends on it.");
                    let fault = Fault::new(message, Some(self.place(value.location())));
                    self.undecided.get_or_insert(fault);
                    None
                }
            },
            _ => None,
        }
    }

    fn place(&self, span: Option<apollo_compiler::parser::SourceSpan>) -> Pos {
        span.map_or_else(Pos::default, |span| self.document.places.at(span.offset()))
    }
}

fn starts_with(steps: &[Step], beginning: &[Step]) -> bool {
    steps.len() > beginning.len() && steps.iter().zip(beginning).all(|(step, other)| step.name == other.name)
}

/// A field that is answered whatever happens, under the name of one that fails.
fn stand_in(field: &Field, pos: Pos) -> ExecutableField {
    let alias = Some(Positioned::new(Name::new(field.response_name()), pos));
    ExecutableField { alias, ..type_name(pos) }
}

fn type_name(pos: Pos) -> ExecutableField {
    ExecutableField {
        alias: None,
        name: Positioned::new(Name::new("__typename"), pos),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(ExecutableSelectionSet::default(), pos),
    }
}
