//! Reading by id: vectors, passages and texts as they are stored, on one pinned pair of versions.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type};

use super::IndexError;
use super::columns::{PassageSpan, SPAN, column, spans, texts as texts_in, vector_column};
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
        let columns = [&SPAN[..], &["vector"]].concat();
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
        for batch in self.rows_of(&self.passages, articles, &SPAN).await? {
            found.extend(spans(&batch)?);
        }
        Ok(found)
    }

    /// Title and content of `articles` as they were written when they were indexed.
    pub async fn texts_of(&self, articles: &[ArticleId]) -> Result<HashMap<ArticleId, String>, IndexError> {
        let mut texts = HashMap::with_capacity(articles.len());
        let columns = ["article_id", "text", "text_as_written"];
        for batch in self.rows_of(&self.articles, articles, &columns).await? {
            let ids = column::<Int64Type>(&batch, "article_id")?;
            let (composed, as_written) = (texts_in(&batch, "text")?, texts_in(&batch, "text_as_written")?);
            for (id, (composed, as_written)) in ids.iter().zip(composed.iter().zip(as_written)) {
                texts.extend(as_written.or(composed).map(|text| (ArticleId(*id), text.to_owned())));
            }
        }
        Ok(texts)
    }
}
