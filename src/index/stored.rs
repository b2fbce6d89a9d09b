//! Reading by id: vectors, passages and texts as they are stored, on one pinned pair of versions.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type};

use super::IndexError;
use super::columns::{PassageSpan, column, named, spans, vector_column};
use super::snapshot::Snapshot;
use crate::article::ArticleId;

impl Snapshot {
    /// The vectors of `articles`; articles that are not indexed are absent.
    pub async fn article_vectors(
        &self,
        articles: &[ArticleId],
    ) -> Result<HashMap<ArticleId, Vec<f32>>, IndexError> {
        let mut vectors = HashMap::with_capacity(articles.len());
        for batch in self.rows_of(&self.articles, articles, &["article_id", "vector"]).await? {
            let ids = column::<Int64Type>(&batch, "article_id")?;
            let stored = vector_column(&batch)?;
            vectors.extend(ids.iter().zip(stored.iter().flatten()).map(|(id, vector)| {
                (ArticleId(*id), vector.as_primitive::<Float32Type>().values().to_vec())
            }));
        }
        Ok(vectors)
    }

    /// Gives each passage of `articles` with its vector to `look_at`, in no particular order. Few are in memory at a time.
    pub async fn each_passage_of(
        &self,
        articles: &[ArticleId],
        mut look_at: impl FnMut(PassageSpan, &[f32]),
    ) -> Result<(), IndexError> {
        let columns = ["article_id", "revision", "start", "end", "vector"];
        self.each_batch_of(&self.passages, articles, &columns, |batch| {
            let vectors = vector_column(&batch)?;
            for (row, span) in spans(&batch)?.into_iter().enumerate() {
                look_at(span, vectors.value(row).as_primitive::<Float32Type>().values());
            }
            Ok(())
        })
        .await
    }

    /// Where the passages of `articles` lie, in no particular order.
    pub async fn passage_spans(&self, articles: &[ArticleId]) -> Result<Vec<PassageSpan>, IndexError> {
        let mut found = Vec::new();
        for batch in
            self.rows_of(&self.passages, articles, &["article_id", "revision", "start", "end"]).await?
        {
            found.extend(spans(&batch)?);
        }
        Ok(found)
    }

    /// Title and content of `articles` as they were indexed.
    pub async fn texts_of(&self, articles: &[ArticleId]) -> Result<HashMap<ArticleId, String>, IndexError> {
        let mut texts = HashMap::with_capacity(articles.len());
        for batch in self.rows_of(&self.articles, articles, &["article_id", "text"]).await? {
            let ids = column::<Int64Type>(&batch, "article_id")?;
            let stored =
                named(&batch, "text")?.as_string_opt::<i32>().ok_or(IndexError::Column { name: "text" })?;
            texts
                .extend((0..batch.num_rows()).map(|row| (ArticleId(ids[row]), stored.value(row).to_owned())));
        }
        Ok(texts)
    }
}
