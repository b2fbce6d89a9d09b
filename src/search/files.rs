//! The segments of a generation as files in a folder: a cache that makes a start fast, and may be deleted at any time.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::residence::Residence;
use super::searcher::Searcher;
use super::segment::Segment;
use super::segment_file::{self, SegmentFileError};

/// Smaller segments are read from the tables faster than a file of each could be kept in order.
const ARTICLES_MIN: usize = 64;
const EXTENSION: &str = "segment";

/// The folder of a generation's segments.
#[derive(Clone, Debug)]
pub struct SegmentFiles {
    folder: PathBuf,
    /// Names what the rows were made by and for: files of another one are not used.
    identity: String,
    residence: Residence,
    /// [`ARTICLES_MIN`], but in tests.
    articles_min: usize,
}

/// The files of a folder.
#[derive(Debug, Default)]
pub struct FileReport {
    /// Of segments that can be used.
    pub whole: usize,
    pub bytes: u64,
    /// Of segments that another version or another index has made.
    pub foreign: usize,
    /// That cannot be used, and why.
    pub damaged: Vec<(PathBuf, SegmentFileError)>,
}

impl SegmentFiles {
    pub fn new(folder: PathBuf, identity: String, residence: Residence) -> Self {
        Self { folder, identity, residence, articles_min: ARTICLES_MIN }
    }

    /// The same with a file for every segment.
    #[cfg(test)]
    pub(super) fn of_all(self) -> Self {
        Self { articles_min: 1, ..self }
    }

    /// The segments of all files that can be used, the largest first, and the files that cannot. Reads each of them once.
    pub fn open(&self) -> (Vec<Segment>, Vec<(PathBuf, SegmentFileError)>) {
        let (mut segments, mut unusable) = (Vec::new(), Vec::new());
        for path in self.paths() {
            match segment_file::open(&path, &self.identity) {
                Ok(segment) => segments.push((segment, path)),
                Err(error) => unusable.push((path, error)),
            }
        }
        segments.sort_by_key(|(segment, path)| (std::cmp::Reverse(segment.len()), path.clone()));
        let mut used = 0;
        let place = |(segment, path): (Segment, PathBuf)| {
            let segment =
                self.residence.placed(Segment { file: path.file_name().map(Into::into), ..segment }, used);
            used += segment.memory();
            segment
        };
        (segments.into_iter().map(place).collect(), unusable)
    }

    /// What the files are like. Reads each of them once.
    pub fn report(&self) -> FileReport {
        let mut report = FileReport::default();
        for path in self.paths() {
            match segment_file::open(&path, &self.identity) {
                Ok(_) => {
                    report.whole += 1;
                    report.bytes += fs::metadata(&path).map_or(0, |metadata| metadata.len());
                }
                Err(SegmentFileError::Foreign) => report.foreign += 1,
                Err(error) => report.damaged.push((path, error)),
            }
        }
        report
    }

    /// Writes the segments of `searcher` that are large and have no file yet, has it use the files, and removes files that it does not use.
    /// `written` is called when a file is complete and nothing uses it yet. For one process at a time.
    pub fn save<V: Copy + PartialEq>(&self, searcher: &Searcher<V>, written: impl Fn()) -> io::Result<()> {
        for segment in searcher.segments().iter() {
            if segment.file.is_some() || segment.len() < self.articles_min {
                continue;
            }
            fs::create_dir_all(&self.folder)?;
            let name = format!("{}.{EXTENSION}", uuid::Uuid::new_v4().simple());
            let path = self.folder.join(&name);
            segment_file::write(segment, &self.identity, &path)?;
            written();
            let opened = segment_file::open(&path, &self.identity).map_err(io::Error::other)?;
            let used = searcher.memory().saturating_sub(segment.memory());
            let stored = Segment { file: Some(name.into()), lives: segment.lives.clone(), ..opened };
            searcher.replace(segment, self.residence.placed(stored, used));
        }
        self.remove_others(searcher)
    }

    fn remove_others<V: Copy + PartialEq>(&self, searcher: &Searcher<V>) -> io::Result<()> {
        let segments = searcher.segments();
        let used: HashSet<_> = segments.iter().filter_map(|segment| segment.file.as_ref()).collect();
        for entry in entries(&self.folder) {
            let name: OsString = entry.file_name().map(Into::into).unwrap_or_default();
            if !used.contains(&name) {
                // Who has mapped it goes on to use it.
                fs::remove_file(&entry)?;
            }
        }
        Ok(())
    }

    /// Removes a folder with all of its files.
    pub fn remove(folder: &Path) -> io::Result<()> {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn paths(&self) -> Vec<PathBuf> {
        let is_segment = |path: &PathBuf| path.extension().is_some_and(|extension| extension == EXTENSION);
        entries(&self.folder).into_iter().filter(is_segment).collect()
    }
}

/// What is in a folder, by name; nothing where there is none.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort_unstable();
    paths
}
