//! The inputs of a run: the embeddings of one or several texts side by side, padded to the longest.

use ort::value::{DynTensor, Tensor};

use super::relative_positions::RelativePositions;

/// What is added to the attention score of a key that is only padding, so that its weight is zero.
const NEVER_ATTENDED: f32 = -1e9;

/// Lays the embeddings of texts, `[tokens, hidden]` each, side by side: `[texts, longest, hidden]`.
pub(super) fn embeddings(texts: Vec<Vec<f32>>, hidden: usize) -> ort::Result<DynTensor> {
    let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
    let shape = [texts.len(), longest / hidden, hidden];
    let mut padded = Vec::with_capacity(texts.len() * longest);
    for (number, mut text) in texts.into_iter().enumerate() {
        padded.append(&mut text);
        padded.resize((number + 1) * longest, 0.0);
    }
    Ok(Tensor::from_array((shape, padded))?.upcast())
}

/// What is added to attention scores, `[texts, heads, longest, longest]` by query and key, or one for all heads where
/// positions have no say; for texts of so many tokens.
pub(super) fn attention_bias(
    lengths: &[usize],
    positions: Option<&RelativePositions>,
) -> ort::Result<DynTensor> {
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let heads = positions.map_or(1, RelativePositions::heads);
    let shape = [lengths.len(), heads, longest, longest];
    Ok(Tensor::from_array((shape, biases(lengths, longest, positions)))?.upcast())
}

fn biases(lengths: &[usize], longest: usize, positions: Option<&RelativePositions>) -> Vec<f32> {
    let of_longest = match positions {
        Some(positions) => positions.bias(longest),
        None => vec![0.0; longest * longest],
    };
    let mut biases = Vec::with_capacity(lengths.len() * of_longest.len());
    for &length in lengths {
        let first = biases.len();
        biases.extend_from_slice(&of_longest);
        for keys in biases[first..].chunks_exact_mut(longest) {
            keys[length..].fill(NEVER_ATTENDED);
        }
    }
    biases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bias_of_a_text_hides_what_is_beyond_its_end() {
        let never = NEVER_ATTENDED;
        assert_eq!(biases(&[2, 1], 2, None), [0.0, 0.0, 0.0, 0.0, 0.0, never, 0.0, never]);
        let positions = RelativePositions::new(&[1.0; 64], 2, 8);
        let heads = biases(&[1], 2, Some(&positions));
        assert_eq!(heads, [1.0, never, 1.0, never, 1.0, never, 1.0, never]);
    }
}
