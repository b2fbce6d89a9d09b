//! Articles and their passages in memory, in the order of their ids. Only how long a row lives can change.

use std::collections::{BTreeSet, TryReserveError};
use std::ffi::OsString;
use std::ops::Range;
use std::sync::Arc;

use sentio_nearest::{Encoded, Planes, SignRows, Signs, encode};

use super::columns::{Columns, FIELDS, Value};
use super::lives::{Lives, NEVER, Sequence};
use super::postings::{Postings, PostingsBuilder};
use super::size::Size;
use super::slab::Slab;
use crate::article::ArticleId;
use crate::words::{Analyzed, Language};

/// Vectors as searches compare them.
#[derive(Debug, Default)]
pub struct Vectors {
    pub(super) high: Slab<u8>,
    pub(super) low: Slab<u8>,
    pub(super) scales: Slab<f32>,
    pub(super) sign_words: Slab<u64>,
    pub(super) sign_factors: Slab<f32>,
    pub(super) sign_ones: Slab<u16>,
}

impl Vectors {
    fn push(&mut self, vector: &[f32]) {
        let Encoded { scale, high, low } = encode(vector);
        let rows = self.scales.len();
        self.sign_rows().push(rows, vector);
        self.high.to_mut().extend(high);
        self.low.to_mut().extend(low);
        self.scales.to_mut().push(scale);
    }

    fn copy(&mut self, from: &Self, dimension: usize, row: usize) {
        let (high, low) = from.planes(dimension).bytes(row);
        let rows = self.scales.len();
        self.sign_rows().copy(rows, &from.signs(dimension), row);
        self.high.to_mut().extend_from_slice(high);
        self.low.to_mut().extend_from_slice(low);
        self.scales.to_mut().push(from.scales[row]);
    }

    fn sign_rows(&mut self) -> SignRows<'_> {
        SignRows {
            words: self.sign_words.to_mut(),
            factors: self.sign_factors.to_mut(),
            ones: self.sign_ones.to_mut(),
        }
    }

    /// Brings all but the low bytes into memory: few rows are compared by them.
    fn load(&mut self) -> Result<(), TryReserveError> {
        self.high.load()?;
        self.scales.load()?;
        self.sign_words.load()?;
        self.sign_factors.load()?;
        self.sign_ones.load()
    }

    fn hot_bytes(&self) -> usize {
        let of_signs = self.sign_words.as_bytes().len() + self.sign_factors.as_bytes().len();
        self.high.len() + self.scales.as_bytes().len() + of_signs + self.sign_ones.as_bytes().len()
    }

    fn memory(&self) -> usize {
        let of_signs = self.sign_words.memory() + self.sign_factors.memory() + self.sign_ones.memory();
        self.high.memory() + self.low.memory() + self.scales.memory() + of_signs
    }

    pub fn planes(&self, dimension: usize) -> Planes<'_> {
        Planes::new(dimension, &self.high, &self.low, &self.scales)
    }

    pub fn signs(&self, dimension: usize) -> Signs<'_> {
        Signs::new(dimension, self.scales.len(), &self.sign_words, &self.sign_factors, &self.sign_ones)
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
    pub(super) ids: Slab<i64>,
    pub(super) writes: Slab<i64>,
    pub(super) revisions: Slab<i64>,
    pub columns: Columns,
    /// The languages of its texts.
    pub(super) languages: BTreeSet<Option<Language>>,
    pub words: Postings,
    pub articles: Vectors,
    /// Where the passages of each article end.
    pub(super) ends: Slab<u32>,
    pub(super) spans: Slab<[i32; 2]>,
    /// The positions of each passage's words.
    pub(super) word_spans: Slab<[u32; 2]>,
    /// The article of each passage.
    pub(super) places: Slab<u32>,
    pub passages: Vectors,
    pub(super) lives: Arc<Lives>,
    /// The name of the file that it is kept in, if there is one.
    pub(super) file: Option<OsString>,
}

