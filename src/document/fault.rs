//! What is wrong with a document or with its variables: a sentence, its places, and the name that was meant.

use apollo_compiler::Schema;
use apollo_compiler::ast;
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::executable::ExecutableDocument;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::{DiagnosticData, DiagnosticList, WithErrors};
use async_graphql::Pos;

use super::place::Places;
use super::rules;

/// Most faults of one document or of its variables, as in graphql-js.
pub(super) const FAULTS_MAX: usize = 100;
/// Names of fragments, operations and variables of a document that are compared with an unknown one.
const CANDIDATES_MAX: usize = 1_000;
/// Longest sentence, in bytes: messages quote the document.
const MESSAGE_MAX_BYTES: usize = 500;

/// One reason why a document or its variables are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A sentence for people.
    pub message: String,
    /// Where in the document; none for what is not there.
    pub locations: Vec<Pos>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, at: Option<Pos>) -> Self {
        let mut message = message.into();
        if message.len() > MESSAGE_MAX_BYTES {
            message.truncate(message.floor_char_boundary(MESSAGE_MAX_BYTES));
            message.push('…');
        }
        Self { message, locations: at.into_iter().collect() }
    }
}

/// At most [`FAULTS_MAX`] of `count` faults, of which `faults` are the first; the last says how many were left out.
pub(super) fn first(mut faults: Vec<Fault>, count: usize) -> Vec<Fault> {
    if count > FAULTS_MAX {
        let kept = FAULTS_MAX - 1;
        faults.truncate(kept);
        faults.push(Fault::new(format!("{} more errors are left out.", count - kept), None));
    }
    faults
}

/// The first fault that the compiler finds in a text which the grammar takes: definitions of a schema, and what it cannot hold.
pub(super) fn of_syntax(errors: &DiagnosticList, places: &Places) -> Vec<Fault> {
    let offset = |error: &DiagnosticData| error.location().map(|span| span.offset());
    let first = errors.iter().map(|diagnostic| diagnostic.error).min_by_key(|error| offset(error));
    let fault = |error: &DiagnosticData| {
        let message = error.to_string().replacen("syntax error", "Syntax error", 1);
        Fault::new(sentence(message), offset(error).map(|offset| places.at(offset)))
    };
    first.map(fault).into_iter().collect()
}

/// The faults that the compiler found in a document that can be parsed; none when it was wrong about all of them.
pub(super) fn of_validation(
    found: &WithErrors<ExecutableDocument>,
    schema: &Schema,
    parsed: &ast::Document,
    places: &Places,
) -> Vec<Fault> {
    let errors = found.errors.iter().map(|diagnostic| diagnostic.error);
    let errors: Vec<_> = errors
        .filter(|error| !rules::is_unfounded(error, &found.partial) && !names_a_fragment(error, parsed))
        .collect();
    let faults = errors.iter().take(FAULTS_MAX).map(|error| {
        let mut message = error.unstable_compat_message().unwrap_or_else(|| error.to_string());
        if let Some(name) = meant(error, &message, schema, parsed) {
            let is_string = error.unstable_error_name() == Some("UnsupportedValueType");
            let hint = if is_string {
                format!("Did you mean {name}, without quotation marks?")
            } else {
                format!("Did you mean \"{name}\"?")
            };
            message = format!("{} {hint}", sentence(message));
        }
        Fault::new(sentence(message), error.location().map(|span| places.at(span.offset())))
    });
    first(faults.collect(), errors.len())
}

/// Whether a fragment is taken for unknown that is there: the compiler leaves out those on an unknown type, which is another fault.
fn names_a_fragment(error: &DiagnosticData, parsed: &ast::Document) -> bool {
    let undefined = error.unstable_error_name() == Some("UndefinedFragment");
    undefined
        && error.unstable_compat_message().is_some_and(|message| {
            let mut fragments = parsed.definitions.iter().filter_map(|one| one.as_fragment_definition());
            let unknown = message.split('"').nth(1).unwrap_or_default();
            fragments.any(|fragment| fragment.name == unknown)
        })
}

