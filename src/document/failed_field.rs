//! Fields that fail because a variable is null where null cannot be: the position has a default for what is absent. By the
//! specification such a field is null with an error, and others are answered. The executor would lose the field's parent with it,
//! so `__typename` is executed in its place, and the response is corrected afterwards.

use apollo_compiler::ast::Type;
use async_graphql::{Name, PathSegment, Pos, Response, ServerError, Value};

/// A field that is not resolved.
#[derive(Clone, Debug)]
pub struct FailedField {
    /// The way from the root: response names with their types, the field's own last.
    pub(super) steps: Vec<Step>,
    pub(super) message: String,
    pub(super) pos: Pos,
    /// Whether the field is resolved, and only what is selected of its values fails: then none does where it is null.
    pub(super) only_values: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub name: Name,
    pub ty: Type,
}

impl FailedField {
    /// Makes the field null with an error wherever it is in `response`, and what cannot be null then.
    pub fn apply(&self, response: &mut Response) {
        let mut correction = Correction { field: self, path: Vec::new(), errors: &mut response.errors };
        if correction.inside(&mut response.data, &self.steps) {
            response.data = Value::Null;
        }
    }
}

struct Correction<'a> {
    field: &'a FailedField,
    path: Vec<PathSegment>,
    errors: &'a mut Vec<ServerError>,
}

impl Correction<'_> {
    /// Whether `value`, in which the way goes on with `steps`, becomes null.
    fn inside(&mut self, value: &mut Value, steps: &[Step]) -> bool {
        let (Value::Object(fields), Some((step, rest))) = (value, steps.split_first()) else { return false };
        let Some(child) = fields.get_mut(&step.name) else { return false };
        self.path.push(PathSegment::Field(step.name.to_string()));
        let fails = if rest.is_empty() && !self.field.only_values {
            self.fail()
        } else {
            self.of_type(child, &step.ty, rest)
        };
        self.path.pop();
        if fails {
            *child = Value::Null;
        }
        fails && step.ty.is_non_null()
    }

    /// Whether `value` of the type `ty` becomes null.
    fn of_type(&mut self, value: &mut Value, ty: &Type, steps: &[Step]) -> bool {
        let (Value::List(items), true) = (&mut *value, ty.is_list()) else {
            return match value {
                Value::Null => false,
                _ if steps.is_empty() => self.fail(),
                _ => self.inside(value, steps),
            };
        };
        let item_type = ty.item_type();
        for (index, item) in items.iter_mut().enumerate() {
            self.path.push(PathSegment::Index(index));
            let fails = self.of_type(item, item_type, steps);
            self.path.pop();
            if fails && item_type.is_non_null() {
                // The list is null, whatever the other items are.
                return true;
            }
            if fails {
                *item = Value::Null;
            }
        }
        false
    }

    fn fail(&mut self) -> bool {
        let mut error = ServerError::new(self.field.message.clone(), Some(self.field.pos));
        error.path.clone_from(&self.path);
        self.errors.push(error);
        true
    }
}
