//! What searches see: the rows that live at a moment. It stays as it is, whatever is written meanwhile.

use std::sync::Arc;

use chrono::DateTime;
use sentio_nearest::{Best, Instructions, Query, SignQuery};

use super::bits::Bits;
use super::columns::Field;
use super::hits::{ArticleHit, PassageHit, PassageSpan, Portrait};
use super::lives::Sequence;
use super::passing::Passing;
use super::segment::{NewArticle, Segment, Vectors};
use super::size::Size;
use crate::article::{ArticleFilter, ArticleId};

/// Rows that are compared by their high bytes after the signs of all: so many for each that is wanted, and so many at least.
const BY_BYTES: usize = 5;
const BY_BYTES_MIN: usize = 500;
/// Rows that are compared by both bytes: one more for each four that are wanted, and so many more at least.
const BY_BOTH: usize = 4;
const BY_BOTH_MORE: usize = 64;
/// So many rows are compared by bytes without a look at their signs.
pub(super) const FEW: usize = 16_000;
/// How far the high bytes alone may be off.
const COARSE_ERROR: f32 = 0.005;

/// A vector that is searched for.
#[derive(Clone, Debug)]
pub struct Target {
    query: Query,
    signs: SignQuery,
}

impl Target {
    pub fn new(vector: &[f32]) -> Self {
        Self { query: Query::new(vector), signs: SignQuery::new(vector) }
    }
}

/// A handle on what searches see; cheap to clone.
#[derive(Clone, Debug)]
pub struct View {
    pub(super) segments: Arc<[Arc<Segment>]>,
    pub(super) living: Living,
    pub(super) size: Size,
    pub(super) instructions: Instructions,
    /// [`FEW`], but in tests.
    pub(super) few: usize,
}

/// Which rows are seen.
#[derive(Clone, Debug)]
pub(super) enum Living {
    /// Those that live at a moment.
    At(Sequence),
    /// Places of each segment.
    Places(Arc<[Bits]>),
}

/// A row of a segment.
#[derive(Clone, Copy, Debug)]
struct Row {
    segment: u32,
    row: u32,
}

/// The kinds of rows that have vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Articles,
    Passages,
}

impl Kind {
    fn vectors(self, segment: &Segment) -> &Vectors {
        match self {
            Self::Articles => &segment.articles,
            Self::Passages => &segment.passages,
        }
    }

    /// The place of the row's article.
    fn place(self, segment: &Segment, row: u32) -> usize {
        match self {
            Self::Articles => row as usize,
            Self::Passages => segment.place_of(row as usize),
        }
    }
}

impl View {
    pub fn size(&self) -> Size {
        self.size
    }

