//! The command line: one file per command.

mod config;
mod confirm;
mod eval;
mod eval_report;
mod eval_variant;
mod export;
mod import;
mod index;
mod indexing;
mod logging;
mod migrate;
mod model;
mod model_list;
mod model_pull;
mod model_show;
mod output;
mod populate;
mod progress;
mod sample;
mod schema;
mod serve;
mod settings;
mod signals;
mod stream_format;
mod throwaway;
mod verify;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::config::{Config, SettingValues};
use crate::error_chain::Chain;
use settings::SettingFlags;
use signals::Signals;

/// Semantic recommendations for articles over GraphQL.
///
/// Articles live in SQL; a vector index is kept in step with them. Start with `sentio serve --samples` and open
/// http://127.0.0.1:8000/.
#[derive(Parser)]
#[command(name = "sentio", version, propagate_version = true, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    settings: SettingFlags,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    Migrate(migrate::Migrate),
    Populate(populate::Populate),
    Import(import::Import),
    Export(export::Export),
    Index(index::Index),
    Verify(verify::Verify),
    Eval(eval::Eval),
    #[command(subcommand)]
    Model(model::Model),
    /// Print the GraphQL schema definition.
    Schema,
    /// Print all settings with their sources; secrets are hidden.
    Config,
}

/// Address space for the stack of each thread. The 2 MiB that are usual end with 39 nested fragments where the compiler
/// optimises little; the limits of documents allow 32, and 20 fields.
const STACK_BYTES: usize = 8 * 1024 * 1024;
/// Exit code of a command that ran and whose answer is no, such as `verify` on an index out of step.
const ANSWER_IS_NO: u8 = 1;
/// How long threads that block may hold a process that a signal ends.
const BLOCKED_MAX: Duration = Duration::from_millis(500);
/// Exit code of a command that failed.
const FAILED: u8 = 1;

/// Runs the command of this process's arguments.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", Chain(error.as_ref()));
            ExitCode::from(FAILED)
        }
    }
}

/// Threads for reading files and other work that blocks. Each keeps memory of its own, and files are read no faster by the
/// dozens that would be started otherwise: `docs/decisions/0015-memory.md`.
fn blocking_threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (2 * cores).max(8)
}

/// What the program runs on; benchmarks that measure it, too.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(blocking_threads())
        .thread_stack_size(STACK_BYTES)
        .build()
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    if matches!(cli.command, Command::Schema) {
        return schema::run();
    }
    // First: a file of secrets may be a pipe that nobody writes to.
    let signals = Signals::listen()?;
    if let Some(flag) = settings::given_twice(std::env::args_os()) {
        anyhow::bail!("--{flag} is given twice: keep one");
    }
    let values = SettingValues::gather(cli.settings.into_values())?;
    let config = Config::from_values(&values)?;
    if matches!(cli.command, Command::Config) {
        return config::run(&config, &values);
    }
    logging::start(&config.log)?;
    for warning in values.warnings() {
        tracing::warn!("{warning}");
    }
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        if let Command::Serve(command) = cli.command {
            return command.run(config, &signals).await;
        }
        tokio::select! {
            ended = run_to_its_end(cli.command, config, values) => ended,
            // Dropped where it is: what was committed stays, and no more is left than after a kill.
            () = signals.told() => Ok(signals.exit_code()),
        }
    });
    if signals.have_come() {
        runtime.shutdown_timeout(BLOCKED_MAX);
    }
    ended
}

async fn run_to_its_end(command: Command, config: Config, values: SettingValues) -> anyhow::Result<ExitCode> {
    match command {
        Command::Migrate(command) => command.run(config).await,
        Command::Populate(command) => command.run(config).await,
        Command::Import(command) => command.run(config).await,
        Command::Export(command) => command.run(config).await,
        Command::Index(command) => command.run(config).await,
        Command::Verify(command) => command.run(config).await,
        Command::Eval(command) => command.run(values).await,
        Command::Model(command) => command.run(&config).await,
        Command::Serve(_) | Command::Schema | Command::Config => Ok(ExitCode::SUCCESS),
    }
}
