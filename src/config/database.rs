//! The SQL database.

use std::fmt;
use std::path::{Path, PathBuf};

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
        let text = self.expose();
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        if scheme == "sqlite" {
            return text.fmt(formatter);
        }
        // A password may also stand in the query, or the whole may be no URL because of a character in it.
        match Url::parse(text) {
            Ok(url) if url.host().is_some() => {
                let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
                let host = url.host_str().unwrap_or_default();
                write!(formatter, "{scheme}://…@{host}{port}{}", url.path())
            }
            _ => write!(formatter, "{scheme}:(hidden)"),
        }
    }
}

impl DatabaseConfig {
    pub(super) fn from_values(values: &SettingValues, data_dir: &Path) -> Result<Self, ConfigError> {
        let default = || format!("sqlite://{}", escaped(&data_dir.join("sentio.db").display().to_string()));
        let url = values.given("DATABASE_URL").map_or_else(default, str::to_owned);
        let config = Self { url: url.into(), readers: 8 };
        match config.scheme() {
            "sqlite" if config.url.expose().contains(":memory:") || config.url.expose().contains("mode=memory") => {
                Err(ConfigError::BadSecret {
                    name: "DATABASE_URL",
                    expected: "a database in memory is not supported, because several connections share it: name a file"
                        .to_owned(),
                })
            }
            "sqlite" if config.sqlite_path().is_none_or(|path| path.as_os_str().is_empty()) => {
                Err(ConfigError::BadSecret {
                    name: "DATABASE_URL",
                    expected: "it names no file: expected sqlite://FILE".to_owned(),
                })
            }
            "postgres" | "postgresql" if Url::parse(config.url.expose()).is_err() => {
                Err(ConfigError::BadSecret {
                    name: "DATABASE_URL",
                    expected: "it is no URL: expected postgres://USER:PASSWORD@HOST/DATABASE, where signs such as / # @ : \
                               in the password are written as %2F %23 %40 %3A"
                        .to_owned(),
                })
            }
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
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        let rest = self.url.expose().strip_prefix("sqlite:")?;
        let path = rest.strip_prefix("//").unwrap_or(rest);
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        Some(PathBuf::from(
            ESCAPES.iter().rev().fold(path.to_owned(), |path, (plain, code)| path.replace(code, plain)),
        ))
    }
}

/// What has a meaning of its own in a URL and may stand in a path; the percent sign first.
const ESCAPES: [(&str, &str); 3] = [("%", "%25"), ("?", "%3F"), ("#", "%23")];

fn escaped(path: &str) -> String {
    ESCAPES.iter().fold(path.to_owned(), |path, (plain, code)| path.replace(plain, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_file_or_with_a_bare_password_is_refused() {
        let read = |url: &str| {
            let values = SettingValues::from_flags([("DATABASE_URL", url.to_owned())]);
            DatabaseConfig::from_values(&values, Path::new("data")).map_err(|error| error.to_string())
        };
        for url in [
            "sqlite://data/x.db",
            "sqlite:x.db",
            "sqlite:///tmp/x.db?mode=rwc",
            "postgres://db/x",
            "postgresql:///x",
        ] {
            assert!(read(url).is_ok(), "{url}");
        }
        for url in [
            "sqlite:",
            "sqlite://",
            "sqlite://?mode=rwc",
            "postgres://me:s3c/ret@db/x",
            "postgres://db:port/x",
        ] {
            let error = read(url).unwrap_err();
            assert!(
                error.starts_with("DATABASE_URL has a value that is not allowed") && !error.contains("s3c"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = DatabaseUrl::from("postgres://me:s3cret@db/sentio".to_owned());
        assert_eq!(url.to_string(), "postgres://…@db/sentio");
        assert!(!format!("{url:?}").contains("s3cret"));
        for url in
            ["postgres://me:s3#cret@db/x", "postgres://me@db/x?password=s3cret", "postgres:me:s3cret@db/x"]
        {
            let shown = DatabaseUrl::from(url.to_owned()).to_string();
            assert!(!shown.contains("s3") && !shown.contains("cret"), "{shown}");
        }
    }
}
