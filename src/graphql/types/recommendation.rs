//! A recommended article.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Enum, ID, Object, SimpleObject};

use super::Article;
use crate::db::Database;
use crate::graphql::error::{ApiError, Nullable};
use crate::graphql::recommendations::Details;
use crate::graphql::responses::ResponseBudget;
use crate::recommend::{self, Ranked, Reason, ReasonKind, Source, Tier};

/// An article that fits, and how well; cheap to clone.
#[derive(Clone)]
pub struct Recommendation {
    article: Article,
    ranked: Ranked,
    source: Source,
    details: Arc<Details>,
}

/// The part of an article that fits best.
#[derive(Clone, Debug, SimpleObject)]
pub struct Passage {
    /// The words, without the article's title.
    pub text: String,
    /// Where the passage begins in the content that was indexed, in UTF-16 code units (as JavaScript counts).
    pub start: i32,
    /// Where the passage ends, in UTF-16 code units.
    pub end: i32,
    /// Where words of the query stand in `text`, in their order, whatever their case, accents and endings.
    /// Empty for recommendations for an article.
    pub highlights: Vec<Highlight>,
}

/// A word of a text.
#[derive(Clone, Debug, SimpleObject)]
pub struct Highlight {
    /// Where the word begins in `passage.text`, in UTF-16 code units (as JavaScript counts).
    pub start: i32,
    /// Where the word ends, in UTF-16 code units.
    pub end: i32,
}

/// Where an article stands before its score counts.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "Tier")]
pub enum RecommendationTier {
    /// Its title, apart from case and white space, or its external id is the query.
    TitleOrId,
    /// It has every phrase of two words or more that stands in quotation marks in the query. One quoted word counts only
    /// where nothing else is asked for; in a longer text it is taken for emphasis.
    Phrase,
    /// All others, by score.
    Rest,
}

/// How a score came about.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ScoreExplanation {
    /// Where the article stands before its score counts.
    pub tier: RecommendationTier,
    /// The part of the score that is likeness of meaning. In the semantic mode it is the cosine.
    pub semantic: f64,
    /// The part of the score that is words in common. In the keyword mode it is BM25.
    pub keyword: f64,
    /// The difference that the article's age made: 0 or less.
    pub freshness: f64,
    /// The difference that likeness to the articles listed before made: 0 or less.
    pub diversity: f64,
    /// The sum of the parts.
    pub ranking_score: f64,
    /// Why articles that would follow are not listed.
    pub reasons: Vec<RankingReason>,
    #[graphql(skip)]
    recommendation: Recommendation,
}

#[ComplexObject]
impl ScoreExplanation {
    /// How near the article is in meaning, -1 to 1, whatever the mode: the mean of two cosines, of its best passage and of the
    /// article as a whole, to the text; for recommendations for an article the cosine of the two articles. `like` and `dislike`
    /// move what it is compared with. Null when the index has no vector of it.
    async fn cosine(&self) -> Nullable<f64> {
        let Recommendation { ranked, details, .. } = &self.recommendation;
        details.cosine(ranked).await.map(|cosine| cosine.map(f64::from)).transpose()
    }
}

/// Why articles that would follow one are not listed.
#[derive(Clone, Debug, SimpleObject)]
pub struct RankingReason {
    /// Which of the options keeps them out.
    pub kind: RankingReasonKind,
    /// Those that are not listed, best first, as far as the list was looked through.
    pub article_ids: Vec<ID>,
}

/// Why articles that would follow one are not listed.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "ReasonKind")]
pub enum RankingReasonKind {
    /// They are nearly the same as this one, and `nearDuplicates` hides them.
    NearDuplicates,
    /// This one is the last that `perCategory` allows its category.
    CategoryFull,
}

impl Recommendation {
    pub fn new(article: Article, ranked: Ranked, source: Source, details: Arc<Details>) -> Self {
        Self { article, ranked, source, details }
    }
}

/// An article that fits, and how well.
#[Object]
impl Recommendation {
    /// The article.
    async fn article(&self) -> &Article {
        &self.article
    }

    /// What ranked the article. In the semantic mode, and for an article, it is the cosine similarity, -1 to 1; in the
    /// hybrid mode the sum of two shares, each times its weight: 0 to 1 unless other weights are given; in the keyword mode
    /// BM25; less what freshness and diversity take away. `explanation` has its parts.
    async fn score(&self) -> f64 {
        self.ranked.score()
    }

    /// The part of the article that fits best: for a text that quotes phrases one that has them; by words the one with most
    /// of them, by meaning the nearest, and in the hybrid mode the best by both, weighed as articles are. An empty text when the
    /// index has none.
    async fn passage(&self, context: &Context<'_>) -> Result<Passage, ApiError> {
        // It is found in whole contents.
        context.data_unchecked::<ResponseBudget>().take_turn().await?;
        let article = self.article.article_id();
        let Some(best) = self.details.best(self.source, article).await? else {
            return Ok(Passage { text: String::new(), start: 0, end: 0, highlights: Vec::new() });
        };
        let db = context.data_unchecked::<Database>();
        let text = self.details.passage_text(db, self.source, article).await?.unwrap_or_default();
        let highlights = self.details.highlights(text).into_iter().map(Highlight::from).collect();
        Ok(Passage { text: text.to_owned(), start: best.start, end: best.end, highlights })
    }

    /// How unusual the likeness is, 0 to 1: the share of 10,000 random pairs of passages of the index with a lower cosine than
    /// `explanation.cosine`. It is not a probability that the article is wanted, and whole articles are more alike than passages:
    /// compare it within lists of one kind. Null when the cosine is, and until the index
    /// has been sampled, which happens soon after it has got two articles and whenever it has doubled.
    async fn confidence(&self, context: &Context<'_>) -> Nullable<f64> {
        let share = async {
            let Some(cosine) = self.details.cosine(&self.ranked).await? else { return Ok(None) };
            let background = self.details.background(context.data_unchecked::<Database>()).await?;
            Ok(background.map(|background| background.share_below(cosine)))
        };
        share.await.transpose()
    }

    /// How the score came about.
    async fn explanation(&self) -> ScoreExplanation {
        let Ranked { tier, contributions, reasons, .. } = &self.ranked;
        ScoreExplanation {
            tier: (*tier).into(),
            semantic: contributions.semantic,
            keyword: contributions.keyword,
            freshness: contributions.freshness,
            diversity: contributions.diversity,
            ranking_score: contributions.score(),
            reasons: reasons.iter().map(RankingReason::from).collect(),
            recommendation: self.clone(),
        }
    }
}

impl From<&Reason> for RankingReason {
    fn from(reason: &Reason) -> Self {
        let article_ids = reason.articles.iter().map(|article| ID(article.to_string())).collect();
        Self { kind: reason.kind.into(), article_ids }
    }
}

impl From<recommend::Highlight> for Highlight {
    fn from(highlight: recommend::Highlight) -> Self {
        Self { start: highlight.start, end: highlight.end }
    }
}
