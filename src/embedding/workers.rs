//! The queue of texts and the threads that embed them.
//!
//! The queue has two lanes. Somebody waits for a query, so queries go first, and when too many wait the next
//! one is refused at once. Documents come from the indexer, which waits for room. Each thread takes one text
//! at a time, or several where an accelerator runs them together.

use std::{
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tracing::Span;

use super::{error::EmbedError, vector::Embedding};

type Reply = Result<Embedding, EmbedError>;
/// What a thread does with texts: a reply for each, in their order.
pub(super) type EncodeTexts = Box<dyn FnMut(&[&str]) -> Vec<Reply> + Send>;

/// How one thread embeds.
pub(super) struct Encoder {
    /// Most texts that it takes at once; they wait for each other.
    pub texts_at_once: usize,
    pub encode: EncodeTexts,
}

/// How many texts may wait in each lane; those being embedded do not count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capacity {
    pub queries: usize,
    pub documents: usize,
}

/// The running threads. Dropping it stops them, after what is queued.
pub(super) struct Workers {
    queue: Arc<Queue>,
    /// How many threads run.
    running: watch::Receiver<usize>,
}

struct Queue {
    capacity: Capacity,
    /// One permit for each free place in the document lane.
    document_room: Arc<Semaphore>,
    lanes: Mutex<Lanes>,
    /// Signals a new job, or the end.
    changed: Condvar,
    runs: AtomicU64,
}

#[derive(Default)]
struct Lanes {
    queries: VecDeque<Job>,
    documents: VecDeque<Job>,
    closed: bool,
}

struct Job {
    text: String,
    reply: oneshot::Sender<Reply>,
    /// The caller's span: what a thread logs about a text belongs to the request that brought it.
    span: Span,
    /// The place in the document lane, given back when a thread takes the job.
    room: Option<OwnedSemaphorePermit>,
}

impl Workers {
    /// Starts one thread for each of `encoders`.
    pub fn start(encoders: Vec<Encoder>, capacity: Capacity) -> io::Result<Self> {
        let queue = Arc::new(Queue {
            capacity,
            document_room: Arc::new(Semaphore::new(capacity.documents)),
            lanes: Mutex::default(),
            changed: Condvar::new(),
            runs: AtomicU64::new(0),
        });
        let (count, running) = watch::channel(0);
        // Made first: when a thread cannot be started, dropping it stops the others.
        let workers = Self { queue, running };
        for (number, mut encoder) in encoders.into_iter().enumerate() {
            let queue = Arc::clone(&workers.queue);
            let counted = Counted::new(count.clone());
            thread::Builder::new().name(format!("embedding-{number}")).spawn(move || {
                let _counted = counted;
                queue.work(&mut encoder);
            })?;
        }
        Ok(workers)
    }

    /// Embeds a query, or refuses it when too many wait. A query whose caller drops the future is skipped.
    pub async fn query(&self, text: String) -> Reply {
        let (job, reply) = job(text, None);
        {
            let mut lanes = self.queue.lanes();
            if lanes.closed {
                return Err(EmbedError::Closed);
            }
            if lanes.queries.len() >= self.queue.capacity.queries {
                // Those whose callers left wait for nothing.
                lanes.queries.retain(|job| !job.reply.is_closed());
                if lanes.queries.len() >= self.queue.capacity.queries {
                    return Err(EmbedError::Overloaded);
                }
            }
            lanes.queries.push_back(job);
        }
        self.queue.changed.notify_one();
        received(reply).await
    }

    /// Embeds a document, after waiting for room. A document whose caller drops the future is skipped.
    pub async fn document(&self, text: String) -> Reply {
        let room = Arc::clone(&self.queue.document_room).acquire_owned().await;
        let (job, reply) = job(text, Some(room.map_err(|_closed| EmbedError::Closed)?));
        {
            let mut lanes = self.queue.lanes();
            if lanes.closed {
                return Err(EmbedError::Closed);
            }
            lanes.documents.push_back(job);
        }
        self.queue.changed.notify_one();
        received(reply).await
    }

    /// How many texts have been embedded since the start.
    pub fn runs(&self) -> u64 {
        self.queue.runs.load(Ordering::Relaxed)
    }

