//! How a thread embeds one text at a time.

use std::sync::Arc;

use sentio_int8::Scratch;

use super::{
    error::EmbedError, network::Network, shared_text::SharedText, tokenizer::Tokenizer, vector::Embedding,
    workers::Encode,
};

/// A tokenizer and a network, which are shared, and the memory that a run takes.
pub(super) struct TextEncoder {
    tokenizer: Arc<Tokenizer>,
    network: Arc<Network>,
    takes_help: bool,
    scratch: Scratch,
}

impl TextEncoder {
    /// One of `threads`: a single one gets no help, which would be a second one.
    pub fn new(tokenizer: &Arc<Tokenizer>, network: &Arc<Network>, threads: usize) -> Self {
        Self {
            tokenizer: Arc::clone(tokenizer),
            network: Arc::clone(network),
            takes_help: threads > 1 && network.takes_help(),
            scratch: Scratch::default(),
        }
    }

    fn embed(&mut self, text: &str, shared: Option<&SharedText>) -> Result<Embedding, EmbedError> {
        let ids = self.tokenizer.ids(text)?;
        let vector = match shared {
            Some(shared) => self.network.encode_with_help(&ids, &mut self.scratch, shared),
            None => self.network.encode(&ids, &mut self.scratch),
        };
        Embedding::normalised(vector.map_err(EmbedError::failed)?).map_err(EmbedError::failed)
    }
}

impl Encode for TextEncoder {
    fn encode(&mut self, texts: &[&str]) -> Vec<Result<Embedding, EmbedError>> {
        texts.iter().map(|text| self.embed(text, None)).collect()
    }

    fn takes_help(&self) -> bool {
        self.takes_help
    }

    fn encode_with_help(&mut self, text: &str, shared: &SharedText) -> Result<Embedding, EmbedError> {
        let embedding = self.embed(text, Some(shared));
        shared.withdraw();
        embedding
    }

    fn help(&mut self, shared: &SharedText) {
        self.network.help(shared, &mut self.scratch);
    }
}
