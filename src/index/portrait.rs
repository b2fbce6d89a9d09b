//! What rankings look at of articles, apart from how well they fit.

use std::collections::HashMap;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type, TimestampMicrosecondType};
use chrono::{DateTime, Utc};

use super::IndexError;
use super::columns::{column, texts, vector_column};
use super::snapshot::Snapshot;
use crate::article::ArticleId;

/// An article as the index holds it, without its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Portrait {
    pub category: Option<String>,
    pub created_at: DateTime<Utc>,
    /// Of unit length.
    pub vector: Vec<f32>,
}

impl Snapshot {
    /// The portraits of `articles`; articles that are not indexed are absent.
    pub async fn portraits(
        &self,
        articles: &[ArticleId],
    ) -> Result<HashMap<ArticleId, Portrait>, IndexError> {
        let mut portraits = HashMap::with_capacity(articles.len());
        let columns = ["article_id", "category", "created_at", "vector"];
        for batch in self.rows_of(&self.articles, articles, &columns).await? {
            let ids = column::<Int64Type>(&batch, "article_id")?;
            let categories = texts(&batch, "category")?;
            let times = column::<TimestampMicrosecondType>(&batch, "created_at")?;
            let vectors = vector_column(&batch)?;
            portraits.extend((0..batch.num_rows()).map(|row| {
                let portrait = Portrait {
                    category: categories.is_valid(row).then(|| categories.value(row).to_owned()),
                    created_at: DateTime::from_timestamp_micros(times[row]).unwrap_or_default(),
                    vector: vectors.value(row).as_primitive::<Float32Type>().values().to_vec(),
                };
                (ArticleId(ids[row]), portrait)
            }));
        }
        Ok(portraits)
    }
}
