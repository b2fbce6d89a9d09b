//! Writing articles: one transaction each, checked before anything is changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_graphql::{ID, MaybeUndefined};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, ModelTrait,
    QueryFilter, QuerySelect, SqlErr,
};

use super::error::ApiError;
use super::types::{Article, DeleteArticleInput, UpdateArticleInput, UserError, UserErrorCode};
use crate::article::{ArticleChanges, ArticleDraft, ArticleId};
use crate::db::Database;
use crate::entity::article::{self, Model};
use crate::outbox::{self, Ticket};

/// Most articles of one `createArticles` call.
const CREATE_MAX: usize = 1_000;

/// How soon the index takes a change up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A client waits for it.
    Awaited,
    Others,
}

/// What was written, or what is wrong with the input.
type Written<T> = Result<Result<T, Vec<UserError>>, ApiError>;

/// Creates the drafts, each with its place in the arguments; all or none.
pub async fn create(
    db: &Database,
    drafts: Vec<(ArticleDraft, Vec<String>)>,
    lane: Lane,
) -> Written<(Vec<Article>, Vec<Ticket>)> {
    let violations = drafts.iter().flat_map(|(draft, path)| {
        draft.violations().into_iter().map(|violation| UserError::from_violation(path, violation))
    });
    let mut errors: Vec<_> = violations.collect();
    errors.extend(repeated_external_ids(&drafts));
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let transaction = db.transaction().await?;
    let taken = taken_external_ids(&transaction, &drafts).await?;
    if !taken.is_empty() {
        return Ok(Err(taken));
    }
    let mut articles = Vec::with_capacity(drafts.len());
    let mut tickets = Vec::with_capacity(drafts.len());
    for (draft, path) in drafts {
        let external_id = draft.external_id.clone();
        match article::ActiveModel::from_draft(draft).insert(&transaction).await {
            Ok(row) => {
                tickets.push(ticket(&transaction, row.article_id(), lane).await?);
                articles.push(Article::alone(Arc::new(row.into())));
            }
            Err(error) => return taken_meanwhile(error, external_id, &path),
        }
    }
    transaction.commit().await?;
    Ok(Ok((articles, tickets)))
}

/// [`create`] with the limits of a list.
pub async fn create_many(
    db: &Database,
    drafts: Vec<(ArticleDraft, Vec<String>)>,
    lane: Lane,
) -> Written<(Vec<Article>, Vec<Ticket>)> {
    let path = ["input", "articles"];
    if drafts.is_empty() {
        return Ok(Err(vec![UserError::new(
            UserErrorCode::Blank,
            &path,
            "there must be at least one article",
        )]));
    }
    if drafts.len() > CREATE_MAX {
        let message = format!("there are {} articles, at most {CREATE_MAX} are allowed", drafts.len());
        return Ok(Err(vec![UserError::new(UserErrorCode::TooMany, &path, message)]));
    }
    create(db, drafts, lane).await
}

/// Changes an article.
pub async fn update(db: &Database, input: UpdateArticleInput, lane: Lane) -> Written<(Article, Ticket)> {
    let (id, expected_revision) = (input.id.clone(), input.expected_revision);
    let changes = match changes(input) {
        Ok(changes) => changes,
        Err(errors) => return Ok(Err(errors)),
    };
    let path = ["input".to_owned()];
    let violations = changes.violations();
    if !violations.is_empty() {
        let errors = violations.into_iter().map(|violation| UserError::from_violation(&path, violation));
        return Ok(Err(errors.collect()));
    }
    let transaction = db.transaction().await?;
    let row = match present(&transaction, &id, expected_revision).await? {
        Ok(row) => row,
        Err(errors) => return Ok(Err(errors)),
    };
    let external_id = changes.external_id.clone().flatten().filter(|id| row.external_id.as_ref() != Some(id));
    if let Some(external_id) = &external_id
        && external_id_exists(&transaction, external_id).await?
    {
        return Ok(Err(vec![taken(external_id, &path)]));
    }
    let mut active = row.into_active_model();
    active.apply(changes);
    let row = match active.update(&transaction).await {
        Ok(row) => row,
        Err(error) => return taken_meanwhile(error, external_id, &path),
    };
    let ticket = ticket(&transaction, row.article_id(), lane).await?;
    transaction.commit().await?;
    Ok(Ok((Article::alone(Arc::new(row.into())), ticket)))
}

/// Deletes an article.
pub async fn delete(db: &Database, input: &DeleteArticleInput, lane: Lane) -> Written<Ticket> {
    let transaction = db.transaction().await?;
    let row = match present(&transaction, &input.id, input.expected_revision).await? {
        Ok(row) => row,
        Err(errors) => return Ok(Err(errors)),
    };
    let article = row.article_id();
    row.delete(&transaction).await?;
    let ticket = ticket(&transaction, article, lane).await?;
    transaction.commit().await?;
    Ok(Ok(ticket))
}

