//! Whose prompts stand in front of queries and passages: the settings', else the folder's, else the known model's.

use std::fs;
use std::path::PathBuf;

use sentio::config::{AcceleratorSetting, EmbeddingConfig, PrecisionSetting};
use sentio::embedding::Embedder;

use crate::app::repository;
use crate::hub::copy_folder;

/// The tiny model under the name of another.
struct Renamed {
    parent: tempfile::TempDir,
    name: &'static str,
}

impl Renamed {
    fn to(name: &'static str) -> Self {
        let renamed = Self { parent: tempfile::tempdir().unwrap(), name };
        copy_folder(&repository("tests/fixtures/models/tiny-bert"), &renamed.path(""));
        renamed
    }

    fn path(&self, file: &str) -> PathBuf {
        self.parent.path().join(self.name).join(file)
    }

    fn open(&self, query_prompt: Option<&str>, passage_prompt: Option<&str>) -> Embedder {
        let config = EmbeddingConfig {
            model: self.name.to_owned(),
            model_dir: self.parent.path().to_owned(),
            precision: PrecisionSetting::Fp32,
            threads: 1,
            query_prompt: query_prompt.map(str::to_owned),
            passage_prompt: passage_prompt.map(str::to_owned),
            accelerator: AcceleratorSetting::None,
            query_cache_bytes: 1 << 20,
            runtime_library: None,
        };
        Embedder::open(&config).unwrap()
    }
}

fn prompts(embedder: &Embedder) -> (&str, &str) {
    let model = embedder.model();
    (&model.query_prompt, &model.passage_prompt)
}

#[tokio::test]
async fn a_known_models_prompts_are_put_before_queries_and_passages_apart() {
    let (plain, e5) = (Renamed::to("plain").open(None, None), Renamed::to("e5-small-v2").open(None, None));
    assert_eq!(prompts(&plain), ("", ""));
    assert_eq!(prompts(&e5), ("query: ", "passage: "));
    let text = "pasta";
    let query = plain.embed_passage(format!("query: {text}")).await.unwrap();
    let passage = plain.embed_passage(format!("passage: {text}")).await.unwrap();
    assert_eq!(e5.embed_query(text).await.unwrap(), query);
    assert_eq!(e5.embed_passage(text.to_owned()).await.unwrap(), passage);
    assert_ne!(query, passage);
    let bge = Renamed::to("bge-small-en-v1.5").open(None, None);
    assert_eq!(prompts(&bge), ("Represent this sentence for searching relevant passages: ", ""));
}

#[test]
fn the_folders_own_prompts_beat_the_tables_and_the_settings_beat_both() {
    let folder = Renamed::to("e5-small-v2");
    let file = folder.path("config_sentence_transformers.json");
    let text = fs::read_to_string(&file).unwrap();
    let own = text.replace(r#""query": """#, r#""query": "own: ""#);
    assert_ne!(own, text);
    fs::write(&file, own).unwrap();
    assert_eq!(prompts(&folder.open(None, None)), ("own: ", "passage: "));
    assert_eq!(prompts(&folder.open(Some("set: "), Some("too: "))), ("set: ", "too: "));
    assert_eq!(prompts(&folder.open(Some(""), None)), ("", "passage: "), "an empty one is one too");
}

#[test]
fn lower_casing_before_a_tokenizer_that_does_it_changes_nothing() {
    // As in BAAI's folders.
    let folder = Renamed::to("bge-small-en-v1.5");
    let sentence = folder.path("sentence_bert_config.json");
    fs::write(&sentence, r#"{"max_seq_length": 64, "do_lower_case": true}"#).unwrap();
    assert_eq!(folder.open(None, None).model().window, 64);
    let tokenizer = folder.path("tokenizer.json");
    let text = fs::read_to_string(&tokenizer).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json["normalizer"]["lowercase"] = false.into();
    fs::write(&tokenizer, json.to_string()).unwrap();
    let refusal = sentio::embedding::describe_folder(&folder.path("")).unwrap_err().to_string();
    assert!(refusal.contains("lower-cases texts, and its tokenizer does not"), "{refusal}");
}
