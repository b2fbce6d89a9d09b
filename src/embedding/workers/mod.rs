//! The queue of texts and the threads that embed them.
//!
//! The queue has two lanes. Somebody waits for a query, so queries go first, and when too many wait the next
//! one is refused at once. Documents come from the indexer, which waits for room. Each thread takes one text
//! at a time, or several where an accelerator runs them together, and yields to the threads that search and answer. A short query that finds a thread idle runs on the
//! thread that asks, with the idle one's help.

mod priority;
mod queue;

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::watch,
};

pub(super) use self::queue::Capacity;
use self::queue::{Queue, encoded, job, received};
use super::{error::EmbedError, shared_text::SharedText, vector::Embedding};

/// Bytes of the longest text that counts as short: it takes a millisecond or two.
const SHORT_QUERY: usize = 256;

type Reply = Result<Embedding, EmbedError>;

/// How one thread embeds.
pub(super) trait Encode: Send {
    /// Most texts that it takes at once; they wait for each other.
    fn texts_at_once(&self) -> usize {
        1
    }

    /// A reply for each of `texts`, in their order.
    fn encode(&mut self, texts: &[&str]) -> Vec<Reply>;

    /// Whether another thread can help with a text.
    fn takes_help(&self) -> bool {
        false
    }

    /// The reply for `text`, half of which the thread computes that calls [`Encode::help`] with the same `shared`, if
    /// there is one in time.
    fn encode_with_help(&mut self, text: &str, shared: &SharedText) -> Reply {
        shared.withdraw();
        self.encode(&[text]).pop().unwrap_or_else(|| Err(EmbedError::failed("no reply")))
    }

    /// Helps a thread that calls [`Encode::encode_with_help`].
    fn help(&mut self, _: &SharedText) {}
}

/// How all embed.
pub(super) struct Encoders {
    /// One for each thread.
    pub threads: Vec<Box<dyn Encode>>,
    /// For short queries, on the thread that asks.
    pub spare: Option<Box<dyn Encode>>,
}

/// The running threads. Dropping it stops them, after what is queued.
pub(super) struct Workers {
    queue: Arc<Queue>,
    /// For short queries that find a thread idle: they run on the thread that asks, see [`Workers::query`].
    spare: Mutex<Option<Box<dyn Encode>>>,
    /// How many threads run.
    running: watch::Sender<usize>,
}

impl Workers {
    /// Starts the threads.
    pub fn start(encoders: Encoders, capacity: Capacity) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(capacity));
        // Made first: when a thread cannot be started, dropping it stops the others.
        let workers = Self { queue, spare: Mutex::new(encoders.spare), running: watch::Sender::new(0) };
        for (number, mut encoder) in encoders.threads.into_iter().enumerate() {
            let queue = Arc::clone(&workers.queue);
            let counted = Counted::new(workers.running.clone());
            thread::Builder::new().name(format!("embedding-{number}")).spawn(move || {
                let _counted = counted;
                priority::yield_to_others();
                queue.work(&mut *encoder);
            })?;
        }
        Ok(workers)
    }

    /// Embeds a query, or refuses it when too many wait. A query whose caller drops the future is skipped.
    ///
    /// A short one that finds a thread idle runs on the calling thread, so that its time does not include waking
    /// another one and being woken by it; the idle thread helps with half of the work where it can.
    pub async fn query(&self, text: String) -> Reply {
        if let Some(reply) = self.query_here(&text) {
            return reply;
        }
        let (job, reply) = job(text, None);
        self.queue.push_query(job)?;
        received(reply).await
    }

    fn query_here(&self, text: &str) -> Option<Reply> {
        if text.len() > SHORT_QUERY || !may_block_here() {
            return None;
        }
        let mut spare = self.spare.try_lock().ok()?;
        let encoder = spare.as_deref_mut()?;
        // Before the queue is asked whether it is closed, so that closing waits for it.
        let _counted = Counted::new(self.running.clone());
        let shared = self.queue.idle_thread(encoder.takes_help())?;
        let embed = || match shared {
            Some(shared) => encoded(1, || vec![encoder.encode_with_help(text, &shared)]),
            None => encoded(1, || encoder.encode(&[text])),
        };
        let reply = tokio::task::block_in_place(embed).pop();
        self.queue.count_runs(1);
        reply
    }

    /// Embeds a document, after waiting for room. A document whose caller drops the future is skipped.
    pub async fn document(&self, text: String) -> Reply {
        let room = self.queue.document_room().await?;
        let (job, reply) = job(text, Some(room));
        self.queue.push_document(job)?;
        received(reply).await
    }

    /// How many texts have been embedded since the start.
    pub fn runs(&self) -> u64 {
        self.queue.runs()
    }

    /// Takes no more texts, embeds those in the queue, and returns when the threads have let go of the model.
    /// May be called again, also after the future was dropped.
    pub async fn close(&self) {
        self.queue.close();
        // An error means that the senders are gone, and they belong to the threads.
        let _ = self.running.subscribe().wait_for(|count| *count == 0).await;
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Whether the calling task may keep its thread for a moment: on a runtime of several threads.
fn may_block_here() -> bool {
    Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
}

/// Counts a thread as running until it is dropped.
struct Counted(watch::Sender<usize>);

impl Counted {
    fn new(count: watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests;
