//! Names everything that shapes a vector, so that vectors of different origin never meet.

use sha2::{Digest, Sha256};

use super::{ModelDescription, encoder::GRAPH_VERSION};

/// Raised when the rule that cuts articles into passages changes in a way that changes passages.
pub const PASSAGE_RULE_VERSION: u32 = 2;

/// SHA-256 in lower-case hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).as_slice())
}

/// The fingerprint of a model with all its settings. The model's name and place are no part of it.
pub(super) fn fingerprint(model: &ModelDescription, tokenizer_sha256: &str) -> String {
    let parts = [
        ("weights", model.weights_sha256.clone()),
        ("tokenizer", tokenizer_sha256.to_owned()),
        ("graph", GRAPH_VERSION.to_string()),
        ("precision", model.arithmetic()),
        ("pooling", model.pooling.to_string()),
        ("length", "unit".to_owned()),
        ("dimension", model.dimension.to_string()),
        ("window", model.window.to_string()),
        ("query_prompt", model.query_prompt.clone()),
        ("passage_prompt", model.passage_prompt.clone()),
        ("passage_rule", PASSAGE_RULE_VERSION.to_string()),
        ("passage_tokens", model.passage_tokens.to_string()),
        ("passage_overlap", model.passage_overlap.to_string()),
    ];
    let mut hash = Sha256::new();
    for (name, value) in parts {
        // Lengths keep values apart, whatever characters a prompt contains.
        hash.update(format!("{name} {} {value}\n", value.len()));
    }
    hex(hash.finalize().as_slice())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_the_standard_one() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
