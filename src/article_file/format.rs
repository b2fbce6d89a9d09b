//! Which format a file has, by its name.

use std::path::Path;

use super::FormatError;

/// The formats in which articles are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    JsonLines,
    /// Comma-separated values with a header row (RFC 4180).
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// A format and whether the file's name says that it is gzipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NamedFormat {
    pub format: Format,
    pub gzip: bool,
}

impl NamedFormat {
    pub fn of(path: &Path) -> Result<Self, FormatError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let lower = name.to_ascii_lowercase();
        let (stem, gzip) = match lower.strip_suffix(".gz") {
            Some(stem) => (stem, true),
            None => (lower.as_str(), false),
        };
        let format = match stem.rsplit_once('.').map(|(_, extension)| extension) {
            Some("jsonl" | "ndjson" | "json") => Format::JsonLines,
            Some("csv") => Format::Csv,
            Some("parquet") if gzip => return Err(FormatError::GzippedParquet),
            Some("parquet") => Format::Parquet,
            _ => return Err(FormatError::Unknown { name: name.into_owned() }),
        };
        Ok(Self { format, gzip })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_format_and_compression() {
        let named = |name: &str| NamedFormat::of(Path::new(name)).unwrap();
        for (name, format, gzip) in [
            ("a.jsonl", Format::JsonLines, false),
            ("dir.csv/a.ndjson.gz", Format::JsonLines, true),
            ("a.b.JSON", Format::JsonLines, false),
            ("a.CSV.GZ", Format::Csv, true),
            (".csv", Format::Csv, false),
            ("a.parquet", Format::Parquet, false),
        ] {
            assert_eq!(named(name), NamedFormat { format, gzip }, "{name}");
        }
    }

    #[test]
    fn a_name_that_tells_nothing_is_refused_with_the_known_endings() {
        for name in ["articles", "jsonl", "a.txt", "a.gz", "a.tsv.gz", "a.jsonl.zst", ".."] {
            let message = NamedFormat::of(Path::new(name)).unwrap_err().to_string();
            assert!(message.contains(".jsonl, .ndjson, .json, .csv or .parquet"), "{name}: {message}");
        }
        assert!(matches!(NamedFormat::of(Path::new("a.parquet.gz")), Err(FormatError::GzippedParquet)));
    }
}
