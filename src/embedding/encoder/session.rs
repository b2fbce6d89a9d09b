//! How sessions run, whether Sentio built their graph or read it from a file.

use std::{
    ffi::CString,
    sync::{Mutex, PoisonError},
};

use ort::{
    AsPointer,
    environment::Environment,
    session::{Session, builder::SessionBuilder},
    value::{DynTensor, TensorRefMut},
};

use crate::embedding::{accelerator::Accelerator, error::OpenError};

/// The options of every session: one text at a time, on the calling thread, unless an accelerator runs it.
///
/// Denormal numbers stay as they are. The runtime's switch for them acts on the thread that builds the
/// process's first session and on no other, so that threads could disagree; here it gains nothing.
pub(in crate::embedding) fn options(
    environment: &Environment,
    accelerator: Option<Accelerator>,
) -> Result<SessionBuilder, OpenError> {
    let options = plain_options(environment).map_err(|source| OpenError::Environment { source })?;
    match accelerator {
        Some(accelerator) => Ok(accelerator.take_over(options)?),
        None => Ok(options),
    }
}

fn plain_options(environment: &Environment) -> ort::Result<SessionBuilder> {
    Ok(SessionBuilder::new(environment)?
        // Parallelism comes from texts, which is faster and gives the same bits on any number of threads.
        .with_intra_threads(1)?
        .with_intra_op_spinning(false)?
        // Plans memory for one shape; texts differ in length.
        .with_memory_pattern(false)?
        // Without it 8-bit products overflow on x86-64 processors that lack VNNI, and vectors are wrong.
        .with_precise_qmm()?)
}

/// A session that all threads run, so that its weights are in memory once.
pub(in crate::embedding) struct SharedSession {
    session: Session,
    /// Of an accelerator: its provider need not bear two runs at once.
    turns: Option<Mutex<()>>,
}

impl SharedSession {
    /// `accelerated` must be true when `session` was made with an accelerator.
    pub fn new(session: Session, accelerated: bool) -> Self {
        Self { session, turns: accelerated.then(Mutex::default) }
    }

    pub fn is_accelerated(&self) -> bool {
        self.turns.is_some()
    }

    /// Names of what the graph takes.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.session.inputs().iter().map(|input| input.name())
    }

    /// Runs the graph on `inputs` and writes its output called `name` over `values`, which must have its shape.
    pub fn run(
        &self,
        inputs: &[(&str, DynTensor)],
        name: &str,
        values: TensorRefMut<'_, f32>,
    ) -> ort::Result<()> {
        let names = inputs.iter().map(|(name, _)| CString::new(*name)).collect::<Result<Vec<_>, _>>();
        let (names, output_name) = match (names, CString::new(name)) {
            (Ok(names), Ok(name)) => (names, name),
            (Err(error), _) | (_, Err(error)) => return Err(ort::Error::wrap(error)),
        };
        let names: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        let tensors: Vec<_> = inputs.iter().map(|(_, tensor)| tensor.ptr()).collect();
        let mut output = values.ptr().cast_mut();
        let _turn = self.turns.as_ref().map(|turns| turns.lock().unwrap_or_else(PoisonError::into_inner));
        #[expect(unsafe_code, reason = "the crate's own call wants the session for itself")]
        // SAFETY: ONNX Runtime documents that several threads may call `Run` on one session. The crate asks for `&mut`
        // because of execution providers other than the processor's: those take turns. All pointers are valid until the
        // call returns. The runtime compares the output's type and shape with the graph's before it writes.
        unsafe {
            let status = (ort::api().Run)(
                self.session.ptr().cast_mut(),
                std::ptr::null(),
                names.as_ptr(),
                tensors.as_ptr(),
                tensors.len(),
                &output_name.as_ptr(),
                1,
                &mut output,
            );
            ort::Error::result_from_status(status)
        }
    }
}
