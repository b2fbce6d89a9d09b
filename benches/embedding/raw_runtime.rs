//! ONNX Runtime in a bare loop over an exported graph, as a contestant.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use ort::session::builder::SessionBuilder;
use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;

use crate::contestant::{Answer, answer};
use crate::repository;

struct Raw {
    tokenizer: tokenizers::Tokenizer,
    session: Session,
    names: Vec<String>,
    /// Tokens that the model sees of a text.
    window: usize,
}

/// Embeds with the runtime's own threads until standard input ends.
pub fn serve(model: &str, file: &str, threads: usize, window: usize) -> anyhow::Result<()> {
    let environment = ort::init_from(repository("lib/libonnxruntime.so"))?.with_telemetry(false).build()?;
    let session = SessionBuilder::new(&environment)
        .and_then(|builder| builder.with_intra_threads(threads)?.commit_from_file(file))
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let path = Path::new(model).join("tokenizer.json");
    let mut tokenizer = tokenizers::Tokenizer::from_file(path).map_err(|error| anyhow::anyhow!("{error}"))?;
    tokenizer.with_padding(None).with_truncation(None).map_err(|error| anyhow::anyhow!("{error}"))?;
    let names = session.inputs().iter().map(|input| input.name().to_owned()).collect();
    let mut raw = Raw { tokenizer, session, names, window };
    answer(|request| {
        let started = Instant::now();
        let mut times = Vec::new();
        for text in &request.texts {
            let begun = Instant::now();
            raw.embed(text)?;
            times.push(begun.elapsed().as_secs_f64());
        }
        Ok(Answer { seconds: started.elapsed().as_secs_f64(), times })
    })
}

impl Raw {
    /// The normalised mean of the tokens' states.
    fn embed(&mut self, text: &str) -> anyhow::Result<Vec<f32>> {
        let encoding = self.tokenizer.encode_fast(text, true).map_err(|error| anyhow::anyhow!("{error}"))?;
        let mut ids: Vec<i64> = encoding.get_ids().iter().map(|id| i64::from(*id)).collect();
        ids.truncate(self.window);
        let tokens = ids.len();
        let mut inputs = Vec::new();
        for name in &self.names {
            let values = match name.as_str() {
                "input_ids" => ids.clone(),
                "attention_mask" => vec![1; tokens],
                _ => vec![0; tokens],
            };
            let tensor = Tensor::from_array(([1, tokens], values))?;
            inputs.push((name.as_str(), SessionInputValue::from(tensor)));
        }
        let outputs = self.session.run(inputs)?;
        let (_, states) = outputs["last_hidden_state"].try_extract_tensor::<f32>()?;
        let width = states.len().checked_div(tokens).context("the text has no tokens")?;
        let mut mean = vec![0.0; width];
        for state in states.chunks_exact(width) {
            for (mean, value) in mean.iter_mut().zip(state) {
                *mean += value;
            }
        }
        let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
        mean.iter_mut().for_each(|value| *value /= length);
        Ok(mean)
    }
}
