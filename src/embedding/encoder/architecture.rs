//! The five architectures that Sentio builds: what their tensors are called, and which sizes their
//! configuration names.
//!
//! All are BERT's encoder: embeddings, then layers of self-attention and feed-forward, each followed by a
//! residual sum and a layer normalisation. They differ in names, in the number of the first position, and in
//! MPNet's bias by relative position.

use crate::embedding::folder::TransformerConfig;

/// BERT's and MPNet's configurations default to it, and DistilBERT's code fixes it.
const DEFAULT_LAYER_NORM_EPSILON: f32 = 1e-12;

/// Names of tensors, without the prefix of a model with a head and without `.weight` and `.bias`.
#[derive(Clone, Copy, Debug)]
pub(in crate::embedding) struct Architecture {
    /// What a model saved with a head puts in front of every name.
    pub prefix: &'static str,
    /// What stands before a layer's number.
    pub layer: &'static str,
    pub query_key_value: [&'static str; 3],
    pub attention_output: &'static str,
    pub attention_norm: &'static str,
    pub feed_forward_up: &'static str,
    pub feed_forward_down: &'static str,
    pub feed_forward_norm: &'static str,
    /// Embeddings of token types are added to those of words and positions.
    pub token_types: bool,
    /// Attention scores have a bias by relative position.
    pub relative_positions: bool,
    /// The row of the position table that belongs to the first token.
    pub first_position: usize,
}

impl Architecture {
    /// The architecture of a model, by its `model_type` alone: neither the tokenizer nor the name tells it.
    pub fn of(config: &TransformerConfig) -> Option<Self> {
        let bert = Self {
            prefix: "bert.",
            layer: "encoder.layer",
            query_key_value: ["attention.self.query", "attention.self.key", "attention.self.value"],
            attention_output: "attention.output.dense",
            attention_norm: "attention.output.LayerNorm",
            feed_forward_up: "intermediate.dense",
            feed_forward_down: "output.dense",
            feed_forward_norm: "output.LayerNorm",
            token_types: true,
            relative_positions: false,
            first_position: 0,
        };
        Some(match config.model_type.as_str() {
            "bert" => bert,
            // Positions are counted from the one after the padding token's.
            "roberta" | "xlm-roberta" | "camembert" => {
                Self { prefix: "roberta.", first_position: config.pad_token_id.unwrap_or(1) + 1, ..bert }
            }
            "mpnet" => Self {
                prefix: "mpnet.",
                query_key_value: ["attention.attn.q", "attention.attn.k", "attention.attn.v"],
                attention_output: "attention.attn.o",
                attention_norm: "attention.LayerNorm",
                token_types: false,
                relative_positions: true,
                // Fixed in its code, whatever the padding token is.
                first_position: 2,
                ..bert
            },
            "distilbert" => Self {
                prefix: "distilbert.",
                layer: "transformer.layer",
                query_key_value: ["attention.q_lin", "attention.k_lin", "attention.v_lin"],
                attention_output: "attention.out_lin",
                attention_norm: "sa_layer_norm",
                feed_forward_up: "ffn.lin1",
                feed_forward_down: "ffn.lin2",
                feed_forward_norm: "output_layer_norm",
                token_types: false,
                ..bert
            },
            _ => return None,
        })
    }
}

/// The encoder's sizes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dimensions {
    pub layers: usize,
    pub heads: usize,
    /// Numbers per token between layers.
    pub hidden: usize,
    /// Numbers per token inside the feed-forward block.
    pub intermediate: usize,
    /// Rows of the position table.
    pub positions: usize,
    pub layer_norm_epsilon: f32,
}

impl Dimensions {
    /// The sizes that `config` names, or why Sentio cannot build this encoder.
    pub fn of(config: &TransformerConfig) -> Result<Self, String> {
        // Older configurations leave out what had no alternative then.
        let activation = config.hidden_act.as_deref().unwrap_or("gelu");
        if activation != "gelu" {
            return Err(format!("its activation is `{activation}` instead of gelu"));
        }
        let positions = config.position_embedding_type.as_deref().unwrap_or("absolute");
        if positions != "absolute" {
            return Err(format!("its positions are `{positions}` instead of absolute"));
        }
        if config.is_decoder {
            return Err("it is a decoder".to_owned());
        }
        let size = |name: &str, value: Option<usize>| match value {
            Some(value) if value > 0 => Ok(value),
            _ => Err(format!("its config.json has no {name}")),
        };
        let dimensions = Self {
            layers: size("num_hidden_layers", config.num_hidden_layers)?,
            heads: size("num_attention_heads", config.num_attention_heads)?,
            hidden: size("hidden_size", config.hidden_size)?,
            intermediate: size("intermediate_size", config.intermediate_size)?,
            positions: size("max_position_embeddings", config.max_position_embeddings)?,
            layer_norm_epsilon: config.layer_norm_eps.unwrap_or(DEFAULT_LAYER_NORM_EPSILON),
        };
        if !dimensions.hidden.is_multiple_of(dimensions.heads) {
            return Err("its hidden_size is no multiple of its num_attention_heads".to_owned());
        }
        Ok(dimensions)
    }
}
