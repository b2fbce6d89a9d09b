//! Rankings → what clients see: the articles' rows and passages, loaded for all rankings at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tokio::sync::OnceCell;

use super::error::ApiError;
use super::types::{Article, ArticlePage, Recommendation};
use crate::article::ArticleId;
use crate::db::Database;
use crate::entity::article;
use crate::index::Snapshot;
use crate::recommend::{BestPassage, Ranked, SimilarArticles, Source, TextMatches};

/// Recommendations with their articles. Rankings for several articles share one.
pub struct RecommendationList {
    ranked: HashMap<Source, Vec<Ranked>>,
    articles: HashMap<ArticleId, Article>,
    passages: Arc<PassageSource>,
}

/// Where the passages of a list come from; loaded when the first is asked for.
pub struct PassageSource {
    kind: SourceKind,
    texts: OnceCell<HashMap<ArticleId, String>>,
    articles: Vec<ArticleId>,
}

enum SourceKind {
    Text(TextMatches),
    Articles { similar: SimilarArticles, passages: OnceCell<HashMap<(Source, ArticleId), BestPassage>> },
}

impl RecommendationList {
    /// The list for a text.
    pub async fn by_text(db: &Database, matches: TextMatches) -> Result<Self, ApiError> {
        let ranked = HashMap::from([(None, matches.ranked.clone())]);
        Self::load(db, ranked, SourceKind::Text(matches)).await
    }

    /// One list for each of several articles.
    pub async fn by_article(db: &Database, similar: SimilarArticles) -> Result<Self, ApiError> {
        let ranked = similar.ranked.clone();
        Self::load(db, ranked, SourceKind::Articles { similar, passages: OnceCell::new() }).await
    }

    async fn load(
        db: &Database,
        ranked: HashMap<Source, Vec<Ranked>>,
        kind: SourceKind,
    ) -> Result<Self, ApiError> {
        let distinct: HashSet<_> = ranked.values().flatten().map(|ranked| ranked.article).collect();
        let ids: Vec<_> = distinct.into_iter().collect();
        let rows = if ids.is_empty() {
            Vec::new()
        } else {
            let wanted = article::Column::Id.is_in(ids.iter().map(|id| id.0));
            article::Entity::find().filter(wanted).all(db.reader()).await?
        };
        let page = Arc::new(ArticlePage::new(ids.clone()));
        let articles = rows
            .into_iter()
            .map(|row| (row.article_id(), Article::new(Arc::new(row), Arc::clone(&page))))
            .collect();
        let passages = Arc::new(PassageSource { kind, texts: OnceCell::new(), articles: ids });
        Ok(Self { ranked, articles, passages })
    }

    /// The recommendations for `article`; none when it is not indexed.
    pub fn of(&self, article: ArticleId) -> Vec<Recommendation> {
        self.list(Some(article))
    }

    /// The recommendations for the text.
    pub fn of_text(&self) -> Vec<Recommendation> {
        self.list(None)
    }

    /// The recommendations for the articles of `options.like`.
    pub fn of_examples(&self) -> Vec<Recommendation> {
        self.list(None)
    }

    /// An article that was deleted since the search is left out.
    fn list(&self, source: Source) -> Vec<Recommendation> {
        let ranked = self.ranked.get(&source).map_or(&[][..], Vec::as_slice);
        ranked
            .iter()
            .filter_map(|ranked| {
                let article = self.articles.get(&ranked.article)?.clone();
                Some(Recommendation::new(article, ranked.clone(), source, Arc::clone(&self.passages)))
            })
            .collect()
    }
}

impl PassageSource {
    /// The passage of `target` that fits `source` best.
    pub async fn best(&self, source: Source, target: ArticleId) -> Result<Option<BestPassage>, ApiError> {
        match &self.kind {
            SourceKind::Text(matches) => Ok(matches.passages.get(&target).copied()),
            SourceKind::Articles { similar, passages } => {
                let passages = passages.get_or_try_init(|| similar.best_passages()).await?;
                Ok(passages.get(&(source, target)).copied())
            }
        }
    }

    /// The content of `article` as it was indexed, for passages of a revision that SQL no longer has.
    pub async fn indexed_content(&self, article: &article::Model) -> Result<Option<&str>, ApiError> {
        let load = || async { self.snapshot().texts_of(&self.articles).await };
        let texts = self.texts.get_or_try_init(load).await.map_err(crate::recommend::RecommendError::from)?;
        let text = texts.get(&article.article_id());
        // The title is the text's first line.
        Ok(text.and_then(|text| text.split_once('\n')).map(|(_title, content)| content))
    }

    fn snapshot(&self) -> &Snapshot {
        match &self.kind {
            SourceKind::Text(matches) => &matches.snapshot,
            SourceKind::Articles { similar, .. } => &similar.snapshot,
        }
    }
}
