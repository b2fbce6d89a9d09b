//! Rankings → what clients see: the articles' rows and passages, loaded for all rankings at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::TryStreamExt;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use tokio::sync::OnceCell;

use super::article_rows::ArticleReader;
use super::error::ApiError;
use super::types::{Article, ArticlePage, Recommendation};
use crate::article::{ArticleId, slice_utf16};
use crate::db::{Database, ROWS_PER_STATEMENT};
use crate::entity::article::{Column, Entity};
use crate::entity::index_background;
use crate::index::Snapshot;
use crate::recommend::{
    Background, BestPassage, Highlight, Ranked, RecommendError, SimilarArticles, Source, TextMatches,
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
    /// The texts of the best passages.
    texts: OnceCell<PassageTexts>,
}

/// The best passages of articles, by what they were ranked for.
type Places = HashMap<ArticleId, Vec<(Source, BestPassage)>>;
type PassageTexts = HashMap<(Source, ArticleId), String>;

enum SourceKind {
    Text { matches: Box<TextMatches>, by_words: OnceCell<HashMap<ArticleId, BestPassage>> },
    Articles { similar: Box<SimilarArticles>, passages: OnceCell<HashMap<(Source, ArticleId), BestPassage>> },
}

impl RecommendationList {
    /// The list for a text.
    pub async fn by_text(reader: ArticleReader, matches: Box<TextMatches>) -> Result<Self, ApiError> {
        let ranked = HashMap::from([(None, matches.ranked.clone())]);
        Self::load(reader, ranked, SourceKind::Text { matches, by_words: OnceCell::new() }).await
    }

    /// One list for each of several articles.
    pub async fn by_article(reader: ArticleReader, similar: SimilarArticles) -> Result<Self, ApiError> {
        let ranked = similar.ranked.clone();
        Self::load(
            reader,
            ranked,
            SourceKind::Articles { similar: Box::new(similar), passages: OnceCell::new() },
        )
        .await
    }

    async fn load(
        reader: ArticleReader,
        ranked: HashMap<Source, Vec<Ranked>>,
        kind: SourceKind,
    ) -> Result<Self, ApiError> {
        let distinct: HashSet<_> = ranked.values().flatten().map(|ranked| ranked.article).collect();
        let ids: Vec<_> = distinct.into_iter().collect();
        let mut rows = Vec::with_capacity(ids.len());
        for ids in ids.chunks(ROWS_PER_STATEMENT) {
            let wanted = Entity::find().filter(Column::Id.is_in(ids.iter().map(|id| id.0)));
            rows.extend(reader.read(wanted, ids.len()).await?);
        }
        let page = Arc::new(ArticlePage::new(ids));
        let articles = rows
            .into_iter()
            .map(|row| (row.head.article_id(), Article::new(Arc::new(row), Arc::clone(&page))))
            .collect();
        let (background, texts) = (OnceCell::new(), OnceCell::new());
        let details = Arc::new(Details { kind, background, texts });
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
            SourceKind::Text { matches, by_words } => {
                if matches.words_tell_passages() {
                    let by_words = by_words.get_or_try_init(|| matches.passages_by_words()).await?;
                    if let Some(best) = by_words.get(&target) {
                        return Ok(Some(*best));
                    }
                }
                Ok(matches.nearness(target).await?.map(|nearest| nearest.passage))
            }
            SourceKind::Articles { similar, passages } => {
                let passages = passages.get_or_try_init(|| async { similar.best_passages() }).await?;
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

    /// The text of the passage of `target` that fits `source` best, at the revision that was indexed.
    pub async fn passage_text(
        &self,
        db: &Database,
        source: Source,
        target: ArticleId,
    ) -> Result<Option<&str>, ApiError> {
        let texts = self.texts.get_or_try_init(|| self.read_passages(db)).await?;
        Ok(texts.get(&(source, target)).map(String::as_str))
    }

    async fn read_passages(&self, db: &Database) -> Result<PassageTexts, ApiError> {
        let mut places = Places::new();
        for (source, ranked) in self.rankings() {
            for target in ranked.iter().map(|ranked| ranked.article) {
                if let Some(best) = self.best(source, target).await? {
                    places.entry(target).or_default().push((source, best));
                }
            }
        }
        let mut texts = PassageTexts::new();
        let targets: Vec<_> = places.keys().copied().collect();
        for targets in targets.chunks(ROWS_PER_STATEMENT) {
            read_present(db, targets, &mut places, &mut texts).await?;
        }
        // What is left is of revisions that SQL no longer has.
        let targets: Vec<_> = places.keys().copied().collect();
        for targets in targets.chunks(TEXTS_READ) {
            let indexed = self.snapshot().texts_of(targets).await.map_err(RecommendError::from)?;
            for (target, text) in indexed {
                // The title is the text's first line.
                let Some((_title, content)) = text.split_once('\n') else { continue };
                cut_passages(content, target, &places[&target], &mut texts);
            }
        }
        Ok(texts)
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
    pub fn highlights(&self, text: &str) -> Vec<Highlight> {
        match &self.kind {
            SourceKind::Text { matches, .. } => matches.highlights(text),
            SourceKind::Articles { .. } => Vec::new(),
        }
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

/// Cuts the passages of the revisions that SQL has, and takes their places out of `places`. Only one content is in memory at
/// a time, besides those that the database has ready.
async fn read_present(
    db: &Database,
    targets: &[ArticleId],
    places: &mut Places,
    texts: &mut PassageTexts,
) -> Result<(), ApiError> {
    let select = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Revision, Column::Content])
        .filter(Column::Id.is_in(targets.iter().map(|target| target.0)));
    let mut rows = select.into_tuple::<(i64, i64, String)>().stream(db.reader()).await?;
    while let Some((id, revision, content)) = rows.try_next().await? {
        let target = ArticleId(id);
        let Some(wanted) = places.remove(&target) else { continue };
        let (present, outdated): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|(_, best)| best.revision == revision);
        cut_passages(&content, target, &present, texts);
        if !outdated.is_empty() {
            places.insert(target, outdated);
        }
    }
    Ok(())
}

fn cut_passages(
    content: &str,
    target: ArticleId,
    places: &[(Source, BestPassage)],
    texts: &mut PassageTexts,
) {
    for (source, best) in places {
        if let Some(text) = slice_utf16(content, best.start, best.end) {
            texts.insert((*source, target), text.to_owned());
        }
    }
}
