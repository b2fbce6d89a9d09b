//! `sentio model pull`, against a Hub on this machine.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::app::repository;
use crate::hub::{COMMIT, Faults, Hub, Models, copy_folder, files, sha256};

const TINY: &str = "tests/fixtures/models/tiny-bert";

fn ranges(hub: &Hub) -> Vec<String> {
    hub.asked().into_iter().filter_map(|asked| asked.range).collect()
}

fn size(path: impl AsRef<Path>) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[test]
fn a_pulled_model_is_whole_recorded_and_runs() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub).set("HF_TOKEN", "hf_secret");
    let printed = models.pull(&["gte-small"]);
    assert!(printed.contains("models/gte-small is complete"), "{printed}");
    assert!(printed.contains("Set SENTIO_MODEL=gte-small to use it."), "{printed}");

    let record = fs::read_to_string(models.path("gte-small/sentio-model.json")).unwrap();
    assert!(!printed.contains("hf_secret") && !record.contains("hf_secret"), "the token is told to nobody");
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!((&record["repository"], &record["revision"]), (&"thenlper/gte-small".into(), &COMMIT.into()));
    let mut recorded = vec!["sentio-model.json".to_owned()];
    for file in record["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        let content = fs::read(models.path("gte-small").join(path)).unwrap();
        assert_eq!(content, fs::read(hub.path(path)).unwrap(), "{path}");
        assert_eq!(file["sha256"], sha256(&content), "{path}");
        assert_eq!(file["size"], content.len(), "{path}");
        recorded.push(path.to_owned());
    }
    recorded.sort();
    assert_eq!(files(&models.path("gte-small")), recorded);
    assert!(!recorded.contains(&"golden.json".to_owned()), "only what is needed");
    assert_eq!(models.names(), ["gte-small"], "nothing is left beside it");

    let asked = hub.asked();
    assert_eq!(asked[0].path, "/api/models/thenlper/gte-small/revision/main?blobs=true");
    for asked in &asked[1..] {
        let of_the_commit = format!("/thenlper/gte-small/resolve/{COMMIT}/");
        let storage = asked.path.starts_with("/storage/");
        assert!(storage || asked.path.starts_with(&of_the_commit), "{asked:?}");
        let token = (!storage).then(|| "Bearer hf_secret".to_owned());
        assert_eq!(asked.token, token, "the Hub gets the token, and nobody else: {}", asked.path);
    }

    let show = models.run(&["model", "show", "--model", "gte-small"]);
    let shown = String::from_utf8(show.stdout).unwrap();
    let weights = sha256(&fs::read(hub.path("model.safetensors")).unwrap());
    assert!(shown.contains(&weights) && shown.contains("dimension       64"), "{shown}");
}

#[test]
fn what_is_there_is_not_fetched_again_unless_forced_or_damaged() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub);
    models.pull(&["gte-small"]);
    hub.asked();
    let again = models.pull(&["gte-small"]);
    assert!(again.contains("is there already") && again.contains(COMMIT), "{again}");
    models.pull(&["gte-small", "--revision", COMMIT]);
    assert_eq!(hub.asked().len(), 0, "the network is not asked");
    // A branch may have moved: only the list is asked for.
    assert!(models.pull(&["gte-small@main"]).contains("is there already"));
    assert_eq!(hub.asked().len(), 1);

    models.pull(&["gte-small", "--force"]);
    assert!(hub.asked().len() > 5);

    let config = models.path("gte-small/config.json");
    fs::write(&config, fs::read_to_string(&config).unwrap().replace("gelu", "relu")).unwrap();
    assert!(models.pull(&["gte-small"]).contains("is complete"));
    assert_eq!(fs::read(config).unwrap(), fs::read(hub.path("config.json")).unwrap());
}

#[test]
fn a_branch_that_has_moved_is_fetched_when_it_is_named() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub);
    models.pull(&["owner/model"]);
    let moved = "ffeeddccbbaa99887766554433221100ffeeddcc";
    hub.faults().commit = Some(moved);
    assert!(models.pull(&["owner/model"]).contains(COMMIT));
    let printed = models.pull(&["owner/model@main"]);
    assert!(
        printed.contains("is complete") && printed.contains(&format!("owner/model@{moved}")),
        "{printed}"
    );
    assert_eq!(models.names(), ["model"]);
}

