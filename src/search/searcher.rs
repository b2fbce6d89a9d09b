//! A generation of the index in memory, and how it changes.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use sentio_nearest::Instructions;

use super::bits::Bits;
use super::lives::Sequence;
use super::segment::{NewArticle, Segment};
use super::size::Size;
use super::view::{FEW, Living, View};
use crate::article::ArticleId;

/// How long the rows of a version are kept after it was replaced: as long as LanceDB keeps it.
const KEPT: Duration = Duration::from_secs(300);
/// Rows that died are kept for searches of earlier versions while they are at most so large a part of the living ones, …
const DEAD_SHARE: u64 = 4;
/// … or so few.
const DEAD_MIN: u64 = 1_024;
/// So many segments of like size are merged.
const MERGED: usize = 8;
/// Articles of a merged segment, at most: a merge has both in memory.
const MERGED_MAX: usize = 65_536;
/// A segment is rewritten when more than one in so many of its articles can no longer be seen by any search.
const DEAD: usize = 5;

/// The copy of one generation. `V` identifies a version of the tables.
#[derive(Debug)]
pub struct Searcher<V> {
    dimension: usize,
    instructions: Instructions,
    few: usize,
    state: RwLock<State<V>>,
    /// One change at a time.
    changing: Mutex<()>,
    /// One merge at a time, beside changes.
    merging: Mutex<()>,
}

#[derive(Debug)]
struct State<V> {
    segments: Arc<[Arc<Segment>]>,
    /// The versions of the store whose rows are in memory, the oldest first; the last is what searches see.
    moments: VecDeque<Moment<V>>,
}

/// How two moments differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Articles of the other moment that are not in memory, or as another write left them.
    pub missing: Vec<ArticleId>,
    /// Articles that the other moment does not have.
    pub gone: Vec<ArticleId>,
}

/// What was seen at a time.
#[derive(Clone, Copy, Debug)]
struct Moment<V> {
    versions: V,
    at: Sequence,
    size: Size,
    /// How many articles had died by then.
    deaths: u64,
    /// When another one followed it.
    replaced: Option<Instant>,
}

impl<V: Copy + PartialEq> Searcher<V> {
    /// Of an empty generation at `versions`.
    pub fn new(dimension: usize, instructions: Instructions, versions: V) -> Self {
        let moment = Moment { versions, at: 0, size: Size::default(), deaths: 0, replaced: None };
        let state = State { segments: Arc::default(), moments: VecDeque::from([moment]) };
        Self {
            dimension,
            instructions,
            few: FEW,
            state: RwLock::new(state),
            changing: Mutex::default(),
            merging: Mutex::default(),
        }
    }

    /// The same with a look at the signs of however few rows.
    #[cfg(test)]
    pub(super) fn looking_at_signs(self) -> Self {
        Self { few: 0, ..self }
    }

    /// The versions of what searches see now.
    pub fn versions(&self) -> V {
        self.read().last().versions
    }

    /// What searches see now.
    pub fn view(&self) -> View {
        let state = self.read();
        self.seen(&state, state.last())
    }

    /// What searches saw at `versions`, within the time for which it is kept.
    pub fn view_at(&self, versions: V) -> Option<View> {
        let state = self.read();
        let moment = state.moments.iter().rev().find(|moment| moment.versions == versions)?;
        Some(self.seen(&state, moment))
    }

    fn seen(&self, state: &State<V>, moment: &Moment<V>) -> View {
        View {
            segments: Arc::clone(&state.segments),
            living: Living::At(moment.at),
            size: moment.size,
            instructions: self.instructions,
            few: self.few,
        }
    }

