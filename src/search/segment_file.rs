//! A segment as a file: what is large is mapped and read in place.
//!
//! The parts lie one after the other, each at a multiple of [`ALIGNMENT`]. A header in JSON follows, which has what is small and where the parts are; then a
//! footer with the header's length, a checksum of all before it, and [`MAGIC`]. A file is complete when it has its name: it is written under
//! another one, made durable and renamed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytemuck::Pod;
use serde::{Deserialize, Serialize};

use super::columns::{Column, Columns, TextColumn};
use super::lives::Lives;
use super::postings::Postings;
use super::segment::{Segment, Vectors};
use super::slab::Slab;
use crate::mapped_file::MappedFile;
use crate::words::Language;

/// Raised when what is in a file, or how, changes.
const FORMAT: u32 = 1;
const MAGIC: &[u8; 8] = b"sentioSG";
/// Of a cache line, which is more than any value needs.
const ALIGNMENT: usize = 64;
/// The header's length and the checksum, both in 8 bytes, and the magic.
const FOOTER_BYTES: usize = 24;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SegmentFileError {
    #[error("it cannot be read")]
    Unreadable(#[from] io::Error),
    #[error("it is damaged or cut off")]
    Damaged,
    #[error("it was written by another version, or for another index")]
    Foreign,
}

/// What is small of a segment, and where the rest is.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    little_endian: bool,
    /// What the segment's rows were made by and for.
    identity: String,
    dimension: usize,
    /// By number; absent for texts in no language that is known.
    languages: Vec<Option<u8>>,
    /// The texts of each column of texts, by number.
    texts: Vec<Vec<String>>,
    parts: BTreeMap<String, Range<usize>>,
}

/// Writes `segment` to `path`, whole or not at all.
pub fn write(segment: &Segment, identity: &str, path: &Path) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let written = write_partial(segment, identity, &partial).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // It is of no use, and the error says more than a second one.
        let _ = fs::remove_file(&partial);
    }
    written?;
    // The name is durable with its folder.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn write_partial(segment: &Segment, identity: &str, path: &Path) -> io::Result<()> {
    let mut file =
        Checked { file: BufWriter::new(File::create(path)?), hash: crc32fast::Hasher::new(), length: 0 };
    let mut parts = BTreeMap::new();
    for (name, bytes) in parts_of(segment) {
        let gap = file.length.next_multiple_of(ALIGNMENT) - file.length;
        file.write(&[0; ALIGNMENT][..gap])?;
        parts.insert(name, file.length..file.length + bytes.len());
        file.write(bytes)?;
    }
    let header = Header {
        format: FORMAT,
        little_endian: cfg!(target_endian = "little"),
        identity: identity.to_owned(),
        dimension: segment.dimension,
        languages: segment.languages.iter().map(|language| language.map(Language::number)).collect(),
        texts: segment.columns.0.iter().filter_map(texts_of).collect(),
        parts,
    };
    let header = serde_json::to_vec(&header)?;
    file.write(&header)?;
    let (length, checksum) = (header.len() as u64, u64::from(file.hash.clone().finalize()));
    file.file.write_all(&[&length.to_le_bytes(), &checksum.to_le_bytes(), &MAGIC[..]].concat())?;
    file.file.into_inner()?.sync_all()
}

/// A file with the checksum of what was written to it.
struct Checked {
    file: BufWriter<File>,
    hash: crc32fast::Hasher,
    length: usize,
}

impl Checked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.length += bytes.len();
        self.file.write_all(bytes)
    }
}

/// Maps the segment of a file, whose rows then live from the start. Reads all of it once.
pub fn open(path: &Path, identity: &str) -> Result<Segment, SegmentFileError> {
    let file = Arc::new(MappedFile::open(path)?);
    let header = read_header(&file)?;
    let is_own = header.format == FORMAT
        && header.little_endian == cfg!(target_endian = "little")
        && header.identity == identity;
    if !is_own {
        return Err(SegmentFileError::Foreign);
    }
    segment_of(header, &file).ok_or(SegmentFileError::Damaged)
}

/// The header of a file that is whole.
fn read_header(file: &[u8]) -> Result<Header, SegmentFileError> {
    let (rest, footer) = file.split_last_chunk::<FOOTER_BYTES>().ok_or(SegmentFileError::Damaged)?;
    let number = |from: usize| {
        let bytes = footer[from..].first_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(bytes)
    };
    if footer[16..] != MAGIC[..] || number(8) != u64::from(crc32fast::hash(rest)) {
        return Err(SegmentFileError::Damaged);
    }
    let length = usize::try_from(number(0)).map_err(|_| SegmentFileError::Damaged)?;
    let begin = rest.len().checked_sub(length).ok_or(SegmentFileError::Damaged)?;
    serde_json::from_slice(&rest[begin..]).map_err(|_| SegmentFileError::Foreign)
}

