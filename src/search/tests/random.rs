//! Random articles, changes and filters.

use std::collections::BTreeMap;

use chrono::DateTime;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::article::{ArticleFacets, ArticleFilter, ArticleId};
use crate::words::{Analyzed, Analyzer, Language, Languages};

/// An article as the reference holds it.
#[derive(Clone, Debug)]
pub(super) struct Article {
    pub(super) write: i64,
    pub(super) facets: ArticleFacets,
    pub(super) vector: Vec<f32>,
    pub(super) passages: Vec<Vec<f32>>,
    pub(super) text: Analyzed,
    pub(super) title: String,
}

/// What the reference knows.
pub(super) type Articles = BTreeMap<i64, Article>;

/// A change of some articles.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) changed: BTreeMap<i64, Article>,
    pub(super) gone: Vec<i64>,
    pub(super) merges: bool,
}

pub(super) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length < 1e-3 {
        vector[0] = 1.0;
    }
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|value| *value /= length);
    vector
}

/// A few directions, so that many are alike or equal.
pub(super) fn a_vector(dimension: usize) -> impl Strategy<Value = Vec<f32>> {
    vec(prop_oneof![Just(0.0_f32), Just(1.0), -1.0..1.0_f32], dimension).prop_map(unit)
}

pub(super) fn an_article(dimension: usize) -> impl Strategy<Value = Article> {
    let tags = vec(prop::sample::select(vec!["a", "b", "c", "d"]), 0..3);
    let category = option::of(prop::sample::select(vec!["x", "y", "z"]));
    let passages = vec(a_vector(dimension), 0..4);
    let text = (
        prop::sample::select(vec![None, Language::named("english"), Language::named("german")]),
        a_text(0..30),
    );
    (any::<i64>(), category, tags, 0..20_i64, 0..20_u32, a_vector(dimension), passages, text).prop_map(
        |(write, category, tags, created_at, content_length, vector, passages, (language, text))| Article {
            text: Analyzed { language, words: analyzer().words(&text, language) },
            title: text.split(' ').take(2).collect::<Vec<_>>().join(" "),
            write,
            facets: ArticleFacets {
                category: category.map(str::to_owned),
                tags: tags.into_iter().map(str::to_owned).collect(),
                created_at: DateTime::from_timestamp_micros(created_at).unwrap(),
                content_length,
            },
            vector,
            passages,
        },
    )
}

/// Few words, so that many articles share them.
pub(super) fn a_text(words: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let all = "run runs running apple Apples the the of and and C++ node.js die der lauf laufen 東京都 東京 café cafe".split(' ');
    vec(prop::sample::select(all.map(str::to_owned).collect::<Vec<_>>()), words)
        .prop_map(|words| words.join(" "))
}

pub(super) fn analyzer() -> Analyzer {
    Analyzer::new(Languages::All(None))
}

pub(super) fn a_change(dimension: usize) -> impl Strategy<Value = Change> {
    let changed = prop::collection::btree_map(0..40_i64, an_article(dimension), 0..12);
    (changed, vec(0..40_i64, 0..5), any::<bool>()).prop_map(|(changed, mut gone, merges)| {
        gone.retain(|id| !changed.contains_key(id));
        Change { changed, gone, merges }
    })
}

pub(super) fn a_filter() -> impl Strategy<Value = ArticleFilter> {
    let texts = |all: &'static [&'static str]| {
        option::weighted(0.2, vec(prop::sample::select(all).prop_map(str::to_owned), 0..3))
    };
    let ids = || option::weighted(0.2, vec((0..45_i64).prop_map(ArticleId), 0..30));
    let time = || option::weighted(0.2, (0..20_000_i64).prop_map(DateTime::from_timestamp_nanos));
    let length = || option::weighted(0.2, 0..20_u32);
    const CATEGORIES: &[&str] = &["x", "y", "z", "never"];
    const TAGS: &[&str] = &["a", "b", "c", "never"];
    let of_texts = (texts(CATEGORIES), texts(CATEGORIES), texts(TAGS), texts(TAGS), texts(TAGS));
    (of_texts, (time(), time()), (length(), length()), (ids(), ids())).prop_map(
        |(texts, times, lengths, ids)| ArticleFilter {
            category_in: texts.0,
            category_not_in: texts.1,
            tags_any: texts.2,
            tags_all: texts.3,
            tags_none: texts.4,
            created_from: times.0,
            created_before: times.1,
            content_length_min: lengths.0,
            content_length_max: lengths.1,
            ids_in: ids.0,
            ids_not_in: ids.1,
        },
    )
}