#[test]
fn a_pull_that_broke_off_goes_on_where_it_stopped() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub);
    hub.faults().breaks_after = Some(300_000);
    let refusal = models.refusal(&["owner/model"]);
    assert!(
        refusal.contains("the download of model.safetensors broke off: call the same command"),
        "{refusal}"
    );
    assert_eq!(models.names(), ["model.part"], "nothing half-made has the model's name");
    let arrived = || size(models.path("model.part/model.safetensors.part"));
    let first = arrived();
    assert!(first > 0 && first < size(hub.path("model.safetensors")));
    let list = String::from_utf8(models.run(&["model", "list"]).stdout).unwrap();
    assert!(!list.contains("part"), "{list}");
    assert_eq!(ranges(&hub).len(), 0);

    models.refusal(&["owner/model"]);
    let from = |byte: u64| format!("bytes={byte}-");
    assert_eq!(ranges(&hub), [from(first), from(first)], "asked of the Hub and of its storage");
    let second = arrived();
    assert!(second > first);
    hub.faults().breaks_after = None;
    models.pull(&["owner/model"]);
    let asked = hub.asked();
    let ranges: Vec<_> = asked.iter().filter_map(|asked| asked.range.clone()).collect();
    assert_eq!(ranges, [from(second), from(second)]);
    assert!(!asked.iter().any(|asked| asked.path.ends_with("tokenizer.json")), "{asked:?}");
    let (found, expected) = (models.path("model/model.safetensors"), hub.path("model.safetensors"));
    assert_eq!(fs::read(found).unwrap(), fs::read(expected).unwrap());
}

#[test]
fn a_server_without_ranges_sends_the_file_anew() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub);
    hub.faults().breaks_after = Some(300_000);
    models.refusal(&["owner/model"]);
    *hub.faults() = Faults { ignores_ranges: true, ..Default::default() };
    models.pull(&["owner/model"]);
    assert!(!ranges(&hub).is_empty());
}

#[test]
fn what_another_commit_left_behind_is_not_mixed_in() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub);
    hub.faults().breaks_after = Some(300_000);
    models.refusal(&["owner/model"]);
    hub.faults().breaks_after = None;
    hub.faults().commit = Some("ffeeddccbbaa99887766554433221100ffeeddcc");
    models.pull(&["owner/model"]);
    assert_eq!(ranges(&hub).len(), 0);
}

#[test]
fn a_file_with_the_wrong_content_is_deleted_and_nothing_installed() {
    let hub = Hub::with("tiny-bert");
    // The Hub states the SHA-256 of large files only, and what git names the others by.
    for (file, kind) in [("model.safetensors", "sha256"), ("tokenizer.json", "git's sha1")] {
        let models = Models::from(&hub);
        hub.faults().wrong_content = Some(file);
        let refusal = models.refusal(&["owner/model"]);
        assert!(refusal.contains(&format!("{file} is not what it should be ({kind} ")), "{refusal}");
        assert!(refusal.contains("was deleted: call the same command again"), "{refusal}");
        assert_eq!(models.names(), ["model.part"]);
        assert!(!files(&models.path("model.part")).iter().any(|path| path.contains(file)));
        hub.faults().wrong_content = None;
        models.pull(&["owner/model"]);
    }
}

#[test]
fn what_was_damaged_since_an_interrupted_pull_is_fetched_again() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub);
    hub.faults().breaks_after = Some(300_000);
    models.refusal(&["owner/model"]);
    hub.faults().breaks_after = None;
    fs::write(models.path("model.part/config.json"), "{}").unwrap();
    models.pull(&["owner/model"]);
    let (found, expected) = (models.path("model/config.json"), hub.path("config.json"));
    assert_eq!(fs::read(found).unwrap(), fs::read(expected).unwrap());
    // An interrupted pull may also have everything, and its damage shows at the end.
    fs::rename(models.path("model"), models.path("model.part")).unwrap();
    fs::write(models.path("model.part/pull.revision"), COMMIT).unwrap();
    let part = models.path("model.part/model.safetensors.part");
    fs::write(&part, vec![0; size(hub.path("model.safetensors")) as usize]).unwrap();
    fs::remove_file(models.path("model.part/model.safetensors")).unwrap();
    assert!(models.refusal(&["owner/model"]).contains("is not what it should be"));
    assert!(!part.exists());
    models.pull(&["owner/model"]);
}

