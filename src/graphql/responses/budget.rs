//! One response while it is built: what it has so far, and what it may have.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_graphql::{ServerError, Value};
use serde::Serialize;
use tokio::sync::{OnceCell, OwnedSemaphorePermit};
use tokio::time::timeout;

use super::memory::{Held, NoMemory, ResponsesMemory};

/// What an entry of an object takes beside what its value has elsewhere: key, value and hash, twice while it is put together.
const ENTRY_BYTES: u64 = 200;
/// What an item of a list takes.
const ITEM_BYTES: u64 = size_of::<Value>() as u64;
/// What an error takes beside its path.
const ERROR_BYTES: u64 = 300;
/// What a field takes while it is resolved: its future, those around it, and what it waits with.
const FIELD_BYTES: u64 = 12 * 1024;
/// Memory is taken in steps, so that a small response takes it once.
const STEP_BYTES: u64 = 16 * 1024;
/// A response with so much JSON is large: it goes on in its turn, and is written on threads that may be held up.
pub const LARGE_BYTES: u64 = 256 * 1024;
/// How long it waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(10);

/// Counts a response; shared by all that build it.
#[derive(Clone, Debug)]
pub struct ResponseBudget {
    /// Most bytes of its JSON.
    max: u64,
    memory: ResponsesMemory,
    building: Arc<Mutex<Building>>,
}

#[derive(Debug)]
struct Building {
    /// At least so many bytes of JSON: what escapes add is counted when it is written.
    json: u64,
    /// Memory of the values and of pending errors.
    tree: u64,
    /// Memory of the contents of articles that were read for it.
    loaded: u64,
    /// Fields that are being resolved: thousands may wait for one statement.
    fields: u64,
    held: Held,
    turn: Arc<Turn>,
    /// The first refusal, where it happened.
    refused: Option<Box<Refused>>,
}

/// Why there is no response, with the error at the field that went beyond the limit.
#[derive(Debug)]
pub struct Refused {
    pub refusal: ResponseRefusal,
    pub error: ServerError,
}

impl Refused {
    fn nowhere(refusal: ResponseRefusal) -> Box<Self> {
        Box::new(Self { refusal, error: refusal.to_error() })
    }
}

/// A field that is being resolved; it has ended when this is dropped.
#[derive(Debug)]
pub struct FieldInProgress<'a> {
    budget: &'a ResponseBudget,
    has_ended: bool,
}

impl Drop for FieldInProgress<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.budget.building().end_field();
        }
    }
}

/// Taken once by a response that is large, or reads what may be.
type Turn = OnceCell<OwnedSemaphorePermit>;

/// A response that was counted.
#[derive(Debug)]
pub struct Closed {
    pub json_bytes: u64,
    /// The JSON itself, unless it is large.
    pub json: Option<Vec<u8>>,
    /// What its values take of the memory.
    pub values_bytes: u64,
    /// The memory of its values and its JSON.
    pub held: Held,
    /// Others have their turn when this is dropped.
    _turn: Arc<Turn>,
}

impl Closed {
    /// Of a response so short that it does not count; `held` takes nothing.
    pub fn nothing(held: Held) -> Self {
        Self { json_bytes: 0, json: None, values_bytes: 0, held, _turn: Arc::default() }
    }
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseRefusal {
    #[error(
        "the response has more than {max} bytes of JSON, which is the limit (SENTIO_RESPONSE_MAX): ask for fewer articles \
         at a time, or for less of each"
    )]
    TooLarge { max: u64 },
    #[error(
        "the responses under way take {max} bytes of memory, which is the limit (SENTIO_RESPONSES_MEMORY): try again in a \
         moment"
    )]
    NoMemory { max: u64 },
    #[error("too many large responses are being made: try again in a moment, or ask for less")]
    NoTurn,
}

impl From<NoMemory> for ResponseRefusal {
    fn from(NoMemory { max }: NoMemory) -> Self {
        Self::NoMemory { max }
    }
}

impl ResponseRefusal {
    /// The code in `extensions.code`.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "LIMIT_EXCEEDED",
            Self::NoMemory { .. } | Self::NoTurn => "OVERLOADED",
        }
    }

    /// As an error of the response.
    pub fn to_error(self) -> ServerError {
        let mut error = ServerError::new(self.to_string(), None);
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("code", self.code());
        if let Self::TooLarge { max } = self {
            extensions.set("limit", "response");
            extensions.set("max", max);
        }
        error
    }
}

impl FieldInProgress<'_> {
    /// Counts the field's value without what is inside of it, which was counted before; returns whether the response is large by now.
    /// `path_bytes` is what its place takes, which null may have to tell of an error; `place` adds its place to an error.
    pub fn end(
        mut self,
        value: &Value,
        path_bytes: impl FnOnce() -> u64,
        place: impl FnOnce(ServerError) -> ServerError,
    ) -> Result<bool, ServerError> {
        let (json, tree) = match value {
            Value::Null => (4, ERROR_BYTES + path_bytes()),
            Value::Number(_) | Value::Boolean(_) => (1, 0),
            Value::String(text) => (text.len() as u64 + 2, text.len() as u64),
            Value::Enum(name) => (name.len() as u64 + 2, 0),
            Value::Binary(bytes) => (bytes.len() as u64, bytes.len() as u64),
            Value::List(items) => (items.len() as u64 + 1, items.len() as u64 * ITEM_BYTES),
            Value::Object(entries) => {
                let keys: u64 = entries.keys().map(|key| key.len() as u64 + 4).sum();
                (keys + 1, entries.len() as u64 * ENTRY_BYTES)
            }
        };
        let mut building = self.budget.building();
        self.has_ended = true;
        building.end_field();
        building.json += json;
        building.tree += tree;
        building.take_at(self.budget.max, place)?;
        Ok(building.json >= LARGE_BYTES)
    }
}

