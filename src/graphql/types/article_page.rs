//! Articles that were loaded together, and what was asked about all of them at once.
//!
//! The first article of a page that needs the index, the outbox or its neighbours' rows asks for the whole page; the
//! others wait for the same answer. So the number of statements and searches never depends on the page's length.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::Context;
use tokio::sync::OnceCell;

use super::Recommendation;
use crate::article::ArticleId;
use crate::db::Database;
use crate::graphql::error::ApiError;
use crate::graphql::recommendations::RecommendationList;
use crate::outbox::{self, ChangeState};
use crate::recommend::{RecommendOptions, Recommender};

/// The articles of one list.
pub struct ArticlePage {
    articles: Vec<ArticleId>,
    changes: OnceCell<HashMap<ArticleId, ChangeState>>,
    similar: Mutex<Vec<SimilarQuery>>,
}

/// One set of arguments of `similarTo` and the answer for the whole page. A failure is not kept: each article that asks
/// reports it.
struct SimilarQuery {
    k: usize,
    options: RecommendOptions,
    answer: Arc<OnceCell<RecommendationList>>,
}

impl ArticlePage {
    pub fn new(articles: Vec<ArticleId>) -> Self {
        Self { articles, changes: OnceCell::new(), similar: Mutex::default() }
    }

    /// The change of `article` that has not reached the index.
    pub async fn change(
        &self,
        context: &Context<'_>,
        article: ArticleId,
    ) -> Result<Option<&ChangeState>, ApiError> {
        let db = context.data_unchecked::<Database>();
        let changes = self.changes.get_or_try_init(|| outbox::states(db.reader(), &self.articles)).await?;
        Ok(changes.get(&article))
    }

    /// The articles like `article`.
    pub async fn similar_to(
        &self,
        context: &Context<'_>,
        article: ArticleId,
        k: usize,
        options: RecommendOptions,
    ) -> Result<Vec<Recommendation>, ApiError> {
        let answer = self.similar_query(k, &options);
        let list = answer
            .get_or_try_init(|| async {
                let recommender = context.data_unchecked::<Recommender>();
                let similar = recommender.by_articles(&self.articles, k, &options).await?;
                RecommendationList::by_article(context.data_unchecked::<Database>(), similar).await
            })
            .await?;
        Ok(list.of(article))
    }

    fn similar_query(&self, k: usize, options: &RecommendOptions) -> Arc<OnceCell<RecommendationList>> {
        let mut queries = self.similar.lock().unwrap_or_else(PoisonError::into_inner);
        let known = queries.iter().find(|query| query.k == k && query.options == *options);
        if let Some(query) = known {
            return Arc::clone(&query.answer);
        }
        let answer = Arc::new(OnceCell::new());
        queries.push(SimilarQuery { k, options: options.clone(), answer: Arc::clone(&answer) });
        answer
    }
}
