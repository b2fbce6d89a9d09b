//! Turns text into the model's token ids, and says where in the text each token stands.

use std::{error::Error, fs, ops::Range, path::Path};

use serde::Deserialize;
use tokenizers::{ModelWrapper, models::unigram::Unigram};

use super::error::{EmbedError, OpenError};

/// Put in front of pieces that must not be found in text: a code point that Unicode never assigns.
const NEVER_IN_TEXT: char = '\u{FFFF}';

/// A model's tokenizer with Sentio's own truncation: those baked into `tokenizer.json` are leftovers of
/// training.
pub(super) struct Tokenizer {
    tokenizer: tokenizers::Tokenizer,
    window: usize,
}

impl Tokenizer {
    /// Reads `tokenizer.json`; gives its bytes back, for the fingerprint.
    pub fn read(path: &Path, window: usize) -> Result<(Self, Vec<u8>), OpenError> {
        let bytes =
            fs::read(path).map_err(|source| OpenError::FileUnreadable { path: path.to_owned(), source })?;
        match prepared(&bytes) {
            Ok(tokenizer) => Ok((Self { tokenizer, window }, bytes)),
            Err(source) => Err(OpenError::FileInvalid { path: path.to_owned(), source }),
        }
    }

    /// The ids of a text with its special tokens, cut to the window as the model's authors do: from the end
    /// of the content.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, EmbedError> {
        let encoding = self.tokenizer.encode_fast(text, true).map_err(EmbedError::failed)?;
        let mut ids = encoding.get_ids().to_vec();
        if ids.is_empty() {
            return Err(EmbedError::failed("the tokenizer makes no tokens of it"));
        }
        if ids.len() > self.window {
            let special = encoding.get_special_tokens_mask();
            let closing = special.iter().rev().take_while(|&&special| special == 1).count();
            ids.drain(self.window - closing..ids.len() - closing);
        }
        Ok(ids)
    }

    /// The byte range of each token of `text`, without special tokens and without truncation. Starts and ends
    /// never decrease and lie on character boundaries; tokens that are parts of one character share its
    /// range.
    pub fn spans(&self, text: &str) -> Result<Vec<Range<usize>>, EmbedError> {
        let encoding = self.tokenizer.encode(text, false).map_err(EmbedError::failed)?;
        let mut previous = 0..0;
        let spans = encoding.get_offsets().iter().map(|&(start, end)| {
            let start = text.floor_char_boundary(start).max(previous.start);
            let end = text.ceil_char_boundary(end).max(previous.end).max(start);
            previous = start..end;
            start..end
        });
        Ok(spans.collect())
    }

    /// Tokens of every text that are not content: special tokens and those of `prompt`.
    pub fn overhead(&self, prompt: &str) -> Result<usize, EmbedError> {
        let encoding = self.tokenizer.encode_fast(prompt, true).map_err(EmbedError::failed)?;
        Ok(encoding.len())
    }
}

fn prepared(json: &[u8]) -> Result<tokenizers::Tokenizer, Box<dyn Error + Send + Sync>> {
    let mut tokenizer = tokenizers::Tokenizer::from_bytes(json)?;
    tokenizer.with_padding(None).with_truncation(None)?;
    // The text of an article is content: `</s>` in it is four characters, not the end of the sequence.
    tokenizer.set_encode_special_tokens(true);
    if let Some(model) = without_special_pieces(&tokenizer, json)? {
        tokenizer.with_model(model);
    }
    Ok(tokenizer)
}

/// Unigram models (XLM-R's) list special tokens among the pieces that they look for in text, so that not
/// looking for special tokens is not enough. In the model returned those pieces have names that no text
/// contains.
fn without_special_pieces(
    tokenizer: &tokenizers::Tokenizer,
    json: &[u8],
) -> Result<Option<Unigram>, Box<dyn Error + Send + Sync>> {
    #[derive(Deserialize)]
    struct File {
        model: Model,
    }
    #[derive(Deserialize)]
    struct Model {
        unk_id: Option<usize>,
    }

    let ModelWrapper::Unigram(model) = tokenizer.get_model() else {
        return Ok(None);
    };
    let special = tokenizer.get_added_vocabulary();
    let pieces = model.iter().map(|(piece, score)| {
        let hidden = special.is_special_token(piece);
        (if hidden { format!("{NEVER_IN_TEXT}{piece}") } else { piece.clone() }, *score)
    });
    // The model does not tell which of its pieces stands for the unknown.
    let file: File = serde_json::from_slice(json)?;
    Unigram::from(pieces.collect(), file.model.unk_id, model.byte_fallback()).map(Some)
}