#[test]
fn a_pinned_model_is_taken_only_as_it_was_seen() {
    let hub = Hub::with("tiny-bert");
    hub.faults().commit = Some("1110a243fdf4706b3f48f1d95db1a4f5529b4d41");
    let models = Models::from(&hub);
    let refusal = models.refusal(&["all-MiniLM-L6-v2"]);
    let pinned = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";
    assert!(refusal.contains("is not what it should be") && refusal.contains(pinned), "{refusal}");
    let list = "/api/models/sentence-transformers/all-MiniLM-L6-v2/revision/1110a243fdf4706b3f48f1d95db1a4f5529b4d41";
    assert!(hub.asked()[0].path.starts_with(list));
    assert_eq!(models.names(), ["all-MiniLM-L6-v2.part"]);
    // As `make setup` installs it, it is what it should be.
    let installed = Models::from(&hub);
    copy_folder(&repository("models/all-MiniLM-L6-v2"), &installed.path("all-MiniLM-L6-v2"));
    assert!(installed.pull(&["all-MiniLM-L6-v2"]).contains("is there already"));
    assert_eq!(hub.asked().len(), 0);
}

#[test]
fn a_folder_of_other_origin_is_replaced_only_by_force() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub);
    copy_folder(&repository("tests/fixtures/models/tiny-mpnet"), &models.path("model"));
    let refusal = models.refusal(&["owner/model"]);
    assert!(refusal.contains("models/model holds something else than owner/model: --force"), "{refusal}");
    assert_eq!(hub.asked().len(), 0);
    models.pull(&["owner/model", "--force"]);
    let refusal = models.refusal(&["other/model"]);
    assert!(refusal.contains("holds something else than other/model"), "{refusal}");
    assert_eq!(size(models.path("model/model.safetensors")), size(hub.path("model.safetensors")));
    assert_eq!(models.names(), ["model"]);
}

#[test]
fn what_is_missing_is_named() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub);
    for (argument, reason) in [
        ("nothing", "`nothing` is no model that Sentio knows: `sentio model list`"),
        ("owner/nothing", "has no owner/nothing at revision main: check the name"),
        ("owner/model@nothing", "has no owner/model at revision nothing"),
    ] {
        let refusal = models.refusal(&[argument]);
        assert!(refusal.contains(reason), "{refusal}");
    }
    hub.faults().lost = Some("1_Pooling/config.json");
    let refusal = models.refusal(&["owner/model"]);
    assert!(refusal.contains("has no 1_Pooling/config.json of owner/model"), "{refusal}");
    assert_eq!(models.names(), ["model.part"]);
    let nobody = models.set("HF_ENDPOINT", "http://127.0.0.1:1");
    let refusal = nobody.refusal(&["owner/other"]);
    assert!(refusal.contains("http://127.0.0.1:1 cannot be reached: check the network"), "{refusal}");
}

#[test]
fn a_gated_repository_wants_a_token() {
    let hub = Hub::with("tiny-bert");
    hub.faults().token = Some("hf_good");
    let models = Models::from(&hub);
    let refusal = models.refusal(&["owner/model"]);
    assert!(refusal.contains("status 401") && refusal.contains("set HF_TOKEN to a token"), "{refusal}");
    assert!(refusal.contains(&format!("accept its conditions at {}/owner/model", hub.url)), "{refusal}");
    let models = models.set("HF_TOKEN", "hf_bad");
    let refusal = models.refusal(&["owner/model"]);
    assert!(refusal.contains("the token in HF_TOKEN may not read owner/model"), "{refusal}");
    assert!(!refusal.contains("hf_bad"), "{refusal}");
    models.set("HF_TOKEN", "hf_good").pull(&["owner/model"]);
}

#[test]
fn a_token_is_not_logged() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub).set("HF_TOKEN", "hf_secret").set("SENTIO_LOG", "trace");
    let logged = models.pull(&["owner/model"]);
    assert!(logged.contains("TRACE") && !logged.contains("hf_secret"), "{logged}");
}

#[test]
fn offline_only_what_is_there_is_found() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub);
    models.pull(&["gte-small"]);
    hub.asked();
    let models = models.set("HF_HUB_OFFLINE", "1");
    assert!(models.pull(&["gte-small"]).contains("is there already"));
    let refusal = models.refusal(&["e5-small-v2"]);
    assert!(refusal.contains("intfloat/e5-small-v2 cannot be fetched into models/e5-small-v2"), "{refusal}");
    assert!(refusal.contains("unset HF_HUB_OFFLINE"), "{refusal}");
    assert_eq!(hub.asked().len(), 0);
}

