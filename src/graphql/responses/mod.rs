//! How much responses take: each is counted while it is built and ends as an error beyond its largest size, and all that
//! are under way share a bound of memory.

mod budget;
mod counter;
mod memory;

pub use budget::{Closed, LARGE_BYTES, Refused, ResponseBudget, ResponseRefusal};
pub use counter::ResponseCounter;
pub use memory::{Held, NoMemory, ResponsesMemory};

/// What responses may take. A cheap handle.
#[derive(Clone, Debug)]
pub struct Responses {
    /// Most bytes of JSON of one response.
    max: u64,
    pub memory: ResponsesMemory,
}

impl Responses {
    /// Each of at most `max` bytes of JSON, all under way in at most `memory` bytes.
    pub fn new(max: u64, memory: u64) -> Self {
        Self { max, memory: ResponsesMemory::new(memory) }
    }

    /// For the next one.
    pub fn budget(&self) -> ResponseBudget {
        ResponseBudget::new(self.max, self.memory.clone())
    }
}
