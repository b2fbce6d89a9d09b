//! Arguments of recommendations: limits, conversions, and what cannot go together.

use std::collections::HashSet;

use async_graphql::ID;
use chrono::TimeDelta;
use unicode_width::UnicodeWidthChar;

use super::arguments::{filter, ids};
use super::error::ApiError;
use super::types::{FreshnessInput, RecommendOptionsInput, RecommendWeights};
use crate::article::ArticleId;
use crate::recommend::{Freshness, Mode, RecommendOptions, Weights};

/// Most recommendations of one list.
const K_MAX: i32 = 100;
/// Most characters of a query.
const QUERY_MAX_CHARS: usize = 8_192;
/// Most articles to be like, and as many to be unlike.
const EXAMPLES_MAX: usize = 100;
/// Longest half-life, in days: longer than the years that times can lie in.
const HALF_LIFE_DAYS_MAX: f64 = 10_000_000.0;
/// Shortest half-life, in days: a good second.
const HALF_LIFE_DAYS_MIN: f64 = 0.000_02;

/// What recommendations are for.
#[derive(Clone, Debug)]
pub enum Purpose {
    Text(String),
    Article(ID),
    /// The articles of `options.like`.
    Examples,
}

impl Purpose {
    /// From the arguments that exclude each other, with checked options; absent ones are the defaults.
    pub fn new(
        query: Option<String>,
        article: Option<ID>,
        options: Option<RecommendOptionsInput>,
    ) -> Result<(Self, RecommendOptions), ApiError> {
        let like = options.as_ref().and_then(|options| options.like.as_ref());
        let has_like = like.is_some_and(|like| !like.is_empty());
        match (query, article) {
            (Some(query), None) => Ok((Self::Text(checked_query(query)?), text_options(options)?)),
            (None, Some(article)) => Ok((Self::Article(article), article_options(options)?)),
            (None, None) if has_like => Ok((Self::Examples, article_options(options)?)),
            (Some(_), Some(_)) => {
                Err(ApiError::bad_input("articleId", "cannot go with query: use one of them"))
            }
            (None, None) => {
                Err(ApiError::bad_input("query", "is missing: give query, articleId or options.like"))
            }
        }
    }
}

/// A checked number of recommendations.
pub fn recommendation_count(k: i32) -> Result<usize, ApiError> {
    whole("k", k)
}

fn whole(argument: &str, number: i32) -> Result<usize, ApiError> {
    usize::try_from(number)
        .ok()
        .filter(|_| (1..=K_MAX).contains(&number))
        .ok_or_else(|| ApiError::bad_input(argument, format!("must be from 1 to {K_MAX}, not {number}")))
}

fn checked_query(query: String) -> Result<String, ApiError> {
    if query.chars().all(is_blank) {
        return Err(ApiError::bad_input("query", "must not be blank"));
    }
    let characters = query.chars().count();
    if characters > QUERY_MAX_CHARS {
        let message = format!("has {characters} characters, at most {QUERY_MAX_CHARS} are allowed");
        return Err(ApiError::bad_input("query", message));
    }
    if query.contains('\0') {
        return Err(ApiError::bad_input("query", "has a NUL character: remove it"));
    }
    Ok(query)
}

/// Whether nothing is seen of it: white space, controls, and what takes no room.
fn is_blank(character: char) -> bool {
    let takes_room = || character.width().is_some_and(|width| width > 0);
    character.is_whitespace() || !(character.is_alphanumeric() || takes_room())
}

fn text_options(options: Option<RecommendOptionsInput>) -> Result<RecommendOptions, ApiError> {
    let options = checked(options)?;
    if options.mode == Mode::Keyword && !(options.like.is_empty() && options.dislike.is_empty()) {
        let message = "KEYWORD goes by words alone: options.like and options.dislike need SEMANTIC or HYBRID";
        return Err(ApiError::bad_input("options.mode", message));
    }
    Ok(options)
}

/// Checked options of recommendations for articles, which have no words to go by.
pub fn article_options(options: Option<RecommendOptionsInput>) -> Result<RecommendOptions, ApiError> {
    let has_weights = options.as_ref().is_some_and(|options| options.weights.is_some());
    let options = checked(options)?;
    if has_weights {
        let message = "need a query: articles are compared by meaning alone";
        return Err(ApiError::bad_input("options.weights", message));
    }
    if options.mode == Mode::Keyword {
        return Err(ApiError::bad_input(
            "options.mode",
            "KEYWORD needs a query: articles are compared by meaning",
        ));
    }
    Ok(options)
}