    /// The same with more articles.
    pub fn with<'a>(self, dimension: usize, articles: impl Iterator<Item = NewArticle<'a>>) -> Self {
        let added = Segment::new(dimension, articles, 0);
        let mut size = self.size;
        size += added.whole_size();
        let places = self.segments.iter().enumerate().map(|(number, segment)| {
            let mut places = Bits::all(segment.len());
            places.retain(|place| self.lives(number, place));
            places
        });
        let living = Living::Places(places.chain([Bits::all(added.len())]).collect());
        let segments = self.segments.iter().cloned().chain([Arc::new(added)]).collect();
        Self { segments, living, size, ..self }
    }

    /// The `limit` passages nearest to `target` of the articles that pass, nearest first, of equal ones that of the lowest id.
    pub fn nearest_passages(
        &self,
        target: &Target,
        limit: usize,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Vec<PassageHit> {
        let passing = Passing::of(self, filter, excluded);
        let hits = self.nearest(Kind::Passages, target, limit, &passing);
        hits.into_iter().map(|(cosine, row)| PassageHit { span: self.span(row), cosine }).collect()
    }

    /// The `limit` articles nearest to `target` that pass, nearest first, of equal ones the lowest id.
    pub fn nearest_articles(
        &self,
        target: &Target,
        limit: usize,
        filter: &ArticleFilter,
        excluded: &[ArticleId],
    ) -> Vec<ArticleHit> {
        let passing = Passing::of(self, filter, excluded);
        let hits = self.nearest(Kind::Articles, target, limit, &passing);
        let hit = |(cosine, row): (f32, Row)| ArticleHit {
            article: self.segment(row).id(row.row as usize),
            cosine,
        };
        hits.into_iter().map(hit).collect()
    }

    /// The cosine of each of `articles`, in their order; `None` for one that is not indexed.
    pub fn cosines_of(&self, target: &Target, articles: &[ArticleId]) -> Vec<Option<f32>> {
        let cosine = |article: &ArticleId| {
            let (segment, place) = self.find(*article)?;
            self.fine(Kind::Articles, segment, target, &[place as u32]).pop()
        };
        articles.iter().map(cosine).collect()
    }

    /// Of each of `articles`, in their order, the passage nearest to `target`, of equal ones the first; `None` for one that is not
    /// indexed.
    pub fn nearest_passage_of_each(
        &self,
        target: &Target,
        articles: &[ArticleId],
    ) -> Vec<Option<PassageHit>> {
        articles.iter().map(|article| self.nearest_passage_of(target, *article)).collect()
    }

    fn nearest_passage_of(&self, target: &Target, article: ArticleId) -> Option<PassageHit> {
        let (number, place) = self.find(article)?;
        let segment = &self.segments[number];
        let rows: Vec<u32> = segment.passages_of(place).map(|row| row as u32).collect();
        let mut cosines = Vec::new();
        segment.passages.planes(segment.dimension).coarse(
            self.instructions,
            &target.query,
            &rows,
            &mut cosines,
        );
        // The high bytes do not tell which of two near ones is nearer.
        let least = cosines.iter().copied().fold(f32::MIN, f32::max) - 2.0 * COARSE_ERROR;
        let near: Vec<u32> =
            rows.iter().zip(&cosines).filter(|(_, cosine)| **cosine >= least).map(|(row, _)| *row).collect();
        let fine = self.fine(Kind::Passages, number, target, &near);
        let mut best: Option<(f32, u32)> = None;
        for (cosine, row) in fine.into_iter().zip(near) {
            if best.is_none_or(|(known, _)| cosine > known) {
                best = Some((cosine, row));
            }
        }
        best.map(|(cosine, row)| PassageHit { span: self.span(Row { segment: number as u32, row }), cosine })
    }

    /// All passages of `articles` with their cosines, those of an article in their order.
    pub fn passages_of(&self, target: &Target, articles: &[ArticleId]) -> Vec<PassageHit> {
        let mut hits = Vec::new();
        for (number, place) in articles.iter().filter_map(|article| self.find(*article)) {
            let rows: Vec<u32> = self.segments[number].passages_of(place).map(|row| row as u32).collect();
            let cosines = self.fine(Kind::Passages, number, target, &rows);
            let hit =
                |(cosine, row)| PassageHit { span: self.span(Row { segment: number as u32, row }), cosine };
            hits.extend(cosines.into_iter().zip(rows).map(hit));
        }
        hits
    }

    /// The passages of `articles` with their vectors, to 16 bits a component, those of an article in their order.
    pub fn passage_vectors(&self, articles: &[ArticleId]) -> Vec<(PassageSpan, Vec<f32>)> {
        let mut found = Vec::new();
        for (number, place) in articles.iter().filter_map(|article| self.find(*article)) {
            let segment = &self.segments[number];
            let planes = segment.passages.planes(segment.dimension);
            for row in segment.passages_of(place) {
                let span = self.span(Row { segment: number as u32, row: row as u32 });
                found.push((span, planes.vector(row, segment.dimension)));
            }
        }
        found
    }

    /// The vector of an article, to 16 bits a component; `None` for one that is not indexed.
    pub fn article_vector(&self, article: ArticleId) -> Option<Vec<f32>> {
        let (number, place) = self.find(article)?;
        let segment = &self.segments[number];
        Some(segment.articles.planes(segment.dimension).vector(place, segment.dimension))
    }

    /// What rankings look at of an article; `None` for one that is not indexed.
    pub fn portrait(&self, article: ArticleId) -> Option<Portrait> {
        let (number, place) = self.find(article)?;
        let segment = &self.segments[number];
        let created_at = segment.columns.integer(Field::CreatedAt, place);
        Some(Portrait {
            category: segment.columns.texts(Field::Category, place).next().map(str::to_owned),
            created_at: DateTime::from_timestamp_micros(created_at).unwrap_or_default(),
            vector: segment.articles.planes(segment.dimension).vector(place, segment.dimension),
        })
    }

    /// The articles that live, with the writes that they came with, by id.
    pub fn pairs(&self) -> Vec<(ArticleId, i64)> {
        let mut pairs = Vec::with_capacity(self.size.articles);
        for (number, segment) in self.segments.iter().enumerate() {
            let living = (0..segment.len()).filter(|place| self.lives(number, *place));
            pairs.extend(living.map(|place| (segment.id(place), segment.write(place))));
        }
        pairs.sort_unstable();
        pairs
    }

    /// The articles that live, with their revisions.
    pub fn revisions(&self) -> impl Iterator<Item = (ArticleId, i64)> {
        self.segments.iter().enumerate().flat_map(move |(number, segment)| {
            let living = (0..segment.len()).filter(move |place| self.lives(number, *place));
            living.map(|place| (segment.id(place), segment.revision(place)))
        })
    }

    /// The segment and the place of an article.
    pub(super) fn find(&self, article: ArticleId) -> Option<(usize, usize)> {
        self.segments.iter().enumerate().find_map(|(number, segment)| {
            let place = segment.places(article).find(|place| self.lives(number, *place))?;
            Some((number, place))
        })
    }

    pub(super) fn lives(&self, segment: usize, place: usize) -> bool {
        match &self.living {
            Living::At(at) => self.segments[segment].lives(place, *at),
            Living::Places(places) => places[segment].contains(place),
        }
    }

    /// Whether all articles of a segment live.
    pub(super) fn all_live(&self, segment: usize) -> bool {
        matches!(&self.living, Living::At(at) if self.segments[segment].all_live(*at))
    }

    fn segment(&self, row: Row) -> &Segment {
        &self.segments[row.segment as usize]
    }

    fn span(&self, Row { segment, row }: Row) -> PassageSpan {
        self.span_of(segment as usize, row as usize)
    }

    /// Where a passage of a segment lies.
    pub(super) fn span_of(&self, number: usize, row: usize) -> PassageSpan {
        let segment = &self.segments[number];
        let (start, end) = segment.span(row);
        let place = segment.place_of(row);
        PassageSpan { article: segment.id(place), revision: segment.revision(place), start, end }
    }

    fn fine(&self, kind: Kind, segment: usize, target: &Target, rows: &[u32]) -> Vec<f32> {
        let segment = &self.segments[segment];
        let mut cosines = Vec::with_capacity(rows.len());
        let planes = kind.vectors(segment).planes(segment.dimension);
        planes.fine(self.instructions, &target.query, rows, &mut cosines);
        cosines
    }

    /// The best `limit` rows, best first: by signs, then by bytes, then by both.
    fn nearest(&self, kind: Kind, target: &Target, limit: usize, passing: &Passing) -> Vec<(f32, Row)> {
        if limit == 0 {
            return Vec::new();
        }
        let rows = match self.few(kind, passing) {
            Some(rows) => rows,
            None => self.seem_near(kind, target, (limit * BY_BYTES).max(BY_BYTES_MIN), passing),
        };
        let by_both = limit + limit.div_ceil(BY_BOTH).max(BY_BOTH_MORE);
        let near = self.best_of(kind, rows, by_both, |planes, rows, cosines| {
            planes.coarse(self.instructions, &target.query, rows, cosines);
        });
        let near = self.by_segment(near.into_unsorted().into_iter().map(|(_, row)| row));
        let best = self.best_of(kind, near, limit, |planes, rows, cosines| {
            planes.fine(self.instructions, &target.query, rows, cosines);
        });
        best.into_sorted()
    }

    /// All rows that pass, by segment, where they are few.
    fn few(&self, kind: Kind, passing: &Passing) -> Option<Vec<Vec<u32>>> {
        let all = match kind {
            Kind::Articles => self.size.articles,
            Kind::Passages => self.size.passages,
        };
        if all > self.few && passing.passes_all() {
            return None;
        }
        let mut left = self.few;
        let mut rows = Vec::with_capacity(self.segments.len());
        for number in 0..self.segments.len() {
            let segment = &self.segments[number];
            let mut of_segment = Vec::new();
            for place in passing.places(self, number) {
                let found = match kind {
                    Kind::Articles => place..place + 1,
                    Kind::Passages => segment.passages_of(place),
                };
                left = left.checked_sub(found.len())?;
                of_segment.extend(found.map(|row| row as u32));
            }
            rows.push(of_segment);
        }
        Some(rows)
    }

    /// The `count` rows that seem nearest by their signs, by segment.
    fn seem_near(&self, kind: Kind, target: &Target, count: usize, passing: &Passing) -> Vec<Vec<u32>> {
        let mut best = Best::new(count, |row| self.key(kind, row));
        for (number, segment) in self.segments.iter().enumerate() {
            let least = best.least();
            kind.vectors(segment).signs(segment.dimension).scan(
                self.instructions,
                &target.signs,
                least,
                |score, row| {
                    if passing.passes(self, number, kind.place(segment, row)) {
                        best.offer(score, Row { segment: number as u32, row });
                    }
                    best.least()
                },
            );
        }
        self.by_segment(best.into_unsorted().into_iter().map(|(_, row)| row))
    }

    fn best_of(
        &self,
        kind: Kind,
        rows: Vec<Vec<u32>>,
        count: usize,
        compare: impl Fn(sentio_nearest::Planes<'_>, &[u32], &mut Vec<f32>),
    ) -> Best<Row, impl Fn(Row) -> (ArticleId, u32)> {
        let mut best = Best::new(count, move |row| self.key(kind, row));
        let mut cosines = Vec::new();
        for (number, (segment, rows)) in self.segments.iter().zip(rows).enumerate() {
            compare(kind.vectors(segment).planes(segment.dimension), &rows, &mut cosines);
            for (row, cosine) in rows.into_iter().zip(&cosines) {
                best.offer(*cosine, Row { segment: number as u32, row });
            }
        }
        best
    }

    /// Orders rows of equal score: of one article, its passages are rows of one segment.
    fn key(&self, kind: Kind, row: Row) -> (ArticleId, u32) {
        let segment = self.segment(row);
        (segment.id(kind.place(segment, row.row)), row.row)
    }

    /// In the order in which they lie in memory.
    fn by_segment(&self, rows: impl Iterator<Item = Row>) -> Vec<Vec<u32>> {
        let mut of_segments = vec![Vec::new(); self.segments.len()];
        for Row { segment, row } in rows {
            of_segments[segment as usize].push(row);
        }
        of_segments.iter_mut().for_each(|rows: &mut Vec<u32>| rows.sort_unstable());
        of_segments
    }
}
