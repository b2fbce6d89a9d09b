//! A response as text, whose memory counts until the last of it was sent.

use std::io;

use axum::body::Bytes;
use tokio::task::spawn_blocking;

use crate::graphql::{Answer, Held, ResponseBody};

/// The bytes of a response, and the memory that is taken for them.
struct HeldText {
    text: Vec<u8>,
    _held: Held,
}

impl AsRef<[u8]> for HeldText {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

/// The JSON of `answer` between two texts. What it takes of the memory for responses is given back when all copies of the bytes
/// are dropped: those that wait in the connection are not copied.
pub async fn response_text(answer: Answer, before: &str, after: &'static str) -> io::Result<Bytes> {
    if !answer.is_large() {
        return write(answer, before, after);
    }
    let before = before.to_owned();
    spawn_blocking(move || write(answer, &before, after)).await?
}

fn write(mut answer: Answer, before: &str, after: &str) -> io::Result<Bytes> {
    let json = answer.take_json();
    let text = match json {
        Some(json) if before.is_empty() && after.is_empty() => json,
        json => {
            let length = usize::try_from(answer.json_bytes()).unwrap_or_default();
            let mut text = Vec::with_capacity(before.len() + length + after.len());
            text.extend_from_slice(before.as_bytes());
            match json {
                Some(json) => text.extend_from_slice(&json),
                None => serde_json::to_writer(&mut text, &ResponseBody::from(&answer))?,
            }
            text.extend_from_slice(after.as_bytes());
            text
        }
    };
    let _held = answer.into_held();
    Ok(Bytes::from_owner(HeldText { text, _held }))
}
