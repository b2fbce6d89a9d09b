//! How much is prepared at once.

/// Most changes of one batch.
pub const BATCH_CHANGES: u32 = 128;
/// Most bytes of content of one batch, unless one article alone has more: a second of inference or less.
pub const BATCH_BYTES: i64 = 48 * 1024;
/// Most bytes of content that are filled into another generation between two batches of changes: a client may wait as
/// long.
pub const FILL_BYTES: i64 = 16 * 1024;
/// Most texts that are embedded for one batch. What an article has beyond is embedded in the next ones: its vectors wait
/// in the cache meanwhile, and what clients wait for goes in between.
pub const STEP_TEXTS: usize = 256;

/// How many of the articles with contents of `lengths` bytes go together: the last one may exceed `bytes`.
pub fn fitting(lengths: impl IntoIterator<Item = i64>, bytes: i64) -> usize {
    let mut room = bytes;
    let fits = lengths.into_iter().take_while(|length| {
        let fits = room > 0;
        room -= length;
        fits
    });
    fits.count()
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn at_least_one_article_fits_and_the_last_may_exceed() {
        assert_eq!(fitting([], 10), 0);
        assert_eq!(fitting([1000], 10), 1);
        assert_eq!(fitting([4, 5, 1000, 1], 10), 3);
        assert_eq!(fitting([5, 5, 1], 10), 2);
        assert_eq!(fitting([0, 0, 0], 10), 3);
    }
}
