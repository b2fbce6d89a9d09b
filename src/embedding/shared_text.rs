//! One text that two threads embed together.

use std::{
    hint::spin_loop,
    sync::OnceLock,
    time::{Duration, Instant},
};

use sentio_int8::{Pair, Partner, Side};

/// The longest that one waits for the other at a time. Waking a thread takes a tenth of it.
const PATIENCE: Duration = Duration::from_micros(500);

/// What the thread that has the text leaves for the one that helps, which is called while the text is still cut into
/// tokens.
#[derive(Debug, Default)]
pub(super) struct SharedText {
    /// The embeddings of its tokens; `None` when there is nothing to help with.
    states: OnceLock<Option<Vec<f32>>>,
    pair: Pair,
}

impl SharedText {
    /// Says what to help with, and becomes the first of the two.
    pub fn offer(&self, states: &[f32]) -> Partner<'_> {
        self.states.get_or_init(|| Some(states.to_vec()));
        self.pair.partner(Side::First, PATIENCE)
    }

    /// Says that no help is needed. Does nothing after [`SharedText::offer`].
    pub fn withdraw(&self) {
        self.states.get_or_init(|| None);
    }

    /// The embeddings, and the second of the two, unless there is nothing to help with. Waits for the first one, not long.
    pub fn join(&self) -> Option<(Vec<f32>, Partner<'_>)> {
        let started = Instant::now();
        loop {
            if let Some(states) = self.states.get() {
                return Some((states.clone()?, self.pair.partner(Side::Second, PATIENCE)));
            }
            if started.elapsed() > PATIENCE {
                return None;
            }
            spin_loop();
        }
    }
}
