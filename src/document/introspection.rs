//! The types of introspection: those of the executor, where the compiler's are of a later edition of the specification.

use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;

/// Fields that the compiler knows and the executor does not answer.
const UNANSWERED_FIELDS: [(&str, &str); 2] =
    [("__Directive", "isDeprecated"), ("__Directive", "deprecationReason")];
/// Arguments of the same kind, with the field that has them.
const UNANSWERED_ARGUMENTS: [(&str, &str, &str); 1] = [("__Schema", "directives", "includeDeprecated")];

/// `schema` with the types of introspection as they are executed.
pub fn as_executed(mut schema: Schema) -> Schema {
    for (type_name, field) in UNANSWERED_FIELDS {
        if let Some(ExtendedType::Object(object)) = schema.types.get_mut(type_name) {
            object.make_mut().fields.shift_remove(field);
        }
    }
    for (type_name, field, argument) in UNANSWERED_ARGUMENTS {
        if let Some(ExtendedType::Object(object)) = schema.types.get_mut(type_name)
            && let Some(field) = object.make_mut().fields.get_mut(field)
        {
            field.make_mut().arguments.retain(|known| known.name != argument);
        }
    }
    schema
}
