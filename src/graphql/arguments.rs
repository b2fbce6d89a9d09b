//! Arguments: limits and conversions. Nothing is clamped; what is out of bounds is an error that names it.

use std::ops::RangeInclusive;

use async_graphql::ID;
use chrono::{DateTime, Datelike, SubsecRound, TimeDelta, Utc};

use super::error::ApiError;
use super::types::{self, ArticleFilterInput};
use crate::article::{ArticleFilter, ArticleId, CATEGORY_MAX_CHARS, TAG_MAX_CHARS};

/// The years that an article's times can lie in.
pub const YEARS: RangeInclusive<i32> = 1..=9999;
/// Most items of one page.
const PAGE_MAX: i32 = 100;
/// Items of a page when nothing is said.
const PAGE_DEFAULT: usize = 20;
/// Most values of one list in a filter or of ids to exclude.
const LIST_MAX: usize = 10_000;

/// A checked `first` or `last`.
pub fn page_size(argument: &'static str, size: i32) -> Result<usize, ApiError> {
    usize::try_from(size)
        .ok()
        .filter(|_| size <= PAGE_MAX)
        .ok_or_else(|| ApiError::bad_input(argument, format!("must be from 0 to {PAGE_MAX}, not {size}")))
}

/// The page's size when neither `first` nor `last` is given.
pub fn default_page_size() -> usize {
    PAGE_DEFAULT
}

/// A checked filter; absent, everything passes.
pub fn filter(argument: &str, input: Option<ArticleFilterInput>) -> Result<ArticleFilter, ApiError> {
    let Some(input) = input else { return Ok(ArticleFilter::default()) };
    let at = |field: &str| format!("{argument}.{field}");
    let texts = |field: &str, most: usize, values: Option<Vec<String>>| {
        values.map(|values| texts(&at(field), most, values)).transpose()
    };
    let categories = |field: &str, values| texts(field, CATEGORY_MAX_CHARS, values);
    let tags = |field: &str, values| texts(field, TAG_MAX_CHARS, values);
    let ids =
        |field: &str, values: Option<Vec<ID>>| values.map(|values| ids(&at(field), &values)).transpose();
    let time = |field: &str, time: Option<types::DateTime>| match time.map(|time| time.0) {
        Some(time) if !YEARS.contains(&time.year()) => {
            Err(ApiError::bad_input(at(field), "must be in the years 1 to 9999"))
        }
        time => Ok(time.map(next_microsecond)),
    };
    let length = |field: &str, length: Option<i32>| {
        length
            .map(|length| {
                u32::try_from(length)
                    .map_err(|_| ApiError::bad_input(at(field), format!("must be 0 or more, not {length}")))
            })
            .transpose()
    };
    let filter = ArticleFilter {
        category_in: categories("categoryIn", input.category_in)?,
        category_not_in: categories("categoryNotIn", input.category_not_in)?,
        tags_any: tags("tagsAny", input.tags_any)?,
        tags_all: tags("tagsAll", input.tags_all)?,
        tags_none: tags("tagsNone", input.tags_none)?,
        created_from: time("createdFrom", input.created_from)?,
        created_before: time("createdBefore", input.created_before)?,
        content_length_min: length("contentLengthMin", input.content_length_min)?,
        content_length_max: length("contentLengthMax", input.content_length_max)?,
        ids_in: ids("idsIn", input.ids_in)?,
        ids_not_in: ids("idsNotIn", input.ids_not_in)?,
    };
    if let (Some(from), Some(before)) = (filter.created_from, filter.created_before)
        && from >= before
    {
        let message = "must be earlier than createdBefore, or nothing can pass";
        return Err(ApiError::bad_input(at("createdFrom"), message));
    }
    if let (Some(least), Some(most)) = (filter.content_length_min, filter.content_length_max)
        && least > most
    {
        let message = "must not be greater than contentLengthMax, or nothing can pass";
        return Err(ApiError::bad_input(at("contentLengthMin"), message));
    }
    Ok(filter)
}

/// Values of a list that an article can have: of `most` characters at most.
fn texts(argument: &str, most: usize, values: Vec<String>) -> Result<Vec<String>, ApiError> {
    list_length(argument, values.len())?;
    for (position, value) in values.iter().enumerate() {
        let at = || format!("{argument}.{position}");
        if value.contains('\0') {
            return Err(ApiError::bad_input(at(), "has a NUL character: remove it"));
        }
        let length = value.chars().count();
        if length > most {
            let message = format!("has {length} characters, at most {most} are possible");
            return Err(ApiError::bad_input(at(), message));
        }
    }
    Ok(values)
}

/// Ids of articles; whether they exist is another question.
pub fn ids(argument: &str, ids: &[ID]) -> Result<Vec<ArticleId>, ApiError> {
    list_length(argument, ids.len())?;
    let parse = |(position, id): (usize, &ID)| {
        id.parse().map_err(|_| {
            ApiError::bad_input(
                format!("{argument}.{position}"),
                format!("{:?} is not an article id", shortened(id)),
            )
        })
    };
    ids.iter().enumerate().map(parse).collect()
}

/// The bound that means the same for times of whole microseconds: nothing lies between the two.
fn next_microsecond(bound: DateTime<Utc>) -> DateTime<Utc> {
    let cut = bound.trunc_subsecs(6);
    let next = if cut == bound { cut } else { cut + TimeDelta::microseconds(1) };
    // The last moment of the last year has no successor that SQL and the index know.
    if YEARS.contains(&next.year()) { next } else { cut }
}

fn list_length(argument: &str, length: usize) -> Result<(), ApiError> {
    if length > LIST_MAX {
        let message = format!("has {length} values, at most {LIST_MAX} are allowed");
        return Err(ApiError::bad_input(argument, message));
    }
    Ok(())
}

fn shortened(text: &str) -> String {
    text.chars().take(50).collect()
}
