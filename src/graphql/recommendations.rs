//! Rankings → what clients see: the articles' rows and passages, loaded for all rankings at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tokio::sync::OnceCell;

use super::error::ApiError;
use super::types::{Article, ArticlePage, Recommendation};
use crate::article::{ArticleId, slice_utf16};
use crate::db::{Database, ROWS_PER_STATEMENT};
use crate::entity::{article, index_background};
use crate::index::{Highlight, QueryWords, Snapshot};
use crate::recommend::{
    Background, BestPassage, Ranked, RecommendError, SimilarArticles, Source, TextMatches,
};

/// Texts that are in memory together: each has a megabyte at most.
const TEXTS_READ: usize = 10;

/// Recommendations with their articles. Rankings for several articles share one.
pub struct RecommendationList {
    ranked: HashMap<Source, Vec<Ranked>>,
    articles: HashMap<ArticleId, Article>,
    details: Arc<Details>,
}

/// What belongs to a list besides its articles, each part loaded when it is first asked for.
pub struct Details {
    kind: SourceKind,
    background: OnceCell<Option<Background>>,
    /// The passages of revisions that SQL no longer has.
    outdated: OnceCell<HashMap<(Source, ArticleId), String>>,
    /// The revisions that SQL has.
    revisions: HashMap<ArticleId, i64>,
}

enum SourceKind {
    Text {
        matches: Box<TextMatches>,
        words: OnceCell<QueryWords>,
        by_words: OnceCell<HashMap<ArticleId, BestPassage>>,
    },
    Articles {
        similar: SimilarArticles,
        passages: OnceCell<HashMap<(Source, ArticleId), BestPassage>>,
    },
}

impl RecommendationList {
    /// The list for a text.
    pub async fn by_text(db: &Database, matches: Box<TextMatches>) -> Result<Self, ApiError> {
        let ranked = HashMap::from([(None, matches.ranked.clone())]);
        Self::load(
            db,
            ranked,
            SourceKind::Text { matches, words: OnceCell::new(), by_words: OnceCell::new() },
        )
        .await
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
        let mut rows = Vec::with_capacity(ids.len());
        for ids in ids.chunks(ROWS_PER_STATEMENT) {
            let wanted = article::Column::Id.is_in(ids.iter().map(|id| id.0));
            rows.extend(article::Entity::find().filter(wanted).all(db.reader()).await?);
        }
        let page = Arc::new(ArticlePage::new(ids));
        let revisions = rows.iter().map(|row| (row.article_id(), row.revision)).collect();
        let articles = rows
            .into_iter()
            .map(|row| (row.article_id(), Article::new(Arc::new(row), Arc::clone(&page))))
            .collect();
        let (background, outdated) = (OnceCell::new(), OnceCell::new());
        let details = Arc::new(Details { kind, background, outdated, revisions });
        Ok(Self { ranked, articles, details })
    }

    /// The recommendations for `article`; none when it is not indexed.
    pub fn of(&self, article: ArticleId) -> Vec<Recommendation> {
        self.placed(Some(article)).into_iter().map(|(_, recommendation)| recommendation).collect()
    }

    /// The recommendations for the text, or for the articles of `options.like`.
    pub fn of_query(&self) -> Vec<Recommendation> {
        self.placed(None).into_iter().map(|(_, recommendation)| recommendation).collect()
    }

    /// Each with its place in the ranking, counted from 0. An article that was deleted since the search is left out.
    pub fn placed(&self, source: Source) -> Vec<(usize, Recommendation)> {
        let ranked = self.ranked.get(&source).map_or(&[][..], Vec::as_slice);
        let recommendation = |(place, ranked): (usize, &Ranked)| {
            let article = self.articles.get(&ranked.article)?.clone();
            let details = Arc::clone(&self.details);
            Some((place, Recommendation::new(article, ranked.clone(), source, details)))
        };
        ranked.iter().enumerate().filter_map(recommendation).collect()
    }
}

