//! The embedding room from outside: vectors against those of sentence-transformers, queue, refusals.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sentio::{
    config::{AcceleratorSetting, EmbeddingConfig, PrecisionSetting},
    embedding::{EmbedError, Embedder, Embedding, WeightsFile, describe_folder, installed},
};
use serde::Deserialize;

const FIXTURES: &str = "tests/fixtures/models";
const BUILT: [&str; 5] = ["tiny-bert", "tiny-roberta", "tiny-xlm-roberta", "tiny-mpnet", "tiny-distilbert"];

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    #[serde(alias = "input_ids")]
    token_ids: Option<Vec<u32>>,
    vector: Vec<f32>,
}

fn golden(path: impl AsRef<Path>) -> Vec<Case> {
    let json = fs::read(path).unwrap();
    serde_json::from_slice::<Golden>(&json).unwrap().cases
}

fn config(model_dir: impl Into<PathBuf>, model: &str, precision: PrecisionSetting) -> EmbeddingConfig {
    EmbeddingConfig {
        model: model.to_owned(),
        model_dir: model_dir.into(),
        precision,
        threads: 2,
        query_prompt: None,
        passage_prompt: None,
        accelerator: AcceleratorSetting::None,
        query_cache_bytes: 1 << 20,
        runtime_library: None,
    }
}

/// A missing library or model fails the test with the sentence that names `make setup`.
fn open(config: &EmbeddingConfig) -> Embedder {
    Embedder::open(config).unwrap_or_else(|error| panic!("{error} ({:?})", std::error::Error::source(&error)))
}

fn tiny(model: &str, precision: PrecisionSetting) -> Embedder {
    open(&config(FIXTURES, model, precision))
}

fn refused(config: &EmbeddingConfig) -> String {
    Embedder::open(config).err().expect("the model is refused").to_string()
}

/// The smallest cosine between the embedder's vectors and the golden ones; token ids must be equal.
async fn agreement(embedder: &Embedder, cases: &[Case]) -> f32 {
    let mut smallest = 1.0_f32;
    for case in cases {
        if let Some(expected) = &case.token_ids {
            assert_eq!(embedder.token_ids(&case.text).as_ref(), Ok(expected), "{:?}", case.text);
        }
        let embedding = embedder.embed_passage(case.text.clone()).await.unwrap();
        let expected = Embedding::normalised(case.vector.clone()).unwrap();
        smallest = smallest.min(embedding.cosine(&expected));
    }
    smallest
}

#[tokio::test]
async fn built_encoders_agree_with_sentence_transformers() {
    for model in BUILT {
        let cases = golden(format!("{FIXTURES}/{model}/golden.json"));
        for (precision, expected) in [(PrecisionSetting::Fp32, 0.9999), (PrecisionSetting::Int8, 0.999)] {
            let cosine = agreement(&tiny(model, precision), &cases).await;
            assert!(cosine > expected, "{model} in {precision}: {cosine}");
        }
    }
}

#[tokio::test]
async fn an_onnx_file_runs_as_it_is() {
    let embedder = tiny("tiny-roberta-onnx", PrecisionSetting::Auto);
    assert_eq!(embedder.model().precision, None);
    let cosine = agreement(&embedder, &golden(format!("{FIXTURES}/tiny-roberta-onnx/golden.json"))).await;
    assert!(cosine > 0.9999, "{cosine}");
}

#[tokio::test]
async fn an_onnx_file_that_pools_by_itself_is_taken_at_its_word() {
    // Its folder says cls, and its output is the mean.
    let embedder = tiny("tiny-roberta-onnx-pooled", PrecisionSetting::Auto);
    let cases = golden(format!("{FIXTURES}/tiny-roberta-onnx-pooled/golden.json"));
    let cosine = agreement(&embedder, &cases).await;
    assert!(cosine > 0.9999, "{cosine}");
}

