//! The settings: the only reader of the environment. Everything is checked before anything starts.

mod access;
mod database;
mod dot_env;
mod embedding;
mod error;
mod host;
mod hub;
mod index;
mod log;
mod origin;
mod plain_value;
mod platform_names;
mod response;
mod search;
mod seconds;
mod secret_file;
mod server;
mod setting;
mod source;
mod text_language;
mod trusted_proxies;

use std::path::PathBuf;

pub use access::{Anonymous, ApiKeys};
pub use database::{DatabaseConfig, DatabaseUrl};
pub use embedding::{AcceleratorSetting, EmbeddingConfig, PrecisionSetting};
pub use error::ConfigError;
pub use host::{AllowedHosts, HostAndPort};
pub use hub::HubConfig;
pub use index::IndexConfig;
pub use log::{LogConfig, LogFormat};
pub use origin::AllowedOrigin;
pub use response::ResponseLimits;
pub use search::{SearchBackend, SearchConfig};
pub use server::ServerConfig;
pub use setting::{SETTINGS, Setting};
pub use source::{SettingValues, Source};
pub use text_language::{LANGUAGES, TextLanguage};
pub use trusted_proxies::TrustedProxies;

/// All settings, one struct per concern.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where SQLite and the index lie unless told otherwise.
    pub data_dir: PathBuf,
    pub database: DatabaseConfig,
    pub index: IndexConfig,
    pub embedding: EmbeddingConfig,
    pub hub: HubConfig,
    pub server: ServerConfig,
    pub responses: ResponseLimits,
    pub log: LogConfig,
}

impl Config {
    /// Reads and checks every setting.
    pub fn from_values(values: &SettingValues) -> Result<Self, ConfigError> {
        let data_dir = PathBuf::from(values.text("SENTIO_DATA_DIR"));
        Ok(Self {
            database: DatabaseConfig::from_values(values, &data_dir)?,
            index: IndexConfig::from_values(values, &data_dir)?,
            embedding: EmbeddingConfig::from_values(values)?,
            hub: HubConfig::from_values(values)?,
            server: ServerConfig::from_values(values)?,
            responses: ResponseLimits::from_values(values)?,
            log: LogConfig::from_values(values)?,
            data_dir,
        })
    }
}