impl Details {
    /// The passage of `target` that fits `source` best.
    pub async fn best(&self, source: Source, target: ArticleId) -> Result<Option<BestPassage>, ApiError> {
        match &self.kind {
            SourceKind::Text { matches, words, by_words } => {
                if matches.words_tell_passages() {
                    let words = words.get_or_try_init(async || matches.words()).await?;
                    let by_words = by_words.get_or_try_init(|| matches.passages_by_words(words)).await?;
                    if let Some(best) = by_words.get(&target) {
                        return Ok(Some(*best));
                    }
                }
                Ok(matches.nearness(target).await?.map(|nearest| nearest.passage))
            }
            SourceKind::Articles { similar, passages } => {
                let passages = passages.get_or_try_init(|| similar.best_passages()).await?;
                Ok(passages.get(&(source, target)).copied())
            }
        }
    }

    /// How near `ranked` is in meaning to what it was ranked for.
    pub async fn cosine(&self, ranked: &Ranked) -> Result<Option<f32>, ApiError> {
        match &self.kind {
            SourceKind::Text { matches, .. } if ranked.cosine.is_none() => {
                Ok(matches.nearness(ranked.article).await?.map(|nearness| nearness.cosine))
            }
            _ => Ok(ranked.cosine),
        }
    }

    /// The passage of `target` that fits `source` best, where it is of a revision that SQL no longer has.
    pub async fn indexed_text(&self, source: Source, target: ArticleId) -> Result<Option<&str>, ApiError> {
        let outdated = self.outdated.get_or_try_init(|| self.read_outdated()).await?;
        Ok(outdated.get(&(source, target)).map(String::as_str))
    }

    async fn read_outdated(&self) -> Result<HashMap<(Source, ArticleId), String>, ApiError> {
        let mut places: HashMap<ArticleId, Vec<(Source, BestPassage)>> = HashMap::new();
        for (source, ranked) in self.rankings() {
            for target in ranked.iter().map(|ranked| ranked.article) {
                if let Some(best) = self.best(source, target).await?
                    && self.revisions.get(&target).is_some_and(|revision| *revision != best.revision)
                {
                    places.entry(target).or_default().push((source, best));
                }
            }
        }
        let targets: Vec<_> = places.keys().copied().collect();
        let mut found = HashMap::new();
        for targets in targets.chunks(TEXTS_READ) {
            let texts = self.snapshot().texts_of(targets).await.map_err(RecommendError::from)?;
            for (target, text) in texts {
                // The title is the text's first line.
                let Some((_title, content)) = text.split_once('\n') else { continue };
                for (source, best) in &places[&target] {
                    if let Some(text) = slice_utf16(content, best.start, best.end) {
                        found.insert((*source, target), text.to_owned());
                    }
                }
            }
        }
        Ok(found)
    }

    fn rankings(&self) -> Vec<(Source, &[Ranked])> {
        match &self.kind {
            SourceKind::Text { matches, .. } => vec![(None, &matches.ranked)],
            SourceKind::Articles { similar, .. } => {
                similar.ranked.iter().map(|(source, ranked)| (*source, ranked.as_slice())).collect()
            }
        }
    }

    /// The words of the query that `text` has; none when the list is for articles.
    pub async fn highlights(&self, text: &str) -> Result<Vec<Highlight>, ApiError> {
        let SourceKind::Text { matches, words, .. } = &self.kind else { return Ok(Vec::new()) };
        Ok(words.get_or_try_init(async || matches.words()).await?.in_text(text))
    }

    /// How like each other random passages are; `None` when no sample was taken yet.
    pub async fn background(&self, db: &Database) -> Result<Option<&Background>, ApiError> {
        let load = || async {
            let row = index_background::of_location(db.reader(), self.snapshot().location()).await?;
            Ok::<_, ApiError>(row.and_then(|row| Background::new(row.cosines())))
        };
        Ok(self.background.get_or_try_init(load).await?.as_ref())
    }

    fn snapshot(&self) -> &Snapshot {
        match &self.kind {
            SourceKind::Text { matches, .. } => &matches.snapshot,
            SourceKind::Articles { similar, .. } => &similar.snapshot,
        }
    }
}
