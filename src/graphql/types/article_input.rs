//! Inputs and payloads of the mutations of articles.

use async_graphql::{ID, InputObject, MaybeUndefined, SimpleObject};

use super::{Article, UserError};
use crate::article::ArticleDraft;

/// A new article.
#[derive(Clone, Debug, InputObject)]
pub struct CreateArticleInput {
    /// 1 to 300 characters, not blank.
    pub title: String,
    /// 1 byte to 1 MiB.
    pub content: String,
    /// At most 100 characters.
    pub category: Option<String>,
    /// At most 50, each of at most 100 characters.
    pub tags: Option<Vec<String>>,
    /// The article's id elsewhere: at most 200 characters, unique.
    pub external_id: Option<String>,
    /// Whether to answer only when the article is searchable.
    #[graphql(default = true)]
    pub wait_for_index: bool,
}

/// One of several new articles.
#[derive(Clone, Debug, InputObject)]
pub struct NewArticleInput {
    /// 1 to 300 characters, not blank.
    pub title: String,
    /// 1 byte to 1 MiB.
    pub content: String,
    /// At most 100 characters.
    pub category: Option<String>,
    /// At most 50, each of at most 100 characters.
    pub tags: Option<Vec<String>>,
    /// The article's id elsewhere: at most 200 characters, unique.
    pub external_id: Option<String>,
}

/// Several new articles: all are created, or none.
#[derive(Clone, Debug, InputObject)]
pub struct CreateArticlesInput {
    /// 1 to 1,000 articles.
    pub articles: Vec<NewArticleInput>,
    /// Whether to answer only when all articles are searchable.
    #[graphql(default = true)]
    pub wait_for_index: bool,
}

/// Changes of an article. A field that is left out stays; null clears category, tags and externalId.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateArticleInput {
    /// The article to change.
    pub id: ID,
    /// 1 to 300 characters, not blank; cannot be null.
    pub title: MaybeUndefined<String>,
    /// 1 byte to 1 MiB; cannot be null.
    pub content: MaybeUndefined<String>,
    /// At most 100 characters; null clears it.
    pub category: MaybeUndefined<String>,
    /// At most 50, each of at most 100 characters; null clears them.
    pub tags: MaybeUndefined<Vec<String>>,
    /// The article's id elsewhere; null clears it.
    pub external_id: MaybeUndefined<String>,
    /// The revision that the change was made from; another present one is a CONFLICT and nothing is changed.
    pub expected_revision: Option<i64>,
    /// Whether to answer only when the change is searchable.
    #[graphql(default = true)]
    pub wait_for_index: bool,
}

/// An article to delete.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteArticleInput {
    /// The article to delete.
    pub id: ID,
    /// The revision that is to be deleted; another present one is a CONFLICT and nothing is deleted.
    pub expected_revision: Option<i64>,
    /// Whether to answer only when no search finds the article any more.
    #[graphql(default = true)]
    pub wait_for_index: bool,
}

/// The new article, or what is wrong with it.
#[derive(Clone, Default, SimpleObject)]
pub struct CreateArticlePayload {
    /// The new article; null when there are user errors.
    pub article: Option<Article>,
    /// What is wrong with the input; empty when the article was created.
    pub user_errors: Vec<UserError>,
}

/// The new articles, or what is wrong with them.
#[derive(Clone, Default, SimpleObject)]
pub struct CreateArticlesPayload {
    /// The new articles in the order of the input; null when there are user errors.
    pub articles: Option<Vec<Article>>,
    /// What is wrong with the input; empty when the articles were created.
    pub user_errors: Vec<UserError>,
}

/// The changed article, or what is wrong with the change.
#[derive(Clone, Default, SimpleObject)]
pub struct UpdateArticlePayload {
    /// The article as it is now; null when there are user errors.
    pub article: Option<Article>,
    /// What is wrong with the input; empty when the article was changed.
    pub user_errors: Vec<UserError>,
}

/// The id of the deleted article, or why it was not deleted.
#[derive(Clone, Default, SimpleObject)]
pub struct DeleteArticlePayload {
    /// The id of the deleted article; null when there are user errors.
    pub deleted_article_id: Option<ID>,
    /// Why nothing was deleted; empty when the article was.
    pub user_errors: Vec<UserError>,
}

impl From<CreateArticleInput> for ArticleDraft {
    fn from(input: CreateArticleInput) -> Self {
        Self {
            external_id: input.external_id,
            title: input.title,
            content: input.content,
            category: input.category,
            tags: input.tags.unwrap_or_default(),
        }
    }
}

impl From<NewArticleInput> for ArticleDraft {
    fn from(input: NewArticleInput) -> Self {
        Self {
            external_id: input.external_id,
            title: input.title,
            content: input.content,
            category: input.category,
            tags: input.tags.unwrap_or_default(),
        }
    }
}
