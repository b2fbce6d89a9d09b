//! The passages and articles nearest to vectors, of those that pass a filter: in memory, or by a look at every vector in LanceDB, which
//! judges what the former finds.

use arrow_array::types::{Float32Type, Int64Type};
use lancedb::query::{QueryBase, Select, VectorQuery};
use lancedb::{DistanceType, Table};

use super::columns::{column, spans};
use super::snapshot::Snapshot;
use super::{IndexError, predicate};
use crate::article::{ArticleFilter, ArticleId};
use crate::search::{ArticleHit, PassageHit, Target};

impl Snapshot {
    /// The `limit` passages nearest to `vector` that pass `filter`, nearest first.
    pub async fn nearest_passages(
        &self,
        vector: &[f32],
        limit: usize,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Result<Vec<PassageHit>, IndexError> {
        if !self.exact {
            return Ok(self.view()?.nearest_passages(&Target::new(vector), limit, filter, excluded));
        }
        let predicate = match predicate::of_filter(filter, excluded) {
            Some(predicate) => Some(predicate::of_articles(&self.passing(predicate).await?)),
            None => None,
        };
        let query = exact(&self.passages, vector, limit, predicate)?;
        let columns = ["article_id", "revision", "start", "end", "_distance"];
        let mut hits = Vec::new();
        for batch in self.collect(query.select(Select::columns(&columns)), "search passages").await? {
            let distances = column::<Float32Type>(&batch, "_distance")?;
            let spans = spans(&batch)?.into_iter().zip(distances);
            hits.extend(spans.map(|(span, distance)| PassageHit { span, cosine: 1.0 - distance }));
        }
        Ok(hits)
    }

    /// The articles that pass a condition on their table.
    async fn passing(&self, predicate: String) -> Result<Vec<ArticleId>, IndexError> {
        let query = self.articles.query().only_if(predicate).select(Select::columns(&["article_id"]));
        let mut articles = Vec::new();
        for batch in self.collect(query, "search articles").await? {
            articles.extend(column::<Int64Type>(&batch, "article_id")?.iter().copied().map(ArticleId));
        }
        Ok(articles)
    }

    /// For each of `vectors` the `limit` nearest articles that pass `filter`, nearest first.
    pub async fn nearest_articles(
        &self,
        vectors: &[Vec<f32>],
        limit: usize,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Result<Vec<Vec<ArticleHit>>, IndexError> {
        if !self.exact {
            let view = self.view()?;
            let nearest =
                |vector: &Vec<f32>| view.nearest_articles(&Target::new(vector), limit, filter, excluded);
            return Ok(vectors.iter().map(nearest).collect());
        }
        let mut lists = Vec::with_capacity(vectors.len());
        for vector in vectors {
            let query = exact(&self.articles, vector, limit, predicate::of_filter(filter, excluded))?;
            let query = query.select(Select::columns(&["article_id", "_distance"]));
            let mut hits = Vec::new();
            for batch in self.collect(query, "search articles").await? {
                let articles = column::<Int64Type>(&batch, "article_id")?.iter();
                let distances = column::<Float32Type>(&batch, "_distance")?;
                hits.extend(
                    articles
                        .zip(distances)
                        .map(|(id, distance)| ArticleHit { article: ArticleId(*id), cosine: 1.0 - distance }),
                );
            }
            hits.sort_unstable_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.article.cmp(&b.article)));
            lists.push(hits);
        }
        Ok(lists)
    }
}

fn exact(
    table: &Table,
    vector: &[f32],
    limit: usize,
    predicate: Option<String>,
) -> Result<VectorQuery, IndexError> {
    let query = table.query().nearest_to(vector).map_err(IndexError::during("take a query"))?;
    let query = query.column("vector").distance_type(DistanceType::Cosine).limit(limit).bypass_vector_index();
    Ok(match predicate {
        Some(predicate) => query.only_if(predicate),
        None => query,
    })
}
