//! The priority of a thread that embeds.

/// How far it steps back: the kernel gives a thread at 0 nine times the share of one at 10, and lets it run as soon as it wakes.
#[cfg(target_os = "linux")]
pub(super) const NICENESS: i32 = 10;

/// Lets other threads of the process go first where all want the processor: documents without end would otherwise make each of the
/// many short steps of a search wait for its turn.
#[cfg(target_os = "linux")]
pub(super) fn yield_to_others() {
    use rustix::process::{getpriority_process, setpriority_process};
    // On Linux both are about the calling thread alone. It may always lower its own priority; a process that was started
    // with a lower one keeps that.
    let stepped_back = getpriority_process(None)
        .and_then(|niceness| if niceness < NICENESS { setpriority_process(None, NICENESS) } else { Ok(()) });
    if let Err(error) = stepped_back {
        tracing::debug!(%error, "embedding.priority_unchanged");
    }
}

/// Elsewhere priorities belong to the whole process.
#[cfg(not(target_os = "linux"))]
pub(super) fn yield_to_others() {}
