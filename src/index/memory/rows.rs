//! Articles on their way from the tables, or from a batch, into memory.

use std::collections::BTreeMap;

use crate::article::{ArticleId, Slices};
use crate::index::rows::{Batch, Facets};
use crate::search::{NewArticle, NewPassage, Value};
use crate::words::{Analyzed, Analyzer};

/// Articles by id.
pub type Rows = BTreeMap<ArticleId, Row>;

/// An article with its passages, as tables have it.
pub struct Row {
    pub write: i64,
    pub revision: i64,
    pub vector: Vec<f32>,
    pub facets: Facets,
    /// Title, a line break, and content.
    pub text: String,
    pub title_key: String,
    pub external_id: Option<String>,
    /// By their places in the article.
    pub passages: BTreeMap<i32, Passage>,
}

pub struct Passage {
    pub vector: Vec<f32>,
    pub start: i32,
    pub end: i32,
}

impl Row {
    pub fn to_new(&self, id: ArticleId, analyzer: &Analyzer) -> NewArticle<'_> {
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

/// The articles of a batch that came with `write`.
pub fn rows_of(batch: &Batch, write: i64) -> Rows {
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
    rows
}
