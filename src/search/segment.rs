//! Articles and their passages in memory, in the order of their ids. Only how long a row lives can change.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sentio_nearest::{Encoded, Planes, SignBlocks, Signs, encode};

use super::columns::{Columns, FIELDS, Value};
use super::postings::{Postings, PostingsBuilder};
use super::size::Size;
use crate::article::ArticleId;
use crate::words::{Analyzed, Language};

/// A number of a change: rows are born with one and die with one.
pub type Sequence = u64;
/// When a row dies that lives.
const NEVER: Sequence = Sequence::MAX;

/// Vectors as searches compare them.
#[derive(Debug, Default)]
pub struct Vectors {
    high: Vec<u8>,
    low: Vec<u8>,
    scales: Vec<f32>,
    signs: SignBlocks,
}

impl Vectors {
    fn push(&mut self, vector: &[f32]) {
        let Encoded { scale, high, low } = encode(vector);
        self.high.extend(high);
        self.low.extend(low);
        self.scales.push(scale);
        self.signs.push(vector);
    }

    fn copy(&mut self, from: &Self, dimension: usize, row: usize) {
        let (high, low) = from.planes(dimension).bytes(row);
        self.high.extend_from_slice(high);
        self.low.extend_from_slice(low);
        self.scales.push(from.scales[row]);
        self.signs.copy(&from.signs, row);
    }

    pub fn planes(&self, dimension: usize) -> Planes<'_> {
        Planes::new(dimension, &self.high, &self.low, &self.scales)
    }

    pub fn signs(&self) -> Signs<'_> {
        self.signs.view()
    }
}

/// An article to be added.
#[derive(Clone, Debug)]
pub struct NewArticle<'a> {
    pub id: ArticleId,
    /// The number of the write that it came with.
    pub write: i64,
    pub revision: i64,
    pub vector: &'a [f32],
    pub values: [Value<'a>; FIELDS.len()],
    /// The words of title and content.
    pub text: Analyzed,
    pub title_key: &'a str,
    pub external_id: Option<&'a str>,
    /// In their order in the article.
    pub passages: Vec<NewPassage<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub struct NewPassage<'a> {
    pub vector: &'a [f32],
    /// In UTF-16 code units of the content.
    pub start: i32,
    pub end: i32,
    /// The positions of its words in the text.
    pub words: (u32, u32),
}

/// Rows of articles by place, from 0, and of passages by row, from 0.
#[derive(Debug)]
pub struct Segment {
    pub dimension: usize,
    /// Ascending; an article that was changed may stand twice, of which one at most lives at a time.
    ids: Vec<ArticleId>,
    writes: Vec<i64>,
    revisions: Vec<i64>,
    pub columns: Columns,
    /// The languages of its texts.
    languages: BTreeSet<Option<Language>>,
    pub words: Postings,
    pub articles: Vectors,
    /// Where the passages of each article end.
    ends: Vec<u32>,
    spans: Vec<(i32, i32)>,
    /// The positions of each passage's words.
    word_spans: Vec<(u32, u32)>,
    /// The article of each passage.
    places: Vec<u32>,
    pub passages: Vectors,
    born: Vec<Sequence>,
    died: Vec<AtomicU64>,
    /// When the last of them was born, and when the first died.
    last_birth: Sequence,
    first_death: AtomicU64,
}

impl Segment {
    pub fn empty(dimension: usize) -> Self {
        Self {
            dimension,
            ids: Vec::new(),
            writes: Vec::new(),
            revisions: Vec::new(),
            columns: Columns::default(),
            languages: BTreeSet::new(),
            words: Postings::default(),
            articles: Vectors { signs: SignBlocks::new(dimension), ..Vectors::default() },
            ends: Vec::new(),
            spans: Vec::new(),
            word_spans: Vec::new(),
            places: Vec::new(),
            passages: Vectors { signs: SignBlocks::new(dimension), ..Vectors::default() },
            born: Vec::new(),
            died: Vec::new(),
            last_birth: 0,
            first_death: AtomicU64::new(NEVER),
        }
    }

