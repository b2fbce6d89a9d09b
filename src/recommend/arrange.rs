//! Articles with scores → the list: what age, variety and caps make of them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{Contributions, NearDuplicates, RecommendOptions, Tier, autocut};
use crate::article::ArticleId;
use crate::index::dot;
use crate::search::Portrait;

/// From this cosine of two articles on they are nearly the same: three of four such pairs share their words too, and
/// nearly all edited copies lie above it (`docs/decisions/0020-steering-by-measurement.md`).
const NEAR_DUPLICATE_COSINE: f32 = 0.96;

/// A recommended article.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    pub article: ArticleId,
    /// Where it stands before its score counts.
    pub tier: Tier,
    /// How near it is in meaning, -1 to 1; absent when the index has no vector of it, and where that was not needed to rank.
    pub cosine: Option<f32>,
    /// What its score is the sum of.
    pub contributions: Contributions,
    /// What it keeps others from being listed for.
    pub reasons: Vec<Reason>,
}

/// Why articles that would follow are not listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub kind: ReasonKind,
    /// Those that are not listed, best first.
    pub articles: Vec<ArticleId>,
}

/// Why articles that would follow are not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReasonKind {
    /// They are nearly the same as this one.
    NearDuplicates,
    /// This one is the last that its category may have.
    CategoryFull,
}

/// An article that has not been listed yet, and the listed one most like it.
struct Waiting<'a> {
    ranked: Ranked,
    portrait: Option<&'a Portrait>,
    most_like: Option<(usize, f32)>,
}

/// Takes out those that are nearly the same as an article with one of the vectors `known`, when copies are hidden: whoever
/// asks for what is like an article has that one before them.
pub fn hide_copies_of(
    known: &[Vec<f32>],
    candidates: &mut Vec<Ranked>,
    portraits: &HashMap<ArticleId, Portrait>,
    options: &RecommendOptions,
) {
    if options.near_duplicates == NearDuplicates::Hide {
        let is_copy = |portrait: &Portrait| {
            known.iter().any(|known| dot(known, &portrait.vector) >= NEAR_DUPLICATE_COSINE)
        };
        candidates.retain(|candidate| !portraits.get(&candidate.article).is_some_and(is_copy));
    }
}

/// The first `count` articles of the list, best first: by tier, then by score; equal ones by id, so that the order is the same
/// each time. A longer list begins as a shorter one.
///
/// Variety is maximal marginal relevance (Carbonell and Goldstein, 1998): the next article is the one whose score, less
/// `diversity` times its likeness to the most similar listed one, is largest. Likeness is a cosine, and scaled by the largest
/// score, its sign left aside, so that it means the same in every mode, and something where no score is above zero.
pub fn arrange(
    candidates: Vec<Ranked>,
    portraits: &HashMap<ArticleId, Portrait>,
    options: &RecommendOptions,
    now: DateTime<Utc>,
    count: usize,
) -> Vec<Ranked> {
    let kept = candidates.into_iter().filter(|candidate| options.keeps(candidate.cosine));
    let mut waiting: Vec<_> = kept
        .map(|ranked| Waiting { portrait: portraits.get(&ranked.article), ranked, most_like: None })
        .collect();
    if let Some(freshness) = options.freshness {
        for Waiting { ranked, portrait, .. } in &mut waiting {
            if let Some(portrait) = portrait {
                let score = ranked.score();
                ranked.contributions.freshness = freshness.contribution(score, portrait.created_at, now);
            }
        }
    }
    // What is named or has the phrase is wanted; jumps are looked for after it.
    let named = waiting.iter().filter(|waiting| waiting.ranked.tier < Tier::Rest).count();
    let looked_at = if options.autocut.is_some() { count.max(named + autocut::JUMP_SPAN) } else { count };
    let mut list = pick(waiting, options, looked_at);
    if let Some(jumps) = options.autocut {
        list.truncate(autocut::length_before_jump(&list, jumps, autocut::JUMP_SHARE));
    }
    list.truncate(count);
    list
}

