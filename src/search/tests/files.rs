//! Segments that were stored find what those in memory find; what is damaged or foreign is not used.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use sentio_nearest::Instructions;

use super::random::{Articles, Change, a_change, a_filter, a_text, a_vector};
use super::{apply, compare, compare_words, finds, versions};
use crate::article::ArticleFilter;
use crate::search::{Residence, Searcher, SegmentFileError, SegmentFiles};

const PLACES: [Residence; 3] = [Residence::Memory, Residence::Disk, Residence::MemoryUpTo(4_000)];

fn files(folder: &Path, residence: Residence) -> SegmentFiles {
    SegmentFiles::new(folder.join("a/b"), "this index".to_owned(), residence).of_all()
}

fn stored(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder.join("a/b")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn stored_segments_find_the_same(
        changes in vec(a_change(35), 2..12),
        saved_after in 0..10_usize,
        vector in a_vector(35),
        filter in a_filter(),
        query in a_text(0..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let searcher = Searcher::new(35, Instructions::fastest(), versions(0));
        let mut articles = Articles::new();
        let mut then = None;
        for (number, change) in changes.iter().enumerate() {
            apply(&searcher, change, number + 1);
            change.gone.iter().for_each(|id| drop(articles.remove(id)));
            articles.extend(change.changed.clone());
            // In the middle of its changes it goes on from files, with rows that die later.
            if number == saved_after {
                let before = finds(&searcher.view(), &vector, &query, &filter);
                files(folder.path(), PLACES[number % 3]).save(&searcher, || ()).unwrap();
                prop_assert_eq!(finds(&searcher.view(), &vector, &query, &filter), before);
                then = Some((articles.clone(), searcher.view().pairs()));
            }
        }
        let expected = finds(&searcher.view(), &vector, &query, &filter);
        for residence in PLACES {
            let files = files(folder.path(), residence);
            files.save(&searcher, || ()).unwrap();
            let (segments, unusable) = files.open();
            prop_assert!(unusable.is_empty());
            let pairs = searcher.view().pairs();
            let (again, missing) = Searcher::of_stored(35, Instructions::fastest(), versions(1), segments, &pairs);
            prop_assert_eq!(missing, []);
            compare(&again.view(), &articles, &vector, &filter, &[], 7)?;
            compare_words(&again.view(), &articles, &query, &filter, &[], 7)?;
            prop_assert_eq!(finds(&again.view(), &vector, &query, &filter), expected.clone());
            prop_assert_eq!(again.view().size(), searcher.view().size());
            prop_assert_eq!(again.is_on_disk(), residence == Residence::Disk && !articles.is_empty() || again.is_on_disk());
            // Of an earlier moment, too: rows that died since are in the files.
            if let Some((articles, pairs)) = &then {
                let (segments, _) = files.open();
                let (again, missing) = Searcher::of_stored(35, Instructions::fastest(), versions(1), segments, pairs);
                prop_assert_eq!(missing, []);
                compare(&again.view(), articles, &vector, &filter, &[], 7)?;
            }
        }
    }
}

/// A searcher with files, and what it finds.
fn some_files(folder: &Path) -> Searcher<usize> {
    let searcher = Searcher::new(3, Instructions::fastest(), versions(0));
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for number in 1..4 {
        let mut change = a_change(3).new_tree(&mut runner).unwrap().current();
        while change.changed.is_empty() {
            change = a_change(3).new_tree(&mut runner).unwrap().current();
        }
        apply(&searcher, &Change { merges: false, ..change }, number);
    }
    files(folder, Residence::Disk).save(&searcher, || ()).unwrap();
    searcher
}

#[test]
fn what_is_damaged_or_foreign_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let searcher = some_files(folder.path());
    let paths = stored(folder.path());
    let whole: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let files = files(folder.path(), Residence::Memory);
    let length = whole[0].len();
    let flipped = |at: usize| {
        let mut bytes = whole[0].clone();
        bytes[at] ^= 1;
        bytes
    };
    let cut_off = |length: usize| whole[0][..length].to_vec();
    let damaged = [
        flipped(100),
        flipped(length - 30),
        flipped(length - 1),
        cut_off(length - 1),
        cut_off(10),
        cut_off(0),
    ];
    for bytes in damaged {
        fs::write(&paths[0], bytes).unwrap();
        let (segments, unusable) = files.open();
        assert_eq!((segments.len(), unusable.len()), (paths.len() - 1, 1));
        assert_eq!(unusable[0].0, paths[0]);
        assert!(
            matches!(unusable[0].1, SegmentFileError::Damaged | SegmentFileError::Unreadable(_)),
            "{unusable:?}"
        );
        let report = files.report();
        assert_eq!((report.whole, report.damaged.len()), (paths.len() - 1, 1));
    }
    fs::write(&paths[0], &whole[0]).unwrap();
    let other = SegmentFiles::new(folder.path().join("a/b"), "another index".to_owned(), Residence::Memory);
    let (segments, unusable) = other.open();
    assert!(segments.is_empty());
    assert!(unusable.iter().all(|(_, error)| matches!(error, SegmentFileError::Foreign)), "{unusable:?}");
    // A file that is missing: what was in it is to be read again.
    fs::remove_file(&paths[0]).unwrap();
    let (segments, _) = files.open();
    let pairs = searcher.view().pairs();
    let (again, missing) = Searcher::of_stored(3, Instructions::fastest(), versions(1), segments, &pairs);
    assert_eq!(again.view().size().articles + missing.len(), pairs.len());
    assert!(!missing.is_empty());
}

#[test]
fn files_that_nothing_uses_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let searcher = some_files(folder.path());
    let files = files(folder.path(), Residence::Memory);
    let (before, view) = (stored(folder.path()), searcher.view());
    let found = finds(&view, &[1.0, 0.0, 0.0], "red", &ArticleFilter::default());
    fs::write(folder.path().join("a/b/0.partial"), "half").unwrap();
    fs::copy(&before[0], folder.path().join("a/b/1.segment")).unwrap();
    files.save(&searcher, || ()).unwrap();
    assert_eq!(stored(folder.path()), before);
    // Whoever has a file mapped goes on.
    SegmentFiles::remove(&folder.path().join("a/b")).unwrap();
    assert_eq!(finds(&view, &[1.0, 0.0, 0.0], "red", &ArticleFilter::default()), found);
    SegmentFiles::remove(&folder.path().join("a/b")).unwrap();
}
