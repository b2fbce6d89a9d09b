//! Secrets that stand in files, as Docker and Kubernetes give them: `SENTIO_API_KEYS_FILE` names a file with the keys.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::setting::SECRET_FILES;
use super::{ConfigError, SettingValues};

/// No secret is longer, and `/dev/zero` would never end.
const MAX_BYTES: u64 = 64 * 1024;

/// Gives each setting whose file is named the content of that file.
pub(super) fn read_all(values: &mut SettingValues) -> Result<(), ConfigError> {
    for (name, file_name) in SECRET_FILES {
        let Some(path) = values.given(file_name) else { continue };
        if values.given(name).is_some() {
            return Err(ConfigError::GivenTwice { name, file_name });
        }
        let failed = |problem| ConfigError::SecretFile { name: file_name, path: path.into(), problem };
        let content = read(Path::new(path)).map_err(failed)?;
        // One key a line reads better than commas.
        let value = if name == "SENTIO_API_KEYS" { content.replace(['\r', '\n'], ",") } else { content };
        values.set_from_file(name, value, file_name);
    }
    Ok(())
}

/// The text without the line end that editors put behind it.
fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("has more than {MAX_BYTES} bytes, which is no secret"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not valid UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim_end_matches(['\r', '\n']);
    if text.trim().is_empty() { Err("is empty".to_owned()) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    fn with_file(name: &'static str, content: &[u8]) -> Result<SettingValues, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, content).unwrap();
        let mut values = SettingValues::from_flags([(name, path.display().to_string())]);
        read_all(&mut values).map_err(|error| error.to_string())?;
        Ok(values)
    }

    #[test]
    fn the_end_of_the_line_is_no_part_of_the_secret() {
        for content in ["hf_x", "hf_x\n", "hf_x\r\n", "\u{feff}hf_x\n\n"] {
            let values = with_file("HF_TOKEN_FILE", content.as_bytes()).unwrap();
            assert_eq!(values.given("HF_TOKEN"), Some("hf_x"), "{content:?}");
        }
        let values = with_file("DATABASE_URL_FILE", b"postgres://me:p@db/x\n").unwrap();
        assert_eq!(values.given("DATABASE_URL"), Some("postgres://me:p@db/x"));
        let setting = super::super::SETTINGS.iter().find(|setting| setting.name == "DATABASE_URL").unwrap();
        assert_eq!(values.source(setting), Source::File("DATABASE_URL_FILE"));
    }

    #[test]
    fn keys_stand_one_a_line_or_with_commas() {
        for content in ["a\nb\n", "a,b", "a\r\n\r\nb\r\n", " a , b \n"] {
            let values = with_file("SENTIO_API_KEYS_FILE", content.as_bytes()).unwrap();
            assert_eq!(values.list("SENTIO_API_KEYS").collect::<Vec<_>>(), ["a", "b"], "{content:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_without_its_content() {
        let large = vec![b'x'; 70_000];
        for (content, problem) in [
            (b"".as_slice(), "is empty"),
            (b" \n", "is empty"),
            (b"s3cret\xff", "UTF-8"),
            (&large, "65536 bytes"),
        ] {
            let error = with_file("SENTIO_API_KEYS_FILE", content).unwrap_err();
            assert!(error.starts_with("SENTIO_API_KEYS_FILE names ") && error.contains(problem), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        for path in ["/nonexistent/keys", "/"] {
            let mut values = SettingValues::from_flags([("SENTIO_API_KEYS_FILE", path.to_owned())]);
            let error = read_all(&mut values).unwrap_err().to_string();
            assert!(error.contains("which cannot be read"), "{error}");
        }
    }

    #[test]
    fn a_secret_is_given_once() {
        let both = [("HF_TOKEN", "hf_x".to_owned()), ("HF_TOKEN_FILE", "/nonexistent".to_owned())];
        let error = read_all(&mut SettingValues::from_flags(both)).unwrap_err().to_string();
        assert_eq!(error, "HF_TOKEN and HF_TOKEN_FILE are both given: keep one of them");
    }
}
