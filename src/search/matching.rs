//! How well articles match words: BM25 (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework", 3.4), with k₁ = 1.2 and
//! b = 0.75, over the rows that live.
//!
//! Each word of a query counts as it is written and by its stems, in the languages of the articles. The former weighs less, but comes on top:
//! an article that has the very word has both.

use std::collections::BTreeSet;

use sentio_nearest::Best;

use super::passing::Passing;
use super::postings::{Class, List, Term};
use super::view::View;
use crate::article::{ArticleFilter, ArticleId};
use crate::words::{Kind, Language, QueryWord, QueryWords};

const K1: f32 = 1.2;
const B: f32 = 0.75;
/// What a word counts as it is written, and by its stem.
const AS_WRITTEN: f32 = 0.1;
const BY_STEM: f32 = 0.9;
/// What a name counts, and a piece of a text without spaces.
const NAME: f32 = 0.3;
const PIECE: f32 = 0.5;

/// An article that shares words with a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextHit {
    pub article: ArticleId,
    /// 0 or more, without an upper bound.
    pub bm25: f32,
}

/// What is looked for of a query.
#[derive(Clone, Debug)]
pub struct LookedFor {
    pub(super) view: View,
    /// For each word.
    pub(super) words: Vec<Vec<Alternatives>>,
}

/// How well every article of a view matches a query.
#[derive(Clone, Debug)]
pub struct Matches {
    looked_for: LookedFor,
    /// By segment and place; 0 for those that share no word with it. Those that do not live have scores, too.
    scores: Vec<Vec<f32>>,
}

/// Terms of which each article has one at most, such as the stems of a word in different languages, and what they count.
#[derive(Clone, Debug)]
pub(super) struct Alternatives {
    pub terms: Vec<Term>,
    weight: f32,
}

impl View {
    /// What is looked for of `query`. Stop words are left out, unless no article has any other.
    pub fn looked_for(&self, query: &QueryWords) -> LookedFor {
        LookedFor { view: self.clone(), words: self.alternatives(query) }
    }

    /// Whether all of `words` mean little on their own in most texts that have them. Of words that no text has, any language tells.
    pub fn are_stop_words(&self, words: &QueryWords) -> bool {
        words.0.iter().all(|word| match self.stop_words_and_words(word) {
            (0, 0) => Language::any_has_stop_word(&word.text),
            (stop_words, words) => stop_words > words,
        })
    }

    fn is_stop_word(&self, word: &QueryWord) -> bool {
        let (stop_words, words) = self.stop_words_and_words(word);
        stop_words > words
    }

    /// How many articles have `word` as a stop word, and how many as another.
    fn stop_words_and_words(&self, word: &QueryWord) -> (usize, usize) {
        let count = |class| self.count(&Term::new(class, &word.text));
        (count(Class::StopWord), count(Class::Word))
    }

    fn alternatives(&self, query: &QueryWords) -> Vec<Vec<Alternatives>> {
        let languages: BTreeSet<_> = self.segments.iter().flat_map(|segment| segment.languages()).collect();
        let telling = query.0.iter().filter(|word| !self.is_stop_word(word));
        let telling: Vec<_> = telling.map(|word| of_word(word, &languages)).collect();
        let mut terms = telling.iter().flatten().flat_map(|alternatives| &alternatives.terms);
        if terms.any(|term| self.count(term) > 0) {
            return telling;
        }
        let as_written = |word: &QueryWord| {
            let terms = [Class::Word, Class::StopWord].map(|class| Term::new(class, &word.text));
            vec![Alternatives { terms: terms.into(), weight: AS_WRITTEN + BY_STEM }]
        };
        query.0.iter().filter(|word| self.is_stop_word(word)).map(as_written).collect()
    }

    /// How many articles that live have `term`.
    fn count(&self, term: &Term) -> usize {
        let lists = self
            .segments
            .iter()
            .enumerate()
            .filter_map(|(number, segment)| Some((number, segment.words.list(term)?)));
        lists.map(|(number, list)| self.living(number, list)).sum()
    }

    /// How many of the articles in a list live.
    fn living(&self, segment: usize, list: List<'_>) -> usize {
        if self.all_live(segment) {
            return list.len();
        }
        list.postings().filter(|posting| self.lives(segment, posting.place as usize)).count()
    }
}

fn of_word(word: &QueryWord, languages: &BTreeSet<Option<Language>>) -> Vec<Alternatives> {
    let one = |class, weight| Alternatives { terms: vec![Term::new(class, &word.text)], weight };
    match word.kind {
        Kind::Name => vec![one(Class::Word, NAME)],
        Kind::Piece => vec![one(Class::Piece, PIECE)],
        Kind::Word => {
            let stem = |language: &Option<Language>| {
                let stem = language.map_or_else(|| word.text.clone(), |language| word.stem(language));
                Term::new(Class::Stem(*language), &stem)
            };
            let stems = Alternatives { terms: languages.iter().map(stem).collect(), weight: BY_STEM };
            vec![one(Class::Word, AS_WRITTEN), stems]
        }
    }
}

impl LookedFor {
    /// How well the articles match.
    pub fn matches(&self) -> Matches {
        let scores = self.view.segments.iter().map(|segment| vec![0.0; segment.len()]).collect();
        let mut matches = Matches { looked_for: self.clone(), scores };
        self.words.iter().flatten().for_each(|alternatives| matches.add(alternatives));
        matches
    }
}

impl Matches {
    fn add(&mut self, Alternatives { terms, weight }: &Alternatives) {
        let view = &self.looked_for.view;
        let View { segments, size, .. } = view;
        let count: usize = terms.iter().map(|term| view.count(term)).sum();
        if count == 0 {
            return;
        }
        let (articles, count) = (size.articles as f64, count as f64);
        let rarity = ((articles - count + 0.5) / (count + 0.5)).ln_1p() as f32;
        let factor = weight * rarity * (K1 + 1.0);
        let mean_length = (size.words as f64 / articles).max(1.0) as f32;
        let per_word = K1 * B / mean_length;
        for (segment, scores) in segments.iter().zip(&mut self.scores) {
            for list in terms.iter().filter_map(|term| segment.words.list(term)) {
                for posting in list.postings() {
                    let (place, count) = (posting.place as usize, posting.count as f32);
                    let length = segment.words.length(place) as f32;
                    scores[place] += factor * count / (count + K1 * (1.0 - B) + per_word * length);
                }
            }
        }
    }

    /// The `limit` articles that pass and match best, best first, of equal ones the lowest id.
    pub fn best(&self, limit: usize, filter: &ArticleFilter, excluded: &[ArticleId]) -> Vec<TextHit> {
        let view = &self.looked_for.view;
        let passing = Passing::of(view, filter, excluded);
        let id = |(segment, place): (u32, u32)| view.segments[segment as usize].id(place as usize);
        let mut best = Best::new(limit, id);
        for (segment, scores) in self.scores.iter().enumerate() {
            for (place, score) in scores.iter().enumerate() {
                if *score > 0.0 && *score >= best.least() && passing.passes(view, segment, place) {
                    best.offer(*score, (segment as u32, place as u32));
                }
            }
        }
        best.into_sorted().into_iter().map(|(bm25, row)| TextHit { article: id(row), bm25 }).collect()
    }

    /// How well an article matches; 0 for one that shares no word with the query, or is not indexed.
    pub fn of(&self, article: ArticleId) -> f32 {
        self.looked_for.view.find(article).map_or(0.0, |(segment, place)| self.scores[segment][place])
    }
}
