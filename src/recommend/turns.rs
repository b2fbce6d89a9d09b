//! Rankings take turns, in the order in which they are asked for: more at a time than keep the processors busy are no faster, and make each of
//! them wait for all.

use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Rankings at a time for each processor: while the query of one is embedded, others search.
const FOR_EACH_PROCESSOR: usize = 4;

/// Who may rank; in the order in which they asked. Cheap to clone.
#[derive(Clone)]
pub struct Turns(Arc<Semaphore>);

impl Turns {
    pub fn new() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(processors * FOR_EACH_PROCESSOR)))
    }

    /// Waits for a turn, which ends when the permit is dropped. Dropping the future gives the place up.
    pub async fn take(&self) -> Option<SemaphorePermit<'_>> {
        // Nothing closes it.
        self.0.acquire().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn who_asked_first_comes_first() {
        let turns = Turns(Arc::new(Semaphore::new(2)));
        let (first, _second) = (turns.take().await, turns.take().await);
        let (mut gives_up, mut third, mut fourth) =
            (Box::pin(turns.take()), Box::pin(turns.take()), Box::pin(turns.take()));
        for waiting in [&mut gives_up, &mut third, &mut fourth] {
            assert!(waiting.now_or_never().is_none());
        }
        drop(gives_up);
        drop(first);
        assert!((&mut fourth).now_or_never().is_none());
        let third = third.now_or_never().flatten();
        assert!(third.is_some());
        drop(third);
        assert!(fourth.now_or_never().flatten().is_some());
    }
}
