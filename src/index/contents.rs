//! What the tables hold, to be compared with SQL.

use std::collections::{BinaryHeap, HashMap};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use futures::TryStreamExt;
use lancedb::query::{ExecutableQuery, QueryBase, Select};

use super::columns::{column, named};
use super::snapshot::Snapshot;
use super::{IndexError, predicate};
use crate::article::ArticleId;

/// What the article table says of one row, to compare it with SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexedArticle {
    pub article: ArticleId,
    pub revision: i64,
    pub content_hash: [u8; 32],
}

impl Snapshot {
    /// The id up to which both tables together hold `most` rows from `first` on; `None` when they hold fewer up to `last`.
    /// Takes memory for `most` ids.
    pub async fn end_of_rows(
        &self,
        first: ArticleId,
        last: ArticleId,
        most: usize,
    ) -> Result<Option<ArticleId>, IndexError> {
        let mut smallest = BinaryHeap::with_capacity(most + 1);
        for table in [&self.articles, &self.passages] {
            let query = table
                .query()
                .only_if(predicate::between(first, last))
                .select(Select::columns(&["article_id"]));
            let mut batches = query.execute().await.map_err(IndexError::during("list ids"))?;
            while let Some(batch) = batches.try_next().await.map_err(IndexError::during("list ids"))? {
                for id in column::<Int64Type>(&batch, "article_id")? {
                    smallest.push(*id);
                    if smallest.len() > most {
                        smallest.pop();
                    }
                }
            }
        }
        Ok(if smallest.len() < most { None } else { smallest.pop().map(ArticleId) })
    }

    /// What the article table holds between two ids, both included, ascending; an id may come twice.
    pub async fn articles_between(
        &self,
        first: ArticleId,
        last: ArticleId,
    ) -> Result<Vec<IndexedArticle>, IndexError> {
        let query = self
            .articles
            .query()
            .only_if(predicate::between(first, last))
            .select(Select::columns(&["article_id", "revision", "content_hash"]));
        let mut found = Vec::new();
        for batch in self.collect(query, "list articles").await? {
            let ids = column::<Int64Type>(&batch, "article_id")?;
            let revisions = column::<Int64Type>(&batch, "revision")?;
            let hashes = named(&batch, "content_hash")?
                .as_fixed_size_binary_opt()
                .ok_or(IndexError::Column { name: "content_hash" })?;
            for row in 0..batch.num_rows() {
                let content_hash =
                    hashes.value(row).try_into().map_err(|_| IndexError::Column { name: "content_hash" })?;
                found.push(IndexedArticle {
                    article: ArticleId(ids[row]),
                    revision: revisions[row],
                    content_hash,
                });
            }
        }
        found.sort_by_key(|indexed| indexed.article);
        Ok(found)
    }

    /// How many passages each article between two ids has, both ids included.
    pub async fn passage_counts_between(
        &self,
        first: ArticleId,
        last: ArticleId,
    ) -> Result<HashMap<ArticleId, u32>, IndexError> {
        let query = self
            .passages
            .query()
            .only_if(predicate::between(first, last))
            .select(Select::columns(&["article_id"]));
        let mut counts = HashMap::new();
        for batch in self.collect(query, "count passages").await? {
            for id in column::<Int64Type>(&batch, "article_id")? {
                *counts.entry(ArticleId(*id)).or_insert(0) += 1;
            }
        }
        Ok(counts)
    }
}
