//! A text file's bytes: counted as they are read, decompressed, without byte order mark.

use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// How far the reading of a file has come, in bytes of the file as it is stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Position(Arc<AtomicU64>);

impl Position {
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    fn advance(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

pub(super) type ByteStream = Box<dyn Read + Send>;

/// The text in `source`, decompressed if `gzip` is set or the data begins as gzip does.
pub(super) fn text_stream(
    source: impl Read + Send + 'static,
    gzip: bool,
    position: Position,
) -> io::Result<ByteStream> {
    let (head, rest) = split_head(BufReader::new(Counted { source, position }), GZIP_MAGIC.len())?;
    let gzip = gzip || head == GZIP_MAGIC;
    let stored = Cursor::new(head).chain(rest);
    let text: ByteStream = if gzip { Box::new(MultiGzDecoder::new(stored)) } else { Box::new(stored) };

    let (mut head, rest) = split_head(text, BYTE_ORDER_MARK.len())?;
    if head == BYTE_ORDER_MARK {
        head.clear();
    }
    Ok(Box::new(Cursor::new(head).chain(rest)))
}

/// Reads the first `length` bytes, fewer only if there are no more: a pipe may hand them over one by one.
fn split_head<R: Read>(mut source: R, length: usize) -> io::Result<(Vec<u8>, R)> {
    let mut head = Vec::with_capacity(length);
    source.by_ref().take(length as u64).read_to_end(&mut head)?;
    Ok((head, source))
}

struct Counted<R> {
    source: R,
    position: Position,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.position.advance(read);
        Ok(read)
    }
}
