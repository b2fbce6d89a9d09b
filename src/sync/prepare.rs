//! The first half of the worker's job: claimed changes → rows for each generation that is kept in step.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use futures::future::try_join_all;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, RuntimeErr, SqlxError};

use super::SyncError;
use super::cache::{ArticleVectors, Cached, TextHash, text_hash};
use super::content_hash::content_hash;
use super::generations::Target;
use super::passages::{PassageRule, PassageSpan, split};
use super::record::IndexedArticle;
use crate::article::ArticleId;
use crate::db::Database;
use crate::embedding::{EmbedError, Embedder, Embedding};
use crate::entity::article;
use crate::index::{ArticleRow, Batch, Facets, PassageRow};
use crate::outbox::Change;

/// Where changes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// They were claimed: each row of the outbox is completed when all generations are written.
    Outbox,
    /// They fill a generation that is being built; nothing was recorded.
    Backfill,
}

/// Changes, ready to be written.
pub struct Prepared {
    pub origin: Origin,
    /// One for each generation that gets rows.
    pub parts: Vec<Part>,
    /// Changes that are through when the parts are written; none of them in `failed`.
    pub done: Vec<Change>,
    /// Changes of articles that are gone.
    pub deleted: Vec<Change>,
    /// Changes whose article cannot be indexed, with the reason.
    pub failed: Vec<(Change, String)>,
}

/// What one generation gets.
pub struct Part {
    pub generation: i64,
    pub fingerprint: String,
    pub batch: Batch,
    /// What is recorded of `batch.articles`, in the same order.
    pub indexed: Vec<IndexedArticle>,
    /// What the cache gets.
    pub vectors: Vec<ArticleVectors>,
}

/// An article cut into passages.
struct Document {
    article: Arc<article::Model>,
    change: Change,
    spans: Vec<PassageSpan>,
    texts: Vec<String>,
}

/// Loads the articles of `changes` as they are now, cuts them and computes their vectors by the model of each target.
pub async fn prepare(
    db: &Database,
    targets: &[&Target],
    changes: Vec<Change>,
    origin: Origin,
) -> Result<Prepared, SyncError> {
    let mut articles = load(db, &changes).await?;
    let mut prepared =
        Prepared { origin, parts: Vec::new(), done: Vec::new(), deleted: Vec::new(), failed: Vec::new() };
    let mut present = Vec::new();
    for change in changes {
        match articles.remove(&change.article) {
            None if origin == Origin::Outbox => prepared.deleted.push(change),
            // Its deletion is recorded.
            None => {}
            Some(Err(reason)) => prepared.failed.push((change, reason)),
            Some(Ok(article)) => present.push((change, Arc::new(article))),
        }
    }
    for target in targets {
        let mut part = Part::new(target, &prepared.deleted);
        let failed = part.fill(db, &target.embedder, &present).await?;
        prepared.parts.push(part);
        for (change, reason) in failed {
            if prepared.failed.iter().all(|(known, _)| known.article != change.article) {
                prepared.failed.push((change, reason));
            }
        }
    }
    let failed: HashSet<_> = prepared.failed.iter().map(|(change, _)| change.article).collect();
    let present = present.into_iter().map(|(change, _)| change);
    prepared.done = present.filter(|change| !failed.contains(&change.article)).collect();
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
    article: Arc<article::Model>,
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

/// The vector, or the text's own error, of each text by its hash.
type Vectors = HashMap<TextHash, Result<Embedding, String>>;

/// The vectors of every distinct passage text, and what the cache held of them.
async fn embed(
    db: &Database,
    embedder: &Embedder,
    documents: &[Document],
) -> Result<(Vectors, Cached), SyncError> {
    let texts: HashMap<TextHash, &String> =
        documents.iter().flat_map(|document| &document.texts).map(|text| (text_hash(text), text)).collect();
    let hashes: Vec<_> = texts.keys().copied().collect();
    let cached = Cached::load(db.reader(), &embedder.model().fingerprint, &hashes).await?;

    let missing = texts.into_iter().filter(|(hash, _)| !cached.vectors.contains_key(hash));
    let computed = try_join_all(missing.map(|(hash, text)| async move {
        match embedder.embed_passage(text.clone()).await {
            Ok(vector) => Ok((hash, Ok(vector))),
            Err(EmbedError::Failed { reason }) => Ok((hash, Err(reason))),
            Err(outage) => Err(outage),
        }
    }))
    .await?;
    let known = cached.vectors.iter().map(|(hash, vector)| (*hash, Ok(vector.clone())));
    Ok((known.chain(computed).collect(), cached))
}

impl Part {
    fn new(target: &Target, deleted: &[Change]) -> Self {
        let deleted = deleted.iter().map(|change| change.article.0).collect();
        Self {
            generation: target.generation.id,
            fingerprint: target.generation.tables.fingerprint().to_owned(),
            batch: Batch { deleted, ..Batch::default() },
            indexed: Vec::new(),
            vectors: Vec::new(),
        }
    }

    /// Adds the rows of `articles`; returns those that this model cannot embed.
    async fn fill(
        &mut self,
        db: &Database,
        embedder: &Embedder,
        articles: &[(Change, Arc<article::Model>)],
    ) -> Result<Vec<(Change, String)>, SyncError> {
        let mut failed = Vec::new();
        let mut documents = Vec::new();
        for (change, article) in articles {
            match cut(embedder.clone(), Arc::clone(article), *change).await? {
                Ok(document) => documents.push(document),
                Err(reason) => failed.push((*change, reason)),
            }
        }
        let (vectors, cached) = embed(db, embedder, &documents).await?;
        for document in documents {
            let change = document.change;
            if let Err(reason) = self.add(document, &vectors, &cached) {
                failed.push((change, reason));
            }
        }
        Ok(failed)
    }

    fn add(&mut self, document: Document, vectors: &Vectors, cached: &Cached) -> Result<(), String> {
        let Document { article, change, spans, texts } = document;
        let hashes: Vec<_> = texts.iter().map(|text| text_hash(text)).collect();
        let found = hashes.iter().map(|hash| vectors.get(hash).cloned());
        let found: Vec<_> = found
            .map(|vector| vector.unwrap_or_else(|| Err("no vector was made".to_owned())))
            .collect::<Result<_, _>>()?;
        let Some(mean) = Embedding::mean(&found) else {
            return Err("the vectors of its passages cancel each other out".to_owned());
        };
        let content_hash = content_hash(&article);
        let facets = Facets {
            category: article.category.clone(),
            tags: Arc::from(article.tags.0.as_slice()),
            created_at: article.created_at.timestamp_micros(),
        };
        self.indexed.push(IndexedArticle {
            article: change.article,
            seq: change.seq,
            revision: article.revision,
            content_hash,
            passages: spans.len(),
        });
        for ((ordinal, span), vector) in (0..).zip(&spans).zip(&found) {
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
        let fresh: HashMap<_, _> = hashes
            .iter()
            .copied()
            .zip(found)
            .filter(|(hash, _)| !cached.is_owned(*hash, change.article))
            .collect();
        self.vectors.push(ArticleVectors {
            article: change.article,
            hashes,
            fresh: fresh.into_iter().collect(),
        });
        Ok(())
    }
}