    /// Of articles whose ids ascend, all born with `born`.
    pub fn new<'a>(dimension: usize, articles: impl Iterator<Item = NewArticle<'a>>, born: Sequence) -> Self {
        let mut segment = Self::empty(dimension);
        let mut words = PostingsBuilder::default();
        for article in articles {
            let place = segment.ids.len() as u32;
            words.push(&article.text, article.title_key, article.external_id);
            segment.languages.insert(article.text.language);
            segment.articles.push(article.vector);
            segment.columns.push(article.values);
            for NewPassage { vector, start, end, words } in article.passages {
                segment.passages.push(vector);
                segment.spans.push((start, end));
                segment.word_spans.push(words);
                segment.places.push(place);
            }
            segment.end_article(article.id, article.write, article.revision, born, NEVER);
        }
        segment.words = words.finish();
        segment
    }

    fn end_article(&mut self, id: ArticleId, write: i64, revision: i64, born: Sequence, died: Sequence) {
        debug_assert!(self.ids.last().is_none_or(|last| *last <= id), "ids ascend");
        self.ids.push(id);
        self.writes.push(write);
        self.revisions.push(revision);
        self.ends.push(self.spans.len() as u32);
        self.born.push(born);
        self.last_birth = self.last_birth.max(born);
        self.died.push(AtomicU64::new(died));
        self.first_death.fetch_min(died, Ordering::Relaxed);
    }

    /// The rows of `segments` that die after `from`, by id and then by birth; with the segment and the place that each was copied from.
    pub fn merged(segments: &[Arc<Self>], from: Sequence) -> (Self, Vec<(usize, usize)>) {
        let mut merged = Self::empty(segments.first().map_or(0, |segment| segment.dimension));
        merged.languages = segments.iter().flat_map(|segment| segment.languages()).collect();
        let mut rows: Vec<_> = segments
            .iter()
            .enumerate()
            .flat_map(|(number, segment)| (0..segment.len()).map(move |place| (number, place)))
            .filter(|(number, place)| segments[*number].died(*place) > from)
            .collect();
        rows.sort_by_key(|(number, place)| (segments[*number].ids[*place], segments[*number].born[*place]));
        let mut new_places: Vec<_> = segments.iter().map(|segment| vec![None; segment.len()]).collect();
        for (new, (number, place)) in (0..).zip(&rows) {
            merged.copy(&segments[*number], *place);
            new_places[*number][*place] = Some(new);
        }
        let words: Vec<_> =
            segments.iter().map(|segment| &segment.words).zip(new_places.iter().map(Vec::as_slice)).collect();
        merged.words = Postings::merged(&words, rows.len());
        (merged, rows)
    }

    fn copy(&mut self, from: &Self, place: usize) {
        let new_place = self.ids.len() as u32;
        self.articles.copy(&from.articles, self.dimension, place);
        self.columns.copy(&from.columns, place);
        for row in from.passages_of(place) {
            self.passages.copy(&from.passages, self.dimension, row);
            self.spans.push(from.spans[row]);
            self.word_spans.push(from.word_spans[row]);
            self.places.push(new_place);
        }
        let (born, died) = (from.born[place], from.died(place));
        self.end_article(from.ids[place], from.writes[place], from.revisions[place], born, died);
    }

    /// How many articles it has, the dead ones too.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn id(&self, place: usize) -> ArticleId {
        self.ids[place]
    }

    pub fn write(&self, place: usize) -> i64 {
        self.writes[place]
    }

    pub fn revision(&self, place: usize) -> i64 {
        self.revisions[place]
    }

    /// The rows of an article's passages.
    pub fn passages_of(&self, place: usize) -> Range<usize> {
        let begin = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        begin as usize..self.ends[place] as usize
    }

    /// The article of a passage.
    pub fn place_of(&self, row: usize) -> usize {
        self.places[row] as usize
    }

    /// Where a passage begins and ends, in UTF-16 code units of the content.
    pub fn span(&self, row: usize) -> (i32, i32) {
        self.spans[row]
    }

    /// The positions of a passage's words in the article's text.
    pub fn word_span(&self, row: usize) -> Range<u32> {
        let (begin, end) = self.word_spans[row];
        begin..end
    }

    /// Whether an article lives at a moment.
    pub fn lives(&self, place: usize, at: Sequence) -> bool {
        self.born[place] <= at && at < self.died(place)
    }

    /// Where rows of an article are, of which one at most lives at a time.
    pub fn places(&self, id: ArticleId) -> Range<usize> {
        let first = self.ids.partition_point(|known| *known < id);
        first..first + self.ids[first..].iter().take_while(|known| **known == id).count()
    }

    /// The languages of its texts, and of some that it had.
    pub fn languages(&self) -> impl Iterator<Item = Option<Language>> {
        self.languages.iter().copied()
    }

    /// What an article counts.
    pub fn size(&self, place: usize) -> Size {
        Size { articles: 1, passages: self.passages_of(place).len(), words: self.words.length(place).into() }
    }

    /// What all of its articles count.
    pub fn whole_size(&self) -> Size {
        let mut size = Size::default();
        (0..self.len()).for_each(|place| size += self.size(place));
        size
    }

    /// Ends the life of the article, if it lives here; returns what it counted.
    pub fn kill(&self, id: ArticleId, at: Sequence) -> Option<Size> {
        let place = self.places(id).find(|place| self.died(*place) == NEVER)?;
        self.set_death(place, at);
        Some(self.size(place))
    }

    fn set_death(&self, place: usize, died: Sequence) {
        self.died[place].store(died, Ordering::Relaxed);
        self.first_death.fetch_min(died, Ordering::Relaxed);
    }

    /// Lets what was copied die as what it was copied from, which may have died meanwhile.
    pub fn die_like(&self, segments: &[Arc<Self>], copied_from: &[(usize, usize)]) {
        for (place, (number, source)) in copied_from.iter().enumerate() {
            self.set_death(place, segments[*number].died(*source));
        }
    }

    /// Whether every article that it has lives at a moment.
    pub fn all_live(&self, at: Sequence) -> bool {
        self.last_birth <= at && at < self.first_death.load(Ordering::Relaxed)
    }

    /// How many articles died at `moment` or before.
    pub fn dead(&self, moment: Sequence) -> usize {
        (0..self.len()).filter(|place| self.died(*place) <= moment).count()
    }

    fn died(&self, place: usize) -> Sequence {
        self.died[place].load(Ordering::Relaxed)
    }
}