impl ResponseBudget {
    /// Of at most `max` bytes of JSON, held in `memory`.
    pub fn new(max: u64, memory: ResponsesMemory) -> Self {
        let building = Arc::new(Mutex::new(Building::nothing(&memory)));
        Self { max, memory, building }
    }

    /// Counts a field for as long as it is being resolved; `place` adds its place to an error.
    pub fn begin_field(
        &self,
        place: impl FnOnce(ServerError) -> ServerError,
    ) -> Result<FieldInProgress<'_>, ServerError> {
        let mut building = self.building();
        building.fields += 1;
        match building.take_at(self.max, place) {
            Ok(()) => Ok(FieldInProgress { budget: self, has_ended: false }),
            Err(error) => {
                building.end_field();
                Err(error)
            }
        }
    }

    /// Counts the content of an article that was read for the response and will stand in it.
    pub fn load(&self, content: &str) -> Result<(), ResponseRefusal> {
        let mut building = self.building();
        if let Some(refused) = &building.refused {
            return Err(refused.refusal);
        }
        building.loaded += content.len() as u64;
        building.take(self.max).inspect_err(|refusal| {
            building.refused = Some(Refused::nowhere(*refusal));
        })
    }

    /// Whether the response is large by now.
    pub fn is_large(&self) -> bool {
        self.building().json >= LARGE_BYTES
    }

    /// Waits until it is the turn of this response; at once if it has come before.
    pub async fn take_turn(&self) -> Result<(), ResponseRefusal> {
        let turn = Arc::clone(&self.building().turn);
        let taking = turn.get_or_try_init(|| self.memory.turns().acquire_owned());
        match timeout(TURN_MAX, taking).await {
            // Nothing closes the semaphore.
            Ok(Ok(_) | Err(_)) => Ok(()),
            Err(_) => {
                let refusal = ResponseRefusal::NoTurn;
                self.building().refused.get_or_insert_with(|| Refused::nowhere(refusal));
                Err(refusal)
            }
        }
    }

    /// Ends the counting of a response. The budget is then that of the next one.
    pub fn close(&self, response: &impl Serialize) -> Result<Closed, Box<Refused>> {
        let nothing = Building::nothing(&self.memory);
        let Building { json, tree, mut held, turn, refused, .. } =
            std::mem::replace(&mut *self.building(), nothing);
        if let Some(refused) = refused {
            return Err(refused);
        }
        let written = if json < LARGE_BYTES {
            write_json(response, self.max).map(|json| (json.len() as u64, Some(json)))
        } else {
            json_length(response, self.max).map(|length| (length, None))
        };
        let closed = written.and_then(|(json_bytes, json)| {
            held.resize(tree + json_bytes)?;
            Ok(Closed { json_bytes, json, values_bytes: tree, held, _turn: turn })
        });
        closed.map_err(Refused::nowhere)
    }

    fn building(&self) -> MutexGuard<'_, Building> {
        self.building.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Building {
    fn nothing(memory: &ResponsesMemory) -> Self {
        Self {
            json: 0,
            tree: 0,
            loaded: 0,
            fields: 0,
            held: memory.hold_nothing(),
            turn: Arc::default(),
            refused: None,
        }
    }

    fn end_field(&mut self) {
        self.fields = self.fields.saturating_sub(1);
    }

    /// Takes the memory for what was counted at a place.
    fn take_at(
        &mut self,
        max: u64,
        place: impl FnOnce(ServerError) -> ServerError,
    ) -> Result<(), ServerError> {
        // Reported once, at the field that went beyond the limit; its parents fail with it, which ends the execution.
        if let Some(refused) = &self.refused {
            return Err(refused.refusal.to_error());
        }
        self.take(max).map_err(|refusal| {
            let error = place(refusal.to_error());
            self.refused = Some(Box::new(Refused { refusal, error: error.clone() }));
            error
        })
    }

    /// Takes the memory for what was counted.
    fn take(&mut self, max: u64) -> Result<(), ResponseRefusal> {
        if self.json > max || self.loaded > max {
            return Err(ResponseRefusal::TooLarge { max });
        }
        let needed = self.json + self.tree + self.loaded + self.fields * FIELD_BYTES;
        if needed > self.held.bytes() {
            self.held.resize(needed.next_multiple_of(STEP_BYTES))?;
        }
        Ok(())
    }
}

/// `response` as JSON, if it has at most `max` bytes.
fn write_json(response: &impl Serialize, max: u64) -> Result<Vec<u8>, ResponseRefusal> {
    // Writing to memory does not fail.
    let json = serde_json::to_vec(response).map_err(|_| ResponseRefusal::TooLarge { max })?;
    if json.len() as u64 > max { Err(ResponseRefusal::TooLarge { max }) } else { Ok(json) }
}

/// How long `response` is as JSON, if it has at most `max` bytes.
fn json_length(response: &impl Serialize, max: u64) -> Result<u64, ResponseRefusal> {
    let mut length = Length { bytes: 0, max };
    // Writing to memory fails for no other reason.
    serde_json::to_writer(&mut length, response).map_err(|_| ResponseRefusal::TooLarge { max })?;
    Ok(length.bytes)
}

struct Length {
    bytes: u64,
    max: u64,
}

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