    /// Takes no more texts, embeds those in the queue, and returns when the threads have let go of the model.
    /// May be called again, also after the future was dropped.
    pub async fn close(&self) {
        self.queue.close();
        // An error means that the senders are gone, and they belong to the threads.
        let _ = self.running.clone().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn job(text: String, room: Option<OwnedSemaphorePermit>) -> (Job, oneshot::Receiver<Reply>) {
    let (reply, receiver) = oneshot::channel();
    let span = Span::current();
    (Job { text, reply, span, room }, receiver)
}

async fn received(reply: oneshot::Receiver<Reply>) -> Reply {
    reply.await.unwrap_or(Err(EmbedError::Closed))
}

impl Queue {
    /// A thread's life: takes jobs until the queue is closed and empty.
    fn work(&self, encoder: &mut Encoder) {
        while let Some(jobs) = self.next(encoder.texts_at_once) {
            let jobs: Vec<_> = jobs.into_iter().filter(|job| !job.reply.is_closed()).collect();
            let results = match &jobs[..] {
                [] => continue,
                // What is logged about a text belongs to the request that brought it.
                [job] => job.span.in_scope(|| encoded(&mut encoder.encode, &[&job.text])),
                jobs => encoded(&mut encoder.encode, &jobs.iter().map(|job| &*job.text).collect::<Vec<_>>()),
            };
            self.runs.fetch_add(jobs.len() as u64, Ordering::Relaxed);
            for (job, result) in jobs.into_iter().zip(results) {
                // An error means that the caller left meanwhile.
                let _ = job.reply.send(result);
            }
        }
    }

    /// The next jobs of one lane, queries first, at most `most`; `None` when the queue is closed and empty.
    fn next(&self, most: usize) -> Option<Vec<Job>> {
        let mut lanes = self.lanes();
        loop {
            let lanes_now = &mut *lanes;
            let lane =
                if lanes_now.queries.is_empty() { &mut lanes_now.documents } else { &mut lanes_now.queries };
            if !lane.is_empty() {
                let mut jobs: Vec<_> = lane.drain(..most.min(lane.len())).collect();
                // Their places are free: others may wait there while these run.
                jobs.iter_mut().for_each(|job| job.room = None);
                return Some(jobs);
            }
            if lanes.closed {
                return None;
            }
            lanes = self.changed.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        self.lanes().closed = true;
        self.document_room.close();
        self.changed.notify_all();
    }

    /// The lanes are whole at every point where a panic could occur.
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reply for each text. A panic in a tokenizer is the failure of one text, not the thread's end, nor that of texts beside
/// it. What `encode` holds is not changed by texts: a network, a tokenizer and memory that is written before it is read.
fn encoded(encode: &mut EncodeTexts, texts: &[&str]) -> Vec<Reply> {
    let results = catch_unwind(AssertUnwindSafe(|| encode(texts)));
    match (results, texts) {
        (Ok(results), _) => results,
        (Err(_), [_]) => vec![Err(EmbedError::failed("the encoder panicked"))],
        (Err(_), texts) => texts.iter().flat_map(|text| encoded(encode, &[text])).collect(),
    }
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
mod tests {
    use std::{future::Future, sync::mpsc};

    use super::*;

    /// The text that the thread does not let go of until it is told to.
    const HELD: &str = "held";

    /// One thread that reports the texts it takes.
    struct Stage {
        workers: Workers,
        taken: mpsc::Receiver<String>,
        release: mpsc::Sender<()>,
    }

    impl Stage {
        fn new(queries: usize, documents: usize) -> Self {
            Self::together(1, queries, documents)
        }

        fn together(texts_at_once: usize, queries: usize, documents: usize) -> Self {
            let (take, taken) = mpsc::channel();
            let (release, released) = mpsc::channel();
            let encode_one = move |text: &&str| {
                take.send((*text).to_owned()).unwrap();
                match *text {
                    HELD => released.recv().unwrap(),
                    "panic" => panic!("as asked"),
                    _ => {}
                }
                Ok(Embedding::new(vec![1.0]).unwrap())
            };
            let encode = Box::new(move |texts: &[&str]| texts.iter().map(&encode_one).collect());
            let encoder = Encoder { texts_at_once, encode };
            let workers = Workers::start(vec![encoder], Capacity { queries, documents }).unwrap();
            Self { workers, taken, release }
        }

        /// Starts `meanwhile` while the thread is busy, and lets the thread go on when `meanwhile` first
        /// waits.
        async fn while_busy<T>(&self, meanwhile: impl Future<Output = T>) -> T {
            let (held, result, ()) = tokio::join!(
                biased;
                self.workers.document(HELD.to_owned()),
                async {
                    assert_eq!(self.taken.recv().unwrap(), HELD);
                    meanwhile.await
                },
                async { self.release.send(()).unwrap() },
            );
            held.unwrap();
            result
        }

        async fn query(&self, text: &str) -> Reply {
            self.workers.query(text.to_owned()).await
        }

        async fn document(&self, text: &str) -> Reply {
            self.workers.document(text.to_owned()).await
        }

        fn taken(&self) -> Vec<String> {
            self.taken.try_iter().collect()
        }
    }

    #[tokio::test]
    async fn queries_overtake_documents() {
        let stage = Stage::new(8, 8);
        let replies = async { tokio::join!(biased; stage.document("document"), stage.query("query")) };
        let (document, query) = stage.while_busy(replies).await;
        assert!(document.is_ok() && query.is_ok());
        assert_eq!(stage.taken(), ["query", "document"]);
        assert_eq!(stage.workers.runs(), 3);
    }

    #[tokio::test]
    async fn a_query_too_many_is_refused_at_once() {
        let stage = Stage::new(1, 8);
        let replies = async { tokio::join!(biased; stage.query("waits"), stage.query("refused")) };
        let (waits, refused) = stage.while_busy(replies).await;
        assert!(waits.is_ok());
        assert_eq!(refused, Err(EmbedError::Overloaded));
        assert_eq!(stage.taken(), ["waits"]);
    }

    #[tokio::test]
    async fn a_document_too_many_waits_for_room() {
        let stage = Stage::new(8, 1);
        let waiting = async { assert_eq!(stage.workers.queue.lanes().documents.len(), 1) };
        let replies = async { tokio::join!(biased; stage.document("a"), stage.document("b"), waiting) };
        let (a, b, ()) = stage.while_busy(replies).await;
        assert!(a.is_ok() && b.is_ok());
        assert_eq!(stage.taken(), ["a", "b"]);
    }

    #[tokio::test]
    async fn a_text_whose_caller_left_is_skipped_and_makes_room() {
        let stage = Stage::new(1, 8);
        let replies = async {
            tokio::select! {
                biased;
                _ = stage.query("left") => unreachable!("the thread is busy"),
                () = std::future::ready(()) => {}
            }
            stage.query("stayed").await
        };
        assert!(stage.while_busy(replies).await.is_ok());
        assert_eq!(stage.taken(), ["stayed"]);
    }

    #[tokio::test]
    async fn close_finishes_what_is_queued_and_takes_no_more() {
        let stage = Stage::new(8, 1);
        let replies = async {
            tokio::join!(
                biased;
                stage.query("query"),
                stage.document("queued"),
                stage.document("waits for room"),
                stage.workers.close(),
                stage.query("late"),
            )
        };
        let (query, queued, waits, (), late) = stage.while_busy(replies).await;
        assert!(query.is_ok() && queued.is_ok());
        assert_eq!(waits, Err(EmbedError::Closed));
        assert_eq!(late, Err(EmbedError::Closed));
        assert_eq!(stage.taken(), ["query", "queued"]);
        // The thread has let go of its encoder, and with it of the other end of the channel.
        assert_eq!(stage.taken.recv(), Err(mpsc::RecvError));
        stage.workers.close().await;
    }

    #[tokio::test]
    async fn a_panic_is_the_failure_of_one_text() {
        let stage = Stage::new(8, 8);
        let reply = stage.query("panic").await;
        assert_eq!(reply, Err(EmbedError::failed("the encoder panicked")));
        assert!(stage.query("next").await.is_ok());
    }

    #[tokio::test]
    async fn texts_that_run_together_are_of_one_lane_and_fail_alone() {
        let stage = Stage::together(3, 8, 8);
        let replies = async {
            tokio::join!(
                biased;
                stage.document("a"),
                stage.query("1"),
                stage.query("panic"),
                stage.query("2"),
                stage.document("b"),
            )
        };
        let (a, one, panic, two, b) = stage.while_busy(replies).await;
        assert!(a.is_ok() && one.is_ok() && two.is_ok() && b.is_ok());
        assert_eq!(panic, Err(EmbedError::failed("the encoder panicked")));
        // Together until the panic, then one by one.
        assert_eq!(stage.taken(), ["1", "panic", "1", "panic", "2", "a", "b"]);
        assert_eq!(stage.workers.runs(), 6);
    }
}
