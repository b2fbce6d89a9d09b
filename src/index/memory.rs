//! The copy in memory that searches of a generation run on, and how it follows the tables.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use futures::TryStreamExt;
use lancedb::Table;
use lancedb::query::{QueryBase, Select};
use sentio_nearest::Instructions;

use super::columns::{column, named, texts, vector_column};
use super::rows::{Batch, Facets};
use super::snapshot::Snapshot;
use super::versions::Versions;
use super::{IndexError, predicate};
use crate::article::{ArticleId, Slices};
use crate::search::{NewArticle, NewPassage, Searcher, Value, View};
use crate::words::{Analyzed, Analyzer};

/// Articles that are read together.
const ARTICLES_READ: usize = 4_096;

/// What a generation has in memory.
pub struct Memory {
    dimension: usize,
    analyzer: Analyzer,
    /// Absent in a generation that searches do not use.
    searcher: RwLock<Option<Arc<Searcher<Versions>>>>,
    /// What was written and is not shown yet, the oldest first: it need not be read again.
    written: Mutex<Vec<Written>>,
}

/// A batch as it was written.
struct Written {
    rows: Rows,
    gone: Vec<ArticleId>,
    /// Before it, and after it.
    from: Versions,
    to: Versions,
}

/// Articles by id.
type Rows = BTreeMap<ArticleId, Row>;

/// An article with its passages, as tables have it.
struct Row {
    write: i64,
    revision: i64,
    vector: Vec<f32>,
    facets: Facets,
    /// Title, a line break, and content.
    text: String,
    title_key: String,
    external_id: Option<String>,
    /// By their places in the article.
    passages: BTreeMap<i32, Passage>,
}

struct Passage {
    vector: Vec<f32>,
    start: i32,
    end: i32,
}

impl Row {
    fn to_new(&self, id: ArticleId, analyzer: &Analyzer) -> NewArticle<'_> {
        let text = analyzer.analyze(&self.text);
        NewArticle {
            id,
            write: self.write,
            revision: self.revision,
            vector: &self.vector,
            values: [
                Value::Texts(self.facets.category.as_slice()),
                Value::Texts(&self.facets.tags),
                Value::Integer(self.facets.created_at),
                Value::Integer(self.facets.content_length.into()),
            ],
            passages: self.new_passages(&text),
            title_key: &self.title_key,
            external_id: self.external_id.as_deref(),
            text,
        }
    }

    fn new_passages(&self, text: &Analyzed) -> Vec<NewPassage<'_>> {
        let content = self.text.find('\n').map_or(self.text.len(), |title| title + 1);
        let mut slices = Slices::of(&self.text[content..]);
        let first_from = |byte: usize| {
            let next = text.words.partition_point(|word| word.range.start < content + byte);
            text.words.get(next).map_or_else(|| text.end(), |word| word.position)
        };
        let mut passages = Vec::with_capacity(self.passages.len());
        for Passage { vector, start, end } in self.passages.values() {
            let bytes = slices.range(*start, *end).unwrap_or_default();
            let words = (first_from(bytes.start), first_from(bytes.end));
            passages.push(NewPassage { vector, start: *start, end: *end, words });
        }
        passages
    }
}

/// Adds `rows`, from which `gone` ones are taken; on a thread that may be held up.
async fn change(
    searcher: &Arc<Searcher<Versions>>,
    analyzer: Analyzer,
    rows: Rows,
    gone: Vec<ArticleId>,
    versions: Versions,
) -> Result<(), IndexError> {
    let searcher = Arc::clone(searcher);
    let change =
        move || searcher.change(rows.iter().map(|(id, row)| row.to_new(*id, &analyzer)), &gone, versions);
    Ok(tokio::task::spawn_blocking(change).await?)
}

impl Memory {
    pub fn new(dimension: usize, analyzer: Analyzer) -> Self {
        Self { dimension, analyzer, searcher: RwLock::default(), written: Mutex::default() }
    }

    /// Keeps a batch that was written, until it is shown.
    pub fn wrote(&self, batch: &Batch, write: i64, from: Versions, to: Versions) {
        if self.searcher().is_none() {
            return;
        }
        let mut rows: Rows = batch
            .articles
            .iter()
            .map(|article| {
                let row = Row {
                    write,
                    revision: article.revision,
                    vector: article.vector.clone(),
                    facets: article.facets.clone(),
                    text: article.text.clone(),
                    title_key: article.title_key.clone(),
                    external_id: article.external_id.clone(),
                    passages: BTreeMap::new(),
                };
                (ArticleId(article.article_id), row)
            })
            .collect();
        for passage in &batch.passages {
            let Some(row) = rows.get_mut(&ArticleId(passage.article_id)) else { continue };
            let vector = passage.vector.clone();
            row.passages.insert(passage.ordinal, Passage { vector, start: passage.start, end: passage.end });
        }
        let gone = batch.deleted.iter().copied().map(ArticleId).collect();
        self.written().push(Written { rows, gone, from, to });
    }

