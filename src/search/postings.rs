//! Which articles of a segment have which words, how often and where.

use std::collections::{HashMap, TryReserveError};

use super::slab::Slab;
use crate::words::{Analyzed, Kind, Language};

/// What a term is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A word or a name as it is written.
    Word,
    /// The same where it means little in the text's language.
    StopWord,
    /// One or two signs of a script that writes words without spaces.
    Piece,
    /// A word without its ending, in a language; of a text in none that is known, the word.
    Stem(Option<Language>),
    /// The key of a title.
    Title,
    ExternalId,
}

/// A class and a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(Box<[u8]>);

impl Term {
    pub fn new(class: Class, text: &str) -> Self {
        let class = match class {
            Class::Word => 0,
            Class::StopWord => 1,
            Class::Piece => 2,
            Class::Title => 3,
            Class::ExternalId => 4,
            Class::Stem(None) => 15,
            Class::Stem(Some(language)) => 16 + language.number(),
        };
        Self([&[class], text.as_bytes()].concat().into())
    }
}

/// The words of articles, by place.
#[derive(Debug, Default)]
pub struct Postings {
    /// The terms one after the other, ascending, and where each ends.
    pub(super) terms: Slab<u8>,
    /// Of each: where its term, its places and its positions end, and how many postings there are.
    pub(super) lists: Slab<[u32; 4]>,
    /// The postings as variable-length integers, seven bits a byte: the distance to the previous place, shifted left by one. The lowest bit is
    /// set where the count is 1; otherwise the count follows.
    pub(super) places: Slab<u8>,
    /// The positions of each posting, as distances in the same encoding.
    pub(super) positions: Slab<u8>,
    /// How many words each article has, stop words not counted.
    pub(super) lengths: Slab<u32>,
}

/// Where what belongs to a term ends.
#[derive(Clone, Copy, Debug, Default)]
struct ListEnd {
    term: u32,
    places: u32,
    positions: u32,
    /// How many postings there are.
    count: u32,
}

/// The postings of a term.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    places: &'a [u8],
    positions: &'a [u8],
    count: usize,
}

/// That an article has a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    pub place: u32,
    /// How often.
    pub count: u32,
}

impl Postings {
    /// How many words an article has, stop words not counted.
    pub fn length(&self, place: usize) -> u32 {
        self.lengths[place]
    }

    /// The postings of `term`, if there are any.
    pub fn list(&self, term: &Term) -> Option<List<'_>> {
        let (mut low, mut high) = (0, self.lists.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.term(middle).unwrap_or_default().cmp(&term.0) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(self.list_at(middle)),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn begin(&self, number: usize) -> ListEnd {
        number.checked_sub(1).map_or(ListEnd::default(), |before| self.end(before))
    }

    fn end(&self, number: usize) -> ListEnd {
        let [term, places, positions, count] = self.lists[number];
        ListEnd { term, places, positions, count }
    }

    fn term(&self, number: usize) -> Option<&[u8]> {
        let end = self.lists.get(number)?[0] as usize;
        Some(&self.terms[self.begin(number).term as usize..end])
    }

    fn list_at(&self, number: usize) -> List<'_> {
        let (begin, end) = (self.begin(number), self.end(number));
        List {
            places: &self.places[begin.places as usize..end.places as usize],
            positions: &self.positions[begin.positions as usize..end.positions as usize],
            count: end.count as usize,
        }
    }

    /// Brings all but the positions into memory, from a file.
    pub fn load(&mut self) -> Result<(), TryReserveError> {
        self.terms.load()?;
        self.lists.load()?;
        self.places.load()?;
        self.lengths.load()
    }

    /// The bytes that [`Postings::load`] brings into memory.
    pub fn hot_bytes(&self) -> usize {
        let of_lists = self.lists.as_bytes().len() + self.lengths.as_bytes().len();
        self.terms.len() + self.places.len() + of_lists
    }

    /// The bytes that they take of memory.
    pub fn memory(&self) -> usize {
        let of_lists = self.lists.memory() + self.lengths.memory();
        self.terms.memory() + self.places.memory() + self.positions.memory() + of_lists
    }

