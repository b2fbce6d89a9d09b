//! The second third of the worker's job: articles in passages → rows for each generation that is kept in step.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::TryStreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::Notify;

use super::SyncError;
use super::article_vector::{LEAD_SHARE, article_vector};
use super::batch_size::STEP_TEXTS;
use super::cache::{ArticleVectors, Cached, TextHash};
use super::content_hash::content_hash;
use super::cut::{CutBatch, Document, Origin, fail};
use super::generations::Target;
use super::record::IndexedArticle;
use crate::article::ArticleId;
use crate::db::Database;
use crate::embedding::{EmbedError, Embedder, Embedding};
use crate::index::{ArticleRow, Batch, Facets, PassageRow};
use crate::outbox::Change;
use crate::words::title_key;

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
    /// Changes whose article has too many texts for one batch; some of their vectors are in `Part::ahead`.
    pub unfinished: Vec<Change>,
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
    /// What the cache gets of articles that are not written yet.
    pub ahead: Vec<ArticleVectors>,
}

/// How many texts of a batch are left when the next one is to be claimed and cut: what their vectors take as long as that.
const TEXTS_BEFORE_NEXT: usize = 24;

/// Computes the vectors of a batch by the model of each target, and makes rows of them. Tells `nearly_done` when few
/// are left.
pub async fn prepare(db: &Database, batch: CutBatch, nearly_done: &Notify) -> Result<Prepared, SyncError> {
    let CutBatch { origin, present, deleted, mut failed, documents } = batch;
    let (mut parts, mut unfinished) = (Vec::new(), Vec::new());
    for (target, documents) in documents {
        let mut part = Part::new(&target, &deleted);
        let (failed_here, unfinished_here) = part.fill(db, &target, documents, nearly_done).await?;
        parts.push(part);
        unfinished.extend(unfinished_here);
        for (change, reason) in failed_here {
            fail(&mut failed, change, reason);
        }
    }
    let failed_articles: HashSet<_> = failed.iter().map(|(change, _)| change.article).collect();
    unfinished.retain(|change: &Change| !failed_articles.contains(&change.article));
    let unfinished_articles: HashSet<_> = unfinished.iter().map(|change| change.article).collect();
    let is_done = |change: &Change| {
        !failed_articles.contains(&change.article) && !unfinished_articles.contains(&change.article)
    };
    let done = present.into_iter().filter(is_done).collect();
    Ok(Prepared { origin, parts, done, deleted, failed, unfinished })
}

/// The vector, or the text's own error, of each text by its hash.
type Vectors = HashMap<TextHash, Result<Embedding, String>>;

