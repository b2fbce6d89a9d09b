//! Writes articles to a file in the format of its name.

use std::path::Path;

use super::format::NamedFormat;
use super::output::{Output, Target};
use super::{ArticleRecord, Format, WriteError, csv, json_lines, parquet};

/// Writes articles one by one. The file appears under its name on [`finish`](Self::finish), complete; dropped before,
/// the writer leaves nothing behind and an existing file as it was. Blocking: not for an async task's own thread.
pub struct ArticleWriter {
    encoder: Encoder,
}

enum Encoder {
    JsonLines(json_lines::Writer<Output>),
    Csv(Box<csv::Writer<Output>>),
    Parquet(Box<parquet::Writer<Output>>),
}

impl ArticleWriter {
    /// Writes what the name of `path` says; `-` is standard output with JSON Lines.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        if path == Path::new("-") {
            return Self::create_stdout(Format::JsonLines);
        }
        let NamedFormat { format, gzip } = NamedFormat::of(path)?;
        Self::new(Output::new(Target::beside(path)?, gzip), format)
    }

    /// Writes to standard output, where what was written before an error stays.
    pub fn create_stdout(format: Format) -> Result<Self, WriteError> {
        Self::new(Output::new(Target::Stdout(std::io::stdout()), false), format)
    }

    fn new(output: Output, format: Format) -> Result<Self, WriteError> {
        let encoder = match format {
            Format::JsonLines => Encoder::JsonLines(json_lines::Writer::new(output)),
            Format::Csv => Encoder::Csv(Box::new(csv::Writer::new(output)?)),
            Format::Parquet => Encoder::Parquet(Box::new(parquet::Writer::new(output)?)),
        };
        Ok(Self { encoder })
    }

    pub fn write(&mut self, record: &ArticleRecord) -> Result<(), WriteError> {
        match &mut self.encoder {
            Encoder::JsonLines(writer) => writer.write(record),
            Encoder::Csv(writer) => writer.write(record),
            Encoder::Parquet(writer) => writer.write(record),
        }
    }

    /// Completes the file, makes it durable and puts it in place of one with the same name.
    pub fn finish(self) -> Result<(), WriteError> {
        let output = match self.encoder {
            Encoder::JsonLines(writer) => writer.finish(),
            Encoder::Csv(writer) => writer.finish()?,
            Encoder::Parquet(writer) => writer.finish()?,
        };
        output.publish()
    }
}
