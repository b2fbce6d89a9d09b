//! Parse, dispatch, exit code.

use std::process::ExitCode;

// glibc's allocator keeps what LanceDB's short-lived buffers leave behind. ONNX Runtime still uses it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    return_freed_memory();
    refuse_telemetry();
    sentio::cli::run()
}

/// ONNX Runtime 1.32 reports to its makers and keeps a device id in the home folder, even when its own option is off; only
/// this variable stops both, when it is set before the library is loaded.
fn refuse_telemetry() {
    #[expect(unsafe_code, reason = "no other thread runs yet that could read the environment meanwhile")]
    unsafe {
        std::env::set_var("ORT_DISABLE_TELEMETRY", "1");
    }
}

/// What is freed goes back to the system at once, instead of a second or more later: LanceDB's short-lived buffers would
/// add up to some hundred megabytes. `MIMALLOC_PURGE_DELAY` in the environment wins.
///
/// What ONNX Runtime frees, too: left alone, glibc takes ever larger pieces from a heap that shrinks only from its end, and
/// keeps the weights of the 32-bit floats that a model was compared with.
fn return_freed_memory() {
    /// `mi_option_purge_delay` in mimalloc 3's `mimalloc.h`.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    #[expect(unsafe_code, reason = "a call of C that takes two numbers")]
    unsafe {
        libmimalloc_sys::mi_option_set_default(PURGE_DELAY, 0);
    }
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// glibc's first threshold, from mallopt(3). Setting it keeps it from growing with what is freed.
        const OWN_PAGES_FROM: libc::c_int = 128 * 1024;
        #[expect(unsafe_code, reason = "a call of C that takes two numbers")]
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES_FROM);
        }
    }
}