/// `message` on one line, with its full stop.
fn sentence(message: String) -> String {
    // Values are quoted as they would be printed: on many lines.
    let mut message = if message.contains('\n') {
        message.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        message
    };
    if !message.ends_with(['.', '?']) {
        message.push('.');
    }
    message
}

/// The name that the author of an unknown one may have meant. The compiler keeps what it found to itself, so the unknown name and
/// its type are read from the message.
fn meant(error: &DiagnosticData, message: &str, schema: &Schema, parsed: &ast::Document) -> Option<String> {
    let mut quoted = message.split('"').skip(1).step_by(2);
    let (unknown, owner) = (quoted.next()?, quoted.next());
    let names: Vec<String> = match error.unstable_error_name()? {
        "UndefinedField" | "UndefinedInputValue" | "UndefinedEnumValue" => members(schema, owner?),
        "UndefinedArgument" => arguments(schema, owner?),
        // A value of an enum as a string.
        "UnsupportedValueType" => members(schema, message.split(' ').next()?),
        "UndefinedDefinition"
        | "UndefinedTypeInNamedFragmentTypeCondition"
        | "UndefinedTypeInInlineFragmentTypeCondition" => {
            schema.types.keys().map(ToString::to_string).collect()
        }
        "UndefinedDirective" => schema.directive_definitions.keys().map(|name| format!("@{name}")).collect(),
        "UndefinedFragment" => {
            let fragments = parsed.definitions.iter().filter_map(|one| one.as_fragment_definition());
            fragments.take(CANDIDATES_MAX).map(|fragment| fragment.name.to_string()).collect()
        }
        "UndefinedVariable" => {
            let operations = parsed.definitions.iter().filter_map(|one| one.as_operation_definition());
            let variables = operations.flat_map(|operation| &operation.variables);
            variables.take(CANDIDATES_MAX).map(|variable| format!("${}", variable.name)).collect()
        }
        _ => return None,
    };
    near(unknown, names.iter().map(String::as_str)).map(str::to_owned)
}

/// The fields or values of a type.
fn members(schema: &Schema, type_name: &str) -> Vec<String> {
    match schema.types.get(type_name) {
        Some(ExtendedType::Object(object)) => object.fields.keys().map(ToString::to_string).collect(),
        Some(ExtendedType::Interface(interface)) => {
            interface.fields.keys().map(ToString::to_string).collect()
        }
        Some(ExtendedType::InputObject(input)) => input.fields.keys().map(ToString::to_string).collect(),
        Some(ExtendedType::Enum(values)) => values.values.keys().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

/// The arguments of what `coordinate` names: `Query.article` or `@skip`.
fn arguments(schema: &Schema, coordinate: &str) -> Vec<String> {
    let definitions = if let Some(directive) = coordinate.strip_prefix('@') {
        schema.directive_definitions.get(directive).map(|directive| &directive.arguments)
    } else {
        let field = coordinate
            .split_once('.')
            .and_then(|(type_name, field)| schema.type_field(type_name, field).ok());
        field.map(|field| &field.arguments)
    };
    let names = definitions.into_iter().flatten().map(|argument| argument.name.to_string());
    names.collect()
}

/// The name of `names` that is nearest to `unknown`, when one is near. The bound is that of graphql-js: two fifths of the length,
/// and one.
pub(super) fn near<'a>(unknown: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = unknown.chars().count() * 2 / 5 + 1;
    let distance = |name: &str| {
        let same = name.eq_ignore_ascii_case(unknown);
        if same { 0 } else { strsim::osa_distance(&unknown.to_lowercase(), &name.to_lowercase()) }
    };
    let far = |name: &&str| name.len() > unknown.len() + 2 * most;
    names
        .filter(|name| !far(name))
        .map(|name| (distance(name), name))
        .filter(|(distance, _)| *distance <= most && *distance < unknown.len())
        .min_by_key(|(distance, name)| (*distance, name.len()))
        .map(|(_, name)| name)
}
