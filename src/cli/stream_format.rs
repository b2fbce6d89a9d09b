//! The format of standard input or output, which have no ending to tell it by.

use clap::ValueEnum;

use crate::article_file::Format;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StreamFormat {
    Jsonl,
    Csv,
    Parquet,
}

impl From<StreamFormat> for Format {
    fn from(format: StreamFormat) -> Self {
        match format {
            StreamFormat::Jsonl => Self::JsonLines,
            StreamFormat::Csv => Self::Csv,
            StreamFormat::Parquet => Self::Parquet,
        }
    }
}