fn pick(mut waiting: Vec<Waiting<'_>>, options: &RecommendOptions, count: usize) -> Vec<Ranked> {
    let scale = waiting.iter().map(|waiting| waiting.ranked.score().abs()).fold(0.0, f64::max);
    let mut list: Vec<Ranked> = Vec::new();
    let mut categories: HashMap<&str, Vec<usize>> = HashMap::new();
    while list.len() < count
        && let Some(best) = (0..waiting.len()).min_by(|a, b| order(&waiting[*a].ranked, &waiting[*b].ranked))
    {
        let Waiting { ranked, portrait, most_like } = waiting.swap_remove(best);
        if options.near_duplicates == NearDuplicates::Hide
            && let Some((listed, _)) = most_like.filter(|(_, cosine)| *cosine >= NEAR_DUPLICATE_COSINE)
        {
            list[listed].keeps_out(ReasonKind::NearDuplicates, ranked.article);
            continue;
        }
        if let (Some(cap), Some(category)) = (options.per_category, category(portrait)) {
            let listed = categories.entry(category).or_default();
            if let Some(last) = listed.last().filter(|_| listed.len() >= cap) {
                list[*last].keeps_out(ReasonKind::CategoryFull, ranked.article);
                continue;
            }
            listed.push(list.len());
        }
        if let Some(portrait) = portrait.filter(|_| options.compares_articles()) {
            compare(&mut waiting, portrait, list.len(), f64::from(options.diversity) * scale);
        }
        list.push(ranked);
    }
    list
}

fn category(portrait: Option<&Portrait>) -> Option<&str> {
    portrait?.category.as_deref()
}

/// Notes how like the article `listed`, just listed, the others are, `penalty` for a cosine of 1.
fn compare(waiting: &mut [Waiting<'_>], portrait: &Portrait, listed: usize, penalty: f64) {
    for other in waiting {
        let Some(cosine) = other.portrait.map(|other| dot(&other.vector, &portrait.vector)) else { continue };
        if other.most_like.is_none_or(|(_, most)| cosine > most) {
            other.most_like = Some((listed, cosine));
            // 0 without a sign.
            other.ranked.contributions.diversity = -penalty * f64::from(cosine.max(0.0)) + 0.0;
        }
    }
}

fn order(a: &Ranked, b: &Ranked) -> std::cmp::Ordering {
    a.tier.cmp(&b.tier).then(b.score().total_cmp(&a.score())).then(a.article.cmp(&b.article))
}

impl Ranked {
    /// What ranked it within its tier.
    pub fn score(&self) -> f64 {
        self.contributions.score()
    }

    fn keeps_out(&mut self, kind: ReasonKind, article: ArticleId) {
        match self.reasons.iter_mut().find(|reason| reason.kind == kind) {
            Some(reason) => reason.articles.push(article),
            None => self.reasons.push(Reason { kind, articles: vec![article] }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(article: i64, tier: Tier, semantic: f64) -> Ranked {
        let contributions = Contributions { semantic, ..Contributions::default() };
        Ranked { article: ArticleId(article), tier, cosine: None, contributions, reasons: Vec::new() }
    }

    #[test]
    fn variety_counts_where_no_score_is_above_zero() {
        let portrait = |vector: [f32; 2]| Portrait {
            vector: vector.to_vec(),
            category: None,
            created_at: DateTime::default(),
        };
        let portraits = [(1, [1.0, 0.0]), (2, [1.0, 0.0]), (3, [0.0, 1.0])];
        let portraits: HashMap<_, _> =
            portraits.into_iter().map(|(id, vector)| (ArticleId(id), portrait(vector))).collect();
        let candidates = [(1, -0.1), (2, -0.11), (3, -0.12)];
        let candidates: Vec<_> =
            candidates.into_iter().map(|(id, score)| ranked(id, Tier::Rest, score)).collect();
        let list = |diversity| {
            let options = RecommendOptions { diversity, ..RecommendOptions::default() };
            let list = arrange(candidates.clone(), &portraits, &options, DateTime::default(), 3);
            list.into_iter().map(|ranked| ranked.article.0).collect::<Vec<_>>()
        };
        assert_eq!(list(0.0), [1, 2, 3]);
        assert_eq!(list(0.5), [1, 3, 2]);
    }

    /// The last of the scores that are looked at says what a jump is: it must be the same one however many are wanted.
    #[test]
    fn a_list_ends_at_the_same_jump_however_long_it_may_be() {
        let mut candidates = vec![ranked(1, Tier::TitleOrId, 0.5), ranked(2, Tier::Phrase, 0.4)];
        candidates.extend((0..3).map(|number| ranked(10 + number, Tier::Rest, 1.0)));
        candidates.extend((0..96).map(|number| ranked(20 + number, Tier::Rest, 0.8)));
        candidates.push(ranked(200, Tier::Rest, -5.0));
        let list = |autocut, count| {
            let options = RecommendOptions { autocut, ..RecommendOptions::default() };
            let list = arrange(candidates.clone(), &HashMap::new(), &options, DateTime::default(), count);
            list.into_iter().map(|ranked| ranked.article.0).collect::<Vec<_>>()
        };
        assert_eq!(list(Some(1), 1_000).len(), 2 + 3 + 96);
        assert_eq!(list(Some(1), 10), list(Some(1), 1_000)[..10]);
        assert_eq!(list(None, 1_000).len(), candidates.len());
    }
}
