//! The priority of a thread that embeds.

/// How far it steps back: the kernel gives a thread at 0 nine times the share of one at 10, and lets it run as soon as it wakes.
#[cfg(target_os = "linux")]
pub(super) const NICENESS: i32 = 10;

/// Lets other threads of the process go first where all want the processor: documents without end would otherwise make each of the
/// many short steps of a search wait for its turn.
#[cfg(target_os = "linux")]
pub(super) fn yield_to_others() {
    // On Linux this is the calling thread alone. A thread may always lower its own priority.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "embedding.priority_unchanged");
    }
}

/// Elsewhere priorities belong to the whole process.
#[cfg(not(target_os = "linux"))]
pub(super) fn yield_to_others() {}
