//! Versions of the two tables.

use lancedb::Table;

use super::IndexError;

/// The versions of the two tables that belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    pub articles: u64,
    pub passages: u64,
    /// When the two were written, in microseconds since 1970, added up: it tells versions of equal numbers apart that come
    /// from different histories, such as that of a copy.
    pub stamp: i64,
}

impl Versions {
    /// Those that two handles look at.
    pub(super) async fn of(articles: &Table, passages: &Table) -> Result<Self, IndexError> {
        let (articles, articles_at) = version(articles).await?;
        let (passages, passages_at) = version(passages).await?;
        Ok(Self { articles, passages, stamp: articles_at.wrapping_add(passages_at) })
    }
}

/// The number of a table's version and when it was written, in microseconds since 1970.
async fn version(table: &Table) -> Result<(u64, i64), IndexError> {
    let failed = IndexError::during("tell its version");
    let Some(dataset) = table.dataset() else {
        return Ok((table.version().await.map_err(failed)?, 0));
    };
    let version = dataset.get().await.map_err(failed)?.version();
    Ok((version.version, version.timestamp.timestamp_micros()))
}
