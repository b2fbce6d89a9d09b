//! Where values come from: a flag beats the environment, which beats `.env`, which beats the default.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use super::{ConfigError, SETTINGS, Setting};
use super::{dot_env, plain_value, platform_names, secret_file};

/// Where a value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Flag,
    Environment,
    DotEnv,
    /// The file that the setting of this name names.
    File(&'static str),
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::DotEnv => ".env",
            Self::File(name) => name,
            Self::Default => "default",
        })
    }
}

/// The raw text of every setting and where it was found.
#[derive(Clone, Debug, Default)]
pub struct SettingValues {
    values: HashMap<&'static str, (String, Source)>,
    warnings: Vec<String>,
}

impl SettingValues {
    /// Gathers values from `flags` (by setting name), the process's environment and the file `.env` of the working
    /// folder.
    pub fn gather(flags: HashMap<&'static str, String>) -> Result<Self, ConfigError> {
        Self::from_sources(flags, std::env::vars_os(), Path::new(".env"))
    }

    /// Only `flags`; for programs that bring their own settings, such as tests.
    pub fn from_flags(flags: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let values = flags.into_iter().map(|(name, value)| (name, (value, Source::Flag))).collect();
        Self { values, warnings: Vec::new() }
    }

    fn from_sources(
        flags: HashMap<&'static str, String>,
        environment: impl Iterator<Item = (OsString, OsString)>,
        dot_env: &Path,
    ) -> Result<Self, ConfigError> {
        let mut gathered = Self::default();
        for (name, value) in dot_env::read(dot_env)? {
            gathered.take(&name, value, Source::DotEnv)?;
        }
        for (name, value) in environment {
            let Some(name) = name.to_str() else { continue };
            let is_setting = SETTINGS.iter().any(|setting| setting.name == name);
            if name.starts_with("SENTIO_") || is_setting {
                let value =
                    value.into_string().map_err(|_| ConfigError::NotUnicode { name: name.to_owned() })?;
                gathered.take(name, value, Source::Environment)?;
            }
        }
        for (name, value) in flags {
            gathered.values.insert(name, (value, Source::Flag));
        }
        for setting in SETTINGS {
            if let Some((value, source)) = gathered.values.get(setting.name) {
                plain_value::check(setting, value, *source)?;
            }
        }
        secret_file::read_all(&mut gathered)?;
        Ok(gathered)
    }

    fn take(&mut self, name: &str, value: String, source: Source) -> Result<(), ConfigError> {
        if platform_names::injected(name, &value) {
            self.warnings.push(format!("{name} looks injected by a container platform and is ignored"));
            return Ok(());
        }
        match SETTINGS.iter().find(|setting| setting.name == name) {
            // Compose files pass unset variables as empty ones.
            Some(_) if value.is_empty() => Ok(()),
            Some(setting) => {
                self.values.insert(setting.name, (value, source));
                Ok(())
            }
            None if !name.starts_with("SENTIO_") => Ok(()),
            None => {
                let source_name = if source == Source::DotEnv { ".env" } else { "the environment" };
                Err(ConfigError::Unknown { name: name.to_owned(), source_name, hint: similar(name) })
            }
        }
    }

    /// Sets a value as a flag does.
    pub fn set(&mut self, name: &'static str, value: String) {
        self.values.insert(name, (value, Source::Flag));
    }

    /// Sets a value that the file named by `file_name` holds.
    pub(super) fn set_from_file(&mut self, name: &'static str, value: String, file_name: &'static str) {
        self.values.insert(name, (value, Source::File(file_name)));
    }

    /// Leaves a setting to its default.
    pub fn unset(&mut self, name: &'static str) {
        self.values.remove(name);
    }

    /// What was ignored, for the log.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The value of a setting as it was given; `None` when nothing gave it.
    pub fn given(&self, name: &'static str) -> Option<&str> {
        self.values.get(name).map(|(value, _)| value.as_str())
    }

    /// The value of a setting, or its default.
    pub fn text(&self, name: &'static str) -> &str {
        self.given(name).unwrap_or_else(|| {
            SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.default)
        })
    }

    /// Where the value of a setting comes from.
    pub fn source(&self, setting: &Setting) -> Source {
        self.values.get(setting.name).map_or(Source::Default, |(_, source)| *source)
    }

    /// Reads a value with `parse`, or says what was expected.
    pub(super) fn parse<T>(
        &self,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let value = self.text(name);
        parse(value).ok_or_else(|| ConfigError::BadValue {
            name,
            value: value.to_owned(),
            expected: expected.to_owned(),
        })
    }

    /// The parts of a value that is a list with commas; blanks are left out.
    pub(super) fn list(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.text(name).split(',').map(str::trim).filter(|part| !part.is_empty())
    }
}

