//! The first third of the worker's job: claimed changes → articles as they are now, cut into passages.

use std::ops::Range;
use std::sync::Arc;

use super::SyncError;
use super::cache::{TextHash, text_hash};
use super::generations::Target;
use super::load::load;
use super::passages::{PassageRule, PassageSpan, passage_text, sample, split};
use crate::db::Database;
use crate::entity::article;
use crate::outbox::Change;
use crate::words::{encoded_runs, meets_run};

/// Where changes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// They were claimed: each row of the outbox is completed when all generations are written.
    Outbox,
    /// They fill a generation that is being built; nothing was recorded.
    Backfill,
}

/// Changes with their articles, cut for each generation that is kept in step.
pub struct CutBatch {
    pub origin: Origin,
    /// Changes of articles that are there.
    pub present: Vec<Change>,
    /// Changes of articles that are gone.
    pub deleted: Vec<Change>,
    /// Changes whose article cannot be indexed, with the reason.
    pub failed: Vec<(Change, String)>,
    /// The articles as each target's model takes them; those it cannot take are in `failed`.
    pub documents: Vec<(Target, Vec<Document>)>,
}

/// An article cut into passages.
pub struct Document {
    pub article: Arc<article::Model>,
    pub change: Change,
    /// Those that are indexed…
    pub spans: Vec<PassageSpan>,
    /// …of so many.
    pub passages_in_all: usize,
    pub texts: Vec<String>,
    /// Of `texts`, in the same order.
    pub hashes: Vec<TextHash>,
}

/// Loads the articles of `changes` as they are now, and cuts them by the rule of each target's model.
pub async fn cut(
    db: &Database,
    targets: &[&Target],
    changes: Vec<Change>,
    origin: Origin,
) -> Result<CutBatch, SyncError> {
    let ids: Vec<_> = changes.iter().map(|change| change.article).collect();
    let mut articles = load(db, &ids).await?;
    let (mut present, mut deleted, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        match articles.remove(&change.article) {
            None if origin == Origin::Outbox => deleted.push(change),
            // Its deletion is recorded.
            None => {}
            Some(Err(reason)) => failed.push((change, reason)),
            Some(Ok(article)) => present.push((change, Arc::new(article))),
        }
    }
    let mut documents = Vec::new();
    for target in targets {
        let mut of_target = Vec::new();
        for (change, article) in &present {
            match cut_article(Target::clone(target), Arc::clone(article), *change).await? {
                Ok(document) => of_target.push(document),
                Err(reason) => fail(&mut failed, *change, reason),
            }
        }
        documents.push((Target::clone(target), of_target));
    }
    let present = present.into_iter().map(|(change, _)| change).collect();
    Ok(CutBatch { origin, present, deleted, failed, documents })
}

/// Adds a failure, unless the article has one already: several models may fail with it.
pub fn fail(failed: &mut Vec<(Change, String)>, change: Change, reason: String) {
    if failed.iter().all(|(known, _)| known.article != change.article) {
        failed.push((change, reason));
    }
}

/// Cutting is work for the processor: a long article would hold the other tasks of its thread.
async fn cut_article(
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
        // What is no language tells the model nothing, and would fill passages.
        let encoded = encoded_runs(&article.content);
        let content: Vec<_> = content.into_iter().filter(|token| !meets_run(token, &encoded)).collect();
        let (title_end, spans) = split(rule, &title, &article.content, &content);
        let passages_in_all = spans.len();
        let spans = sample(spans, target.passages_max);
        let title = &article.title[..title_end];
        let texts: Vec<_> =
            spans.iter().map(|span| passage_text(title, &article.content, &span.bytes, &encoded)).collect();
        let hashes = texts.iter().map(|text| text_hash(text)).collect();
        Ok(Document { article, change, spans, passages_in_all, texts, hashes })
    };
    Ok(tokio::task::spawn_blocking(cut).await?)
}
