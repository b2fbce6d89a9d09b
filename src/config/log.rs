//! Logging.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::{ConfigError, SettingValues};

/// What is logged and how.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Directives of `tracing-subscriber` (default: `info`).
    pub filter: String,
    /// Default: text.
    pub format: LogFormat,
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl LogConfig {
    pub(super) fn from_values(values: &SettingValues) -> Result<Self, ConfigError> {
        let filter =
            values.parse("SENTIO_LOG", "expected a level such as info, or target=level,…", |text| {
                // A lone word that is no level would be taken for a target, and nothing else would be logged.
                let level =
                    |part: &str| part.contains(['=', '[']) || part.trim().parse::<LevelFilter>().is_ok();
                let valid = text.split(',').all(level) && EnvFilter::try_new(text).is_ok();
                valid.then(|| text.to_owned())
            })?;
        let format = values.parse("SENTIO_LOG_FORMAT", "expected text or json", |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        })?;
        Ok(Self { filter, format })
    }
}
