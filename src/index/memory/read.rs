//! Reading what comes into memory from the tables.

use std::collections::{BTreeMap, HashMap};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use futures::TryStreamExt;
use lancedb::Table;
use lancedb::query::{QueryBase, Select};

use super::ARTICLES_READ;
use super::rows::{Passage, Row, Rows};
use crate::article::ArticleId;
use crate::index::columns::{column, named, texts, vector_column};
use crate::index::rows::Facets;
use crate::index::snapshot::Snapshot;
use crate::index::{IndexError, predicate};

/// The columns that come into memory, of both tables.
const OF_BOTH: [&str; 4] = ["article_id", "write", "vector", "revision"];
const OF_ARTICLES: [&str; 7] =
    ["category", "tags", "created_at", "content_length", "text", "title_key", "external_id"];
const OF_PASSAGES: [&str; 3] = ["ordinal", "start", "end"];

impl Snapshot {
    /// The articles with the writes that they came with, by id.
    pub(super) async fn pairs(&self) -> Result<Vec<(ArticleId, i64)>, IndexError> {
        let query = self.articles.query().select(Select::columns(&["article_id", "write"]));
        let mut pairs = Vec::new();
        let mut batches = self.stream(query, "read rows").await?;
        while let Some(batch) = batches.try_next().await? {
            let ids = column::<Int64Type>(&batch, "article_id")?.iter().map(|id| ArticleId(*id));
            pairs.extend(ids.zip(column::<Int64Type>(&batch, "write")?.iter().copied()));
        }
        pairs.sort_unstable();
        // A write that was interrupted may have left the rows of an earlier one: the last one counts.
        pairs.reverse();
        pairs.dedup_by_key(|(article, _)| *article);
        pairs.reverse();
        Ok(pairs)
    }

    /// The rows of `articles`, which ascend and are among `pairs`.
    pub(super) async fn rows_of_articles(
        &self,
        articles: &[ArticleId],
        pairs: &[(ArticleId, i64)],
    ) -> Result<Rows, IndexError> {
        let mut rows = Rows::new();
        for articles in articles.chunks(ARTICLES_READ) {
            let (Some(first), Some(last)) = (articles.first(), articles.last()) else { continue };
            let begin = pairs.partition_point(|(article, _)| article < first);
            let end = pairs.partition_point(|(article, _)| article <= last);
            // Where they are most of those between them, a range is found faster than each of them.
            let predicate = if end - begin <= 2 * articles.len() {
                predicate::between(*first, *last)
            } else {
                predicate::of_articles(articles)
            };
            let mut found = self.rows_where(&predicate, &pairs[begin..end]).await?;
            found.retain(|article, _| articles.binary_search(article).is_ok());
            rows.extend(found);
        }
        Ok(rows)
    }

    async fn rows_where(&self, predicate: &str, pairs: &[(ArticleId, i64)]) -> Result<Rows, IndexError> {
        let writes: HashMap<_, _> = pairs.iter().copied().collect();
        let mut rows = Rows::new();
        self.each_row(
            &self.articles,
            predicate,
            &OF_ARTICLES,
            &writes,
            |id, write, revision, vector, batch, row| {
                let external_ids = texts(batch, "external_id")?;
                let row = Row {
                    write,
                    revision,
                    vector,
                    facets: facets(batch, row)?,
                    text: texts(batch, "text")?.value(row).to_owned(),
                    title_key: texts(batch, "title_key")?.value(row).to_owned(),
                    external_id: external_ids.is_valid(row).then(|| external_ids.value(row).to_owned()),
                    passages: BTreeMap::new(),
                };
                rows.insert(id, row);
                Ok(())
            },
        )
        .await?;
        self.each_row(&self.passages, predicate, &OF_PASSAGES, &writes, |id, _, _, vector, batch, row| {
            let place = column::<Int32Type>(batch, "ordinal")?[row];
            let (start, end) =
                (column::<Int32Type>(batch, "start")?[row], column::<Int32Type>(batch, "end")?[row]);
            if let Some(article) = rows.get_mut(&id) {
                article.passages.insert(place, Passage { vector, start, end });
            }
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// Calls `take` with each row that the article's last write has left: id, write, revision, vector, and where the rest is.
    async fn each_row(
        &self,
        table: &Table,
        predicate: &str,
        columns: &[&str],
        writes: &HashMap<ArticleId, i64>,
        mut take: impl FnMut(ArticleId, i64, i64, Vec<f32>, &RecordBatch, usize) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        let columns = [&OF_BOTH[..], columns].concat();
        let query = table.query().only_if(predicate).select(Select::columns(&columns));
        let mut batches = self.stream(query, "read rows").await?;
        while let Some(batch) = batches.try_next().await? {
            let ids = column::<Int64Type>(&batch, "article_id")?;
            let of_rows = column::<Int64Type>(&batch, "write")?;
            let revisions = column::<Int64Type>(&batch, "revision")?;
            let vectors = vector_column(&batch)?;
            for row in 0..batch.num_rows() {
                let id = ArticleId(ids[row]);
                if writes.get(&id) == Some(&of_rows[row]) {
                    let vector = vectors.value(row).as_primitive::<Float32Type>().values().to_vec();
                    take(id, of_rows[row], revisions[row], vector, &batch, row)?;
                }
            }
        }
        Ok(())
    }
}

fn facets(batch: &RecordBatch, row: usize) -> Result<Facets, IndexError> {
    let categories = texts(batch, "category")?;
    let tags =
        named(batch, "tags")?.as_list_opt::<i32>().ok_or(IndexError::Column { name: "tags" })?.value(row);
    let tags = tags.as_string_opt::<i32>().ok_or(IndexError::Column { name: "tags" })?;
    Ok(Facets {
        category: categories.is_valid(row).then(|| categories.value(row).to_owned()),
        tags: tags.iter().flatten().map(str::to_owned).collect(),
        created_at: column::<TimestampMicrosecondType>(batch, "created_at")?[row],
        content_length: column::<Int32Type>(batch, "content_length")?[row],
    })
}
