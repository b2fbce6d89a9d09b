//! The SQL database.

use std::fmt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{ConfigError, SettingValues};

/// How to reach the SQL database.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// Default: a SQLite file in the data folder.
    pub url: DatabaseUrl,
    /// Connections for reading (default: 8).
    pub readers: u32,
}

/// A database URL; shown without its password.
#[derive(Clone, Debug)]
pub struct DatabaseUrl(SecretString);

impl DatabaseUrl {
    /// The URL with its password, for the driver alone.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for DatabaseUrl {
    fn from(url: String) -> Self {
        Self(url.into())
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Url::parse(self.expose()) {
            Ok(mut url) if url.password().is_some() => {
                // Fails only for URLs without a host, which have no password either.
                let _ = url.set_password(Some("hidden"));
                url.fmt(formatter)
            }
            _ => self.expose().fmt(formatter),
        }
    }
}

impl DatabaseConfig {
    pub(super) fn from_values(values: &SettingValues, data_dir: &Path) -> Result<Self, ConfigError> {
        let default = || format!("sqlite://{}", data_dir.join("sentio.db").display());
        let url = values.given("DATABASE_URL").map_or_else(default, str::to_owned);
        let config = Self { url: url.into(), readers: 8 };
        match config.scheme() {
            "sqlite" | "postgres" | "postgresql" => Ok(config),
            _ => Err(ConfigError::BadSecret {
                name: "DATABASE_URL",
                expected: "expected sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE".to_owned(),
            }),
        }
    }

    /// The part of the URL before the colon.
    pub fn scheme(&self) -> &str {
        self.url.expose().split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// The file of a SQLite database.
    pub fn sqlite_path(&self) -> Option<&Path> {
        let rest = self.url.expose().strip_prefix("sqlite:")?;
        let path = rest.strip_prefix("//").unwrap_or(rest);
        Some(Path::new(path.split_once('?').map_or(path, |(path, _)| path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url = DatabaseUrl::from("postgres://me:s3cret@db/sentio".to_owned());
        assert_eq!(url.to_string(), "postgres://me:hidden@db/sentio");
        assert!(!format!("{url:?}").contains("s3cret"));
    }
}
