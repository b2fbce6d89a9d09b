//! Rules of the specification that the compiler does not hold documents to. Each says which section it is; each goes when the
//! compiler has it.

mod conflicts;
mod subscription;
mod values;

use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::executable::ExecutableDocument;
use apollo_compiler::validation::DiagnosticData;

use super::compiler::Compiler;
use super::fault::Fault;
use super::place::Places;

/// Rules of validation.
pub fn of_document(compiler: &Compiler, document: &ExecutableDocument, places: &Places) -> Vec<Fault> {
    let mut faults = Vec::new();
    values::check(compiler, document, places, &mut faults);
    conflicts::check(document, places, &mut faults);
    faults
}

/// Whether the compiler is wrong to find this fault in `document`.
pub fn is_unfounded(error: &DiagnosticData, document: &ExecutableDocument) -> bool {
    error.unstable_error_name() == Some("SubscriptionUsesMultipleFields")
        && document.operations.iter().any(|operation| {
            let same = error.location().is_some() && operation.location() == error.location();
            same && subscription::has_one_root_field(document, operation)
        })
}
