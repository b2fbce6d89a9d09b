//! The searcher beside a plain one: a list of articles, floats and loops. They share nothing but the vectors.

use std::collections::BTreeMap;

use chrono::DateTime;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sentio_nearest::Instructions;

use super::{Difference, NewArticle, NewPassage, Searcher, Target, Value, View};
use crate::article::{ArticleFacets, ArticleFilter, ArticleId};

/// An article as the reference holds it.
#[derive(Clone, Debug)]
struct Article {
    write: i64,
    facets: ArticleFacets,
    vector: Vec<f32>,
    passages: Vec<Vec<f32>>,
}

/// What the reference knows.
type Articles = BTreeMap<i64, Article>;

/// A change of some articles.
#[derive(Clone, Debug)]
struct Change {
    changed: BTreeMap<i64, Article>,
    gone: Vec<i64>,
    merges: bool,
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length < 1e-3 {
        vector[0] = 1.0;
    }
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|value| *value /= length);
    vector
}

/// A few directions, so that many are alike or equal.
fn a_vector(dimension: usize) -> impl Strategy<Value = Vec<f32>> {
    vec(prop_oneof![Just(0.0_f32), Just(1.0), -1.0..1.0_f32], dimension).prop_map(unit)
}

fn an_article(dimension: usize) -> impl Strategy<Value = Article> {
    let tags = vec(prop::sample::select(vec!["a", "b", "c", "d"]), 0..3);
    let category = option::of(prop::sample::select(vec!["x", "y", "z"]));
    let passages = vec(a_vector(dimension), 0..4);
    (any::<i64>(), category, tags, 0..20_i64, 0..20_u32, a_vector(dimension), passages).prop_map(
        |(write, category, tags, created_at, content_length, vector, passages)| Article {
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

fn a_change(dimension: usize) -> impl Strategy<Value = Change> {
    let changed = prop::collection::btree_map(0..40_i64, an_article(dimension), 0..12);
    (changed, vec(0..40_i64, 0..5), any::<bool>()).prop_map(|(changed, mut gone, merges)| {
        gone.retain(|id| !changed.contains_key(id));
        Change { changed, gone, merges }
    })
}

fn a_filter() -> impl Strategy<Value = ArticleFilter> {
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

fn versions(number: usize) -> usize {
    number
}

fn apply(searcher: &Searcher<usize>, change: &Change, number: usize) {
    let texts: Vec<_> = change
        .changed
        .values()
        .map(|article| (Vec::from_iter(article.facets.category.clone()), article.facets.tags.clone()))
        .collect();
    let new = change.changed.iter().zip(&texts).map(|((id, article), (category, tags))| NewArticle {
        id: ArticleId(*id),
        write: article.write,
        revision: 1,
        vector: &article.vector,
        values: [
            Value::Texts(category),
            Value::Texts(tags),
            Value::Integer(article.facets.created_at.timestamp_micros()),
            Value::Integer(article.facets.content_length.into()),
        ],
        passages: (0..)
            .zip(&article.passages)
            .map(|(number, vector)| NewPassage { vector, start: number, end: number + 1 })
            .collect(),
    });
    let gone: Vec<_> = change.gone.iter().copied().map(ArticleId).collect();
    searcher.change(new, &gone, versions(number));
    if change.merges {
        while searcher.merge() {}
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// What is found must have the cosines of the best, one by one, and each the cosine that it says.
fn check<K: Ord + Copy + std::fmt::Debug>(
    found: &[(K, f32)],
    all: &BTreeMap<K, f64>,
    limit: usize,
) -> Result<(), TestCaseError> {
    const NEAR: f64 = 1e-4;
    let mut best: Vec<_> = all.values().copied().collect();
    best.sort_by(|a, b| b.total_cmp(a));
    prop_assert_eq!(found.len(), limit.min(all.len()));
    for ((key, cosine), best) in found.iter().zip(&best) {
        prop_assert!(all.contains_key(key), "{:?} does not pass", key);
        prop_assert!(
            (f64::from(*cosine) - all[key]).abs() < NEAR && (all[key] - best).abs() < NEAR,
            "{:?} {} {}",
            key,
            cosine,
            best
        );
    }
    let keys: std::collections::BTreeSet<_> = found.iter().map(|(key, _)| key).collect();
    prop_assert_eq!(keys.len(), found.len(), "each once");
    prop_assert!(
        found.windows(2).all(|pair| pair[0].1 > pair[1].1 || pair[0].1 == pair[1].1 && pair[0].0 < pair[1].0)
    );
    Ok(())
}

fn compare(
    view: &View,
    articles: &Articles,
    vector: &[f32],
    filter: &ArticleFilter,
    excluded: &[ArticleId],
    limit: usize,
) -> Result<(), TestCaseError> {
    let target = Target::new(vector);
    prop_assert_eq!(view.size().articles, articles.len());
    prop_assert_eq!(
        view.size().passages,
        articles.values().map(|article| article.passages.len()).sum::<usize>()
    );
    let passing = articles.iter().filter(|(id, article)| {
        filter.passes(ArticleId(**id), &article.facets) && !excluded.contains(&ArticleId(**id))
    });
    let wholes = passing.clone().map(|(id, article)| (*id, dot(vector, &article.vector))).collect();
    let found = view.nearest_articles(&target, limit, filter, excluded);
    check(&found.iter().map(|hit| (hit.article.0, hit.cosine)).collect::<Vec<_>>(), &wholes, limit)?;
    let passages = passing.flat_map(|(id, article)| {
        (0..).zip(&article.passages).map(|(number, passage)| ((*id, number), dot(vector, passage)))
    });
    let found = view.nearest_passages(&target, limit, filter, excluded);
    let found: Vec<_> = found.iter().map(|hit| ((hit.span.article.0, hit.span.start), hit.cosine)).collect();
    check(&found, &passages.collect(), limit)?;

    let ids: Vec<_> = (0..45).map(ArticleId).collect();
    for ((id, cosine), nearest) in
        ids.iter().zip(view.cosines_of(&target, &ids)).zip(view.nearest_passage_of_each(&target, &ids))
    {
        let Some(article) = articles.get(&id.0) else {
            prop_assert!(cosine.is_none() && nearest.is_none() && view.portrait(*id).is_none());
            continue;
        };
        prop_assert!((f64::from(cosine.unwrap()) - dot(vector, &article.vector)).abs() < 1e-4);
        let best = article.passages.iter().map(|passage| dot(vector, passage)).max_by(f64::total_cmp);
        prop_assert_eq!(nearest.is_some(), best.is_some());
        if let (Some(hit), Some(best)) = (nearest, best) {
            prop_assert!((f64::from(hit.cosine) - best).abs() < 1e-4);
            let passage = &article.passages[hit.span.start as usize];
            prop_assert!((dot(vector, passage) - best).abs() < 1e-4);
        }
        let portrait = view.portrait(*id).unwrap();
        prop_assert_eq!(
            (portrait.category, portrait.created_at),
            (article.facets.category.clone(), article.facets.created_at)
        );
        prop_assert!(dot(&portrait.vector, &article.vector) > 0.9999);
        prop_assert_eq!(view.passage_spans(&[*id]).len(), article.passages.len());
    }
    prop_assert_eq!(
        view.pairs(),
        articles.iter().map(|(id, article)| (ArticleId(*id), article.write)).collect::<Vec<_>>()
    );
    Ok(())
}

/// Bits of everything that a view finds.
fn finds(view: &View, vector: &[f32], filter: &ArticleFilter) -> Vec<(i64, i32, u32)> {
    let target = Target::new(vector);
    let articles = view.nearest_articles(&target, 9, filter, &[]);
    let passages = view.nearest_passages(&target, 9, filter, &[]);
    let articles = articles.into_iter().map(|hit| (hit.article.0, -1, hit.cosine.to_bits()));
    let passages = passages.into_iter().map(|hit| (hit.span.article.0, hit.span.start, hit.cosine.to_bits()));
    articles.chain(passages).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn it_finds_what_a_plain_search_finds(
        (dimension, changes, vector) in prop_oneof![Just(3_usize), Just(32), Just(70)].prop_flat_map(|dimension| {
            (Just(dimension), vec(a_change(dimension), 1..30), a_vector(dimension))
        }),
        filters in vec((a_filter(), vec((0..45_i64).prop_map(ArticleId), 0..3)), 4),
        limit in 0..12_usize,
    ) {
        let all = Instructions::available();
        let searchers: Vec<_> = all.iter().map(|instructions| Searcher::new(dimension, *instructions, versions(0))).collect();
        let by_signs: Vec<_> = all.iter().map(|instructions| Searcher::new(dimension, *instructions, versions(0)).looking_at_signs()).collect();
        let mut articles = Articles::new();
        let mut history = vec![(articles.clone(), searchers[0].view())];
        for (number, change) in changes.iter().enumerate() {
            for (searcher, merges) in searchers.iter().zip([change.merges, !change.merges, true]) {
                apply(searcher, &Change { merges, ..change.clone() }, number + 1);
            }
            for (searcher, merges) in by_signs.iter().zip([true, change.merges, !change.merges]) {
                apply(searcher, &Change { merges, ..change.clone() }, number + 1);
            }
            for id in &change.gone {
                articles.remove(id);
            }
            articles.extend(change.changed.clone());
            history.push((articles.clone(), searchers[0].view()));
        }
        for (filter, excluded) in &filters {
            compare(&searchers[0].view(), &articles, &vector, filter, excluded, limit)?;
            // With other instructions and other merges, bit for bit.
            let found: Vec<_> = searchers.iter().map(|searcher| finds(&searcher.view(), &vector, filter)).collect();
            prop_assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
            let found: Vec<_> = by_signs.iter().map(|searcher| finds(&searcher.view(), &vector, filter)).collect();
            prop_assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
        }
        // Whoever began to search, or comes back, finds what there was.
        let (filter, excluded) = &filters[0];
        for (number, (articles, view)) in history.iter().enumerate() {
            compare(view, articles, &vector, filter, excluded, limit)?;
            let again = searchers[0].view_at(versions(number)).unwrap();
            compare(&again, articles, &vector, filter, excluded, limit)?;
        }
        prop_assert!(searchers[0].view_at(versions(1_000)).is_none());
        // So does who knows no more than which articles there were.
        let last = &searchers[0];
        for (articles, view) in &history {
            let pairs = view.pairs();
            let (again, missing) = last.view_of(&pairs);
            prop_assert!(missing.is_empty());
            compare(&again, articles, &vector, filter, excluded, limit)?;
            let difference = last.difference(&pairs);
            let now: BTreeMap<_, _> = last.view().pairs().into_iter().collect();
            let then: BTreeMap<_, _> = pairs.into_iter().collect();
            let gone: Vec<_> = now.keys().filter(|id| !then.contains_key(id)).copied().collect();
            let missing: Vec<_> = then.iter().filter(|(id, write)| now.get(id) != Some(write)).map(|(id, _)| *id).collect();
            prop_assert_eq!(difference, Difference { missing, gone });
        }
    }
}
