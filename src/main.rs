//! Parse, dispatch, exit code.

use std::process::ExitCode;

// glibc's allocator keeps what LanceDB's short-lived buffers leave behind. ONNX Runtime still uses it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sentio::memory::give_back_what_is_freed();
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
