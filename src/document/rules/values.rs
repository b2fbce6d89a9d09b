//! Values in a document: what the compiler lets pass of them.

use std::collections::HashSet;

use apollo_compiler::ast::{Argument, InputValueDefinition, Type, Value, VariableDefinition};
use apollo_compiler::executable::{DirectiveList, ExecutableDocument, Operation, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};

use super::super::compiler::Compiler;
use super::super::fault::Fault;
use super::super::place::Places;

/// Checks every value of `document`.
pub fn check(compiler: &Compiler, document: &ExecutableDocument, places: &Places, faults: &mut Vec<Fault>) {
    let sets = document.operations.iter().map(|operation| &operation.selection_set);
    let mut values = Values { compiler, places, null_by_default: HashSet::new(), faults };
    for set in sets.chain(document.fragments.values().map(|fragment| &fragment.selection_set)) {
        values.selections(set);
    }
    for operation in document.operations.iter() {
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                values.value(default, &variable.ty, false);
            }
        }
        values.null_by_default = operation.variables.iter().filter_map(null_by_default).collect();
        if !values.null_by_default.is_empty() {
            values.variables_of(operation, document);
        }
    }
}

/// The name of a variable that is null unless something is given.
fn null_by_default(variable: &Node<VariableDefinition>) -> Option<Name> {
    let null = variable.default_value.as_ref().is_some_and(|default| default.is_null());
    (null && !variable.ty.is_non_null()).then(|| variable.name.clone())
}

struct Values<'a> {
    compiler: &'a Compiler,
    places: &'a Places,
    /// Variables of the operation that is being checked; empty while its values are.
    null_by_default: HashSet<Name>,
    faults: &'a mut Vec<Fault>,
}

impl Values<'_> {
    /// Every value below `set`, once.
    fn selections(&mut self, set: &SelectionSet) {
        for selection in &set.selections {
            self.directives(selection.directives());
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.arguments, &field.definition.arguments);
                    if let Some(inside) = &field.selection_set {
                        self.selections(inside);
                    }
                }
                Selection::InlineFragment(fragment) => self.selections(&fragment.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// Every value that an operation reaches, in its fragments too.
    fn variables_of(&mut self, operation: &Operation, document: &ExecutableDocument) {
        let mut visited = HashSet::new();
        let mut sets = vec![&operation.selection_set];
        self.directives(&operation.directives);
        while let Some(set) = sets.pop() {
            for selection in &set.selections {
                self.directives(selection.directives());
                match selection {
                    Selection::Field(field) => {
                        self.arguments(&field.arguments, &field.definition.arguments);
                        sets.extend(&field.selection_set);
                    }
                    Selection::InlineFragment(fragment) => sets.push(&fragment.selection_set),
                    Selection::FragmentSpread(spread) => {
                        let fragment = document.fragments.get(&spread.fragment_name);
                        if let Some(fragment) = fragment
                            && visited.insert(&spread.fragment_name)
                        {
                            sets.push(&fragment.selection_set);
                        }
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &DirectiveList) {
        for directive in directives.iter() {
            if let Some(definition) = self.compiler.schema.directive_definitions.get(&directive.name) {
                self.arguments(&directive.arguments, &definition.arguments);
            }
        }
    }

    fn arguments(&mut self, given: &[Node<Argument>], definitions: &[Node<InputValueDefinition>]) {
        for argument in given {
            let definition = definitions.iter().find(|definition| definition.name == argument.name);
            if let Some(definition) = definition {
                self.value(&argument.value, &definition.ty, definition.default_value.is_some());
            }
        }
    }

    fn value(&mut self, value: &Node<Value>, ty: &Type, has_default: bool) {
        match &**value {
            Value::Variable(name) => {
                // 5.8.5 All Variable Usages Are Allowed: a default that is null does not stand in for a value.
                if ty.is_non_null() && !has_default && self.null_by_default.contains(name) {
                    let message = format!(
                        "Variable \"${name}\", which is null by default, is used in a position of type \"{ty}\"."
                    );
                    self.fault(message, value);
                }
            }
            // All else does not depend on the operation.
            _ if !self.null_by_default.is_empty()
                && !matches!(**value, Value::List(_) | Value::Object(_)) => {}
            Value::List(items) if ty.is_list() => {
                for item in items {
                    self.value(item, ty.item_type(), false);
                }
            }
            Value::Object(fields) => self.object(fields, ty, value),
            _ => self.scalar(value, ty),
        }
    }

    fn object(&mut self, fields: &[(Name, Node<Value>)], ty: &Type, whole: &Node<Value>) {
        let schema = &self.compiler.schema;
        let Some(ExtendedType::InputObject(input)) = schema.types.get(ty.inner_named_type()) else {
            return self.scalar(whole, ty);
        };
        let mut names = HashSet::with_capacity(fields.len());
        for (name, value) in fields {
            // 5.6.3 Input Object Field Uniqueness.
            if !names.insert(name) && self.null_by_default.is_empty() {
                let at = name.location().map(|span| self.places.at(span.offset()));
                let message = format!("There can be only one input field named \"{name}\".");
                self.faults.push(Fault::new(message, at));
            }
            if let Some(field) = input.fields.get(name) {
                self.value(value, &field.ty, field.default_value.is_some());
            }
        }
    }

    /// 3.5 Scalars, Input Coercion of the schema's own ones.
    fn scalar(&mut self, value: &Node<Value>, ty: &Type) {
        let name = ty.inner_named_type();
        let Some(check) = self.compiler.scalars.get(name.as_str()) else { return };
        if !self.null_by_default.is_empty() {
            return;
        }
        let reason = match &**value {
            Value::Null => return,
            Value::String(text) => match check(text) {
                Ok(()) => return,
                Err(expected) => expected,
            },
            _ => "it is written as a string".to_owned(),
        };
        self.fault(format!("Expected a value of type \"{name}\", found {value}: {reason}."), value);
    }

    fn fault(&mut self, message: String, at: &Node<Value>) {
        let at = at.location().map(|span| self.places.at(span.offset()));
        self.faults.push(Fault::new(message, at));
    }
}
