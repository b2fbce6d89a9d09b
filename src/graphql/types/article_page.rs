//! Articles that were loaded together, and what was asked about all of them at once.
//!
//! The first article of a page that needs the index, the outbox or its neighbours' rows asks for the whole page; the
//! others wait for the same answer. So the number of statements and searches never depends on the page's length.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::Context;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tokio::sync::OnceCell;

use super::{PassageCoverage, Recommendation};
use crate::article::ArticleId;
use crate::db::{Database, ROWS_PER_STATEMENT};
use crate::entity::article_index;
use crate::entity::index_generation::{self, State};
use crate::graphql::article_rows::{ArticleReader, Contents, ways};
use crate::graphql::error::ApiError;
use crate::graphql::recommendations::RecommendationList;
use crate::outbox::{self, ChangeState};
use crate::recommend::{Moment, RecommendOptions, Recommender};

/// The articles of one list.
pub struct ArticlePage {
    articles: Vec<ArticleId>,
    changes: OnceCell<HashMap<ArticleId, ChangeState>>,
    coverages: OnceCell<HashMap<ArticleId, PassageCoverage>>,
    similar: Mutex<Vec<SimilarQuery>>,
}

/// One set of arguments of `similarTo` and the answer for the whole page. A failure is not kept: each article that asks
/// reports it.
struct SimilarQuery {
    k: usize,
    contents: Contents,
    options: Arc<RecommendOptions>,
    answer: Arc<OnceCell<RecommendationList>>,
}

impl ArticlePage {
    pub fn new(articles: Vec<ArticleId>) -> Self {
        Self { articles, changes: OnceCell::new(), coverages: OnceCell::new(), similar: Mutex::default() }
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

    /// How much of `article` the live generation of the index holds.
    pub async fn passage_coverage(
        &self,
        context: &Context<'_>,
        article: ArticleId,
    ) -> Result<Option<PassageCoverage>, ApiError> {
        let db = context.data_unchecked::<Database>();
        let coverages = self.coverages.get_or_try_init(|| passage_coverages(db, &self.articles)).await?;
        Ok(coverages.get(&article).copied())
    }

    /// The articles like `article`.
    pub async fn similar_to(
        &self,
        context: &Context<'_>,
        article: ArticleId,
        k: usize,
        options: RecommendOptions,
    ) -> Result<Vec<Recommendation>, ApiError> {
        let reader = ArticleReader::of(context, ways::RECOMMENDATIONS);
        // The options of one article of the page are those of all: none waits with its own.
        let (options, answer) = self.similar_query(k, reader.contents, options);
        let list = answer
            .get_or_try_init(|| async {
                let recommender = context.data_unchecked::<Recommender>();
                let similar = recommender.by_articles(&self.articles, k, &options, Moment::now()).await?;
                RecommendationList::by_article(reader, similar).await
            })
            .await?;
        Ok(list.of(article))
    }

    fn similar_query(
        &self,
        k: usize,
        contents: Contents,
        options: RecommendOptions,
    ) -> (Arc<RecommendOptions>, Arc<OnceCell<RecommendationList>>) {
        let mut queries = self.similar.lock().unwrap_or_else(PoisonError::into_inner);
        let same =
            |query: &SimilarQuery| query.k == k && query.contents == contents && *query.options == options;
        let known = queries.iter().position(same);
        let position = known.unwrap_or_else(|| {
            queries.push(SimilarQuery { k, contents, options: Arc::new(options), answer: Arc::default() });
            queries.len() - 1
        });
        let SimilarQuery { options, answer, .. } = &queries[position];
        (Arc::clone(options), Arc::clone(answer))
    }
}

async fn passage_coverages(
    db: &Database,
    articles: &[ArticleId],
) -> Result<HashMap<ArticleId, PassageCoverage>, ApiError> {
    let mut coverages = HashMap::new();
    let Some(live) = index_generation::in_state(db.reader(), State::Live).await? else {
        return Ok(coverages);
    };
    for articles in articles.chunks(ROWS_PER_STATEMENT) {
        let rows = article_index::Entity::find()
            .filter(article_index::Column::GenerationId.eq(live.id))
            .filter(article_index::Column::ArticleId.is_in(articles.iter().map(|article| article.0)))
            .all(db.reader())
            .await?;
        coverages.extend(rows.into_iter().map(|row| {
            let coverage = PassageCoverage { indexed: row.passages, total: row.passages_in_all };
            (ArticleId(row.article_id), coverage)
        }));
    }
    Ok(coverages)
}
