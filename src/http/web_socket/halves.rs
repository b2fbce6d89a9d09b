//! The two halves of a WebSocket: what the client says, and what it is told, both within their times.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, close_code};
use futures::stream::{SplitSink, SplitStream};
use futures::{Sink, SinkExt, Stream, StreamExt};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::session::{End, close, shortened};

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Until the client introduces itself.
    pub init: Duration,
    /// How often a silent client is asked whether it lives.
    pub ping: Duration,
    /// How long a client may be silent: no answer to two pings.
    pub silence: Duration,
    /// Until the client has read a message.
    pub send: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            init: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            silence: Duration::from_secs(50),
            send: Duration::from_secs(60),
        }
    }
}

/// What the client says.
pub struct Incoming<S = SplitStream<WebSocket>> {
    source: S,
    times: Times,
    started: Instant,
    heard: Instant,
    stop: CancellationToken,
}

impl<S: Stream<Item = Result<Message, axum::Error>> + Unpin> Incoming<S> {
    /// Reads `source` until `stop`.
    pub fn new(source: S, times: Times, stop: CancellationToken) -> Self {
        let now = Instant::now();
        Self { source, times, started: now, heard: now, stop }
    }

    /// The next text of a client that has introduced itself or not. There is none once the server stops: what it would ask
    /// for could not be answered.
    pub async fn next(&mut self, initialised: bool) -> Result<Utf8Bytes, End> {
        loop {
            let deadline =
                if initialised { self.heard + self.times.silence } else { self.started + self.times.init };
            let message = tokio::select! {
                biased;
                () = self.stop.cancelled() => pending().await,
                message = timeout_at(deadline, self.source.next()) => message,
            };
            self.heard = Instant::now();
            match message {
                Ok(Some(Ok(Message::Text(text)))) => return Ok(text),
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                Ok(Some(Ok(Message::Binary(_)))) => {
                    return Err(close(4400, "Invalid message: it is binary"));
                }
                Ok(Some(Err(error))) => return Err(unreadable(error)),
                Ok(Some(Ok(Message::Close(_))) | None) => return Err(End::Gone),
                Err(_) if initialised => return Err(End::Gone),
                Err(_) => return Err(close(4408, "Connection initialisation timeout")),
            }
        }
    }

    /// Reads on without looking, until the client has closed.
    pub async fn drain(&mut self) {
        while let Some(Ok(_)) = self.source.next().await {}
    }
}

/// The codes of RFC 6455, section 7.4.1, for what cannot be read.
fn unreadable(error: axum::Error) -> End {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Protocol(error)) => {
            close(close_code::PROTOCOL, shortened(error.to_string()))
        }
        Some(tungstenite::Error::Utf8(_)) => close(close_code::INVALID, "Invalid message: it is no UTF-8"),
        Some(tungstenite::Error::Capacity(_)) => close(close_code::SIZE, "the message is too large"),
        _ => End::Gone,
    }
}

/// What the client is told. A message that it does not read holds up the next: nothing piles up here.
pub struct Outgoing<S = SplitSink<WebSocket, Message>> {
    sink: Arc<Mutex<S>>,
    times: Times,
}

impl<S> Clone for Outgoing<S> {
    fn clone(&self) -> Self {
        Self { sink: Arc::clone(&self.sink), times: self.times }
    }
}

impl<S: Sink<Message> + Unpin> Outgoing<S> {
    /// Writes to `sink`.
    pub fn new(sink: S, times: Times) -> Self {
        Self { sink: Arc::new(Mutex::new(sink)), times }
    }

    /// Returns when the message is written.
    pub async fn send(&self, message: Message) -> Result<(), End> {
        let mut sink = self.sink.lock().await;
        match timeout(self.times.send, sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    /// Asks the client whether it lives, until nothing can be sent any more.
    pub async fn ping(&self) -> End {
        loop {
            sleep(self.times.ping).await;
            if let Err(end) = self.send(Message::Ping(Bytes::new())).await {
                return end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;
    use futures::stream;

    use super::*;

    const SHORT: Times = Times {
        init: Duration::from_millis(40),
        ping: Duration::from_millis(10),
        silence: Duration::from_millis(120),
        send: Duration::from_millis(40),
    };
    const LONG: Duration = Duration::from_secs(3600);

    type Heard = Result<Message, axum::Error>;

    fn code(end: Result<Utf8Bytes, End>) -> Option<u16> {
        match end.expect_err("an end") {
            End::Close(code, _) => Some(code),
            End::Gone => None,
        }
    }

    #[tokio::test]
    async fn who_does_not_introduce_itself_in_time_is_let_go_whatever_else_it_says() {
        let pongs = stream::unfold((), |()| async {
            sleep(Duration::from_millis(5)).await;
            Some((Heard::Ok(Message::Pong(Bytes::new())), ()))
        });
        let mut incoming = Incoming::new(pongs.boxed(), SHORT, CancellationToken::new());
        assert_eq!(code(incoming.next(false).await), Some(4408));
    }

    #[tokio::test]
    async fn who_is_silent_is_gone_and_who_answers_is_not() {
        let times = Times { init: LONG, ..SHORT };
        let mut silent = Incoming::new(stream::pending::<Heard>(), times, CancellationToken::new());
        assert_eq!(code(silent.next(true).await), None);

        let pongs = stream::iter(0..10).then(|_| async {
            sleep(SHORT.silence / 4).await;
            Heard::Ok(Message::Pong(Bytes::new()))
        });
        let text = stream::iter([Heard::Ok(Message::text("x"))]);
        let mut lively = Incoming::new(pongs.chain(text).boxed(), times, CancellationToken::new());
        assert_eq!(lively.next(true).await.unwrap_or_default(), "x");
    }

    #[tokio::test]
    async fn nothing_more_is_read_once_the_server_stops() {
        let stop = CancellationToken::new();
        let texts = stream::repeat_with(|| Heard::Ok(Message::text("x")));
        let mut incoming = Incoming::new(texts, SHORT, stop.clone());
        assert!(incoming.next(true).await.is_ok());
        stop.cancel();
        assert!(timeout(2 * SHORT.silence, incoming.next(true)).await.is_err());
    }

    #[tokio::test]
    async fn who_does_not_read_is_gone_and_is_asked_again_otherwise() {
        // One message fits in.
        let (sink, mut messages) = mpsc::channel(0);
        let outgoing = Outgoing::new(sink, SHORT);
        assert!(matches!(outgoing.send(Message::text("x")).await, Err(End::Gone)));
        assert!(matches!(messages.next().await, Some(Message::Text(_))));

        let reads = async {
            for _ in 0..3 {
                assert!(matches!(messages.next().await, Some(Message::Ping(_))));
            }
        };
        tokio::select! {
            _ = outgoing.ping() => panic!("the client reads"),
            () = reads => {}
        }
        drop(messages);
        assert!(matches!(outgoing.ping().await, End::Gone));
    }
}