    /// Goes on to `versions`, where `changed` articles, in the order of their ids, are new or other than before, and `gone` ones are no
    /// more. A search sees all of it or nothing.
    pub fn change<'a>(&self, changed: impl Iterator<Item = NewArticle<'a>>, gone: &[ArticleId], versions: V) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let Moment { at, mut size, mut deaths, .. } = *self.read().last();
        let at = at + 1;
        let added = Segment::new(self.dimension, changed, at);
        let mut state = self.write();
        let replaced = gone.iter().copied().chain((0..added.len()).map(|place| added.id(place)));
        for article in replaced {
            if let Some(killed) = state.segments.iter().find_map(|segment| segment.kill(article, at)) {
                size -= killed;
                deaths += 1;
            }
        }
        if added.len() > 0 {
            size += added.whole_size();
            state.segments = state.segments.iter().cloned().chain([Arc::new(added)]).collect();
        }
        state.go_on(Moment { versions, at, size, deaths, replaced: None });
    }

    /// At `versions`, where the articles are `pairs`, of segments that were stored; returns the articles that they do not have, too, by id.
    pub fn of_stored(
        dimension: usize,
        instructions: Instructions,
        versions: V,
        segments: Vec<Segment>,
        pairs: &[(ArticleId, i64)],
    ) -> (Self, Vec<ArticleId>) {
        let mut missing: HashMap<_, _> = pairs.iter().copied().collect();
        let mut size = Size::default();
        for segment in &segments {
            for place in 0..segment.len() {
                if missing.get(&segment.id(place)) == Some(&segment.write(place)) {
                    missing.remove(&segment.id(place));
                    size += segment.size(place);
                } else {
                    // It was replaced since, or is in another segment as well.
                    segment.lives.end(place, 0);
                }
            }
        }
        let searcher = Self::new(dimension, instructions, versions);
        {
            let mut state = searcher.write();
            let lives = |segment: &Segment| segment.dead(0) < segment.len();
            state.segments = segments.into_iter().filter(lives).map(Arc::new).collect();
            state.moments[0].size = size;
        }
        let mut missing: Vec<_> = missing.into_keys().collect();
        missing.sort_unstable();
        (searcher, missing)
    }

    /// The segments that there are now.
    pub(super) fn segments(&self) -> Arc<[Arc<Segment>]> {
        Arc::clone(&self.read().segments)
    }

    /// Has `new`, which has the same rows, take the place of `old`, if that is still there.
    pub(super) fn replace(&self, old: &Arc<Segment>, new: Segment) {
        let _merging = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Arc::new(new);
        let mut state = self.write();
        let in_place = |segment: &Arc<Segment>| {
            if Arc::ptr_eq(segment, old) { Arc::clone(&new) } else { Arc::clone(segment) }
        };
        state.segments = state.segments.iter().map(in_place).collect();
    }

    /// The bytes that the rows take of memory, those of dead ones too.
    pub fn memory(&self) -> usize {
        self.segments().iter().map(|segment| segment.memory()).sum()
    }

    /// Whether any segment is read from its file alone.
    pub fn is_on_disk(&self) -> bool {
        self.segments().iter().any(|segment| segment.is_mapped())
    }

    /// How what searches see differs from `pairs` of articles and the writes that they came with, by id.
    pub fn difference(&self, pairs: &[(ArticleId, i64)]) -> Difference {
        let mut known: HashMap<_, _> = self.view().pairs().into_iter().collect();
        let is_missing = |(article, write): &&(ArticleId, i64)| known.remove(article) != Some(*write);
        let missing = pairs.iter().filter(is_missing).map(|(article, _)| *article).collect();
        let mut gone: Vec<_> = known.into_keys().collect();
        gone.sort_unstable();
        Difference { missing, gone }
    }

    /// What was seen when there were these `pairs` of articles and the writes that they came with, as far as they are in memory, and
    /// the articles that are not.
    pub fn view_of(&self, pairs: &[(ArticleId, i64)]) -> (View, Vec<ArticleId>) {
        let segments = Arc::clone(&self.read().segments);
        let mut places: Vec<_> = segments.iter().map(|segment| Bits::none(segment.len())).collect();
        let (mut size, mut missing) = (Size::default(), Vec::new());
        for (article, write) in pairs {
            let found = segments.iter().enumerate().find_map(|(number, segment)| {
                let place = segment.places(*article).find(|place| segment.write(*place) == *write)?;
                Some((number, place))
            });
            match found {
                Some((number, place)) => {
                    places[number].insert(place);
                    size += segments[number].size(place);
                }
                None => missing.push(*article),
            }
        }
        let living = Living::Places(places.into());
        (View { segments, living, size, instructions: self.instructions, few: self.few }, missing)
    }

    /// Merges segments of like size, if there are too many of them, and leaves out what is dead for everybody. Returns whether there
    /// may be more to do. Searches and changes go on meanwhile.
    pub fn merge(&self) -> bool {
        let _merging = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let (segments, kept_from) = {
            let state = self.read();
            (Arc::clone(&state.segments), state.moments[0].at)
        };
        let Some(range) = to_merge(&segments, kept_from) else { return false };
        let old = &segments[range.clone()];
        // What died for the first moment that is kept, lives in none.
        let (merged, copied_from) = Segment::merged(old, kept_from);
        let mut state = self.write();
        merged.die_like(old, &copied_from);
        let merged = (merged.len() > 0).then(|| Arc::new(merged));
        // Changes only add at the end.
        let (before, after) = (&state.segments[..range.start], &state.segments[range.end..]);
        state.segments = before.iter().cloned().chain(merged).chain(after.iter().cloned()).collect();
        true
    }

    fn read(&self) -> RwLockReadGuard<'_, State<V>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<V>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> State<V> {
    fn last(&self) -> &Moment<V> {
        &self.moments[self.moments.len() - 1]
    }

    fn go_on(&mut self, next: Moment<V>) {
        let now = Instant::now();
        if let Some(last) = self.moments.back_mut() {
            last.replaced = Some(now);
        }
        let (dead_max, deaths) = ((next.size.articles as u64 / DEAD_SHARE).max(DEAD_MIN), next.deaths);
        self.moments.push_back(next);
        let is_old = |moment: &Moment<V>| {
            let is_replaced = |replaced| now - replaced > KEPT || deaths - moment.deaths > dead_max;
            moment.replaced.is_some_and(is_replaced)
        };
        while self.moments.front().is_some_and(is_old) {
            self.moments.pop_front();
        }
    }
}

/// Which segments, beside each other, are to become one.
fn to_merge(segments: &[Arc<Segment>], kept_from: Sequence) -> Option<Range<usize>> {
    let level = |segment: &Arc<Segment>| segment.len().max(1).ilog(MERGED);
    // From the newest back: as many as are of no higher level than the last of them, where these are enough.
    let mut begin = segments.len();
    while begin > 0 {
        let highest = level(&segments[begin - 1]);
        let of_level = segments[..begin].iter().rev().take_while(|segment| level(segment) <= highest).count();
        let articles: usize = segments[begin - of_level..].iter().map(|segment| segment.len()).sum();
        if of_level >= MERGED && articles <= MERGED_MAX {
            return Some(begin - of_level..segments.len());
        }
        begin -= of_level;
    }
    let is_dead = |segment: &Arc<Segment>| segment.dead(kept_from) * DEAD > segment.len();
    segments.iter().position(is_dead).map(|number| number..number + 1)
}
