//! The first half of the worker's job: claimed changes → rows for the index.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use futures::future::try_join_all;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, RuntimeErr, SqlxError};

use super::SyncError;
use super::cache::{self, TextHash, text_hash};
use super::content_hash::content_hash;
use super::passages::{PassageRule, PassageSpan, split};
use crate::article::ArticleId;
use crate::db::Database;
use crate::embedding::{EmbedError, Embedder, Embedding};
use crate::entity::article;
use crate::index::{ArticleRow, Batch, Facets, PassageRow};
use crate::outbox::Change;

/// Claimed changes, ready to be written.
pub struct Prepared {
    pub batch: Batch,
    /// The changes of `batch.articles`, in the same order.
    pub indexed: Vec<IndexedChange>,
    /// The changes of `batch.deleted`.
    pub deleted: Vec<Change>,
    /// Changes whose article cannot be embedded, with the reason.
    pub failed: Vec<(Change, String)>,
    /// Vectors that were computed and are not in the cache yet.
    pub computed: Vec<(TextHash, Embedding)>,
}

/// What is recorded about an article once it is written.
#[derive(Clone, Copy, Debug)]
pub struct IndexedChange {
    pub change: Change,
    pub revision: i64,
    pub content_hash: [u8; 32],
    pub passages: usize,
}

/// An article cut into passages.
struct Document {
    article: article::Model,
    change: Change,
    spans: Vec<PassageSpan>,
    texts: Vec<String>,
}

/// Loads the articles of `changes` as they are now, cuts them and computes their vectors.
pub async fn prepare(
    db: &Database,
    embedder: &Embedder,
    changes: Vec<Change>,
) -> Result<Prepared, SyncError> {
    let mut articles = load(db, &changes).await?;
    let mut prepared = Prepared {
        batch: Batch::default(),
        indexed: Vec::new(),
        deleted: Vec::new(),
        failed: Vec::new(),
        computed: Vec::new(),
    };
    let mut documents = Vec::new();
    for change in changes {
        match articles.remove(&change.article) {
            None => {
                prepared.batch.deleted.push(change.article.0);
                prepared.deleted.push(change);
            }
            Some(Err(reason)) => prepared.failed.push((change, reason)),
            Some(Ok(article)) => match cut(embedder.clone(), article, change).await? {
                Ok(document) => documents.push(document),
                Err(reason) => prepared.failed.push((change, reason)),
            },
        }
    }
    let vectors = embed(db, embedder, &documents, &mut prepared).await?;
    for document in documents {
        prepared.add(document, &vectors);
    }
    Ok(prepared)
}