/// The setting that someone who wrote `name` may have meant.
fn similar(name: &str) -> Option<&'static str> {
    let words = |name: &str| name.split('_').map(str::to_owned).collect::<Vec<_>>();
    let given = words(name);
    SETTINGS
        .iter()
        .map(|setting| {
            let shared = words(setting.name).iter().filter(|word| given.contains(word)).count();
            (shared, setting.name)
        })
        .filter(|(shared, _)| *shared > 1)
        .max_by_key(|(shared, _)| *shared)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(
        flags: &[(&'static str, &str)],
        environment: &[(&str, &str)],
    ) -> Result<SettingValues, ConfigError> {
        SettingValues::from_sources(
            flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            environment.iter().map(|(name, value)| (name.into(), value.into())),
            Path::new("/nonexistent/.env"),
        )
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_default() {
        let environment = [("SENTIO_PORT", "9000"), ("SENTIO_HOST", "0.0.0.0"), ("SENTIO_LOG", "")];
        let values = gather(&[("SENTIO_PORT", "9001")], &environment).unwrap();
        assert_eq!(values.text("SENTIO_PORT"), "9001");
        assert_eq!(values.text("SENTIO_HOST"), "0.0.0.0");
        assert_eq!(values.text("SENTIO_LOG"), "info");
    }

    #[test]
    fn dot_env_is_read_and_beaten_by_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, "SENTIO_PORT=7000\nSENTIO_HOST=0.0.0.0\nOTHER=1\n").unwrap();
        let environment = [("SENTIO_PORT".into(), "7001".into())];
        let values = SettingValues::from_sources(HashMap::new(), environment.into_iter(), &path).unwrap();
        assert_eq!((values.text("SENTIO_PORT"), values.text("SENTIO_HOST")), ("7001", "0.0.0.0"));
        std::fs::write(&path, "SENTIO_PROT=7000\n").unwrap();
        let error = SettingValues::from_sources(HashMap::new(), std::iter::empty(), &path).unwrap_err();
        assert!(error.to_string().contains("SENTIO_PROT (from .env)"), "{error}");
    }

    #[test]
    fn a_secret_in_a_file_is_a_value_like_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        let path = path.to_str().unwrap();
        let values = gather(&[], &[("SENTIO_API_KEYS_FILE", path)]).unwrap();
        assert_eq!(values.list("SENTIO_API_KEYS").collect::<Vec<_>>(), ["one", "two"]);
        for flags in [vec![("SENTIO_API_KEYS", "three")], vec![("SENTIO_API_KEYS", "")]] {
            assert!(gather(&flags, &[("SENTIO_API_KEYS_FILE", path)]).is_err());
        }
        // Compose files pass unset variables as empty ones.
        let empty = [("SENTIO_API_KEYS", ""), ("SENTIO_API_KEYS_FILE", path)];
        assert!(gather(&[], &empty).is_ok());
    }

    #[test]
    fn a_blank_value_stops_the_start_and_an_empty_variable_is_none() {
        assert!(gather(&[], &[("SENTIO_API_KEYS", ""), ("SENTIO_DATA_DIR", "")]).is_ok());
        for (name, value) in [("SENTIO_API_KEYS", " "), ("SENTIO_DATA_DIR", "\t")] {
            let error = gather(&[], &[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(name) && error.contains("blank"), "{error}");
        }
        assert!(gather(&[("SENTIO_API_KEYS", "")], &[]).is_err());
        assert_eq!(
            gather(&[("SENTIO_QUERY_PROMPT", "")], &[]).unwrap().given("SENTIO_QUERY_PROMPT"),
            Some("")
        );
    }

    #[test]
    fn an_unknown_name_stops_the_start_and_a_platforms_does_not() {
        let error = gather(&[], &[("SENTIO_EMBEDDING_THREADS", "2")]).unwrap_err();
        assert!(error.to_string().ends_with("did you mean SENTIO_EMBED_THREADS?"), "{error}");
        let injected = [
            ("SENTIO_SERVICE_HOST", "10.0.0.1"),
            ("SENTIO_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
            ("SENTIO_PORT", "tcp://10.0.0.1:8000"),
        ];
        let values = gather(&[], &injected).unwrap();
        assert_eq!(values.warnings().len(), 3);
        assert_eq!(values.text("SENTIO_PORT"), "8000");
    }
}
