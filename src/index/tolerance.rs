//! How far the tables may be from what searches read fastest: all rows in each index, in one part, and few large files.

/// What is put up with before something is done about it.
pub struct Tolerance {
    /// Rows outside an index from which it takes them in: filters and vector searches scan what is outside.
    pub rows_outside: u64,
    /// Parts of an index, one for each time it took rows in, from which some are made one: each search asks all of them.
    pub parts: usize,
    /// An older part is written anew with the newer ones once it has at most so many times their rows.
    pub times_newer_rows: u64,
    /// Files that are not full from which they are merged: a search opens each that it reads from.
    pub files: usize,
}

impl Tolerance {
    /// While articles are written.
    pub const WHILE_WRITTEN: Self = Self { rows_outside: 2_000, parts: 8, times_newer_rows: 2, files: 16 };

    /// When nothing has been written for a while: `docs/decisions/0025-tidying.md` has what it saves.
    pub const IN_QUIET: Self = Self { rows_outside: 1, parts: 2, times_newer_rows: 8, files: 4 };

    /// How many of the newest parts of an index to make one, with the rows that it takes in: as in a log-structured merge
    /// tree, an older part joins when the newer ones have grown to a share of it, so that a row is written anew a few times
    /// and not with each extension. `parts` are the rows of each, the oldest first.
    pub fn parts_to_merge(&self, parts: &[u64], taken_in: u64) -> usize {
        if parts.len() < self.parts {
            return 0;
        }
        let (mut merged, mut newer_rows) = (0, taken_in);
        for (newer_parts, rows) in parts.iter().rev().enumerate() {
            if *rows <= self.times_newer_rows * newer_rows {
                merged = newer_parts + 1;
            }
            newer_rows += rows;
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_parts_are_made_one_and_large_ones_left_alone() {
        let merged = |parts: &[u64]| Tolerance::WHILE_WRITTEN.parts_to_merge(parts, 32);
        assert_eq!(merged(&[40_000, 32, 32, 32, 32, 32, 32, 32]), 7);
        assert_eq!(merged(&[40_000, 224, 32, 32, 32, 32, 32, 32]), 7);
        assert_eq!(merged(&[40_000, 800, 64, 64, 64, 64, 32, 32]), 6);
        assert_eq!(merged(&[500, 300, 200, 32, 32, 32, 32, 32]), 8);
        assert_eq!(merged(&[40_000, 32, 32, 32, 32, 32, 32]), 0, "few enough");
    }

    #[test]
    fn in_quiet_parts_of_like_size_become_one() {
        let merged = |parts: &[u64], taken_in| Tolerance::IN_QUIET.parts_to_merge(parts, taken_in);
        assert_eq!(merged(&[26_000, 9_000, 3_000, 500], 0), 4);
        assert_eq!(merged(&[40_000, 3_000], 0), 0);
        assert_eq!(merged(&[40_000, 3_000], 1), 0);
        assert_eq!(merged(&[40_000, 1, 2], 1), 2);
        assert_eq!(
            merged(&[40_000, 1_000, 900, 1], 0),
            3,
            "a small one is no reason to leave those before it"
        );
        assert_eq!(merged(&[40_000], 0), 0);
        assert_eq!(merged(&[], 7), 0);
    }

    /// However many rows come, each search asks few parts, and a row is written anew a few times only.
    #[test]
    fn a_row_is_written_a_few_times() {
        for (tolerance, taken_in, most_parts, most_written) in
            [(Tolerance::WHILE_WRITTEN, 32, 16, 12), (Tolerance::IN_QUIET, 1, 7, 60)]
        {
            let (mut parts, mut written) = (Vec::new(), 0);
            for _ in 0..10_000 {
                let merged = tolerance.parts_to_merge(&parts, taken_in);
                let rows: u64 = parts.drain(parts.len() - merged..).sum::<u64>() + taken_in;
                parts.push(rows);
                written += rows;
            }
            let rows = 10_000 * taken_in;
            assert_eq!(parts.iter().sum::<u64>(), rows);
            assert!(parts.len() <= most_parts && written < most_written * rows, "{parts:?}, {written}");
        }
    }
}
