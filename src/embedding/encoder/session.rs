//! How sessions run, whether Sentio built their graph or read it from a file.

use ort::{environment::Environment, session::builder::SessionBuilder};

use crate::embedding::precision::multiplies_int8;

/// The options of every session: one text at a time, on the calling thread.
///
/// Denormal numbers stay as they are. The runtime's switch for them acts on the thread that builds the
/// process's first session and on no other, so that threads could disagree; here it gains nothing.
pub(in crate::embedding) fn options(environment: &Environment) -> ort::Result<SessionBuilder> {
    let options = SessionBuilder::new(environment)?
        // Parallelism comes from texts, which is faster and gives the same bits on any number of threads.
        .with_intra_threads(1)?
        .with_intra_op_spinning(false)?
        // Plans memory for one shape; texts differ in length.
        .with_memory_pattern(false)?;
    if multiplies_int8() {
        return Ok(options);
    }
    // Without such instructions 8-bit products overflow, and vectors are wrong. With them the option changes
    // no bit, but takes 1.7 times as long.
    Ok(options.with_precise_qmm()?)
}
