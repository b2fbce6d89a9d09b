//! The variables of a request: CoerceVariableValues of the specification.

use std::fmt::{self, Write as _};

use apollo_compiler::ast::{Type, VariableDefinition};
use apollo_compiler::executable::Operation;
use apollo_compiler::schema::{ExtendedType, InputObjectType};
use apollo_compiler::{Name as TypeName, Node};
use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Pos, Value, Variables};
use serde_json::Value as Json;

use super::compiler::Compiler;
use super::fault::{self, Fault, near};
use super::literal;
use super::place::Places;

pub type JsonObject = serde_json::Map<String, Json>;

/// Whole numbers up to here are exact in any JSON: 2⁵³ − 1.
const EXACT_MAX: f64 = 9_007_199_254_740_991.0;
/// Most characters of a text that an error repeats.
const QUOTED_MAX_CHARS: usize = 50;

pub fn coerce(
    compiler: &Compiler,
    operation: &Operation,
    mut given: JsonObject,
    places: &Places,
) -> Result<Variables, Vec<Fault>> {
    let mut variables = Variables::default();
    let mut faults = Faults::default();
    for definition in &operation.variables {
        let at = definition.location().map(|span| places.at(span.offset()));
        let value = match (given.remove(definition.name.as_str()), &definition.default_value) {
            (Some(value), _) => {
                let mut coercion =
                    Coercion { compiler, definition, at, path: String::new(), faults: &mut faults };
                coercion.value(value, &definition.ty)
            }
            (None, Some(default)) => literal::constant(&compiler.schema, default, &definition.ty),
            (None, None) if definition.ty.is_non_null() => {
                let (name, ty) = (&definition.name, &definition.ty);
                let message = format!("Variable \"${name}\" of required type \"{ty}\" was not provided.");
                faults.push(|| Fault::new(message, at));
                continue;
            }
            (None, None) => continue,
        };
        variables.insert(Name::new(&definition.name), value);
    }
    if faults.count == 0 { Ok(variables) } else { Err(fault::first(faults.first, faults.count)) }
}

/// The first faults, and how many there are: a list of a million bad items is not worth a million sentences.
#[derive(Default)]
struct Faults {
    first: Vec<Fault>,
    count: usize,
}

impl Faults {
    fn push(&mut self, fault: impl FnOnce() -> Fault) {
        self.count += 1;
        if self.first.len() < fault::FAULTS_MAX {
            self.first.push(fault());
        }
    }
}

/// The coercion of one variable.
struct Coercion<'a> {
    compiler: &'a Compiler,
    definition: &'a Node<VariableDefinition>,
    at: Option<Pos>,
    /// The place in the value, such as `.filter.tagsAny[3]`.
    path: String,
    faults: &'a mut Faults,
}