impl Segment {
    pub fn empty(dimension: usize) -> Self {
        Self {
            dimension,
            ids: Slab::default(),
            writes: Slab::default(),
            revisions: Slab::default(),
            columns: Columns::default(),
            languages: BTreeSet::new(),
            words: Postings::default(),
            articles: Vectors::default(),
            ends: Slab::default(),
            spans: Slab::default(),
            word_spans: Slab::default(),
            places: Slab::default(),
            passages: Vectors::default(),
            lives: Arc::default(),
            file: None,
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
                segment.spans.to_mut().push([start, end]);
                segment.word_spans.to_mut().push(words.into());
                segment.places.to_mut().push(place);
            }
            segment.end_article(article.id.0, article.write, article.revision);
        }
        segment.words = words.finish();
        segment.lives = Arc::new(Lives::new((0..segment.len()).map(|_| (born, NEVER))));
        segment
    }

    fn end_article(&mut self, id: i64, write: i64, revision: i64) {
        debug_assert!(self.ids.last().is_none_or(|last| *last <= id), "ids ascend");
        let passages = self.spans.len() as u32;
        self.ids.to_mut().push(id);
        self.writes.to_mut().push(write);
        self.revisions.to_mut().push(revision);
        self.ends.to_mut().push(passages);
    }

    /// The rows of `segments` that die after `from`, by id and then by birth; with the segment and the place that each was copied from.
    pub fn merged(segments: &[Arc<Self>], from: Sequence) -> (Self, Vec<(usize, usize)>) {
        let mut merged = Self::empty(segments.first().map_or(0, |segment| segment.dimension));
        merged.languages = segments.iter().flat_map(|segment| segment.languages()).collect();
        let mut rows: Vec<_> = segments
            .iter()
            .enumerate()
            .flat_map(|(number, segment)| (0..segment.len()).map(move |place| (number, place)))
            .filter(|(number, place)| segments[*number].lives.died(*place) > from)
            .collect();
        rows.sort_by_key(|(number, place)| {
            (segments[*number].ids[*place], segments[*number].lives.born(*place))
        });
        let mut new_places: Vec<_> = segments.iter().map(|segment| vec![None; segment.len()]).collect();
        for (new, (number, place)) in (0..).zip(&rows) {
            merged.copy(&segments[*number], *place);
            new_places[*number][*place] = Some(new);
        }
        let words: Vec<_> =
            segments.iter().map(|segment| &segment.words).zip(new_places.iter().map(Vec::as_slice)).collect();
        merged.words = Postings::merged(&words, rows.len());
        merged.lives = Arc::new(Lives::new(rows.iter().map(|(number, place)| {
            let lives = &segments[*number].lives;
            (lives.born(*place), lives.died(*place))
        })));
        (merged, rows)
    }

    fn copy(&mut self, from: &Self, place: usize) {
        let new_place = self.ids.len() as u32;
        self.articles.copy(&from.articles, self.dimension, place);
        self.columns.copy(&from.columns, place);
        for row in from.passages_of(place) {
            self.passages.copy(&from.passages, self.dimension, row);
            self.spans.to_mut().push(from.spans[row]);
            self.word_spans.to_mut().push(from.word_spans[row]);
            self.places.to_mut().push(new_place);
        }
        self.end_article(from.ids[place], from.writes[place], from.revisions[place]);
    }

    /// How many articles it has, the dead ones too.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn id(&self, place: usize) -> ArticleId {
        ArticleId(self.ids[place])
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
        self.spans[row].into()
    }

    /// The positions of a passage's words in the article's text.
    pub fn word_span(&self, row: usize) -> Range<u32> {
        let [begin, end] = self.word_spans[row];
        begin..end
    }

    /// Whether an article lives at a moment.
    pub fn lives(&self, place: usize, at: Sequence) -> bool {
        self.lives.is_alive(place, at)
    }

    /// Where rows of an article are, of which one at most lives at a time.
    pub fn places(&self, id: ArticleId) -> Range<usize> {
        let ids = &*self.ids;
        let first = ids.partition_point(|known| *known < id.0);
        first..first + ids[first..].iter().take_while(|known| **known == id.0).count()
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

    /// Brings what every search reads into memory, from a file; on failure a part of it.
    pub fn load(&mut self) -> Result<(), TryReserveError> {
        self.ids.load()?;
        self.writes.load()?;
        self.revisions.load()?;
        self.ends.load()?;
        self.spans.load()?;
        self.word_spans.load()?;
        self.places.load()?;
        self.words.load()?;
        self.columns.load()?;
        self.articles.load()?;
        self.passages.load()
    }

    /// The bytes that [`Segment::load`] brings into memory.
    pub fn hot_bytes(&self) -> usize {
        let (articles, passages) = (self.ids.len(), self.spans.len());
        articles * (3 * size_of::<i64>() + size_of::<u32>())
            + passages * (2 * size_of::<[u32; 2]>() + size_of::<u32>())
            + self.words.hot_bytes()
            + self.columns.bytes()
            + self.articles.hot_bytes()
            + self.passages.hot_bytes()
    }

    /// Whether searches read it from its file.
    pub fn is_mapped(&self) -> bool {
        self.ids.memory() == 0 && self.len() > 0
    }

    /// The bytes that it takes of memory.
    pub fn memory(&self) -> usize {
        self.ids.memory()
            + self.writes.memory()
            + self.revisions.memory()
            + self.ends.memory()
            + self.spans.memory()
            + self.word_spans.memory()
            + self.places.memory()
            + self.words.memory()
            + self.columns.memory()
            + self.articles.memory()
            + self.passages.memory()
            + self.len() * 2 * size_of::<Sequence>()
    }

    /// Ends the life of the article, if it lives here; returns what it counted.
    pub fn kill(&self, id: ArticleId, at: Sequence) -> Option<Size> {
        let place = self.places(id).find(|place| self.lives.died(*place) == NEVER)?;
        self.lives.end(place, at);
        Some(self.size(place))
    }

    /// Lets what was copied die as what it was copied from, which may have died meanwhile.
    pub fn die_like(&self, segments: &[Arc<Self>], copied_from: &[(usize, usize)]) {
        for (place, (number, source)) in copied_from.iter().enumerate() {
            self.lives.end(place, segments[*number].lives.died(*source));
        }
    }

    /// Whether every article that it has lives at a moment.
    pub fn all_live(&self, at: Sequence) -> bool {
        self.lives.all_live(at)
    }

    /// How many articles died at `moment` or before.
    pub fn dead(&self, moment: Sequence) -> usize {
        (0..self.len()).filter(|place| self.lives.died(*place) <= moment).count()
    }
}
