//! What waits to be embedded, and how a thread takes it.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tracing::Span;

use super::{
    super::{error::EmbedError, shared_text::SharedText},
    Encode, Reply,
};

/// How many texts may wait in each lane; those being embedded do not count.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Capacity {
    pub queries: usize,
    pub documents: usize,
}

pub(super) struct Queue {
    capacity: Capacity,
    /// One permit for each free place in the document lane.
    document_room: Arc<Semaphore>,
    lanes: Mutex<Lanes>,
    /// Signals a new job, or the end.
    changed: Condvar,
    runs: AtomicU64,
}

#[derive(Default)]
pub(super) struct Lanes {
    queries: VecDeque<Job>,
    pub documents: VecDeque<Job>,
    /// What a thread that embeds a query elsewhere wants help with.
    help_wanted: Option<Arc<SharedText>>,
    /// Threads that wait for work.
    pub idle: usize,
    closed: bool,
}

pub(super) struct Job {
    text: String,
    reply: oneshot::Sender<Reply>,
    /// The caller's span: what a thread logs about a text belongs to the request that brought it.
    span: Span,
    /// The place in the document lane, given back when a thread takes the job.
    room: Option<OwnedSemaphorePermit>,
}

/// What a thread does next.
enum Work {
    Texts(Vec<Job>),
    Help(Arc<SharedText>),
}

pub(super) fn job(text: String, room: Option<OwnedSemaphorePermit>) -> (Job, oneshot::Receiver<Reply>) {
    let (reply, receiver) = oneshot::channel();
    let span = Span::current();
    (Job { text, reply, span, room }, receiver)
}

pub(super) async fn received(reply: oneshot::Receiver<Reply>) -> Reply {
    reply.await.unwrap_or(Err(EmbedError::Closed))
}

impl Queue {
    pub fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            document_room: Arc::new(Semaphore::new(capacity.documents)),
            lanes: Mutex::default(),
            changed: Condvar::new(),
            runs: AtomicU64::new(0),
        }
    }

    /// Takes a query, or refuses it when too many wait.
    pub fn push_query(&self, query: Job) -> Result<(), EmbedError> {
        let mut lanes = self.lanes();
        if lanes.closed {
            return Err(EmbedError::Closed);
        }
        if lanes.queries.len() >= self.capacity.queries {
            // Those whose callers left wait for nothing.
            lanes.queries.retain(|job| !job.reply.is_closed());
            if lanes.queries.len() >= self.capacity.queries {
                return Err(EmbedError::Overloaded);
            }
        }
        lanes.queries.push_back(query);
        drop(lanes);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for a place in the document lane.
    pub async fn document_room(&self) -> Result<OwnedSemaphorePermit, EmbedError> {
        let room = Arc::clone(&self.document_room).acquire_owned().await;
        room.map_err(|_closed| EmbedError::Closed)
    }

    /// Takes a document that has its place.
    pub fn push_document(&self, document: Job) -> Result<(), EmbedError> {
        let mut lanes = self.lanes();
        if lanes.closed {
            return Err(EmbedError::Closed);
        }
        lanes.documents.push_back(document);
        drop(lanes);
        self.changed.notify_one();
        Ok(())
    }

    /// `None` when no thread is idle, a query waits or the queue is closed. If help is `wanted`, the idle thread comes and
    /// helps with the text in the answer.
    pub fn idle_thread(&self, wanted: bool) -> Option<Option<Arc<SharedText>>> {
        let mut lanes = self.lanes();
        if lanes.closed || lanes.idle == 0 || !lanes.queries.is_empty() {
            return None;
        }
        lanes.help_wanted = wanted.then(Arc::default);
        let shared = lanes.help_wanted.clone();
        drop(lanes);
        if shared.is_some() {
            self.changed.notify_one();
        }
        Some(shared)
    }

    /// A thread's life: takes jobs until the queue is closed and empty.
    pub fn work(&self, encoder: &mut dyn Encode) {
        while let Some(work) = self.next(encoder.texts_at_once()) {
            match work {
                Work::Texts(jobs) => self.embed(encoder, jobs),
                // When it panics, the other thread notices that nobody helps.
                Work::Help(shared) => drop(catch_unwind(AssertUnwindSafe(|| encoder.help(&shared)))),
            }
        }
    }

    fn embed(&self, encoder: &mut dyn Encode, jobs: Vec<Job>) {
        let jobs: Vec<_> = jobs.into_iter().filter(|job| !job.reply.is_closed()).collect();
        let results = match &jobs[..] {
            [] => return,
            // What is logged about a text belongs to the request that brought it.
            [job] => job.span.in_scope(|| encode(encoder, &[&job.text])),
            jobs => encode(encoder, &jobs.iter().map(|job| &*job.text).collect::<Vec<_>>()),
        };
        self.count_runs(jobs.len());
        for (job, result) in jobs.into_iter().zip(results) {
            // An error means that the caller left meanwhile.
            let _ = job.reply.send(result);
        }
    }

    /// The next jobs of one lane, queries first, at most `most`; `None` when the queue is closed and empty.
    fn next(&self, most: usize) -> Option<Work> {
        let mut lanes = self.lanes();
        loop {
            if let Some(shared) = lanes.help_wanted.take() {
                return Some(Work::Help(shared));
            }
            let lanes_now = &mut *lanes;
            let lane =
                if lanes_now.queries.is_empty() { &mut lanes_now.documents } else { &mut lanes_now.queries };
            if !lane.is_empty() {
                let mut jobs: Vec<_> = lane.drain(..most.min(lane.len())).collect();
                // Their places are free: others may wait there while these run.
                jobs.iter_mut().for_each(|job| job.room = None);
                return Some(Work::Texts(jobs));
            }
            if lanes.closed {
                return None;
            }
            lanes.idle += 1;
            lanes = self.changed.wait(lanes).unwrap_or_else(PoisonError::into_inner);
            lanes.idle -= 1;
        }
    }

    /// How many texts have been embedded since the start.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    pub fn count_runs(&self, texts: usize) {
        self.runs.fetch_add(texts as u64, Ordering::Relaxed);
    }

    pub fn close(&self) {
        self.lanes().closed = true;
        self.document_room.close();
        self.changed.notify_all();
    }

    /// The lanes are whole at every point where a panic could occur.
    pub fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reply for each text. A panic in a tokenizer is the failure of one text, not that of texts beside it.
fn encode(encoder: &mut dyn Encode, texts: &[&str]) -> Vec<Reply> {
    let replies = encoded(texts.len(), || encoder.encode(texts));
    if texts.len() > 1 && replies.iter().all(|reply| reply == &Err(panicked())) {
        return texts.iter().flat_map(|text| encode(encoder, &[text])).collect();
    }
    replies
}

/// What `encode` returns for `texts`; the failure of all when it panics, which is not the thread's end. What it holds is
/// not changed by texts: a network, a tokenizer and memory that is written before it is read.
pub(super) fn encoded(texts: usize, encode: impl FnOnce() -> Vec<Reply>) -> Vec<Reply> {
    catch_unwind(AssertUnwindSafe(encode)).unwrap_or_else(|_panic| vec![Err(panicked()); texts])
}

fn panicked() -> EmbedError {
    EmbedError::failed("the encoder panicked")
}
