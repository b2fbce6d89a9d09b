//! The searcher beside a plain one: a list of articles, floats and loops. They share nothing but the vectors and how texts are cut
//! into words.

mod files;
mod plain_words;
mod random;

use std::collections::BTreeMap;

use chrono::DateTime;
use proptest::collection::vec;
use proptest::prelude::*;
use sentio_nearest::Instructions;

use self::plain_words::{as_written, by_stem, looked_for, phrase_begins, plain_scores};
use self::random::{Article, Articles, Change, a_change, a_filter, a_text, a_vector, analyzer};
use super::{Difference, NewArticle, NewPassage, Phrase, Searcher, Target, Value, View};
use crate::article::{ArticleFacets, ArticleFilter, ArticleId};
use crate::words::{Analyzed, Kind, QueryWord};

/// Five words for each passage, of which it shares two with the next.
fn word_span(number: i32) -> (u32, u32) {
    (number as u32 * 3, number as u32 * 3 + 5)
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
        text: article.text.clone(),
        title_key: &article.title,
        external_id: None,
        passages: (0..)
            .zip(&article.passages)
            .map(|(number, vector)| NewPassage {
                vector,
                start: number,
                end: number + 1,
                words: word_span(number),
            })
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
        prop_assert_eq!(view.passage_vectors(&[*id]).len(), article.passages.len());
    }
    prop_assert_eq!(
        view.pairs(),
        articles.iter().map(|(id, article)| (ArticleId(*id), article.write)).collect::<Vec<_>>()
    );
    Ok(())
}

fn compare_words(
    view: &View,
    articles: &Articles,
    query: &str,
    filter: &ArticleFilter,
    excluded: &[ArticleId],
    limit: usize,
) -> Result<(), TestCaseError> {
    let passes =
        |id: &i64| filter.passes(ArticleId(*id), &articles[id].facets) && !excluded.contains(&ArticleId(*id));
    let mut scores = plain_scores(articles, query);
    let found_words = view.looked_for(&analyzer().query(query));
    let matches = found_words.matches();
    for id in (0..45).map(ArticleId) {
        let score = scores.get(&id.0).copied().unwrap_or_default();
        prop_assert!(
            (f64::from(matches.of(id)) - score).abs() < 1e-4,
            "{:?}: {} {}",
            id,
            matches.of(id),
            score
        );
    }
    scores.retain(|id, _| passes(id));
    let found: Vec<_> =
        matches.best(limit, filter, excluded).iter().map(|hit| (hit.article.0, hit.bm25)).collect();
    check(&found, &scores, limit)?;
    let all = matches.best(articles.len(), filter, excluded);
    prop_assert_eq!(matches.best(limit, filter, excluded), &all[..limit.min(all.len())]);

    // A phrase of the words that follow each other, names as a whole.
    let phrase = analyzer().words(query, None);
    let has = |article: &Article| !phrase_begins(&article.text.words, &phrase).is_empty();
    let expected: Vec<_> = articles
        .iter()
        .filter(|(id, article)| has(article) && passes(id))
        .map(|(id, _)| ArticleId(*id))
        .collect();
    prop_assert_eq!(view.with_phrases(&[Phrase::new(&phrase)], filter, excluded), expected);

    let ids: Vec<_> = articles.keys().copied().map(ArticleId).collect();
    let in_passages = found_words.in_passages(&ids, &[Phrase::new(&phrase)]);
    prop_assert_eq!(in_passages.len(), view.size().passages);
    let (wanted, only_stops) = looked_for(articles, query);
    let length = phrase.iter().filter(|word| word.kind == Kind::Word).count() as u32;
    for passage in in_passages {
        let article = &articles[&passage.span.article.0];
        let (begin, end) = word_span(passage.span.start);
        let inside: Vec<_> =
            article.text.words.iter().filter(|word| (begin..end).contains(&word.position)).collect();
        let has = |wanted: &&QueryWord| {
            inside.iter().any(|word| {
                as_written(wanted, only_stops, word) || by_stem(wanted, only_stops, article, word)
            })
        };
        prop_assert_eq!(passage.words, wanted.iter().filter(has).count());
        let begins = phrase_begins(&article.text.words, &phrase);
        let fits = |at: &u32| *at >= begin && at + length <= end;
        prop_assert_eq!(passage.phrases, usize::from(begins.iter().any(fits)));
    }
    for (id, article) in articles {
        let has = |wanted: &&QueryWord| {
            let mut words = article.text.words.iter();
            words.any(|word| {
                as_written(wanted, only_stops, word) || by_stem(wanted, only_stops, article, word)
            })
        };
        let coverage = found_words.coverage(ArticleId(*id));
        let positions = |words: &mut dyn Iterator<Item = &QueryWord>| {
            words.map(|word| word.position).collect::<std::collections::BTreeSet<_>>().len()
        };
        let (had, all) = (positions(&mut wanted.iter().filter(has)), positions(&mut wanted.iter()));
        prop_assert_eq!(coverage.words, had);
        // All that is looked for is all information, and nothing is none.
        let is_all = all > 0 && wanted.iter().all(|wanted| has(&wanted));
        prop_assert!((0.0..=1.0 + 1e-6).contains(&coverage.information), "{:?}", coverage);
        prop_assert!(had > 0 || coverage.information == 0.0, "{:?}", coverage);
        prop_assert!(!is_all || (coverage.information - 1.0).abs() < 1e-6, "{:?}", coverage);
    }
    let named =
        articles.iter().filter(|(id, article)| !query.is_empty() && article.title == query && passes(id));
    prop_assert_eq!(
        view.named(query, "", filter, excluded),
        named.map(|(id, _)| ArticleId(*id)).collect::<Vec<_>>()
    );
    Ok(())
}

