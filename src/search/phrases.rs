//! Articles that have words one after the other, and those with a name.

use super::passing::Passing;
use super::postings::{Class, Term, positions};
use super::segment::Segment;
use super::view::View;
use crate::article::{ArticleFilter, ArticleId};
use crate::words::{Kind, Word};

/// Words that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase(Vec<Step>);

/// A word at a distance from the first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    terms: [Term; 2],
    distance: u32,
}

impl Phrase {
    /// `words` in their order. A name with signs must be there as a whole; hyphens and apostrophes do not matter.
    pub fn new(words: &[Word]) -> Self {
        let first = words.first().map_or(0, |word| word.position);
        let counts = |word: &&Word| match word.kind {
            Kind::Word => true,
            Kind::Name => !word.text.chars().all(char::is_alphanumeric),
            Kind::Piece => false,
        };
        let step = |word: &Word| Step {
            terms: [Class::Word, Class::StopWord].map(|class| Term::new(class, &word.text)),
            distance: word.position - first,
        };
        Self(words.iter().filter(counts).map(step).collect())
    }

    /// Where the phrase begins, by place and position.
    pub(super) fn begins(&self, segment: &Segment) -> Vec<(u32, u32)> {
        // The rarest first.
        let mut steps: Vec<_> = self.0.iter().map(|step| (step.length(segment), step)).collect();
        steps.sort_by_key(|(length, _)| *length);
        let mut steps = steps.into_iter().map(|(_, step)| step);
        let Some(first) = steps.next() else { return Vec::new() };
        let mut begins = first.begins(segment);
        for step in steps {
            if begins.is_empty() {
                break;
            }
            let others = step.begins(segment);
            begins.retain(|begin| others.binary_search(begin).is_ok());
        }
        begins
    }

    /// The places of the articles that have it, ascending.
    fn places(&self, segment: &Segment) -> Vec<u32> {
        let mut places: Vec<_> = self.begins(segment).into_iter().map(|(place, _)| place).collect();
        places.dedup();
        places
    }

    /// How many positions it takes.
    pub(super) fn length(&self) -> u32 {
        self.0.iter().map(|step| step.distance + 1).max().unwrap_or(0)
    }
}

impl Step {
    fn length(&self, segment: &Segment) -> usize {
        self.terms.iter().filter_map(|term| segment.words.list(term)).map(|list| list.len()).sum()
    }

    /// By place, where the phrase must begin that has this word here.
    fn begins(&self, segment: &Segment) -> Vec<(u32, u32)> {
        let mut begins = Vec::new();
        for list in self.terms.iter().filter_map(|term| segment.words.list(term)) {
            list.each(|posting, found| {
                let of_place = positions(found).filter_map(|position| position.checked_sub(self.distance));
                begins.extend(of_place.map(|begin| (posting.place, begin)));
            });
        }
        begins.sort_unstable();
        begins
    }
}

impl View {
    /// The articles that pass and have all of `phrases`, by id.
    pub fn with_phrases(
        &self,
        phrases: &[Phrase],
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Vec<ArticleId> {
        self.passing_places(filter, excluded, |segment| {
            let mut places = phrases.iter().map(|phrase| phrase.places(segment));
            let Some(mut all) = places.next() else { return Vec::new() };
            for places in places {
                all.retain(|place| places.binary_search(place).is_ok());
            }
            all
        })
    }

    /// The articles that pass and have this title or this external id, by id.
    pub fn named(
        &self,
        title_key: &str,
        external_id: &str,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Vec<ArticleId> {
        let terms = [Term::new(Class::Title, title_key), Term::new(Class::ExternalId, external_id)];
        self.passing_places(filter, excluded, |segment| {
            let lists = terms.iter().filter_map(|term| segment.words.list(term));
            lists.flat_map(|list| list.postings().map(|posting| posting.place)).collect()
        })
    }

    fn passing_places(
        &self,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
        places: impl Fn(&Segment) -> Vec<u32>,
    ) -> Vec<ArticleId> {
        let passing = Passing::of(self, filter, excluded);
        let mut found = Vec::new();
        for (number, segment) in self.segments.iter().enumerate() {
            let places = places(segment).into_iter().map(|place| place as usize);
            found.extend(
                places.filter(|place| passing.passes(self, number, *place)).map(|place| segment.id(place)),
            );
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
