//! Models known to work, with what their folders may leave unsaid.
//!
//! Figures are those of the models' cards and files on the Hugging Face Hub.

/// By meaning alone lengths from 96 to 256 differ little; with words, which is the default, 128 finds more than 96
/// (`docs/decisions/0017-passages.md`).
pub const DEFAULT_PASSAGE: PassageRule = PassageRule { tokens: 128, overlap: 32 };

/// How an article is cut into passages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassageRule {
    /// Tokens of a passage, everything included.
    pub tokens: usize,
    /// Tokens of content that a passage shares with the one before.
    pub overlap: usize,
}

/// A model that Sentio can name, fetch and run.
#[derive(Debug)]
pub struct KnownModel {
    /// The folder's name.
    pub name: &'static str,
    /// Where it is published on the Hugging Face Hub.
    pub repository: &'static str,
    /// Components of a vector.
    pub dimension: usize,
    /// Tokens that the model sees of a text.
    pub window: usize,
    /// SPDX identifier, where the model's card states one.
    pub licence: Option<&'static str>,
    /// Size of the weights, in megabytes (10⁶ bytes).
    pub megabytes: u32,
    /// Put in front of queries.
    pub query_prompt: &'static str,
    /// Put in front of passages.
    pub passage_prompt: &'static str,
    /// How articles are cut for this model.
    pub passage: PassageRule,
    /// What is fetched, where that was seen; otherwise the newest commit at that time.
    pub pinned: Option<Pinned>,
}

/// One state of a repository, for ever.
#[derive(Clone, Copy, Debug)]
pub struct Pinned {
    /// The commit.
    pub revision: &'static str,
    /// SHA-256 of its `model.safetensors`, in hexadecimal digits.
    pub weights_sha256: &'static str,
}

/// What most models share.
const PLAIN: KnownModel = KnownModel {
    name: "",
    repository: "",
    dimension: 384,
    window: 512,
    licence: Some("Apache-2.0"),
    megabytes: 0,
    query_prompt: "",
    passage_prompt: "",
    passage: DEFAULT_PASSAGE,
    pinned: None,
};

/// The known models, the default first.
pub static MODELS: &[KnownModel] = &[
    KnownModel {
        name: "all-MiniLM-L6-v2",
        repository: "sentence-transformers/all-MiniLM-L6-v2",
        window: 256,
        megabytes: 91,
        pinned: Some(Pinned {
            revision: "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
            weights_sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        }),
        ..PLAIN
    },
    KnownModel {
        name: "all-MiniLM-L12-v2",
        repository: "sentence-transformers/all-MiniLM-L12-v2",
        window: 128,
        megabytes: 133,
        ..PLAIN
    },
    KnownModel {
        name: "all-distilroberta-v1",
        repository: "sentence-transformers/all-distilroberta-v1",
        dimension: 768,
        megabytes: 328,
        ..PLAIN
    },
    KnownModel {
        name: "all-mpnet-base-v2",
        repository: "sentence-transformers/all-mpnet-base-v2",
        dimension: 768,
        window: 384,
        megabytes: 438,
        pinned: Some(Pinned {
            revision: "e8c3b32edf5434bc2275fc9bab85f82640a19130",
            weights_sha256: "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
        }),
        ..PLAIN
    },
    KnownModel {
        name: "multi-qa-mpnet-base-cos-v1",
        repository: "sentence-transformers/multi-qa-mpnet-base-cos-v1",
        dimension: 768,
        licence: None,
        megabytes: 438,
        ..PLAIN
    },
    KnownModel {
        name: "bge-small-en-v1.5",
        repository: "BAAI/bge-small-en-v1.5",
        licence: Some("MIT"),
        megabytes: 133,
        query_prompt: "Represent this sentence for searching relevant passages: ",
        ..PLAIN
    },
    KnownModel {
        name: "bge-base-en-v1.5",
        repository: "BAAI/bge-base-en-v1.5",
        dimension: 768,
        licence: Some("MIT"),
        megabytes: 438,
        query_prompt: "Represent this sentence for searching relevant passages: ",
        ..PLAIN
    },
    KnownModel {
        name: "e5-small-v2",
        repository: "intfloat/e5-small-v2",
        licence: Some("MIT"),
        megabytes: 133,
        query_prompt: "query: ",
        passage_prompt: "passage: ",
        ..PLAIN
    },
    KnownModel {
        name: "multilingual-e5-small",
        repository: "intfloat/multilingual-e5-small",
        licence: Some("MIT"),
        megabytes: 471,
        query_prompt: "query: ",
        passage_prompt: "passage: ",
        ..PLAIN
    },
    KnownModel {
        name: "gte-small",
        repository: "thenlper/gte-small",
        licence: Some("MIT"),
        megabytes: 67,
        ..PLAIN
    },
];

/// The known model called `name`.
pub fn find(name: &str) -> Option<&'static KnownModel> {
    MODELS.iter().find(|model| model.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SETTINGS;

    #[test]
    fn each_model_is_complete_and_named_once() {
        for model in MODELS {
            assert!(model.repository.ends_with(model.name), "{}", model.name);
            assert!(model.megabytes > 0, "{}", model.name);
            assert!(model.passage.tokens <= model.window, "{}", model.name);
            if let Some(pinned) = model.pinned {
                assert_eq!((pinned.revision.len(), pinned.weights_sha256.len()), (40, 64), "{}", model.name);
            }
            assert!(std::ptr::eq(find(model.name).unwrap(), model));
        }
        let setting = SETTINGS.iter().find(|setting| setting.name == "SENTIO_MODEL").unwrap();
        assert_eq!(MODELS[0].name, setting.default);
    }
}