/// The articles of `changes`, or why one cannot be read; deleted ones are absent. Raw SQL can store what no client can, such
/// as text that is no UTF-8: then they are read one by one, and only that article fails.
async fn load(
    db: &Database,
    changes: &[Change],
) -> Result<HashMap<ArticleId, Result<article::Model, String>>, SyncError> {
    let ids = changes.iter().map(|change| change.article.0);
    let together = article::Entity::find().filter(article::Column::Id.is_in(ids)).all(db.reader()).await;
    if let Ok(rows) = together {
        return Ok(rows.into_iter().map(|row| (row.article_id(), Ok(row))).collect());
    }
    let mut articles = HashMap::new();
    for change in changes {
        match article::Entity::find_by_id(change.article.0).one(db.reader()).await {
            Ok(Some(row)) => {
                articles.insert(change.article, Ok(row));
            }
            Ok(None) => {}
            Err(error) if is_unreadable(&error) => {
                let reason = "the row holds a value that cannot be read: mend it with SQL".to_owned();
                articles.insert(change.article, Err(reason));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(articles)
}

/// Whether the database answered and the answer is no article.
fn is_unreadable(error: &DbErr) -> bool {
    match error {
        DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. } => true,
        DbErr::Query(RuntimeErr::SqlxError(source)) => {
            matches!(source.as_ref(), SqlxError::ColumnDecode { .. } | SqlxError::Decode(_))
        }
        _ => false,
    }
}

/// Cutting is work for the processor: a long article would hold the other tasks of its thread.
async fn cut(
    embedder: Embedder,
    article: article::Model,
    change: Change,
) -> Result<Result<Document, String>, SyncError> {
    let cut = move || {
        let spans = |text: &str| embedder.token_spans(text);
        let model = embedder.model();
        let rule = PassageRule {
            tokens: model.passage_tokens,
            overlap: model.passage_overlap,
            special: model.passage_overhead,
        };
        let (title, content): (Vec<Range<usize>>, Vec<Range<usize>>) =
            match (spans(&article.title), spans(&article.content)) {
                (Ok(title), Ok(content)) => (title, content),
                (Err(error), _) | (_, Err(error)) => return Err(error.to_string()),
            };
        let (title_end, spans) = split(rule, &title, &article.content, &content);
        let title = &article.title[..title_end];
        let texts =
            spans.iter().map(|span| passage_text(title, &article.content[span.bytes.clone()])).collect();
        Ok(Document { article, change, spans, texts })
    };
    Ok(tokio::task::spawn_blocking(cut).await?)
}

/// What is embedded of a passage: the title, so that it is known what is spoken of, and the passage.
fn passage_text(title: &str, passage: &str) -> String {
    format!("{title}\n{passage}")
}

/// The vector, or the text's own error, of every distinct passage text.
async fn embed(
    db: &Database,
    embedder: &Embedder,
    documents: &[Document],
    prepared: &mut Prepared,
) -> Result<HashMap<TextHash, Result<Embedding, String>>, SyncError> {
    let texts: HashMap<TextHash, &String> =
        documents.iter().flat_map(|document| &document.texts).map(|text| (text_hash(text), text)).collect();
    let hashes: Vec<_> = texts.keys().copied().collect();
    let cached = cache::load(db.reader(), &embedder.model().fingerprint, &hashes).await?;

    let missing = texts.into_iter().filter(|(hash, _)| !cached.contains_key(hash));
    let computed = try_join_all(missing.map(|(hash, text)| async move {
        match embedder.embed_passage(text.clone()).await {
            Ok(vector) => Ok((hash, Ok(vector))),
            Err(EmbedError::Failed { reason }) => Ok((hash, Err(reason))),
            Err(outage) => Err(outage),
        }
    }))
    .await?;
    let fresh = computed.iter().filter_map(|(hash, vector)| Some((*hash, vector.clone().ok()?)));
    prepared.computed = fresh.collect();
    Ok(cached.into_iter().map(|(hash, vector)| (hash, Ok(vector))).chain(computed).collect())
}

impl Prepared {
    fn add(&mut self, document: Document, vectors: &HashMap<TextHash, Result<Embedding, String>>) {
        let vectors: Result<Vec<_>, _> = document
            .texts
            .iter()
            .map(|text| {
                vectors.get(&text_hash(text)).cloned().unwrap_or_else(|| Err("no vector was made".to_owned()))
            })
            .collect();
        match vectors {
            Ok(vectors) => self.add_indexed(document, &vectors),
            Err(reason) => self.failed.push((document.change, reason)),
        }
    }

    fn add_indexed(&mut self, document: Document, vectors: &[Embedding]) {
        let Document { article, change, spans, .. } = document;
        let Some(mean) = Embedding::mean(vectors) else {
            let reason = "the vectors of its passages cancel each other out".to_owned();
            return self.failed.push((change, reason));
        };
        let content_hash = content_hash(&article);
        let facets = Facets {
            category: article.category,
            tags: Arc::from(article.tags.0),
            created_at: article.created_at.timestamp_micros(),
        };
        self.indexed.push(IndexedChange {
            change,
            revision: article.revision,
            content_hash,
            passages: spans.len(),
        });
        for ((ordinal, span), vector) in (0..).zip(&spans).zip(vectors) {
            self.batch.passages.push(PassageRow {
                article_id: article.id,
                ordinal,
                revision: article.revision,
                vector: vector.as_slice().to_vec(),
                start: i32::try_from(span.utf16.start).unwrap_or(i32::MAX),
                end: i32::try_from(span.utf16.end).unwrap_or(i32::MAX),
                facets: facets.clone(),
            });
        }
        self.batch.articles.push(ArticleRow {
            article_id: article.id,
            revision: article.revision,
            content_hash,
            vector: mean.as_slice().to_vec(),
            // One line of title, so that the content can be told from it.
            text: format!("{}\n{}", article.title.replace(['\n', '\r'], " "), article.content),
            facets,
        });
    }

    /// Every article that the batch touches.
    pub fn articles(&self) -> HashSet<ArticleId> {
        let indexed = self.indexed.iter().map(|indexed| indexed.change.article);
        indexed.chain(self.deleted.iter().map(|change| change.article)).collect()
    }
}
