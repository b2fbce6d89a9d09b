//! Values that no setting can mean, whatever it is for.

use super::{ConfigError, Setting, Source};

/// Refuses blanks, quotation marks that were not taken off, and flags and addresses where a path is expected.
pub(super) fn check(setting: &Setting, value: &str, source: Source) -> Result<(), ConfigError> {
    if setting.takes_any_text() {
        return Ok(());
    }
    let problem = if value.trim().is_empty() {
        "it is blank: give a value, or leave the setting out"
    } else if is_quoted(value) {
        "it has quotation marks around it, which `docker --env-file` keeps: take them off"
    } else if source == Source::Flag && value.starts_with("--") {
        "it looks like another flag: a value is missing"
    } else if setting.is_path() && value != value.trim() {
        "it has white space around it: take it off"
    } else if setting.is_path() && setting.value_name != "URI" && value.contains("://") {
        "expected a path of this machine, and no URL"
    } else {
        return Ok(());
    };
    Err(ConfigError::refused(setting, value, problem))
}

fn is_quoted(value: &str) -> bool {
    ['"', '\''].iter().any(|quote| value.len() > 1 && value.starts_with(*quote) && value.ends_with(*quote))
}

#[cfg(test)]
mod tests {
    use super::super::SETTINGS;
    use super::*;

    fn refused(name: &str, value: &str, source: Source) -> Option<String> {
        let setting = SETTINGS.iter().find(|setting| setting.name == name).unwrap();
        check(setting, value, source).err().map(|error| error.to_string())
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_secrets_are_not_shown() {
        for (name, value, sentence) in [
            ("SENTIO_DATA_DIR", "", "it is blank"),
            ("SENTIO_MODEL", " ", "it is blank"),
            ("SENTIO_API_KEYS", "\n", "it is blank"),
            ("SENTIO_DATA_DIR", "\"/data\"", "quotation marks"),
            ("SENTIO_API_KEYS", "'s3cret'", "quotation marks"),
            ("DATABASE_URL", "\"postgres://me:s3cret@db/x\"", "quotation marks"),
            ("SENTIO_DATA_DIR", "--port", "looks like another flag"),
            ("SENTIO_PORT", "--no-worker", "looks like another flag"),
            ("SENTIO_DATA_DIR", "data ", "white space"),
            ("SENTIO_INDEX_URI", " index", "white space"),
            ("SENTIO_ORT_LIB", "https://example.org/lib.so", "no URL"),
            ("SENTIO_API_KEYS_FILE", "file:///run/secrets/keys", "no URL"),
        ] {
            let error = refused(name, value, Source::Flag).unwrap();
            assert!(
                error.starts_with(name) && error.contains(sentence) && !error.contains("s3cret"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_can_be_meant_is_taken() {
        for (name, value) in [
            ("SENTIO_QUERY_PROMPT", ""),
            ("SENTIO_QUERY_PROMPT", "--"),
            ("SENTIO_PASSAGE_PROMPT", "\"passage\" "),
            ("SENTIO_DATA_DIR", "my data"),
            ("SENTIO_INDEX_URI", "s3://bucket/index"),
            ("SENTIO_MODEL", "it's"),
            ("HF_TOKEN", "hf_x\n"),
        ] {
            assert_eq!(refused(name, value, Source::Flag), None, "{name}={value}");
        }
        assert_eq!(refused("SENTIO_DATA_DIR", "--data", Source::Environment), None);
    }
}
