//! The mutation root: takes the input, delegates, waits for the index. The executor lets through only those who may write.

use async_graphql::{Context, Object};

use super::error::{ApiError, Nullable};
use super::types::{
    CreateArticleInput, CreateArticlePayload, CreateArticlesInput, CreateArticlesPayload, DeleteArticleInput,
    DeleteArticlePayload, UpdateArticleInput, UpdateArticlePayload,
};
use super::write::{self, Lane};
use crate::db::{Changes, Database};
use crate::outbox::{IndexWait, Ticket};

pub struct Mutation;

/// Writing: each mutation is one transaction, all or nothing.
#[Object]
impl Mutation {
    /// Creates an article.
    async fn create_article(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The article.")] input: CreateArticleInput,
    ) -> Nullable<CreateArticlePayload> {
        Some(create_article(context, input).await)
    }

    /// Creates up to 1,000 articles, all or none.
    async fn create_articles(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The articles.")] input: CreateArticlesInput,
    ) -> Nullable<CreateArticlesPayload> {
        Some(create_articles(context, input).await)
    }

    /// Changes an article.
    async fn update_article(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which article, and what of it to change.")] input: UpdateArticleInput,
    ) -> Nullable<UpdateArticlePayload> {
        Some(update_article(context, input).await)
    }

    /// Deletes an article.
    async fn delete_article(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which article.")] input: DeleteArticleInput,
    ) -> Nullable<DeleteArticlePayload> {
        Some(delete_article(context, input).await)
    }
}

async fn create_article(
    context: &Context<'_>,
    input: CreateArticleInput,
) -> Result<CreateArticlePayload, ApiError> {
    let db = context.data_unchecked::<Database>();
    let wait_for_index = input.wait_for_index;
    let path = ["input".to_owned()];
    let (payload, tickets) =
        match write::create(db, vec![(input.into(), path.to_vec())], lane(wait_for_index)).await? {
            Ok((mut articles, tickets)) => {
                (CreateArticlePayload { article: articles.pop(), user_errors: Vec::new() }, tickets)
            }
            Err(user_errors) => (CreateArticlePayload { user_errors, ..Default::default() }, Vec::new()),
        };
    settle(context, &tickets, wait_for_index).await?;
    Ok(payload)
}

async fn create_articles(
    context: &Context<'_>,
    input: CreateArticlesInput,
) -> Result<CreateArticlesPayload, ApiError> {
    let db = context.data_unchecked::<Database>();
    let path = |position: usize| ["input".to_owned(), "articles".to_owned(), position.to_string()];
    let drafts = input.articles.into_iter().enumerate();
    let drafts = drafts.map(|(position, draft)| (draft.into(), path(position).to_vec())).collect();
    let (payload, tickets) = match write::create_many(db, drafts, lane(input.wait_for_index)).await? {
        Ok((articles, tickets)) => {
            (CreateArticlesPayload { articles: Some(articles), user_errors: Vec::new() }, tickets)
        }
        Err(user_errors) => (CreateArticlesPayload { user_errors, ..Default::default() }, Vec::new()),
    };
    settle(context, &tickets, input.wait_for_index).await?;
    Ok(payload)
}

async fn update_article(
    context: &Context<'_>,
    input: UpdateArticleInput,
) -> Result<UpdateArticlePayload, ApiError> {
    let db = context.data_unchecked::<Database>();
    let wait_for_index = input.wait_for_index;
    let (payload, tickets) = match write::update(db, input, lane(wait_for_index)).await? {
        Ok((article, ticket)) => {
            (UpdateArticlePayload { article: Some(article), user_errors: Vec::new() }, vec![ticket])
        }
        Err(user_errors) => (UpdateArticlePayload { user_errors, ..Default::default() }, Vec::new()),
    };
    settle(context, &tickets, wait_for_index).await?;
    Ok(payload)
}

async fn delete_article(
    context: &Context<'_>,
    input: DeleteArticleInput,
) -> Result<DeleteArticlePayload, ApiError> {
    let db = context.data_unchecked::<Database>();
    let wait_for_index = input.wait_for_index;
    let (payload, tickets) = match write::delete(db, &input, lane(wait_for_index)).await? {
        Ok(ticket) => (
            DeleteArticlePayload { deleted_article_id: Some(input.id), user_errors: Vec::new() },
            vec![ticket],
        ),
        Err(user_errors) => (DeleteArticlePayload { user_errors, ..Default::default() }, Vec::new()),
    };
    settle(context, &tickets, wait_for_index).await?;
    Ok(payload)
}

/// What a client waits for goes first.
fn lane(wait_for_index: bool) -> Lane {
    if wait_for_index { Lane::Awaited } else { Lane::Others }
}

/// Wakes the worker and, when asked to, waits until searches see the changes. The change is stored whatever comes of
/// the wait; `indexState` tells the rest.
async fn settle(context: &Context<'_>, tickets: &[Ticket], wait_for_index: bool) -> Result<(), ApiError> {
    if tickets.is_empty() {
        return Ok(());
    }
    context.data_unchecked::<Changes>().announce();
    if wait_for_index {
        let db = context.data_unchecked::<Database>();
        let wait = context.data_unchecked::<IndexWait>();
        let outcome = wait.until_searchable(db.reader(), tickets).await?;
        tracing::debug!(?outcome, changes = tickets.len(), "graphql.waited_for_index");
    }
    Ok(())
}
