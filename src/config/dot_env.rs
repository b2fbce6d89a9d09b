//! The file `.env`: lines NAME=VALUE, in UTF-8, with or without a byte order mark.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;

use super::{ConfigError, SETTINGS};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines of the file; none when there is no file.
pub(super) fn read(path: &Path) -> Result<Vec<(String, String)>, ConfigError> {
    let failed = |problem| ConfigError::DotEnv { path: path.to_owned(), problem };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(format!("cannot be read: {error}"))),
    };
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") || text.contains(&0) {
        let problem =
            "is written in UTF-16, as PowerShell does: save it as UTF-8 (Set-Content -Encoding utf8)";
        return Err(failed(problem.to_owned()));
    }
    // The library's error holds the line, which may be a secret.
    let lines: Result<Vec<_>, _> = dotenvy::from_read_iter(text).collect();
    let lines: Vec<(String, String)> = lines.map_err(|_| {
        let problem = "cannot be read as lines NAME=VALUE: put a value with spaces, # or $ in single quotes";
        failed(problem.to_owned())
    })?;
    let mut seen = HashSet::new();
    for (name, _) in &lines {
        let is_setting = SETTINGS.iter().any(|setting| setting.name == name);
        if is_setting && !seen.insert(name) {
            return Err(failed(format!("gives {name} twice: keep one line")));
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, bytes).unwrap();
        read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_of_another_system_is_read() {
        let port = vec![("SENTIO_PORT".to_owned(), "8123".to_owned())];
        for bytes in [
            b"SENTIO_PORT=8123".as_slice(),
            b"\xef\xbb\xbfSENTIO_PORT=8123\n",
            b"\xef\xbb\xbf# comment\r\n\r\nSENTIO_PORT=8123\r\n",
            b"export SENTIO_PORT='8123'\r\n",
        ] {
            assert_eq!(lines(bytes).unwrap(), port, "{}", bytes.escape_ascii());
        }
        assert_eq!(lines(b"\xef\xbb\xbf").unwrap(), []);
        assert!(read(Path::new("/nonexistent/.env")).unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_told_without_its_text() {
        let utf16: Vec<u8> =
            "\u{feff}SENTIO_API_KEYS=s3cret".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big_endian: Vec<u8> = "\u{feff}SENTIO_PORT=1".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let unmarked: Vec<u8> = "SENTIO_PORT=1".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [utf16, big_endian, unmarked] {
            assert!(lines(&bytes).unwrap_err().contains("save it as UTF-8"), "{}", bytes.escape_ascii());
        }
        for bytes in
            [b"SENTIO_API_KEYS=s3cret two words".as_slice(), b"s3cret", b"SENTIO_API_KEYS=s3cret\xff"]
        {
            let error = lines(bytes).unwrap_err();
            assert!(error.contains("NAME=VALUE") && !error.contains("s3cret"), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains("cannot be read"));
    }

    #[test]
    fn a_setting_stands_once() {
        let error = lines(b"SENTIO_PORT=1\nOTHER=1\nOTHER=2\nSENTIO_PORT=2\n").unwrap_err();
        assert!(error.ends_with("gives SENTIO_PORT twice: keep one line"), "{error}");
    }
}
