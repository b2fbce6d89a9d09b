//! SIGINT and SIGTERM end every command, also as the first process of a container, for which the kernel drops signals that
//! nobody handles.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long a command that was told to end may take to let go of what it holds.
const LET_GO_MAX: Duration = Duration::from_secs(1);
/// What a program that a signal ended exits with, and the signal's number to it.
const ENDED_BY_A_SIGNAL: u8 = 128;

/// Listens for the signals, on a thread of its own: a command that blocks its own threads ends, too.
pub struct Signals {
    told: CancellationToken,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    exit_code: AtomicU8,
    /// Whether the command ends by itself when it is told to.
    ends_by_itself: AtomicBool,
}

impl Signals {
    /// Begins to listen.
    pub fn listen() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let sources = {
            let _entered = runtime.enter();
            Sources {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            }
        };
        let (told, shared) = (CancellationToken::new(), Arc::<Shared>::default());
        let listening = listen(sources, told.clone(), Arc::clone(&shared));
        let thread = std::thread::Builder::new().name("signals".to_owned());
        thread
            .spawn(move || runtime.block_on(listening))
            .context("no thread for signals could be started")?;
        Ok(Self { told, shared })
    }

    /// Returns when the first signal has come.
    pub async fn told(&self) {
        self.told.cancelled().await;
    }

    /// Whether a signal has come.
    pub fn have_come(&self) -> bool {
        self.told.is_cancelled()
    }

    /// The exit code of a program that the signal ended.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.shared.exit_code.load(Ordering::Relaxed))
    }

    /// From now on the command ends by itself when it is told to, in its own time; a second signal ends it at once.
    pub fn leave_time(&self) {
        self.shared.ends_by_itself.store(true, Ordering::Relaxed);
    }
}

struct Sources {
    interrupt: Signal,
    terminate: Signal,
}

impl Sources {
    /// The exit code for the next signal.
    async fn next(&mut self) -> u8 {
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
        };
        ENDED_BY_A_SIGNAL + u8::try_from(kind.as_raw_value()).unwrap_or_default()
    }
}

async fn listen(mut sources: Sources, told: CancellationToken, shared: Arc<Shared>) {
    let mut code = sources.next().await;
    shared.exit_code.store(code, Ordering::Relaxed);
    told.cancel();
    if shared.ends_by_itself.load(Ordering::Relaxed) {
        code = sources.next().await;
        tracing::warn!("serve.stopped_at_once: what is pending goes on at the next start");
    } else {
        // It ends before, unless something blocks it.
        let _ = tokio::time::timeout(LET_GO_MAX, sources.next()).await;
    }
    std::process::exit(code.into());
}