#[tokio::test]
async fn every_pooling_agrees_with_sentence_transformers_normalised_or_not() {
    #[derive(Deserialize)]
    struct Modes {
        modes: std::collections::BTreeMap<String, Vec<Case>>,
    }
    let json = fs::read("tests/fixtures/tiny-bert.pooling.golden.json").unwrap();
    let modes = serde_json::from_slice::<Modes>(&json).unwrap().modes;
    assert_eq!(modes.len(), 6);
    for (mode, cases) in modes {
        for normalises in [true, false] {
            let copy = ModelCopy::of("tiny-bert");
            copy.edit("1_Pooling/config.json", r#""mean""#, &format!(r#""{mode}""#));
            if !normalises {
                let modules = fs::read_to_string(copy.path("modules.json")).unwrap();
                let modules: Vec<serde_json::Value> = serde_json::from_str(&modules).unwrap();
                fs::write(copy.path("modules.json"), serde_json::to_vec(&modules[..2]).unwrap()).unwrap();
            }
            // Vectors are searched by cosine: Sentio normalises whether the folder says so or not.
            let embedder = open(&EmbeddingConfig { precision: PrecisionSetting::Fp32, ..copy.config() });
            let cosine = agreement(&embedder, &cases).await;
            assert!(cosine > 0.999_999, "{mode}, normalised {normalises}: {cosine}");
        }
    }
}

#[tokio::test]
async fn the_default_model_agrees_with_sentence_transformers() {
    let cases = golden("tests/fixtures/all-MiniLM-L6-v2.golden.json");
    for (precision, expected) in [(PrecisionSetting::Fp32, 0.9999), (PrecisionSetting::Int8, 0.97)] {
        let embedder = open(&config("models", "all-MiniLM-L6-v2", precision));
        let cosine = agreement(&embedder, &cases).await;
        assert!(cosine > expected, "{precision}: {cosine}");
        let model = embedder.model();
        assert_eq!((model.dimension, model.window, model.passage_tokens), (384, 256, 128));
        assert_eq!(model.passage_overhead, 2);
        assert_eq!(model.weights_sha256, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db");
    }
}

#[tokio::test]
async fn a_text_has_the_same_bits_whatever_else_is_running() {
    for (dir, model) in
        [("models", "all-MiniLM-L6-v2"), (FIXTURES, "tiny-mpnet"), (FIXTURES, "tiny-roberta-onnx")]
    {
        let alone = open(&EmbeddingConfig { threads: 1, ..config(dir, model, PrecisionSetting::Auto) });
        let shared = open(&EmbeddingConfig { threads: 3, ..config(dir, model, PrecisionSetting::Auto) });
        let texts: Vec<String> = (1..40)
            .map(|words| "sentences of many lengths ".repeat(words)[..words * 20].to_owned())
            .collect();
        let mut tasks = tokio::task::JoinSet::new();
        for text in texts.iter().chain(&texts).cloned() {
            let shared = shared.clone();
            tasks.spawn(async move { (shared.embed_passage(text.clone()).await.unwrap(), text) });
        }
        for (embedding, text) in tasks.join_all().await {
            let expected = alone.embed_passage(text).await.unwrap();
            assert_eq!(embedding.to_le_bytes(), expected.to_le_bytes(), "{model}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_has_the_same_bits_on_one_thread_and_on_two() {
    let plain = EmbeddingConfig {
        query_cache_bytes: 0,
        ..config("models", "all-MiniLM-L6-v2", PrecisionSetting::Auto)
    };
    let embedder = open(&EmbeddingConfig { threads: 2, ..plain });
    for words in 1..60 {
        // The first finds both threads idle, the others do not.
        let query = "how do dumplings stay tender ".repeat(12)[..words * 4].to_owned();
        let (first, passage) =
            (embedder.embed_query(&query).await, embedder.embed_passage(query.clone()).await);
        assert_eq!(first.as_ref().map(Embedding::to_le_bytes), passage.as_ref().map(Embedding::to_le_bytes));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (embedder, query) = (embedder.clone(), query.clone());
            tasks.spawn(async move { embedder.embed_query(&query).await });
        }
        assert!(tasks.join_all().await.iter().all(|reply| reply == &first), "{query}");
    }
}

#[tokio::test]
async fn a_query_asked_for_several_times_runs_once() {
    let embedder = tiny("tiny-bert", PrecisionSetting::Fp32);
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    let (a, b, c) = tokio::join!(
        embedder.embed_query(composed),
        embedder.embed_query(composed),
        embedder.embed_query(decomposed)
    );
    let d = embedder.embed_query(composed).await;
    assert!(a.is_ok() && a == b && b == c && c == d);
    assert_eq!(embedder.runs(), 1);
    assert_ne!(embedder.embed_query("tea").await, d);
    assert_eq!(embedder.runs(), 2);
}

#[tokio::test]
async fn without_a_cache_a_repeated_query_runs_again() {
    let plain = config(FIXTURES, "tiny-bert", PrecisionSetting::Fp32);
    let embedder = open(&EmbeddingConfig { query_cache_bytes: 0, ..plain });
    let first = embedder.embed_query("tea").await;
    assert!(first.is_ok());
    assert_eq!(embedder.embed_query("tea").await, first);
    assert_eq!(embedder.runs(), 2);
}

#[tokio::test]
async fn prompts_stand_in_front_and_change_the_fingerprint() {
    let plain = tiny("tiny-bert", PrecisionSetting::Fp32);
    let prompted = open(&EmbeddingConfig {
        query_prompt: Some("query: ".to_owned()),
        passage_prompt: Some("passage: ".to_owned()),
        ..config(FIXTURES, "tiny-bert", PrecisionSetting::Fp32)
    });
    let text = "pasta";
    let query = plain.embed_passage(format!("query: {text}")).await;
    let passage = plain.embed_passage(format!("passage: {text}")).await;
    assert_eq!(prompted.embed_query(text).await, query);
    assert_eq!(prompted.embed_passage(text.to_owned()).await, passage);
    assert_ne!(query, passage);
    assert!(prompted.model().passage_overhead > plain.model().passage_overhead);
    assert_ne!(prompted.model().fingerprint, plain.model().fingerprint);
}

#[test]
fn the_fingerprint_names_the_model_and_its_arithmetic_but_not_its_place() {
    let fingerprint = |model, precision| tiny(model, precision).model().fingerprint.clone();
    let original = fingerprint("tiny-bert", PrecisionSetting::Fp32);
    assert_eq!(original.len(), 64);
    assert_ne!(fingerprint("tiny-bert", PrecisionSetting::Int8), original);
    assert_ne!(fingerprint("tiny-mpnet", PrecisionSetting::Fp32), original);
    let copy = ModelCopy::of("tiny-bert");
    assert_eq!(copy.open().model().fingerprint, original);
}

#[tokio::test]
async fn close_refuses_further_texts_on_every_clone() {
    let embedder = tiny("tiny-bert", PrecisionSetting::Fp32);
    embedder.clone().close().await;
    assert_eq!(embedder.embed_query("late").await, Err(EmbedError::Closed));
    assert_eq!(embedder.embed_passage("late".to_owned()).await, Err(EmbedError::Closed));
    assert!(embedder.token_ids("still works").is_ok());
}

#[test]
fn token_spans_cover_the_text_in_order() {
    let text = "Naïve 🚀👩\u{200d}💻 café; 日本語\n".repeat(100);
    let text = text.trim_end();
    for model in BUILT {
        let embedder = tiny(model, PrecisionSetting::Fp32);
        let spans = embedder.token_spans(text).unwrap();
        assert!(spans.len() > embedder.model().window, "{model}: spans are not truncated");
        for pair in spans.windows(2) {
            assert!(pair[0].start <= pair[1].start && pair[0].end <= pair[1].end, "{model}");
        }
        assert!(spans.iter().all(|span| text.get(span.clone()).is_some()), "{model}");
        assert_eq!(spans.last().unwrap().end, text.len(), "{model}");
        assert!(embedder.token_spans("").unwrap().is_empty(), "{model}");
    }
}

#[test]
fn names_of_special_tokens_are_plain_text() {
    for model in BUILT {
        let embedder = tiny(model, PrecisionSetting::Fp32);
        let empty = embedder.token_ids("").unwrap();
        let [first, last] = empty[..] else { panic!("{model}: {empty:?}") };
        let ids = embedder.token_ids("a <s> b</s> <pad> [CLS] [SEP] [PAD] c").unwrap();
        assert_eq!((ids[0], ids[ids.len() - 1]), (first, last), "{model}");
        let content = &ids[1..ids.len() - 1];
        assert!(!content.contains(&first) && !content.contains(&last), "{model}: {ids:?}");
    }
}

/// A tiny model in a temporary folder, to be broken.
struct ModelCopy {
    parent: tempfile::TempDir,
}

impl ModelCopy {
    fn of(model: &str) -> Self {
        let copy = Self { parent: tempfile::tempdir().unwrap() };
        copy_folder(&Path::new(FIXTURES).join(model), &copy.path(""));
        copy
    }

    fn path(&self, file: &str) -> PathBuf {
        self.parent.path().join("copy").join(file)
    }

    fn config(&self) -> EmbeddingConfig {
        config(self.parent.path(), "copy", PrecisionSetting::Fp32)
    }

    fn open(&self) -> Embedder {
        open(&self.config())
    }

    /// Replaces `from`, which must occur, in one of the files.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let before = fs::read_to_string(self.path(file)).unwrap();
        assert!(before.contains(from), "{before}");
        fs::write(self.path(file), before.replace(from, to)).unwrap();
    }

    /// Writes the weights anew, with other names and further tensors of one number.
    fn rewrite_weights(&self, rename: impl Fn(&str) -> String, further: &[&str]) {
        let bytes = fs::read(self.path("model.safetensors")).unwrap();
        let weights = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut tensors: Vec<_> =
            weights.tensors().into_iter().map(|(name, tensor)| (rename(&name), tensor)).collect();
        let one = 1_f32.to_le_bytes();
        for name in further {
            let tensor =
                safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1], &one).unwrap();
            tensors.push(((*name).to_owned(), tensor));
        }
        let bytes = safetensors::serialize(tensors, None).unwrap();
        fs::write(self.path("model.safetensors"), bytes).unwrap();
    }

    fn refusal(&self) -> String {
        refused(&self.config())
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::write(target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

#[tokio::test]
async fn a_model_saved_with_a_head_is_the_same_model() {
    let copy = ModelCopy::of("tiny-bert");
    copy.rewrite_weights(
        |name| format!("bert.{name}"),
        &["cls.predictions.bias", "bert.embeddings.position_ids"],
    );
    let cases = golden(copy.path("golden.json"));
    assert!(agreement(&copy.open(), &cases).await > 0.9999);
}

#[tokio::test]
async fn a_pooling_mode_may_stand_in_a_list_or_be_left_out() {
    let plain = tiny("tiny-bert", PrecisionSetting::Fp32).embed_passage("tea".to_owned()).await.unwrap();
    for modes in [r#""pooling_mode": ["mean"]"#, r#""pooling_mode_cls_token": false"#] {
        let model = ModelCopy::of("tiny-bert");
        model.edit("1_Pooling/config.json", r#""pooling_mode": "mean""#, modes);
        assert_eq!(model.open().embed_passage("tea".to_owned()).await.unwrap(), plain, "{modes}");
    }
}

#[test]
fn a_tensor_that_the_graph_does_not_use_is_refused() {
    let copy = ModelCopy::of("tiny-bert");
    copy.rewrite_weights(str::to_owned, &["encoder.layer.0.attention.gate.weight"]);
    let refusal = copy.refusal();
    assert!(refusal.contains("its tensor `encoder.layer.0.attention.gate.weight` has no place"), "{refusal}");
    let copy = ModelCopy::of("tiny-bert");
    copy.rewrite_weights(|name| name.replace("layer.1.output.dense", "layer.1.output.other"), &[]);
    let refusal = copy.refusal();
    assert!(refusal.contains("it has no tensor `encoder.layer.1.output.dense.weight`"), "{refusal}");
}

#[test]
fn damaged_and_missing_files_are_named() {
    let copy = ModelCopy::of("tiny-bert");
    let weights = fs::File::options().write(true).open(copy.path("model.safetensors")).unwrap();
    weights.set_len(weights.metadata().unwrap().len() - 1).unwrap();
    let refusal = copy.refusal();
    assert!(refusal.contains("model.safetensors is damaged"), "{refusal}");

    for file in
        ["model.safetensors", "tokenizer.json", "config.json", "modules.json", "1_Pooling/config.json"]
    {
        let copy = ModelCopy::of("tiny-bert");
        fs::remove_file(copy.path(file)).unwrap();
        let refusal = copy.refusal();
        assert!(refusal.starts_with("the model folder has no ") && refusal.contains(file), "{refusal}");
        if file != "modules.json" {
            fs::write(copy.path(file), "{").unwrap();
            let refusal = copy.refusal();
            assert!(refusal.contains(&format!("{file} is damaged")), "{refusal}");
        }
    }
    let mut wordy = config(FIXTURES, "tiny-bert", PrecisionSetting::Auto);
    wordy.query_prompt = Some("word ".repeat(200));
    let refusal = refused(&wordy);
    assert!(refusal.contains("its query prompt fills the window of 64 tokens"), "{refusal}");
    let refusal = refused(&config(FIXTURES, "no-such-model", PrecisionSetting::Auto));
    assert!(refusal.contains("no-such-model: run `make setup` for the default model"), "{refusal}");
}

#[test]
fn a_model_that_would_run_wrongly_is_refused_with_the_reason() {
    let model_type = |name: &str| format!(r#""model_type": "{name}""#);
    let bert = model_type("bert");
    let (gpt, mpnet) = (model_type("gpt2"), model_type("mpnet"));
    for (file, from, to, reason) in [
        ("modules.json", "normalize.Normalize", "dense.Dense", "a module `Dense`"),
        ("modules.json", "normalize.Normalize", "pooling.Pooling", "the module `Pooling` twice"),
        ("modules.json", "transformer.Transformer", "normalize.Normalize", "`Pooling` in the wrong place"),
        ("config.json", r#""gelu""#, r#""relu""#, "its activation is `relu` instead of gelu"),
        (
            "config.json",
            r#""use_cache""#,
            r#""position_embedding_type": "relative_key", "use_cache""#,
            "its positions are `relative_key` instead of absolute",
        ),
        ("config.json", r#""is_decoder": false"#, r#""is_decoder": true"#, "it is a decoder"),
        ("config.json", &bert, &gpt, "does not build the architecture `gpt2`"),
        ("config.json", &bert, &mpnet, "it has no tensor `encoder.relative_attention_bias.weight`"),
        ("config.json", r#""hidden_size": 64"#, r#""hidden_size": 32"#, "its pooling gives 64 numbers"),
        (
            "1_Pooling/config.json",
            r#""include_prompt": true"#,
            r#""include_prompt": false"#,
            "leaves out the prompt",
        ),
        ("1_Pooling/config.json", r#""mean""#, r#""attention""#, "its pooling mode `attention` is not known"),
        (
            "1_Pooling/config.json",
            r#""pooling_mode": "mean""#,
            r#""pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true"#,
            "its pooling has 2 modes instead of one",
        ),
        (
            "1_Pooling/config.json",
            r#""pooling_mode": "mean""#,
            r#""pooling_mode": ["mean", "max"]"#,
            "its pooling has 2 modes instead of one",
        ),
    ] {
        let copy = ModelCopy::of("tiny-bert");
        copy.edit(file, from, to);
        let refusal = copy.refusal();
        assert!(refusal.contains(reason), "{refusal}");
    }
}

#[test]
fn an_onnx_file_cannot_be_asked_for_int8() {
    let refusal = refused(&config(FIXTURES, "tiny-roberta-onnx", PrecisionSetting::Int8));
    assert!(refusal.contains("SENTIO_PRECISION=int8 cannot be applied"), "{refusal}");
}

#[test]
fn the_runtime_is_loaded_once_and_from_one_place() {
    let config = config(FIXTURES, "tiny-bert", PrecisionSetting::Fp32);
    open(&config);
    let library = fs::canonicalize("lib/libonnxruntime.so").unwrap();
    open(&EmbeddingConfig { runtime_library: Some(library), ..config.clone() });
    let other = Some(PathBuf::from("Cargo.toml"));
    let refusal = refused(&EmbeddingConfig { runtime_library: other, ..config });
    assert!(refusal.starts_with("ONNX Runtime is already loaded from "), "{refusal}");
    assert!(refusal.contains("Cargo.toml"), "{refusal}");
}

#[test]
fn folders_are_described_without_loading_the_runtime() {
    let model = describe_folder(&Path::new(FIXTURES).join("tiny-distilbert")).unwrap();
    assert_eq!((model.name.as_str(), model.architecture.as_str()), ("tiny-distilbert", "distilbert"));
    assert_eq!((model.dimension, model.window, model.pooling.to_string().as_str()), (64, 64, "cls"));
    assert!(matches!(model.weights, WeightsFile::Safetensors(_)));
    assert_eq!(model.weight_bytes, 402_096);

    let copy = ModelCopy::of("tiny-bert");
    copy.edit("modules.json", "normalize.Normalize", "dense.Dense");
    fs::create_dir(copy.path("../not-a-model")).unwrap();
    let found = installed(copy.parent.path());
    assert!(matches!(&found[..], [(name, Err(_))] if name == "copy"), "{found:?}");
    assert_eq!(installed(Path::new(FIXTURES)).len(), 7);
    assert!(installed(Path::new("no/such/folder")).is_empty());
}
