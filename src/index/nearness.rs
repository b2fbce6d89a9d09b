//! How near given articles are to a vector: all their rows are looked at, which for 200 articles takes two thirds of the time
//! of a search among them (`make bench-ranking WHAT="speed …"`).

use std::collections::HashMap;

use arrow_array::types::Int64Type;
use arrow_array::{Float32Array, RecordBatch};
use lance_linalg::distance::cosine_distance_arrow_batch;
use lancedb::Table;

use super::IndexError;
use super::columns::{SPAN, column, spans, vector_column};
use super::search::PassageHit;
use super::snapshot::Snapshot;
use crate::article::ArticleId;

impl Snapshot {
    /// The cosine of each of `articles` to `vector`; articles that are not indexed are absent.
    pub async fn cosines_of(
        &self,
        vector: &[f32],
        articles: &[ArticleId],
    ) -> Result<HashMap<ArticleId, f32>, IndexError> {
        let mut found = HashMap::with_capacity(articles.len());
        self.each_near(&self.articles, vector, articles, &["article_id"], |batch, cosines| {
            let ids = column::<Int64Type>(batch, "article_id")?;
            found.extend(ids.iter().map(|id| ArticleId(*id)).zip(cosines.iter().copied()));
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// The passage of each of `articles` that is nearest to `vector`, of equal ones the first; articles that are not indexed
    /// are absent.
    pub async fn nearest_passage_of_each(
        &self,
        vector: &[f32],
        articles: &[ArticleId],
    ) -> Result<HashMap<ArticleId, PassageHit>, IndexError> {
        let mut nearest = HashMap::with_capacity(articles.len());
        self.each_passage_near(vector, articles, |hit| hit.keep_nearest(&mut nearest)).await?;
        Ok(nearest)
    }

    /// All passages of `articles` with their cosines to `vector`, in no particular order.
    pub async fn passages_of(
        &self,
        vector: &[f32],
        articles: &[ArticleId],
    ) -> Result<Vec<PassageHit>, IndexError> {
        let mut found = Vec::new();
        self.each_passage_near(vector, articles, |hit| found.push(hit)).await?;
        Ok(found)
    }

    /// Gives the passages of `articles` with their cosines to `take`. Few are in memory at a time.
    async fn each_passage_near(
        &self,
        vector: &[f32],
        articles: &[ArticleId],
        mut take: impl FnMut(PassageHit),
    ) -> Result<(), IndexError> {
        self.each_near(&self.passages, vector, articles, &SPAN, |batch, cosines| {
            let hits = spans(batch)?.into_iter().zip(cosines);
            hits.map(|(span, cosine)| PassageHit { span, cosine: *cosine }).for_each(&mut take);
            Ok(())
        })
        .await
    }

    /// Gives the rows of `articles` with their cosines to `take`, batch by batch.
    async fn each_near(
        &self,
        table: &Table,
        vector: &[f32],
        articles: &[ArticleId],
        columns: &[&str],
        mut take: impl FnMut(&RecordBatch, &[f32]) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        let vector = Float32Array::from(vector.to_vec());
        self.each_batch_of(table, articles, &[columns, &["vector"]].concat(), |batch| {
            // The function of LanceDB's own searches: an article has the same cosine whichever way it was found.
            let distances = cosine_distance_arrow_batch(&vector, vector_column(&batch)?)
                .map_err(|error| IndexError::during("compare vectors")(error.into()))?;
            let cosines: Vec<_> = distances.values().iter().map(|distance| 1.0 - distance).collect();
            take(&batch, &cosines)
        })
        .await
    }
}

impl PassageHit {
    /// Puts it in the place of its article, unless a nearer one, or an equal one that comes before it, is there.
    pub fn keep_nearest(self, nearest: &mut HashMap<ArticleId, Self>) {
        let known = nearest.entry(self.span.article).or_insert(self);
        if (self.cosine, -self.span.start) > (known.cosine, -known.span.start) {
            *known = self;
        }
    }
}
