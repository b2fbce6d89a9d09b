//! A generation of the index in memory, and how it changes.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use sentio_nearest::Instructions;

use super::bits::Bits;
use super::segment::{NewArticle, Segment, Sequence};
use super::size::Size;
use super::view::{FEW, Living, View};
use crate::article::ArticleId;

/// How long the rows of a version are kept after it was replaced: as long as LanceDB keeps it.
const KEPT: Duration = Duration::from_secs(300);
/// So many segments of like size are merged.
const MERGED: usize = 8;
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
    /// When another one followed it.
    replaced: Option<Instant>,
}

impl<V: Copy + PartialEq> Searcher<V> {
    /// Of an empty generation at `versions`.
    pub fn new(dimension: usize, instructions: Instructions, versions: V) -> Self {
        let moment = Moment { versions, at: 0, size: Size::default(), replaced: None };
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
        let Moment { at, mut size, .. } = *self.read().last();
        let at = at + 1;
        let added = Segment::new(self.dimension, changed, at);
        let mut state = self.write();
        let replaced = gone.iter().copied().chain((0..added.len()).map(|place| added.id(place)));
        for article in replaced {
            if let Some(killed) = state.segments.iter().find_map(|segment| segment.kill(article, at)) {
                size -= killed;
            }
        }
        if added.len() > 0 {
            size += added.whole_size();
            state.segments = state.segments.iter().cloned().chain([Arc::new(added)]).collect();
        }
        state.go_on(Moment { versions, at, size, replaced: None });
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
        self.moments.push_back(next);
        let is_old = |moment: &Moment<V>| moment.replaced.is_some_and(|replaced| now - replaced > KEPT);
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
        if of_level >= MERGED {
            return Some(begin - of_level..segments.len());
        }
        begin -= of_level;
    }
    let is_dead = |segment: &Arc<Segment>| segment.dead(kept_from) * DEAD > segment.len();
    segments.iter().position(is_dead).map(|number| number..number + 1)
}
