//! Recommendations as a list and in pages.

use async_graphql::{Context, ID};

use super::arguments;
use super::article_rows::{ArticleReader, ways};
use super::error::ApiError;
use super::recommend_arguments::{Purpose, recommendation_count};
use super::recommendation_cursor::{RecommendationCursor, digest};
use super::recommendations::RecommendationList;
use super::types::{Article, RecommendOptionsInput, Recommendation, RecommendationConnection};
use crate::index::Versions;
use crate::recommend::{
    Moment, Ranked, RecommendError, RecommendOptions, Recommender, SimilarArticles, Source, TextMatches,
};

/// As many as a ranking has.
const ALL: usize = usize::MAX;

/// The best `k`.
pub async fn list(
    context: &Context<'_>,
    query: Option<String>,
    article_id: Option<ID>,
    k: i32,
    options: Option<RecommendOptionsInput>,
) -> Result<Vec<Recommendation>, ApiError> {
    let k = recommendation_count(k)?;
    let recommender = context.data_unchecked::<Recommender>();
    let reader = ArticleReader::of(context, ways::RECOMMENDATIONS);
    let (purpose, options) = Purpose::new(query, article_id, options)?;
    match purpose {
        Purpose::Text(query) => {
            let matches = recommender.by_text(&query, k, &options, Moment::now()).await?;
            Ok(RecommendationList::by_text(reader, Box::new(matches)).await?.of_query())
        }
        Purpose::Article(id) => {
            let article = wanted_article(context, &id, &options).await?;
            article.page().similar_to(context, article.article_id(), k, options).await
        }
        Purpose::Examples => {
            let similar = recommender.by_examples(k, &options, Moment::now()).await?;
            Ok(RecommendationList::by_article(reader, similar).await?.of_query())
        }
    }
}

/// The `first` after the cursor `after`.
pub async fn page(
    context: &Context<'_>,
    query: Option<String>,
    article_id: Option<ID>,
    first: i32,
    after: Option<String>,
    options: Option<RecommendOptionsInput>,
) -> Result<RecommendationConnection, ApiError> {
    let first = arguments::page_size("first", first)?;
    let (purpose, options) = Purpose::new(query, article_id, options)?;
    let digest = digest(&purpose, &options);
    let after = after.map(|after| RecommendationCursor::decode(&after, digest)).transpose()?;
    let moment = after.map_or_else(Moment::now, |after| after.moment());

    let recommender = context.data_unchecked::<Recommender>();
    let ranked = match purpose {
        Purpose::Text(query) => {
            let matches = recommender.by_text(&query, ALL, &options, moment).await;
            matches.map(|matches| Ranking::Text(Box::new(matches)))
        }
        Purpose::Article(id) => {
            // Later pages are of what the index held then: the article may be gone since.
            let id = match after.and(id.parse().ok()) {
                Some(id) => id,
                None => wanted_article(context, &id, &options).await?.article_id(),
            };
            let similar = recommender.by_articles(&[id], ALL, &options, moment).await;
            similar.map(|similar| Ranking::Articles(Some(id), Box::new(similar)))
        }
        Purpose::Examples => {
            let similar = recommender.by_examples(ALL, &options, moment).await;
            similar.map(|similar| Ranking::Articles(None, Box::new(similar)))
        }
    };
    let mut ranking = match ranked {
        Ok(ranking) => ranking,
        Err(error) => return Err(recommender.cause(error, moment).await.into()),
    };
    let begin = RecommendationCursor::new(ranking.versions().await?, moment.time, digest);
    let before = after.map_or(0, |after| after.places());
    let length = ranking.cut(before, first);
    let total_count = ranking.is_complete().then_some(length);
    let reader = ArticleReader::of(context, ways::RECOMMENDATION_PAGE);
    let recommendations = ranking.load(reader).await?;
    Ok(RecommendationConnection {
        edges: recommendations
            .into_iter()
            .map(|(place, node)| (begin.after(before + place + 1), node))
            .collect(),
        end: (before + first).min(length),
        before,
        length,
        total_count,
        begin,
    })
}

/// The article that recommendations are wanted for.
async fn wanted_article(
    context: &Context<'_>,
    id: &ID,
    options: &RecommendOptions,
) -> Result<Article, ApiError> {
    let article = Article::head_by_id(context, id).await?.ok_or_else(|| {
        ApiError::NotFound(format!("articleId: there is no article with the id {:?}", id.as_str()))
    })?;
    if options.dislike.contains(&article.article_id()) {
        return Err(ApiError::bad_input("options.dislike", "has the article that articleId names"));
    }
    Ok(article)
}

/// One list, for a text or for one source.
enum Ranking {
    Text(Box<TextMatches>),
    Articles(Source, Box<SimilarArticles>),
}

impl Ranking {
    async fn versions(&self) -> Result<Versions, RecommendError> {
        let snapshot = match self {
            Self::Text(matches) => &matches.snapshot,
            Self::Articles(_, similar) => &similar.snapshot,
        };
        Ok(snapshot.versions().await?)
    }

    /// Whether it has every article that fits.
    fn is_complete(&self) -> bool {
        match self {
            Self::Text(matches) => matches.complete,
            Self::Articles(_, similar) => similar.complete,
        }
    }

    /// Keeps `count` places after the first `before`; returns how many there were.
    fn cut(&mut self, before: usize, count: usize) -> usize {
        let places: &mut Vec<Ranked> = match self {
            Self::Text(matches) => &mut matches.ranked,
            Self::Articles(source, similar) => similar.ranked.entry(*source).or_default(),
        };
        let length = places.len();
        places.drain(..before.min(length));
        places.truncate(count);
        length
    }

    /// The recommendations of the places that are left, each with its place among them.
    async fn load(self, reader: ArticleReader) -> Result<Vec<(usize, Recommendation)>, ApiError> {
        match self {
            Self::Text(matches) => Ok(RecommendationList::by_text(reader, matches).await?.placed(None)),
            Self::Articles(source, similar) => {
                Ok(RecommendationList::by_article(reader, *similar).await?.placed(source))
            }
        }
    }
}
