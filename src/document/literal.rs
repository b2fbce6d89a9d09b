//! Values in a document → values of the executor.

use apollo_compiler::Schema;
use apollo_compiler::ast::{Type, Value as Literal};
use apollo_compiler::schema::ExtendedType;
use async_graphql::{Name, Value as Constant};
use async_graphql_value::{Number, Value};

/// The value of an argument or of an input field of type `ty`. Variables stay variables.
pub fn value(schema: &Schema, literal: &Literal, ty: &Type) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Variable(name) => Value::Variable(Name::new(name)),
        Literal::Boolean(value) => Value::Boolean(*value),
        Literal::String(text) => Value::String(text.clone()),
        Literal::Enum(name) => Value::Enum(Name::new(name)),
        Literal::Float(number) => self::number(number.as_str()),
        // An id is a string, also one that is too large for a number.
        Literal::Int(number) if ty.inner_named_type() == "ID" => Value::String(number.as_str().to_owned()),
        Literal::Int(number) => self::number(number.as_str()),
        Literal::List(items) => {
            let item_type = ty.item_type();
            Value::List(items.iter().map(|item| value(schema, item, item_type)).collect())
        }
        Literal::Object(entries) => {
            let input = match schema.types.get(ty.inner_named_type()) {
                Some(ExtendedType::InputObject(input)) => Some(input),
                _ => None,
            };
            let entry = |(name, literal): &(apollo_compiler::Name, apollo_compiler::Node<Literal>)| {
                let field = input.and_then(|input| input.fields.get(name));
                let ty = field.map_or(ty, |field| &field.ty);
                (Name::new(name), value(schema, literal, ty))
            };
            Value::Object(entries.iter().map(entry).collect())
        }
    }
}

/// The default value of a variable: it has no variables inside.
pub fn constant(schema: &Schema, literal: &Literal, ty: &Type) -> Constant {
    value(schema, literal, ty).into_const().unwrap_or_default()
}

/// Validation has seen that it is one.
fn number(text: &str) -> Value {
    let whole = text.parse::<i64>().map(Number::from).ok();
    let number = whole.or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64));
    number.map_or(Value::Null, Value::Number)
}