    /// Reads all that `snapshot` has. Searches use it from then on.
    pub async fn load(&self, snapshot: &Snapshot) -> Result<(), IndexError> {
        if self.searcher().is_some() {
            return Ok(());
        }
        let versions = snapshot.versions().await?;
        let searcher = Arc::new(Searcher::new(self.dimension, Instructions::fastest(), versions));
        let pairs = snapshot.pairs().await?;
        for pairs in pairs.chunks(ARTICLES_READ) {
            let rows = snapshot.rows_of_pairs(pairs).await?;
            change(&searcher, self.analyzer, rows, Vec::new(), versions).await?;
            let searcher = Arc::clone(&searcher);
            tokio::task::spawn_blocking(move || while searcher.merge() {}).await?;
        }
        *self.searcher.write().unwrap_or_else(PoisonError::into_inner) = Some(searcher);
        Ok(())
    }

    /// Goes on to what `snapshot` has; absent in a generation that searches do not use.
    pub async fn follow(&self, snapshot: &Snapshot) -> Result<Option<View>, IndexError> {
        let written = std::mem::take(&mut *self.written());
        let Some(searcher) = self.searcher() else { return Ok(None) };
        let versions = snapshot.versions().await?;
        for Written { rows, gone, from, to } in written {
            if searcher.versions() == from {
                change(&searcher, self.analyzer, rows, gone, to).await?;
            }
        }
        if searcher.versions() != versions {
            let pairs = snapshot.pairs().await?;
            let difference = searcher.difference(&pairs);
            let rows = snapshot.rows_of_articles(&difference.missing, &pairs).await?;
            change(&searcher, self.analyzer, rows, difference.gone, versions).await?;
        }
        let view = searcher.view();
        // Beside searches and the next change.
        tokio::task::spawn_blocking(move || while searcher.merge() {});
        Ok(Some(view))
    }

    /// What searches of an earlier `snapshot` saw.
    pub async fn view_at(&self, snapshot: &Snapshot) -> Result<Option<View>, IndexError> {
        let Some(searcher) = self.searcher() else { return Ok(None) };
        if let Some(view) = searcher.view_at(snapshot.versions().await?) {
            return Ok(Some(view));
        }
        let pairs = snapshot.pairs().await?;
        let (view, missing) = searcher.view_of(&pairs);
        let rows = snapshot.rows_of_articles(&missing, &pairs).await?;
        let (dimension, analyzer) = (self.dimension, self.analyzer);
        let with = move || view.with(dimension, rows.iter().map(|(id, row)| row.to_new(*id, &analyzer)));
        Ok(Some(tokio::task::spawn_blocking(with).await?))
    }

    fn searcher(&self) -> Option<Arc<Searcher<Versions>>> {
        self.searcher.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn written(&self) -> MutexGuard<'_, Vec<Written>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The columns that come into memory, of both tables.
const OF_BOTH: [&str; 4] = ["article_id", "write", "vector", "revision"];
const OF_ARTICLES: [&str; 7] =
    ["category", "tags", "created_at", "content_length", "text", "title_key", "external_id"];
const OF_PASSAGES: [&str; 3] = ["ordinal", "start", "end"];

impl Snapshot {
    /// The articles with the writes that they came with, by id.
    async fn pairs(&self) -> Result<Vec<(ArticleId, i64)>, IndexError> {
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

    /// The rows of articles that follow each other by id.
    async fn rows_of_pairs(&self, pairs: &[(ArticleId, i64)]) -> Result<Rows, IndexError> {
        let (Some((first, _)), Some((last, _))) = (pairs.first(), pairs.last()) else {
            return Ok(Rows::new());
        };
        self.rows_where(&predicate::between(*first, *last), pairs).await
    }

    /// The rows of `articles`, which are among `pairs`.
    async fn rows_of_articles(
        &self,
        articles: &[ArticleId],
        pairs: &[(ArticleId, i64)],
    ) -> Result<Rows, IndexError> {
        let mut rows = Rows::new();
        for articles in articles.chunks(ARTICLES_READ) {
            rows.extend(self.rows_where(&predicate::of_articles(articles), pairs).await?);
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