fn changes(input: UpdateArticleInput) -> Result<ArticleChanges, Vec<UserError>> {
    let mut errors = Vec::new();
    let mut required = |field: &str, value: MaybeUndefined<String>| match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Value(value) => Some(value),
        MaybeUndefined::Null => {
            let message = format!("{field} cannot be null: leave it out to keep it");
            errors.push(UserError::new(UserErrorCode::Blank, &["input", field], message));
            None
        }
    };
    let title = required("title", input.title);
    let content = required("content", input.content);
    if !errors.is_empty() {
        return Err(errors);
    }
    let clearable = |value: MaybeUndefined<String>| match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    };
    Ok(ArticleChanges {
        external_id: clearable(input.external_id),
        title,
        content,
        category: clearable(input.category),
        tags: match input.tags {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(Vec::new()),
            MaybeUndefined::Value(tags) => Some(tags),
        },
    })
}

/// The article to be changed, locked, at the revision the client expects.
async fn present<C>(connection: &C, id: &ID, expected_revision: Option<i64>) -> Written<Model>
where
    C: ConnectionTrait,
{
    let row = match id.parse::<ArticleId>() {
        Ok(id) => Model::find_for_update(connection, id).await?,
        Err(_) => None,
    };
    let Some(row) = row else {
        let message = format!("there is no article with the id {:?}", id.as_str());
        return Ok(Err(vec![UserError::new(UserErrorCode::NotFound, &["input", "id"], message)]));
    };
    match expected_revision {
        Some(expected) if expected != row.revision => {
            let message = format!(
                "the article is at revision {}, not {expected}: load it and decide anew",
                row.revision
            );
            let path = ["input", "expectedRevision"];
            Ok(Err(vec![UserError::new(UserErrorCode::Conflict, &path, message)]))
        }
        _ => Ok(Ok(row)),
    }
}

async fn ticket<C>(connection: &C, article: ArticleId, lane: Lane) -> Result<Ticket, ApiError>
where
    C: ConnectionTrait,
{
    let seq = match lane {
        Lane::Awaited => outbox::expedite(connection, article).await?,
        Lane::Others => outbox::seq_of(connection, article).await?,
    };
    let seq = seq.ok_or_else(|| {
        ApiError::from(DbErr::RecordNotFound(format!("no change of article {article} was recorded")))
    })?;
    Ok(Ticket { article, seq })
}

fn repeated_external_ids(drafts: &[(ArticleDraft, Vec<String>)]) -> Vec<UserError> {
    let mut seen = HashSet::new();
    let repeated = |(draft, path): &(ArticleDraft, Vec<String>)| {
        let external_id = draft.external_id.as_ref()?;
        (!seen.insert(external_id.clone())).then(|| taken(external_id, path))
    };
    drafts.iter().filter_map(repeated).collect()
}

async fn taken_external_ids<C>(
    connection: &C,
    drafts: &[(ArticleDraft, Vec<String>)],
) -> Result<Vec<UserError>, DbErr>
where
    C: ConnectionTrait,
{
    let wanted: HashMap<_, _> =
        drafts.iter().filter_map(|(draft, path)| Some((draft.external_id.clone()?, path))).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let existing: Vec<String> = article::Entity::find()
        .select_only()
        .column(article::Column::ExternalId)
        .filter(article::Column::ExternalId.is_in(wanted.keys().cloned()))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(existing.iter().filter_map(|id| wanted.get(id).map(|path| taken(id, path))).collect())
}

async fn external_id_exists<C>(connection: &C, external_id: &str) -> Result<bool, DbErr>
where
    C: ConnectionTrait,
{
    let same = article::Column::ExternalId.eq(external_id);
    Ok(article::Entity::find().filter(same).one(connection).await?.is_some())
}

/// Another transaction may have taken the external id after it was looked for.
fn taken_meanwhile<T>(error: DbErr, external_id: Option<String>, path: &[String]) -> Written<T> {
    match (error.sql_err(), external_id) {
        (Some(SqlErr::UniqueConstraintViolation(_)), Some(external_id)) => {
            Ok(Err(vec![taken(&external_id, path)]))
        }
        _ => Err(error.into()),
    }
}

fn taken(external_id: &str, path: &[String]) -> UserError {
    let shown: String = external_id.chars().take(200).collect();
    UserError {
        code: UserErrorCode::Taken,
        message: format!("the external id {shown:?} belongs to another article"),
        path: path.iter().cloned().chain(["externalId".to_owned()]).collect(),
    }
}