#[test]
fn an_onnx_file_is_taken_where_sentio_does_not_build_the_architecture() {
    let hub = Hub::with("tiny-roberta-onnx");
    let models = Models::from(&hub);
    // Also where the architecture is known and there is nothing else.
    assert!(models.pull(&["owner/roberta"]).contains("weights         model.onnx, 437301 bytes"));
    let config = hub.path("config.json");
    fs::write(&config, fs::read_to_string(&config).unwrap().replace("\"roberta\"", "\"nomic_bert\""))
        .unwrap();
    fs::write(hub.path("model.safetensors"), "not for Sentio").unwrap();
    fs::create_dir(hub.path("onnx")).unwrap();
    fs::rename(hub.path("model.onnx"), hub.path("onnx/model.onnx")).unwrap();
    assert!(models.pull(&["owner/nomic"]).contains("weights         onnx/model.onnx, 437301 bytes"));
    assert!(!models.path("nomic/model.safetensors").exists());
    for model in ["roberta", "nomic"] {
        let show = models.run(&["model", "show", "--model", model]);
        let shown = String::from_utf8(show.stdout).unwrap();
        assert!(shown.contains("dimension       32"), "{shown}");
    }
}

#[test]
fn a_repository_that_cannot_be_used_is_refused_before_its_weights_are_fetched() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub);
    let edit = |file: &str, from: &str, to: &str| {
        let text = fs::read_to_string(hub.path(file)).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(hub.path(file), text.replace(from, to)).unwrap();
    };
    let refused = |reason: &str| {
        let refusal = models.refusal(&["owner/model"]);
        assert!(refusal.contains(reason), "{refusal}");
        assert!(!hub.asked().iter().any(|asked| asked.path.starts_with("/storage")), "{reason}");
        assert!(models.names().is_empty(), "nothing is kept of it");
    };
    edit("modules.json", "normalize.Normalize", "dense.Dense");
    refused("a module `Dense`, which Sentio does not have");
    edit("modules.json", "dense.Dense", "normalize.Normalize");
    fs::rename(hub.path("model.safetensors"), hub.path("pytorch_model.bin")).unwrap();
    refused(
        "owner/model has no weights that Sentio can run (model.safetensors or onnx/model.onnx or model.onnx)",
    );
    edit("config.json", "\"bert\"", "\"gpt2\"");
    refused("has no weights that Sentio can run (onnx/model.onnx or model.onnx)");
    fs::rename(hub.path("tokenizer.json"), hub.path("vocab.txt")).unwrap();
    refused("owner/model has no tokenizer.json: load it with sentence-transformers");
    fs::remove_file(hub.path("modules.json")).unwrap();
    refused("owner/model has no modules.json, so it is no sentence-transformers model");
}

#[test]
fn two_pulls_of_one_model_do_not_meet() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub);
    fs::create_dir_all(models.path("model.part")).unwrap();
    let lock = fs::File::create(models.path("model.part/pull.lock")).unwrap();
    lock.lock().unwrap();
    let refusal = models.refusal(&["owner/model"]);
    assert!(refusal.contains("another `sentio model pull` is fetching this model"), "{refusal}");
    drop(lock);
    models.pull(&["owner/model"]);
}

#[test]
fn the_list_tells_everything_about_a_model_in_120_columns() {
    let hub = Hub::with("tiny-bert");
    let models = Models::from(&hub).set("SENTIO_MODEL", "e5-small-v2");
    models.pull(&["e5-small-v2"]);
    copy_folder(&repository(TINY), &models.path("my-own"));
    fs::remove_file(models.path("my-own/config.json")).unwrap();
    let list = String::from_utf8(models.run(&["model", "list"]).stdout).unwrap();
    let line = |name: &str| list.lines().find(|line| line.contains(name)).unwrap();
    for text in ["1 MB", "64", "MIT", "query, passage", "installed", "intfloat"] {
        assert!(line("* e5-small-v2").contains(text), "{list}");
    }
    assert!(line("bge-small-en-v1.5").contains("133 MB") && line("my-own").contains("unusable"), "{list}");
    assert!(list.contains("\"Represent this sentence for searching relevant passages: \""), "{list}");
    assert!(list.contains("my-own: the model folder has no "), "{list}");
    let wide: Vec<_> =
        list.lines().filter(|line| line.chars().count() > 120 && !line.contains(": the ")).collect();
    assert!(wide.is_empty(), "{wide:#?}");

    let json = models.run(&["model", "list", "--json"]).stdout;
    let json: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let e5 = json.iter().find(|model| model["name"] == "e5-small-v2").unwrap();
    assert_eq!((&e5["in_use"], &e5["installed"], &e5["dimension"]), (&true.into(), &true.into(), &64.into()));
    assert_eq!((&e5["query_prompt"], &e5["repository"]), (&"query: ".into(), &"intfloat/e5-small-v2".into()));
    assert_eq!(json.len(), 11);
}
