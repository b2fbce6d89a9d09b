//! The first half of the worker's job: claimed changes → rows for each generation that is kept in step.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use futures::future::try_join_all;

use super::SyncError;
use super::batch_size::STEP_TEXTS;
use super::cache::{ArticleVectors, Cached, TextHash, text_hash};
use super::content_hash::content_hash;
use super::generations::Target;
use super::load::load;
use super::passages::{PassageRule, PassageSpan, passage_text, sample, split};
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

/// An article cut into passages.
struct Document {
    article: Arc<article::Model>,
    change: Change,
    /// Those that are indexed…
    spans: Vec<PassageSpan>,
    /// …of so many.
    passages_in_all: usize,
    texts: Vec<String>,
    /// Of `texts`, in the same order.
    hashes: Vec<TextHash>,
}

/// Loads the articles of `changes` as they are now, cuts them and computes their vectors by the model of each target.
pub async fn prepare(
    db: &Database,
    targets: &[&Target],
    changes: Vec<Change>,
    origin: Origin,
) -> Result<Prepared, SyncError> {
    let ids: Vec<_> = changes.iter().map(|change| change.article).collect();
    let mut articles = load(db, &ids).await?;
    let mut prepared = Prepared {
        origin,
        parts: Vec::new(),
        done: Vec::new(),
        deleted: Vec::new(),
        failed: Vec::new(),
        unfinished: Vec::new(),
    };
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
        let (failed, unfinished) = part.fill(db, target, &present).await?;
        prepared.parts.push(part);
        prepared.unfinished.extend(unfinished);
        for (change, reason) in failed {
            if prepared.failed.iter().all(|(known, _)| known.article != change.article) {
                prepared.failed.push((change, reason));
            }
        }
    }
    let failed = prepared.failed.iter().map(|(change, _)| change.article);
    let failed: HashSet<_> = failed.collect();
    prepared.unfinished.retain(|change| !failed.contains(&change.article));
    let unfinished: HashSet<_> = prepared.unfinished.iter().map(|change| change.article).collect();
    let present = present.into_iter().map(|(change, _)| change);
    prepared.done = present
        .filter(|change| !failed.contains(&change.article) && !unfinished.contains(&change.article))
        .collect();
    Ok(prepared)
}

/// Cutting is work for the processor: a long article would hold the other tasks of its thread.
async fn cut(
    target: Target,
    article: Arc<article::Model>,
    change: Change,
) -> Result<Result<Document, String>, SyncError> {
    let cut = move || {
        let spans = |text: &str| target.embedder.token_spans(text);
        let model = target.embedder.model();
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
        let passages_in_all = spans.len();
        let spans = sample(spans, target.passages_max);
        let title = &article.title[..title_end];
        let texts: Vec<_> =
            spans.iter().map(|span| passage_text(title, &article.content[span.bytes.clone()])).collect();
        let hashes = texts.iter().map(|text| text_hash(text)).collect();
        Ok(Document { article, change, spans, passages_in_all, texts, hashes })
    };
    Ok(tokio::task::spawn_blocking(cut).await?)
}

/// The vector, or the text's own error, of each text by its hash.
type Vectors = HashMap<TextHash, Result<Embedding, String>>;

/// The vectors of the distinct passage texts, in the documents' order as many as one step may compute, and what the cache
/// held of them.
async fn embed(
    db: &Database,
    embedder: &Embedder,
    documents: &[Document],
) -> Result<(Vectors, Cached), SyncError> {
    let texts = documents.iter().flat_map(|document| document.hashes.iter().zip(&document.texts));
    let mut seen = HashSet::new();
    let texts: Vec<_> = texts.filter(|(hash, _)| seen.insert(**hash)).collect();
    let hashes: Vec<_> = texts.iter().map(|(hash, _)| **hash).collect();
    let cached = Cached::load(db.reader(), &embedder.model().fingerprint, &hashes).await?;

    let missing = texts.into_iter().filter(|(hash, _)| !cached.vectors.contains_key(*hash));
    let missing = missing.map(|(hash, text)| (*hash, text)).take(STEP_TEXTS);
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
            ahead: Vec::new(),
        }
    }

    /// Adds the rows of `articles`; returns those that this model cannot embed, and those that need a further step.
    async fn fill(
        &mut self,
        db: &Database,
        target: &Target,
        articles: &[(Change, Arc<article::Model>)],
    ) -> Result<(Vec<(Change, String)>, Vec<Change>), SyncError> {
        let (mut failed, mut unfinished) = (Vec::new(), Vec::new());
        let mut documents = Vec::new();
        for (change, article) in articles {
            match cut(target.clone(), Arc::clone(article), *change).await? {
                Ok(document) => documents.push(document),
                Err(reason) => failed.push((*change, reason)),
            }
        }
        let (vectors, cached) = embed(db, &target.embedder, &documents).await?;
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
        let Some(mean) = Embedding::mean(found) else {
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