    /// Merges the postings of several segments. Each comes with the new place of every article, or `None` for one that is dropped.
    pub fn merged(of: &[(&Self, &[Option<u32>])], count: usize) -> Self {
        let mut lengths = vec![0; count];
        for (postings, new_places) in of {
            for (length, place) in postings.lengths.iter().zip(*new_places) {
                if let Some(place) = place {
                    lengths[*place as usize] = *length;
                }
            }
        }
        let mut merged = Self { lengths: lengths.into(), ..Self::default() };
        let mut next = vec![0; of.len()];
        let (mut gathered, mut list) = (Vec::new(), Growing::default());
        while let Some(term) =
            of.iter().zip(&next).filter_map(|((postings, _), next)| postings.term(*next)).min()
        {
            gathered.clear();
            for ((postings, new_places), next) in of.iter().zip(&mut next) {
                if postings.term(*next) == Some(term) {
                    postings.list_at(*next).each(|Posting { place, count }, positions| {
                        if let Some(place) = new_places[place as usize] {
                            gathered.push((Posting { place, count }, positions));
                        }
                    });
                    *next += 1;
                }
            }
            gathered.sort_unstable_by_key(|(posting, _)| posting.place);
            list.clear();
            gathered.iter().for_each(|(posting, positions)| list.push(*posting, positions));
            merged.push(term, &list);
        }
        merged.shrink();
        merged
    }
}

impl<'a> List<'a> {
    /// How many articles have the term.
    pub fn len(&self) -> usize {
        self.count
    }

    #[inline]
    pub fn postings(&self) -> impl Iterator<Item = Posting> + use<'a> {
        let (mut bytes, mut place) = (self.places, 0);
        std::iter::from_fn(move || {
            if bytes.is_empty() {
                return None;
            }
            let number = read(&mut bytes);
            place += number >> 1;
            let count = if number & 1 == 1 { 1 } else { read(&mut bytes) };
            Some(Posting { place, count })
        })
    }

    /// Whether the article at a place has the term.
    pub fn has(&self, place: u32) -> bool {
        self.postings().map(|posting| posting.place).find(|found| *found >= place) == Some(place)
    }

    /// Calls `take` with the postings of `places`, which ascend, and their positions.
    pub fn each_of(&self, places: &[u32], mut take: impl FnMut(Posting, &'a [u8])) {
        let mut wanted = places.iter().copied().peekable();
        let mut rest = self.positions;
        for posting in self.postings() {
            while wanted.next_if(|place| *place < posting.place).is_some() {}
            let Some(place) = wanted.peek() else { return };
            let positions = take_positions(&mut rest, posting.count);
            if *place == posting.place {
                take(posting, positions);
            }
        }
    }

    /// Calls `take` with each posting and its positions. Titles and external ids have no positions.
    pub fn each(&self, mut take: impl FnMut(Posting, &'a [u8])) {
        let mut rest = self.positions;
        for posting in self.postings() {
            take(posting, take_positions(&mut rest, posting.count));
        }
    }
}

/// Takes the positions of a posting from the front.
fn take_positions<'a>(rest: &mut &'a [u8], count: u32) -> &'a [u8] {
    // Each ends with a byte whose highest bit is not set.
    let mut left = count;
    let end = rest.iter().position(|byte| {
        left -= u32::from(byte & 0x80 == 0);
        left == 0
    });
    let (positions, after) = rest.split_at(end.map_or(rest.len(), |last| last + 1));
    *rest = after;
    positions
}

/// The positions of a posting.
pub fn positions(mut bytes: &[u8]) -> impl Iterator<Item = u32> {
    let mut position = 0;
    std::iter::from_fn(move || {
        (!bytes.is_empty()).then(|| {
            position += read(&mut bytes);
            position
        })
    })
}

#[inline(always)]
fn read(bytes: &mut &[u8]) -> u32 {
    // Most numbers are small.
    if let [byte, rest @ ..] = *bytes
        && *byte < 0x80
    {
        *bytes = rest;
        return u32::from(*byte);
    }
    read_long(bytes)
}