fn checked(options: Option<RecommendOptionsInput>) -> Result<RecommendOptions, ApiError> {
    let Some(options) = options else { return Ok(RecommendOptions::default()) };
    let mode = Mode::from(options.mode);
    if options.weights.is_some() && mode != Mode::Hybrid {
        let message = format!("belong to the mode HYBRID, not to {}", mode.name());
        return Err(ApiError::bad_input("options.weights", message));
    }
    let (like, dislike) = examples(options.like, options.dislike)?;
    let number = |field: &str, value: Option<i32>| {
        value.map(|value| whole(&format!("options.{field}"), value)).transpose()
    };
    let cosine = |score| within("options.minScore", score, -1.0, 1.0);
    Ok(RecommendOptions {
        mode,
        weights: options.weights.map(weights).transpose()?.unwrap_or_default(),
        filter: filter("options.filter", options.filter)?,
        exclude: ids("options.excludeIds", &options.exclude_ids.unwrap_or_default())?,
        min_score: options.min_score.map(cosine).transpose()?,
        like,
        dislike,
        diversity: within("options.diversity", options.diversity, 0.0, 1.0)?,
        freshness: options.freshness.map(freshness).transpose()?,
        near_duplicates: options.near_duplicates.into(),
        per_category: number("perCategory", options.per_category)?,
        autocut: number("autocut", options.autocut)?,
    })
}

fn examples(
    like: Option<Vec<ID>>,
    dislike: Option<Vec<ID>>,
) -> Result<(Vec<ArticleId>, Vec<ArticleId>), ApiError> {
    let parse = |field: &str, given: Option<Vec<ID>>| {
        let argument = format!("options.{field}");
        let given = given.unwrap_or_default();
        if given.len() > EXAMPLES_MAX {
            let message = format!("has {} values, at most {EXAMPLES_MAX} are allowed", given.len());
            return Err(ApiError::bad_input(argument, message));
        }
        let mut seen = HashSet::new();
        let mut articles = ids(&argument, &given)?;
        articles.retain(|article| seen.insert(*article));
        Ok(articles)
    };
    let (like, dislike) = (parse("like", like)?, parse("dislike", dislike)?);
    if let Some(both) = like.iter().find(|article| dislike.contains(article)) {
        return Err(ApiError::bad_input(
            "options.dislike",
            format!("has the article {both}, which options.like has too"),
        ));
    }
    Ok((like, dislike))
}

fn freshness(input: FreshnessInput) -> Result<Freshness, ApiError> {
    let argument = "options.freshness.halfLifeDays";
    let days = input.half_life_days;
    if !(HALF_LIFE_DAYS_MIN..=HALF_LIFE_DAYS_MAX).contains(&days) {
        let given = shown(days);
        let message = format!("must be from {HALF_LIFE_DAYS_MIN} to {HALF_LIFE_DAYS_MAX} days, not {given}");
        return Err(ApiError::bad_input(argument, message));
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the bounds checked above")]
    let half_life = TimeDelta::milliseconds((days * 86_400_000.0) as i64);
    let weight = f64::from(within("options.freshness.weight", input.weight, 0.0, 1.0)?);
    Ok(Freshness { half_life, weight })
}

fn weights(input: RecommendWeights) -> Result<Weights, ApiError> {
    let weights = Weights {
        semantic: within("options.weights.semantic", input.semantic, 0.0, 1.0)?,
        keyword: within("options.weights.keyword", input.keyword, 0.0, 1.0)?,
    };
    if weights.semantic + weights.keyword <= 0.0 {
        let message = "must not both be 0, or too small to count: nothing would rank the articles";
        return Err(ApiError::bad_input("options.weights", message));
    }
    Ok(weights)
}

fn within(argument: &str, value: f64, least: f64, most: f64) -> Result<f32, ApiError> {
    if (least..=most).contains(&value) {
        #[expect(clippy::cast_possible_truncation, reason = "no more digits are meant than an f32 holds")]
        return Ok(value as f32);
    }
    Err(ApiError::bad_input(argument, format!("must be from {least} to {most}, not {}", shown(value))))
}

/// Without the hundreds of digits of very large and very small numbers.
fn shown(value: f64) -> String {
    if value == 0.0 || (1e-6..1e15).contains(&value.abs()) { value.to_string() } else { format!("{value:e}") }
}
