//! The queue with an encoder that does as it is told.

use std::{future::Future, sync::mpsc};

use super::*;

/// The text that the thread does not let go of until it is told to.
const HELD: &str = "held";

/// Reports each text before it embeds it.
struct Told {
    texts_at_once: usize,
    take: mpsc::Sender<String>,
    released: mpsc::Receiver<()>,
}

impl Encode for Told {
    fn texts_at_once(&self) -> usize {
        self.texts_at_once
    }

    fn encode(&mut self, texts: &[&str]) -> Vec<Reply> {
        let encode = |text: &&str| {
            self.take.send((*text).to_owned()).unwrap();
            match *text {
                HELD => self.released.recv().unwrap(),
                "panic" => panic!("as asked"),
                _ => {}
            }
            Ok(Embedding::new(vec![1.0]).unwrap())
        };
        texts.iter().map(encode).collect()
    }
}

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
        let encoder = Told { texts_at_once, take, released };
        let encoders = Encoders { threads: vec![Box::new(encoder)], spare: None };
        let workers = Workers::start(encoders, Capacity { queries, documents }).unwrap();
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

/// Embeds a query only when a thread helps.
struct Helped {
    help: mpsc::Sender<()>,
    helped: mpsc::Receiver<()>,
    asker: std::thread::ThreadId,
}

impl Helped {
    fn workers(threads: usize) -> Workers {
        let new = || {
            let (help, helped) = mpsc::channel();
            Self { help, helped, asker: std::thread::current().id() }
        };
        let mut spare = new();
        let of_thread = |_| -> Box<dyn Encode> { Box::new(Self { help: spare.help.clone(), ..new() }) };
        let threads = (0..threads).map(of_thread).collect();
        // Only the threads can send: when none is left, nobody waits for them.
        spare.help = mpsc::channel().0;
        let encoders = Encoders { threads, spare: Some(Box::new(spare)) };
        Workers::start(encoders, Capacity { queries: 8, documents: 8 }).unwrap()
    }

    async fn idle(workers: &Workers, threads: usize) {
        while workers.queue.lanes().idle < threads {
            tokio::task::yield_now().await;
        }
    }
}

impl Encode for Helped {
    fn encode(&mut self, texts: &[&str]) -> Vec<Reply> {
        texts.iter().map(|_| Ok(Embedding::new(vec![1.0]).unwrap())).collect()
    }

    fn takes_help(&self) -> bool {
        true
    }

    fn encode_with_help(&mut self, _: &str, _: &SharedText) -> Reply {
        assert_eq!(std::thread::current().id(), self.asker);
        self.helped.recv().unwrap();
        Ok(Embedding::new(vec![-1.0]).unwrap())
    }

    fn help(&mut self, _: &SharedText) {
        self.help.send(()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_query_runs_where_it_is_asked_with_an_idle_threads_help() {
    let workers = Helped::workers(2);
    let alone = Embedding::new(vec![1.0]).unwrap();
    for _ in 0..20 {
        Helped::idle(&workers, 2).await;
        assert_ne!(workers.query("short".to_owned()).await.unwrap(), alone);
    }
    // A long one would hold up what else runs on the caller's thread.
    assert_eq!(workers.query("long ".repeat(100)).await.unwrap(), alone);
    workers.close().await;
    assert_eq!(workers.query("late".to_owned()).await, Err(EmbedError::Closed));
    assert!(workers.spare.lock().unwrap().is_none());
    assert_eq!(workers.runs(), 21);
}

#[tokio::test]
async fn a_runtime_of_one_thread_is_not_held_up() {
    let workers = Helped::workers(2);
    Helped::idle(&workers, 2).await;
    let alone = Embedding::new(vec![1.0]).unwrap();
    assert_eq!(workers.query("short".to_owned()).await.unwrap(), alone);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn embedding_threads_yield_and_others_do_not() {
    struct OwnPriority;

    impl Encode for OwnPriority {
        fn encode(&mut self, _: &[&str]) -> Vec<Reply> {
            let yields = rustix::process::getpriority_process(None).unwrap() >= priority::NICENESS;
            vec![if yields { Ok(Embedding::new(vec![1.0]).unwrap()) } else { Err(EmbedError::Overloaded) }]
        }
    }

    let capacity = Capacity { queries: 1, documents: 1 };
    let encoders = Encoders { threads: vec![Box::new(OwnPriority)], spare: None };
    let workers = Workers::start(encoders, capacity).unwrap();
    let before = rustix::process::getpriority_process(None).unwrap();
    workers.document("any".to_owned()).await.unwrap();
    assert_eq!(rustix::process::getpriority_process(None).unwrap(), before);
}