/// The vectors of the distinct passage texts, in the documents' order as many as one step may compute, and what the cache
/// held of them.
async fn embed(
    db: &Database,
    embedder: &Embedder,
    documents: &[Document],
    nearly_done: &Notify,
) -> Result<(Vectors, Cached), SyncError> {
    let texts = documents.iter().flat_map(|document| document.hashes.iter().zip(&document.texts));
    let mut seen = HashSet::new();
    let texts: Vec<_> = texts.filter(|(hash, _)| seen.insert(**hash)).collect();
    let hashes: Vec<_> = texts.iter().map(|(hash, _)| **hash).collect();
    let cached = Cached::load(db.reader(), &embedder.model().fingerprint, &hashes).await?;

    let missing = texts.into_iter().filter(|(hash, _)| !cached.vectors.contains_key(*hash));
    let missing = missing.map(|(hash, text)| (*hash, text)).take(STEP_TEXTS);
    let embed = |(hash, text): (TextHash, &String)| {
        let text = text.clone();
        async move {
            match embedder.embed_passage(text).await {
                Ok(vector) => Ok((hash, Ok(vector))),
                Err(EmbedError::Failed { reason }) => Ok((hash, Err(reason))),
                Err(outage) => Err(outage),
            }
        }
    };
    let mut running: FuturesUnordered<_> = missing.map(embed).collect();
    let mut computed = Vec::with_capacity(running.len());
    while let Some(vector) = running.try_next().await? {
        computed.push(vector);
        if running.len() == TEXTS_BEFORE_NEXT {
            nearly_done.notify_one();
        }
    }
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
            ahead: Vec::new(),
        }
    }

    /// Adds the rows of `documents`; returns those that this model cannot embed, and those that need a further step.
    async fn fill(
        &mut self,
        db: &Database,
        target: &Target,
        documents: Vec<Document>,
        nearly_done: &Notify,
    ) -> Result<(Vec<(Change, String)>, Vec<Change>), SyncError> {
        let (mut failed, mut unfinished) = (Vec::new(), Vec::new());
        let (vectors, cached) = embed(db, &target.embedder, &documents, nearly_done).await?;
        for document in documents {
            let change = document.change;
            let found: Vec<_> =
                document.hashes.iter().filter_map(|hash| vectors.get(hash).cloned()).collect();
            let complete = found.len() == document.hashes.len();
            match found.into_iter().collect::<Result<Vec<_>, String>>() {
                Err(reason) => failed.push((change, reason)),
                Ok(_) if !complete => {
                    self.ahead.push(fresh(change.article, document.hashes, &vectors, &cached));
                    unfinished.push(change);
                }
                Ok(found) => {
                    if let Err(reason) = self.add(document, &found, &vectors, &cached) {
                        failed.push((change, reason));
                    }
                }
            }
        }
        Ok((failed, unfinished))
    }

    /// Adds the rows of one article, whose passages have the vectors `found`.
    fn add(
        &mut self,
        document: Document,
        found: &[Embedding],
        vectors: &Vectors,
        cached: &Cached,
    ) -> Result<(), String> {
        let Document { article, change, spans, passages_in_all, hashes, .. } = document;
        let Some(vector_of_article) = article_vector(found, LEAD_SHARE) else {
            return Err("the vectors of its passages cancel each other out".to_owned());
        };
        let content_hash = content_hash(&article);
        let facets = Facets {
            category: article.category.clone(),
            tags: Arc::from(article.tags.0.as_slice()),
            created_at: article.created_at.timestamp_micros(),
            content_length: i32::try_from(article.content.chars().count()).unwrap_or(i32::MAX),
        };
        self.indexed.push(IndexedArticle {
            article: change.article,
            seq: change.seq,
            revision: article.revision,
            content_hash,
            passages: spans.len(),
            passages_in_all,
        });
        for ((ordinal, span), vector) in (0..).zip(&spans).zip(found) {
            self.batch.passages.push(PassageRow {
                article_id: article.id,
                ordinal,
                revision: article.revision,
                vector: vector.as_slice().to_vec(),
                start: i32::try_from(span.utf16.start).unwrap_or(i32::MAX),
                end: i32::try_from(span.utf16.end).unwrap_or(i32::MAX),
            });
        }
        self.batch.articles.push(ArticleRow {
            article_id: article.id,
            revision: article.revision,
            content_hash,
            vector: vector_of_article.as_slice().to_vec(),
            // One line of title, so that the content can be told from it.
            text: format!("{}\n{}", article.title.replace(['\n', '\r'], " "), article.content),
            title_key: title_key(&article.title),
            external_id: article.external_id.clone(),
            facets,
        });
        self.vectors.push(fresh(change.article, hashes, vectors, cached));
        Ok(())
    }
}

/// The texts of an article, with the vectors among `vectors` that it has no row of its own for.
fn fresh(article: ArticleId, hashes: Vec<TextHash>, vectors: &Vectors, cached: &Cached) -> ArticleVectors {
    let distinct: HashSet<_> = hashes.iter().copied().collect();
    let fresh = distinct.into_iter().filter(|hash| !cached.is_owned(*hash, article));
    let fresh = fresh.filter_map(|hash| Some((hash, vectors.get(&hash)?.as_ref().ok()?.clone())));
    ArticleVectors { article, fresh: fresh.collect(), hashes }
}
