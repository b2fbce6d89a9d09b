//! Parse, dispatch, exit code.

use std::process::ExitCode;

// glibc's allocator keeps what LanceDB's short-lived buffers leave behind.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sentio::cli::run()
}