/// What is large of a segment, with its names.
fn parts_of(segment: &Segment) -> Vec<(String, &[u8])> {
    let mut parts = vec![
        ("ids".to_owned(), segment.ids.as_bytes()),
        ("writes".to_owned(), segment.writes.as_bytes()),
        ("revisions".to_owned(), segment.revisions.as_bytes()),
        ("ends".to_owned(), segment.ends.as_bytes()),
        ("spans".to_owned(), segment.spans.as_bytes()),
        ("word_spans".to_owned(), segment.word_spans.as_bytes()),
        ("places".to_owned(), segment.places.as_bytes()),
        ("words.terms".to_owned(), segment.words.terms.as_bytes()),
        ("words.lists".to_owned(), segment.words.lists.as_bytes()),
        ("words.places".to_owned(), segment.words.places.as_bytes()),
        ("words.positions".to_owned(), segment.words.positions.as_bytes()),
        ("words.lengths".to_owned(), segment.words.lengths.as_bytes()),
    ];
    for (kind, vectors) in [("articles", &segment.articles), ("passages", &segment.passages)] {
        parts.extend([
            (format!("{kind}.high"), vectors.high.as_bytes()),
            (format!("{kind}.low"), vectors.low.as_bytes()),
            (format!("{kind}.scales"), vectors.scales.as_bytes()),
            (format!("{kind}.sign_words"), vectors.sign_words.as_bytes()),
            (format!("{kind}.sign_factors"), vectors.sign_factors.as_bytes()),
            (format!("{kind}.sign_ones"), vectors.sign_ones.as_bytes()),
        ]);
    }
    for (number, column) in segment.columns.0.iter().enumerate() {
        match column {
            Column::Integers(values) => parts.push((format!("column.{number}"), values.as_bytes())),
            Column::Texts(column) => parts.extend([
                (format!("column.{number}.ends"), column.ends.as_bytes()),
                (format!("column.{number}.values"), column.values.as_bytes()),
            ]),
        }
    }
    parts
}

fn texts_of(column: &Column) -> Option<Vec<String>> {
    match column {
        Column::Texts(column) => Some(column.texts.iter().map(|text| text.clone().into_string()).collect()),
        Column::Integers(_) => None,
    }
}

fn segment_of(header: Header, file: &Arc<MappedFile>) -> Option<Segment> {
    let Header { dimension, languages, texts, parts, .. } = header;
    let parts = Parts { file, parts };
    let language = |number: Option<u8>| match number {
        Some(number) => Language::with_number(number).map(Some),
        None => Some(None),
    };
    let segment = Segment {
        dimension,
        ids: parts.slab("ids")?,
        writes: parts.slab("writes")?,
        revisions: parts.slab("revisions")?,
        columns: parts.columns(texts)?,
        languages: languages.into_iter().map(language).collect::<Option<BTreeSet<_>>>()?,
        words: Postings {
            terms: parts.slab("words.terms")?,
            lists: parts.slab("words.lists")?,
            places: parts.slab("words.places")?,
            positions: parts.slab("words.positions")?,
            lengths: parts.slab("words.lengths")?,
        },
        articles: parts.vectors("articles")?,
        ends: parts.slab("ends")?,
        spans: parts.slab("spans")?,
        word_spans: parts.slab("word_spans")?,
        places: parts.slab("places")?,
        passages: parts.vectors("passages")?,
        lives: Arc::default(),
        file: None,
    };
    let lives = Lives::from_the_start(segment.len());
    Some(Segment { lives: Arc::new(lives), ..segment })
}

/// The parts of a file.
struct Parts<'a> {
    file: &'a Arc<MappedFile>,
    parts: BTreeMap<String, Range<usize>>,
}

impl Parts<'_> {
    fn slab<T: Pod>(&self, name: &str) -> Option<Slab<T>> {
        Slab::of_file(self.file, self.parts.get(name)?.clone())
    }

    fn vectors(&self, kind: &str) -> Option<Vectors> {
        Some(Vectors {
            high: self.slab(&format!("{kind}.high"))?,
            low: self.slab(&format!("{kind}.low"))?,
            scales: self.slab(&format!("{kind}.scales"))?,
            sign_words: self.slab(&format!("{kind}.sign_words"))?,
            sign_factors: self.slab(&format!("{kind}.sign_factors"))?,
            sign_ones: self.slab(&format!("{kind}.sign_ones"))?,
        })
    }

    fn columns(&self, texts: Vec<Vec<String>>) -> Option<Columns> {
        let (mut columns, mut texts) = (Columns::default(), texts.into_iter());
        for (number, column) in columns.0.iter_mut().enumerate() {
            match column {
                Column::Integers(values) => *values = self.slab(&format!("column.{number}"))?,
                Column::Texts(column) => {
                    let ends = self.slab(&format!("column.{number}.ends"))?;
                    *column =
                        TextColumn::new(texts.next()?, ends, self.slab(&format!("column.{number}.values"))?);
                }
            }
        }
        Some(columns)
    }
}