/// Bits of everything that a view finds.
fn finds(view: &View, vector: &[f32], query: &str, filter: &ArticleFilter) -> Vec<(i64, i32, u32)> {
    let target = Target::new(vector);
    let matches = view.looked_for(&analyzer().query(query)).matches().best(3, filter, &[]);
    let matches = matches.into_iter().map(|hit| (hit.article.0, -2, hit.bm25.to_bits()));
    let articles = view.nearest_articles(&target, 9, filter, &[]);
    let passages = view.nearest_passages(&target, 9, filter, &[]);
    let articles = articles.into_iter().map(|hit| (hit.article.0, -1, hit.cosine.to_bits()));
    let passages = passages.into_iter().map(|hit| (hit.span.article.0, hit.span.start, hit.cosine.to_bits()));
    articles.chain(passages).chain(matches).collect()
}

/// An article that came with `write`.
fn red_apple(write: i64) -> Article {
    Article {
        write,
        facets: ArticleFacets {
            category: None,
            tags: Vec::new(),
            created_at: DateTime::UNIX_EPOCH,
            content_length: 1,
        },
        vector: vec![1.0, 0.0, 0.0],
        passages: vec![vec![0.0, 1.0, 0.0]],
        text: Analyzed { language: None, words: analyzer().words("red apple", None) },
        title: String::new(),
    }
}

#[test]
fn equal_matches_go_by_id_wherever_they_are() {
    let searcher = Searcher::new(3, Instructions::fastest(), versions(0));
    for (number, ids) in [(1, 20..40), (2, 0..20)] {
        let changed = ids.map(|id| (id, red_apple(1))).collect();
        apply(&searcher, &Change { changed, gone: Vec::new(), merges: false }, number);
    }
    let best = searcher.view().looked_for(&analyzer().query("apple")).matches().best(
        2,
        &ArticleFilter::default(),
        &[],
    );
    assert_eq!(best.iter().map(|hit| hit.article.0).collect::<Vec<_>>(), [0, 1]);
}

/// 300 updates a second for five minutes: what searches of earlier versions need takes a quarter of memory at most.
#[test]
fn updates_without_end_take_little_memory() {
    let searcher = Searcher::new(3, Instructions::fastest(), versions(0));
    const ARTICLES: i64 = 20_000;
    let changed = (0..ARTICLES).map(|id| (id, red_apple(1))).collect();
    apply(&searcher, &Change { changed, gone: Vec::new(), merges: true }, 1);
    let before = searcher.memory();
    for number in 0..900_usize {
        let first = (number as i64 * 100 * 7) % ARTICLES;
        let changed = (first..first + 100).map(|id| (id, red_apple(number as i64 + 2))).collect();
        apply(&searcher, &Change { changed, gone: Vec::new(), merges: true }, number + 2);
        assert_eq!(searcher.view().size().articles, ARTICLES as usize);
        // A cursor of ten seconds ago is good, and one of five minutes ago is not.
        if number > 60 {
            assert!(searcher.view_at(versions(number + 2 - 30)).is_some());
            assert!(searcher.view_at(versions(number + 2 - 60)).is_none());
        }
    }
    // What is held, and the share of dead rows from which a segment is rewritten.
    let (after, most) = (searcher.memory(), before * 3 / 2);
    assert!(after <= most, "{after} bytes after {before}");
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
        query in a_text(0..4),
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
            compare_words(&searchers[0].view(), &articles, &query, filter, excluded, limit)?;
            // With other instructions and other merges, bit for bit.
            let found: Vec<_> = searchers.iter().map(|searcher| finds(&searcher.view(), &vector, &query, filter)).collect();
            prop_assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
            let found: Vec<_> = by_signs.iter().map(|searcher| finds(&searcher.view(), &vector, &query, filter)).collect();
            prop_assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
        }
        // Whoever began to search, or comes back, finds what there was.
        let (filter, excluded) = &filters[0];
        for (number, (articles, view)) in history.iter().enumerate() {
            compare(view, articles, &vector, filter, excluded, limit)?;
            let again = searchers[0].view_at(versions(number)).unwrap();
            compare(&again, articles, &vector, filter, excluded, limit)?;
            compare_words(&again, articles, &query, filter, excluded, limit)?;
        }
        prop_assert!(searchers[0].view_at(versions(1_000)).is_none());
        // So does who knows no more than which articles there were.
        let last = &searchers[0];
        for (articles, view) in &history {
            let pairs = view.pairs();
            let (again, missing) = last.view_of(&pairs);
            prop_assert!(missing.is_empty());
            compare(&again, articles, &vector, filter, excluded, limit)?;
            compare_words(&again, articles, &query, filter, excluded, limit)?;
            let difference = last.difference(&pairs);
            let now: BTreeMap<_, _> = last.view().pairs().into_iter().collect();
            let then: BTreeMap<_, _> = pairs.into_iter().collect();
            let gone: Vec<_> = now.keys().filter(|id| !then.contains_key(id)).copied().collect();
            let missing: Vec<_> = then.iter().filter(|(id, write)| now.get(id) != Some(write)).map(|(id, _)| *id).collect();
            prop_assert_eq!(difference, Difference { missing, gone });
        }
    }
}
