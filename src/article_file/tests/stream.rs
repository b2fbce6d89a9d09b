//! Streams: gzip, pipes, and how far reading has come.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Format, Yield};
use crate::article_file::{ArticleReader, FormatError, OpenError, ReadError};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn lines(count: u64) -> String {
    // Multiplied so that the lines differ and do not compress to nothing.
    let line = |number: u64| {
        format!("{{\"title\":\"{number}\",\"text\":\"{}\"}}\n", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    };
    (1..=count).map(line).collect()
}

/// Hands out single bytes, as a pipe may.
struct ByteByByte<R>(R);

impl<R: Read> Read for ByteByByte<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}

#[test]
fn a_pipe_is_read_plain_or_gzipped_however_it_is_cut() {
    for bytes in [lines(100).into_bytes(), gzip(&format!("\u{feff}{}", lines(100)))] {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let sender = thread::spawn(move || writer.write_all(&bytes).unwrap());
        let result = Yield::of_stream(Format::JsonLines, ByteByByte(reader));
        sender.join().unwrap();
        assert_eq!(result.titles().len(), 100);
    }
}

#[test]
fn a_pipe_has_no_size() {
    let mut reader = ArticleReader::from_pipe(std::io::empty(), Format::JsonLines).unwrap();
    assert_eq!(reader.total_bytes(), None);
    assert!(reader.next().is_none());
}

#[test]
fn gzip_of_several_members_is_one_text() {
    let bytes =
        [gzip("{\"title\":\"a\",\"te"), gzip("xt\":\"C\"}\n{\"title\":\"b\",\"text\":\"C\"}")].concat();
    assert_eq!(Yield::of_bytes(Format::JsonLines, bytes).titles(), [(1, "a"), (2, "b")]);
}

#[test]
fn what_stands_before_a_break_is_delivered() {
    let text = lines(10_000);
    let csv =
        format!("title,text\n{}", text.replace("{\"title\":", "").replace("\"text\":", "").replace('}', ""));
    for (format, text, first_line) in [(Format::JsonLines, text, 1), (Format::Csv, csv, 2)] {
        let whole = gzip(&text);
        let cut = whole[..whole.len() / 2].to_vec();
        let mut damaged = whole.clone();
        damaged[whole.len() / 2..].fill(0xff);
        for bytes in [cut, damaged] {
            let Yield { lines, end } = Yield::of_bytes(format, bytes);
            assert!(lines.len() > 3_000, "{format:?}: {} lines", lines.len());
            let Some(ReadError::Gzip { after_line, .. }) = end else { panic!("{format:?}: {end:?}") };
            assert_eq!(after_line, lines.last().unwrap().0);
            assert_eq!(lines[0].0, first_line);
            // What follows the damage may decode to something at first, so only what stands well before is compared.
            for (index, (_, record)) in lines.iter().take(3_000).enumerate() {
                assert_eq!(record.as_ref().unwrap().title, (index + 1).to_string());
            }
        }
    }
}

#[test]
fn the_position_is_that_in_the_stored_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl.gz");
    let bytes = gzip(&lines(50_000));
    fs::write(&path, &bytes).unwrap();

    let mut reader = ArticleReader::open(&path).unwrap();
    assert_eq!(reader.total_bytes(), Some(bytes.len() as u64));
    assert!(reader.bytes_read() < bytes.len() as u64 / 2, "no more than a buffer at the start");
    for line in reader.by_ref() {
        assert!(line.unwrap().record.is_ok());
    }
    assert_eq!(reader.bytes_read(), bytes.len() as u64);
}

#[test]
fn a_file_that_is_not_there_or_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("a.jsonl");
    fs::create_dir(&directory).unwrap();
    for path in [directory.as_path(), &folder.path().join("b.csv"), &folder.path().join("c.parquet")] {
        assert!(matches!(ArticleReader::open(path), Err(OpenError::Io(_))), "{}", path.display());
    }
    let unknown = ArticleReader::open(Path::new("articles.xlsx"));
    assert!(matches!(unknown, Err(OpenError::Format(FormatError::Unknown { .. }))));
}
