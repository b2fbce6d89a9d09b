//! Which articles a search may find.

use chrono::{DateTime, Utc};

use super::bits::Bits;
use super::columns::{Condition, Field, Test};
use super::view::View;
use crate::article::{ArticleFilter, ArticleId};

/// The articles that live and pass a filter.
pub struct Passing {
    /// Of each segment; `None` where all that live pass.
    sets: Option<Vec<Bits>>,
}

impl Passing {
    /// The articles of `view` that pass `filter` and are none of `excluded`.
    pub fn of(view: &View, filter: &ArticleFilter, excluded: &[ArticleId]) -> Self {
        let conditions = conditions(filter);
        let not = excluded.iter().chain(filter.ids_not_in.iter().flatten());
        if conditions.is_empty() && filter.ids_in.is_none() && not.clone().next().is_none() {
            return Self { sets: None };
        }
        let mut sets: Vec<_> = match &filter.ids_in {
            Some(ids) => {
                let mut sets: Vec<_> =
                    view.segments.iter().map(|segment| Bits::none(segment.len())).collect();
                for (segment, place) in ids.iter().filter_map(|id| view.find(*id)) {
                    sets[segment].insert(place);
                }
                sets
            }
            None => view.segments.iter().map(|segment| Bits::all(segment.len())).collect(),
        };
        for (number, (segment, passing)) in view.segments.iter().zip(&mut sets).enumerate() {
            for condition in &conditions {
                segment.columns.keep(condition, passing);
            }
            if !view.all_live(number) {
                passing.retain(|place| view.lives(number, place));
            }
        }
        for (segment, place) in not.filter_map(|id| view.find(*id)) {
            sets[segment].remove(place);
        }
        Self { sets: Some(sets) }
    }

    /// Whether there is no filter.
    pub fn passes_all(&self) -> bool {
        self.sets.is_none()
    }

    pub fn passes(&self, view: &View, segment: usize, place: usize) -> bool {
        match &self.sets {
            Some(sets) => sets[segment].contains(place),
            None => view.lives(segment, place),
        }
    }

    /// The places of a segment that pass, in their order.
    pub fn places<'a>(&'a self, view: &'a View, number: usize) -> impl Iterator<Item = usize> + 'a {
        let all = 0..view.segments[number].len();
        let passing = self.sets.as_ref().map(|sets| sets[number].iter());
        let living = self.sets.is_none().then(|| all.filter(move |place| view.lives(number, *place)));
        passing.into_iter().flatten().chain(living.into_iter().flatten())
    }
}

/// The parts of `filter` that look at columns.
fn conditions(filter: &ArticleFilter) -> Vec<Condition> {
    let texts = |field, test: fn(Vec<String>) -> Test, texts: &Option<Vec<String>>| {
        texts.clone().map(|texts| Condition { field, test: test(texts) })
    };
    let least =
        |field, least: Option<i64>| least.map(|least| Condition { field, test: Test::AtLeast(least) });
    let most = |field, most: Option<i64>| most.map(|most| Condition { field, test: Test::AtMost(most) });
    [
        texts(Field::Category, Test::Any, &filter.category_in),
        texts(Field::Category, Test::None, &filter.category_not_in),
        texts(Field::Tags, Test::Any, &filter.tags_any),
        texts(Field::Tags, Test::All, &filter.tags_all),
        texts(Field::Tags, Test::None, &filter.tags_none),
        least(Field::CreatedAt, filter.created_from.map(microseconds)),
        most(Field::CreatedAt, filter.created_before.map(|before| microseconds(before) - 1)),
        least(Field::ContentLength, filter.content_length_min.map(i64::from)),
        most(Field::ContentLength, filter.content_length_max.map(i64::from)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The first whole microsecond since 1970 that is not before `time`.
fn microseconds(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros() + i64::from(!time.timestamp_subsec_nanos().is_multiple_of(1_000))
}
