//! Reading texts by id, as they are stored, on one pinned pair of versions.

use std::collections::HashMap;

use arrow_array::types::Int64Type;

use super::IndexError;
use super::columns::{column, texts as texts_in};
use super::snapshot::Snapshot;
use crate::article::ArticleId;

impl Snapshot {
    /// Title and content of `articles` as they were written when they were indexed.
    pub async fn texts_of(&self, articles: &[ArticleId]) -> Result<HashMap<ArticleId, String>, IndexError> {
        let mut texts = HashMap::with_capacity(articles.len());
        let columns = ["article_id", "text"];
        for batch in self.rows_of(&self.articles, articles, &columns).await? {
            let ids = column::<Int64Type>(&batch, "article_id")?;
            let found = ids.iter().zip(texts_in(&batch, "text")?);
            texts.extend(found.filter_map(|(id, text)| Some((ArticleId(*id), text?.to_owned()))));
        }
        Ok(texts)
    }
}
