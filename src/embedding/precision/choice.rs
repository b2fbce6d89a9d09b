//! Chooses the arithmetic of a model that is used for the first time: the fastest whose vectors stay close to those of
//! 32-bit floats, which is measured, because models differ in how well they bear rounding.

use std::thread;

use sentio_int8::Scratch;
use serde::{Deserialize, Serialize};

use super::{Closeness, Precision, multiplies_int8};
use crate::config::PrecisionSetting;
use crate::embedding::{
    encoder::EncoderModel, error::OpenError, network::Network, tokenizer::Tokenizer, vector::Embedding,
};

/// What the measurement embeds, a text a line: many subjects, lengths, a few languages.
const TEXTS: &str = include_str!("probe_texts.txt");
/// How many of them are embedded whenever a model is opened, and compared with what was stored.
const PROBES: usize = 8;
/// An arithmetic stays close when the vectors of [`TEXTS`] have at least this mean cosine to those of 32-bit floats…
const MEAN_COSINE_MIN: f64 = 0.98;
/// …and this share of the same neighbours.
const OVERLAP_MIN: f64 = 0.9;

/// One arithmetic that was tried for a model, and how close it came to 32-bit floats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub arithmetic: String,
    #[serde(flatten)]
    pub closeness: Closeness,
}

/// The network that was chosen, and what was tried on the way.
pub(in crate::embedding) struct Choice {
    pub precision: Precision,
    pub network: Network,
    pub trials: Vec<Trial>,
}

/// Chooses among what `setting` allows; `build` makes the network of an arithmetic. Takes seconds for large models.
pub(in crate::embedding) fn choose(
    setting: PrecisionSetting,
    model: &EncoderModel,
    tokenizer: &Tokenizer,
    build: impl Fn(Precision) -> Result<Network, OpenError>,
) -> Result<Choice, OpenError> {
    let candidates = candidates(setting, model);
    if candidates == [Precision::Fp32] {
        return Ok(Choice {
            precision: Precision::Fp32,
            network: build(Precision::Fp32)?,
            trials: Vec::new(),
        });
    }
    let texts: Vec<_> = TEXTS.lines().collect();
    let failed = |reason| OpenError::WarmUp { path: model.path().to_owned(), reason };
    // Not kept: few models need it, and its weights are several times those of the others.
    let reference = vectors(&build(Precision::Fp32)?, tokenizer, &texts).map_err(failed)?;
    let mut trials = Vec::new();
    for precision in candidates {
        if precision == Precision::Fp32 {
            tracing::info!(arithmetic = %precision, "embedding.arithmetic_chosen: 8 bits are not close enough");
            return Ok(Choice { precision, network: build(precision)?, trials });
        }
        let network = build(precision)?;
        let closeness = Closeness::of(&vectors(&network, tokenizer, &texts).map_err(failed)?, &reference);
        tracing::info!(
            arithmetic = %precision,
            mean_cosine = closeness.mean_cosine,
            smallest_cosine = closeness.smallest_cosine,
            overlap = closeness.overlap,
            "embedding.arithmetic_tried"
        );
        trials.push(Trial { arithmetic: precision.to_string(), closeness });
        if closeness.mean_cosine >= MEAN_COSINE_MIN && closeness.overlap >= OVERLAP_MIN {
            return Ok(Choice { precision, network, trials });
        }
    }
    // Only when the setting insists on 8 bits.
    let precision = closest(&trials).unwrap_or(Precision::Int8PerTensor);
    tracing::warn!(arithmetic = %precision, "embedding.arithmetic_not_close: SENTIO_PRECISION=auto would use fp32");
    Ok(Choice { precision, network: build(precision)?, trials })
}

/// What `setting` allows on this processor, the fastest first.
fn candidates(setting: PrecisionSetting, model: &EncoderModel) -> Vec<Precision> {
    let fast_layers = sentio_int8::Encoder::is_fast_here() && model.fits_int8_layers();
    let int8 = match fast_layers {
        true => vec![Precision::Int8PerToken],
        false => vec![Precision::Int8PerTensor, Precision::Int8PerTensorAndBlock],
    };
    match setting {
        PrecisionSetting::Fp32 => vec![Precision::Fp32],
        PrecisionSetting::Int8 => int8,
        PrecisionSetting::Auto if fast_layers || multiplies_int8() => [int8, vec![Precision::Fp32]].concat(),
        PrecisionSetting::Auto => vec![Precision::Fp32],
    }
}