impl Coercion<'_> {
    /// The value as `ty` takes it; null and a fault where it does not.
    fn value(&mut self, value: Json, ty: &Type) -> Value {
        if value.is_null() {
            if ty.is_non_null() {
                return self.fault(format!("expected \"{ty}\", not null"));
            }
            return Value::Null;
        }
        match ty {
            Type::List(item) | Type::NonNullList(item) => match value {
                Json::Array(items) => {
                    let mut coerced = Vec::with_capacity(items.len());
                    for (at, one) in items.into_iter().enumerate() {
                        coerced.push(self.inside(format_args!("[{at}]"), |inside| inside.value(one, item)));
                    }
                    Value::List(coerced)
                }
                // What is no list is a list of one.
                one => Value::List(vec![self.value(one, item)]),
            },
            Type::Named(name) | Type::NonNullNamed(name) => self.named(value, name),
        }
    }

    fn named(&mut self, value: Json, name: &TypeName) -> Value {
        match (self.compiler.schema.types.get(name), value) {
            (Some(ExtendedType::Scalar(_)), value) => self.scalar(value, name),
            (Some(ExtendedType::Enum(values)), Json::String(text)) => {
                if values.values.contains_key(text.as_str()) {
                    return Value::Enum(Name::new(text));
                }
                let meant = near(&text, values.values.keys().map(TypeName::as_str));
                let meant = meant.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default();
                self.fault(format!("{} is no value of \"{name}\"{meant}", quoted(&text)))
            }
            (Some(ExtendedType::InputObject(input)), Json::Object(fields)) => self.input(fields, input),
            (Some(ExtendedType::InputObject(_)), other) => {
                self.fault(format!("expected an object of \"{name}\", not {}", kind(&other)))
            }
            (_, other) => self.fault(format!("expected \"{name}\", not {}", kind(&other))),
        }
    }

    fn scalar(&mut self, value: Json, name: &TypeName) -> Value {
        let check = self.compiler.scalars.get(name.as_str());
        match (name.as_str(), value) {
            ("Int", Json::Number(number)) => match whole(&number).map(i32::try_from) {
                Some(Ok(number)) => Value::Number(number.into()),
                _ => self.fault(format!("{number} is no whole number of 32 bits")),
            },
            ("Float", Json::Number(number)) => Value::Number(number),
            ("ID", Json::Number(number)) => match number.as_f64().filter(|_| number.is_f64()) {
                None => Value::String(number.to_string()),
                Some(whole) if whole.fract() == 0.0 => Value::String(format!("{whole:.0}")),
                Some(_) => self.fault(format!("{number} is no id: send it as a string")),
            },
            ("String" | "ID", Json::String(text)) => Value::String(text),
            ("Boolean", Json::Bool(value)) => Value::Boolean(value),
            ("Int" | "Float" | "ID" | "String" | "Boolean", other) => {
                self.fault(format!("expected \"{name}\", not {}", kind(&other)))
            }
            (_, Json::String(text)) => match check.map_or(Ok(()), |check| check(&text)) {
                Ok(()) => Value::String(text),
                Err(expected) => self.fault(format!("{} is no \"{name}\": {expected}", quoted(&text))),
            },
            (_, other) if check.is_some() => {
                self.fault(format!("expected \"{name}\" as a string, not {}", kind(&other)))
            }
            (_, other) => Value::from_json(other).unwrap_or_default(),
        }
    }

    fn input(&mut self, mut given: JsonObject, input: &InputObjectType) -> Value {
        let name = &input.name;
        if input.is_one_of() && (given.len() != 1 || given.values().any(Json::is_null)) {
            return self.fault(format!("give exactly one field of \"{name}\", and not null"));
        }
        let mut coerced = IndexMap::with_capacity(given.len());
        for (field_name, field) in &input.fields {
            if let Some(value) = given.remove(field_name.as_str()) {
                let value =
                    self.inside(format_args!(".{field_name}"), |inside| inside.value(value, &field.ty));
                coerced.insert(Name::new(field_name), value);
            } else if field.is_required() {
                self.fault(format!("the field \"{field_name}\" of type \"{}\" is missing", field.ty));
            }
        }
        for unknown in given.keys() {
            let meant = near(unknown, input.fields.keys().map(TypeName::as_str));
            let meant = meant.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default();
            self.fault(format!("\"{name}\" has no field {}{meant}", quoted(unknown)));
        }
        Value::Object(coerced)
    }

    fn inside(&mut self, step: fmt::Arguments<'_>, coerce: impl FnOnce(&mut Self) -> Value) -> Value {
        let length = self.path.len();
        // Writing to a string cannot fail.
        let _ = self.path.write_fmt(step);
        let value = coerce(self);
        self.path.truncate(length);
        value
    }

    fn fault(&mut self, reason: String) -> Value {
        let (name, path, at) = (&self.definition.name, &self.path, self.at);
        self.faults.push(|| {
            let place = if path.is_empty() { String::new() } else { format!(" at \"{name}{path}\"") };
            let end = if reason.ends_with('?') { "" } else { "." };
            Fault::new(format!("Variable \"${name}\" got an invalid value{place}: {reason}{end}"), at)
        });
        Value::Null
    }
}

/// A number without a fraction: formats that do not tell the two apart write 3.0 for 3.
fn whole(number: &serde_json::Number) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within the range")]
    let of_float =
        |number: f64| (number.fract() == 0.0 && number.abs() <= EXACT_MAX).then_some(number as i64);
    number.as_i64().or_else(|| number.as_f64().filter(|_| number.is_f64()).and_then(of_float))
}

fn kind(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => quoted(text),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    let short: String = text.chars().take(QUOTED_MAX_CHARS).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("\"{}{more}\"", short.escape_debug())
}
