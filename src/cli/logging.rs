//! Where log lines go: standard error, so that output can be piped.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Libraries that tell at `info` what only their authors need; a filter that names one of them wins.
const QUIET: &str = "lance=error,lance_core=warn,lance_index=warn,lancedb=warn,ort=warn,sqlx=warn,sea_orm_migration=warn,datafusion=warn,tantivy=warn";

/// Begins to log.
pub fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(format!("{QUIET},{}", config.filter)).context("SENTIO_LOG is no filter")?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Text => subscriber.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging could not be started: {error}"))
}