#[cold]
fn read_long(bytes: &mut &[u8]) -> u32 {
    let (mut number, mut shift) = (0, 0);
    while let [byte, rest @ ..] = *bytes {
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    number
}

fn write(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// A list that grows.
#[derive(Debug, Default)]
struct Growing {
    places: Vec<u8>,
    positions: Vec<u8>,
    last: u32,
    count: u32,
}

impl Growing {
    fn clear(&mut self) {
        self.places.clear();
        self.positions.clear();
        (self.last, self.count) = (0, 0);
    }

    /// Adds a posting; `positions` are written.
    fn push(&mut self, Posting { place, count }: Posting, positions: &[u8]) {
        write(&mut self.places, (place - self.last) << 1 | u32::from(count == 1));
        if count != 1 {
            write(&mut self.places, count);
        }
        self.positions.extend_from_slice(positions);
        self.last = place;
        self.count += 1;
    }
}

impl Postings {
    /// Gives back the memory that was kept for more.
    fn shrink(&mut self) {
        self.terms.to_mut().shrink_to_fit();
        self.lists.to_mut().shrink_to_fit();
        self.places.to_mut().shrink_to_fit();
        self.positions.to_mut().shrink_to_fit();
    }

    /// Adds the list of a term that comes after all others.
    fn push(&mut self, term: &[u8], list: &Growing) {
        if list.count > 0 {
            self.terms.to_mut().extend_from_slice(term);
            self.places.to_mut().extend_from_slice(&list.places);
            self.positions.to_mut().extend_from_slice(&list.positions);
            let ends = [self.terms.len(), self.places.len(), self.positions.len()].map(|end| end as u32);
            self.lists.to_mut().push([ends[0], ends[1], ends[2], list.count]);
        }
    }
}

/// Gathers the words of articles, one after the other.
#[derive(Debug, Default)]
pub struct PostingsBuilder {
    lists: HashMap<Term, Growing>,
    lengths: Vec<u32>,
}

impl PostingsBuilder {
    /// Adds an article.
    pub fn push(&mut self, text: &Analyzed, title_key: &str, external_id: Option<&str>) {
        let place = self.lengths.len() as u32;
        let (mut found, length) = terms_of(text);
        let names = [(Class::Title, Some(title_key)), (Class::ExternalId, external_id)];
        let names = names
            .into_iter()
            .filter_map(|(class, name)| Some((class, name.filter(|name| !name.is_empty())?)));
        found.extend(names.map(|(class, name)| (Term::new(class, name), None)));
        found.sort_unstable();
        let mut positions = Vec::new();
        for same in found.chunk_by(|(one, _), (other, _)| one == other) {
            positions.clear();
            let mut before = 0;
            for position in same.iter().filter_map(|(_, position)| *position) {
                write(&mut positions, position - before);
                before = position;
            }
            let posting = Posting { place, count: same.len() as u32 };
            match self.lists.get_mut(&same[0].0) {
                Some(list) => list.push(posting, &positions),
                None => self.lists.entry(same[0].0.clone()).or_default().push(posting, &positions),
            }
        }
        self.lengths.push(length);
    }

    pub fn finish(self) -> Postings {
        let mut postings = Postings { lengths: self.lengths.into(), ..Postings::default() };
        let mut lists: Vec<_> = self.lists.into_iter().collect();
        lists.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (term, list) in &lists {
            postings.push(&term.0, list);
        }
        postings.shrink();
        postings
    }
}

/// The terms of a text, those of words with their positions, and how many words it has.
fn terms_of(text: &Analyzed) -> (Vec<(Term, Option<u32>)>, u32) {
    let mut found = Vec::with_capacity(text.words.len() * 2);
    let mut length = 0;
    for word in &text.words {
        let class = match word.kind {
            Kind::Piece => Class::Piece,
            Kind::Word | Kind::Name if word.is_stop_word => Class::StopWord,
            Kind::Word | Kind::Name => Class::Word,
        };
        found.push((Term::new(class, &word.text), Some(word.position)));
        if word.kind == Kind::Word && !word.is_stop_word {
            length += 1;
            let stem = word.stem.as_deref().unwrap_or(&word.text);
            found.push((Term::new(Class::Stem(text.language), stem), Some(word.position)));
        }
    }
    (found, length)
}
