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
    pub(super) words: Vec<Wanted>,
}

/// How much of a query an article has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// Its words, each counted once.
    pub words: usize,
    /// The share of the query's information, 0 to 1: rarer words carry more.
    pub information: f32,
}

/// How well every article of a view matches a query.
#[derive(Clone, Debug)]
pub struct Matches {
    view: View,
    /// By segment and place; 0 for those that share no word with it. Those that do not live have scores, too.
    scores: Vec<Vec<f32>>,
}

/// A word of a query, a name, or a piece of a word.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    position: u32,
    is_piece: bool,
    pub alternatives: Vec<Alternatives>,
}

/// Terms that stand for one word and never share an article, such as its stems in different languages.
#[derive(Clone, Debug)]
pub(super) struct Alternatives {
    pub terms: Vec<Term>,
    weight: f32,
    /// The number of live articles that have one of them.
    articles: usize,
}

impl View {
    /// What is looked for of `query`. Stop words are left out, unless no article has any other.
    pub fn looked_for(&self, query: &QueryWords) -> LookedFor {
        LookedFor { view: self.clone(), words: self.alternatives(query) }
    }

    /// Whether all of `words` are stop words: each is one in most articles that contain it or, where none does, in any language.
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

    fn alternatives(&self, query: &QueryWords) -> Vec<Wanted> {
        let wanted = |word: &QueryWord, alternatives| Wanted {
            position: word.position,
            is_piece: word.kind == Kind::Piece,
            alternatives,
        };
        let languages: BTreeSet<_> = self.segments.iter().flat_map(|segment| segment.languages()).collect();
        let telling = query.0.iter().filter(|word| !self.is_stop_word(word));
        let telling: Vec<_> = telling.map(|word| wanted(word, self.of_word(word, &languages))).collect();
        let mut all = telling.iter().flat_map(|word| &word.alternatives);
        if all.any(|alternatives| alternatives.articles > 0) {
            return telling;
        }
        let as_written = |word: &QueryWord| {
            let terms = [Class::Word, Class::StopWord].map(|class| Term::new(class, &word.text));
            wanted(word, vec![self.alternatives_of(terms.into(), AS_WRITTEN + BY_STEM)])
        };
        query.0.iter().filter(|word| self.is_stop_word(word)).map(as_written).collect()
    }

    fn of_word(&self, word: &QueryWord, languages: &BTreeSet<Option<Language>>) -> Vec<Alternatives> {
        let one = |class, weight| self.alternatives_of(vec![Term::new(class, &word.text)], weight);
        match word.kind {
            Kind::Name => vec![one(Class::Word, NAME)],
            Kind::Piece => vec![one(Class::Piece, PIECE)],
            Kind::Word => {
                let stem = |language: &Option<Language>| {
                    let stem = language.map_or_else(|| word.text.clone(), |language| word.stem(language));
                    Term::new(Class::Stem(*language), &stem)
                };
                let stems = languages.iter().map(stem).collect();
                vec![one(Class::Word, AS_WRITTEN), self.alternatives_of(stems, BY_STEM)]
            }
        }
    }

    fn alternatives_of(&self, terms: Vec<Term>, weight: f32) -> Alternatives {
        let articles = terms.iter().map(|term| self.count(term)).sum();
        Alternatives { terms, weight, articles }
    }

    /// The number of live articles that have `term`.
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

impl LookedFor {
    /// How much of the query an article has. Pieces and names stand for the word in which they begin.
    pub fn coverage(&self, article: ArticleId) -> Coverage {
        let place = self.view.find(article);
        let (mut words, mut had, mut all) = (0, 0.0, 0.0);
        for same in self.words.chunk_by(|one, next| one.position == next.position) {
            let (mut whole, mut pieces) = ((0.0_f32, 0.0_f32), (0.0, 0.0));
            for wanted in same {
                let information = wanted.information(&self.view);
                let found =
                    if place.is_some_and(|place| self.has(place, wanted)) { information } else { 0.0 };
                if wanted.is_piece {
                    pieces = (pieces.0 + found, pieces.1 + information);
                } else {
                    whole = (whole.0.max(found), whole.1.max(information));
                }
            }
            let information = whole.1.max(pieces.1);
            let share = |(found, of): (f32, f32)| if of > 0.0 { found / of } else { 0.0 };
            let found = information * share(whole).max(share(pieces));
            words += usize::from(found > 0.0);
            (had, all) = (had + found, all + information);
        }
        Coverage { words, information: if all > 0.0 { had / all } else { 0.0 } }
    }

    /// Whether the article at a place has a word.
    fn has(&self, (segment, place): (usize, usize), wanted: &Wanted) -> bool {
        let words = &self.view.segments[segment].words;
        let terms = wanted.alternatives.iter().flat_map(|alternatives| &alternatives.terms);
        terms.filter_map(|term| words.list(term)).any(|list| list.has(place as u32))
    }

    /// How well the articles match.
    pub fn matches(&self) -> Matches {
        let scores = self.view.segments.iter().map(|segment| vec![0.0; segment.len()]).collect();
        let mut matches = Matches { view: self.view.clone(), scores };
        self.words
            .iter()
            .flat_map(|word| &word.alternatives)
            .for_each(|alternatives| matches.add(alternatives));
        matches
    }
}

impl Wanted {
    fn information(&self, view: &View) -> f32 {
        self.alternatives.iter().map(|alternatives| alternatives.information(view)).sum()
    }
}

impl Alternatives {
    /// How much information a match carries: the fewer articles match, the more.
    fn information(&self, view: &View) -> f32 {
        let (all, having) = (view.size.articles as f64, self.articles as f64);
        self.weight * ((all - having + 0.5) / (having + 0.5)).ln_1p() as f32
    }
}

impl Matches {
    fn add(&mut self, alternatives: &Alternatives) {
        let Alternatives { terms, articles, .. } = alternatives;
        if *articles == 0 {
            return;
        }
        let factor = alternatives.information(&self.view) * (K1 + 1.0);
        let View { segments, size, .. } = &self.view;
        let mean_length = (size.words as f64 / size.articles as f64).max(1.0) as f32;
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
        let view = &self.view;
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
        self.view.find(article).map_or(0.0, |(segment, place)| self.scores[segment][place])
    }
}
