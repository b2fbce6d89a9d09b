//! Texts that run together, for accelerators: one text alone would leave most of such a device idle.
//!
//! Texts of similar length go together, as many as a budget of tokens takes, padding included; so memory is bounded
//! whatever the lengths. A vector may differ in its last bits by what it ran with.

use std::sync::Arc;

use super::{error::EmbedError, network::Network, tokenizer::Tokenizer, vector::Embedding, workers::Encode};

/// Tokens of one run, padding included: 64 passages of 128.
pub(super) const TOKEN_BUDGET: usize = 8_192;
/// Texts that are taken from the queue at once.
pub(super) const TEXTS_AT_ONCE: usize = 64;

/// An encoder that runs what waits together.
pub(super) struct BatchEncoder {
    pub tokenizer: Arc<Tokenizer>,
    pub network: Network,
}

impl Encode for BatchEncoder {
    fn texts_at_once(&self) -> usize {
        TEXTS_AT_ONCE
    }

    fn encode(&mut self, texts: &[&str]) -> Vec<Result<Embedding, EmbedError>> {
        embed(&self.tokenizer, &self.network, texts)
    }
}

/// Embeds `texts`; each has its own result.
fn embed(tokenizer: &Tokenizer, network: &Network, texts: &[&str]) -> Vec<Result<Embedding, EmbedError>> {
    let ids: Vec<_> = texts.iter().map(|text| tokenizer.ids(text)).collect();
    let mut results: Vec<_> =
        ids.iter().map(|ids| ids.as_ref().map(|_| None).map_err(EmbedError::clone)).collect();
    let lengths: Vec<_> = ids.iter().map(|ids| ids.as_ref().map_or(0, Vec::len)).collect();
    for run in runs(&lengths) {
        let together: Vec<_> =
            run.iter().filter_map(|text| Some(ids[*text].as_ref().ok()?.as_slice())).collect();
        for (text, vector) in run.iter().zip(embed_run(network, &together)) {
            results[*text] = vector.map(Some);
        }
    }
    let missing = || EmbedError::failed("it was left out of a run");
    results.into_iter().map(|result| result.and_then(|vector| vector.ok_or_else(missing))).collect()
}

/// Which texts run together, by their numbers of tokens; those without tokens do not run.
fn runs(lengths: &[usize]) -> Vec<Vec<usize>> {
    let mut order: Vec<_> = (0..lengths.len()).filter(|text| lengths[*text] > 0).collect();
    order.sort_by_key(|text| std::cmp::Reverse(lengths[*text]));
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for text in order {
        match runs.last_mut() {
            // The first is the longest: all are padded to it.
            Some(run) if lengths[run[0]] * (run.len() + 1) <= TOKEN_BUDGET => run.push(text),
            _ => runs.push(vec![text]),
        }
    }
    runs
}

/// A failure of several together may be that of one: then each runs alone.
fn embed_run(network: &Network, texts: &[&[u32]]) -> Vec<Result<Embedding, EmbedError>> {
    let normalised = |vector| Embedding::normalised(vector).map_err(EmbedError::failed);
    match network.encode_together(texts) {
        Ok(vectors) => vectors.into_iter().map(normalised).collect(),
        Err(error) if texts.len() < 2 => texts.iter().map(|_| Err(EmbedError::failed(&error))).collect(),
        Err(error) => {
            tracing::warn!(texts = texts.len(), %error, "embedding.batch_failed: running each text alone");
            texts.iter().flat_map(|text| embed_run(network, &[text])).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use sentio_int8::Scratch;

    use super::*;
    use crate::embedding::{
        accelerator::Accelerator,
        encoder::EncoderModel,
        folder::{ModelFolder, WeightsFile},
        precision::Precision,
        runtime,
    };
    use crate::mapped_file::MappedFile;

    #[test]
    fn runs_hold_texts_of_similar_length_within_the_budget() {
        let lengths: Vec<_> = (0..500).map(|text| 1 + text * 37 % 512).chain([0, TOKEN_BUDGET * 2]).collect();
        let runs = runs(&lengths);
        assert_eq!(runs[0], [501], "what is larger than the budget runs alone");
        for run in &runs[1..] {
            let longest = run.iter().map(|text| lengths[*text]).max().unwrap();
            assert!(longest * run.len() <= TOKEN_BUDGET);
        }
        let mut all: Vec<_> = runs.concat();
        all.sort_unstable();
        assert_eq!(all, (0..500).chain([501]).collect::<Vec<_>>());
        assert!(runs.len() < 30, "{}", runs.len());
    }

    #[test]
    fn texts_that_run_together_have_the_vectors_of_texts_alone() {
        let environment = runtime::environment(None).unwrap();
        let text = |number: usize| "words of many kinds, and more of them ".repeat(1 + number * 7 % 5);
        let texts: Vec<_> = (0..20).map(|number| text(number)[number..].to_owned()).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        for name in ["tiny-bert", "tiny-mpnet", "tiny-distilbert", "tiny-roberta-onnx"] {
            let folder = ModelFolder::read(&Path::new("tests/fixtures/models").join(name)).unwrap();
            let (tokenizer, _) = Tokenizer::read(&folder.tokenizer, folder.window).unwrap();
            let network = |accelerator| match &folder.weights {
                WeightsFile::Onnx(_) => Network::file(&folder, &environment, accelerator).unwrap(),
                WeightsFile::Safetensors(path) => {
                    let weights = Arc::new(MappedFile::open(path).unwrap());
                    let model = Arc::new(EncoderModel::open(&folder, weights).unwrap());
                    Network::built(&model, Precision::Fp32, &environment, accelerator).unwrap()
                }
            };
            let (alone, together) = (network(None), network(Some(Accelerator::PROCESSOR)));
            assert!(together.takes_batches() && !alone.takes_batches());
            let found = embed(&tokenizer, &together, &texts);
            for (text, found) in texts.iter().zip(found) {
                let ids = tokenizer.ids(text).unwrap();
                let expected = alone.encode(&ids, &mut Scratch::default()).unwrap();
                let cosine = found.unwrap().cosine(&Embedding::normalised(expected).unwrap());
                assert!(cosine > 0.99999, "{name}: {cosine}");
            }
        }
    }
}