fn closest(trials: &[Trial]) -> Option<Precision> {
    let best = trials.iter().max_by(|a, b| a.closeness.mean_cosine.total_cmp(&b.closeness.mean_cosine))?;
    Precision::named(&best.arithmetic).ok().flatten()
}

/// The vectors of the texts that every opening embeds. Also what warms a network up.
pub(in crate::embedding) fn probe(
    network: &Network,
    tokenizer: &Tokenizer,
) -> Result<Vec<Embedding>, String> {
    vectors(network, tokenizer, &TEXTS.lines().take(PROBES).collect::<Vec<_>>())
}

/// The vectors of `texts`, on two threads.
fn vectors(network: &Network, tokenizer: &Tokenizer, texts: &[&str]) -> Result<Vec<Embedding>, String> {
    let embed = |texts: &[&str]| -> Result<Vec<_>, String> {
        let mut scratch = Scratch::default();
        let mut embed = |text: &str| {
            let ids = tokenizer.ids(text).map_err(|error| error.to_string())?;
            let vector = network.encode(&ids, &mut scratch).map_err(|error| error.to_string())?;
            Embedding::normalised(vector).map_err(|error| error.to_string())
        };
        texts.iter().map(|text| embed(text)).collect()
    };
    let (first, second) = texts.split_at(texts.len() / 2);
    thread::scope(|scope| {
        let first = scope.spawn(|| embed(first));
        let mut second = embed(second)?;
        let mut all = first.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        all.append(&mut second);
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::embedding::{folder::ModelFolder, runtime};
    use crate::mapped_file::MappedFile;

    /// Opens a model of the repository.
    fn model(folder: &str) -> (Arc<EncoderModel>, Tokenizer) {
        let folder = ModelFolder::read(Path::new(folder)).unwrap();
        let weights = Arc::new(MappedFile::open(folder.weights.path()).unwrap());
        let (tokenizer, _) = Tokenizer::read(&folder.tokenizer, folder.window).unwrap();
        (Arc::new(EncoderModel::open(&folder, weights).unwrap()), tokenizer)
    }

    #[test]
    fn every_arithmetic_gives_vectors_close_to_those_of_floats() {
        let environment = runtime::environment(None).unwrap();
        let texts: Vec<_> = TEXTS.lines().collect();
        for folder in [
            "tests/fixtures/models/tiny-mpnet",
            "tests/fixtures/models/tiny-roberta",
            "models/all-MiniLM-L6-v2",
        ] {
            let (model, tokenizer) = model(folder);
            let of = |precision| {
                let network = Network::built(&model, precision, &environment, None).unwrap();
                vectors(&network, &tokenizer, &texts).unwrap()
            };
            let exact = of(Precision::Fp32);
            for (precision, least) in [
                (Precision::Int8PerToken, 0.995),
                (Precision::Int8PerTensor, 0.97),
                (Precision::Int8PerTensorAndBlock, 0.97),
            ] {
                let closeness = Closeness::of(&of(precision), &exact);
                println!("{folder} {precision}: {closeness:?}");
                assert!(closeness.mean_cosine > least, "{folder} {precision}: {closeness:?}");
            }
        }
    }

    #[test]
    fn what_is_not_close_is_not_chosen() {
        let environment = runtime::environment(None).unwrap();
        let (model, tokenizer) = model("tests/fixtures/models/tiny-bert");
        let (other, _) = self::model("tests/fixtures/models/tiny-mpnet");
        // As if 8 bits gave the vectors of another model.
        let build = |precision| match precision {
            Precision::Fp32 => Network::built(&model, precision, &environment, None),
            _ => Network::built(&other, precision, &environment, None),
        };
        let choice = choose(PrecisionSetting::Auto, &model, &tokenizer, build).unwrap();
        assert_eq!(choice.precision, Precision::Fp32);
        let insisted = choose(PrecisionSetting::Int8, &model, &tokenizer, build).unwrap();
        assert_ne!(insisted.precision, Precision::Fp32);
        assert!(insisted.trials.iter().all(|trial| trial.closeness.mean_cosine < MEAN_COSINE_MIN));
        let exact = choose(PrecisionSetting::Fp32, &model, &tokenizer, build).unwrap();
        assert!(exact.precision == Precision::Fp32 && exact.trials.is_empty());
    }
}
