//! Poison and outage: what goes wrong with one article, and what goes wrong with the index.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::app::{Builder, TestApp, repository, until_idle};
use crate::sync::copy;

/// Waits until `reached` says so; panics after a while.
async fn eventually(what: &str, mut reached: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !reached().await {
        assert!(started.elapsed() < Duration::from_secs(40), "{what} did not come");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

async fn status(app: &TestApp) -> Value {
    let mut data = app.query("{ indexStatus { state failed pending lastError articles } }").await;
    data["indexStatus"].take()
}

async fn found(app: &TestApp) -> Option<usize> {
    let response = app.execute("{ recommend(query: \"words\", k: 100) { score } }", json!({})).await;
    Some(response["data"]["recommend"].as_array()?.len())
}

/// A copy of a tiny model in which the embedding of one token is no number: texts with it cannot be embedded.
async fn poisoned_model(folder: &Path, token: u32) {
    copy(&repository("tests/fixtures/models/tiny-bert"), folder);
    let path = folder.join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let header = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    let tensors: Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
    let (_, tensor) = tensors
        .as_object()
        .unwrap()
        .iter()
        .find(|(name, _)| name.ends_with("word_embeddings.weight"))
        .expect("the model has word embeddings");
    assert_eq!(tensor["dtype"], "F32");
    let row = usize::try_from(tensor["shape"][1].as_u64().unwrap()).unwrap() * 4;
    let begin = usize::try_from(tensor["data_offsets"][0].as_u64().unwrap()).unwrap();
    let at = 8 + header + begin + row * token as usize;
    for value in bytes[at..at + row].chunks_mut(4) {
        value.copy_from_slice(&f32::NAN.to_le_bytes());
    }
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_poisoned_article_fails_alone_visibly_and_starts_anew_when_it_changes() {
    let plain = Builder::new().start().await;
    let model = plain.app.models.with_fingerprint(&plain.app.models.requested().fingerprint).unwrap();
    let of = |text: &str| model.token_ids(text).unwrap();
    let ordinary = [of("words of an ordinary article"), of("Beside"), of("mended")].concat();
    let poison = of("zqzq").into_iter().find(|token| !ordinary.contains(token)).expect("a token of its own");
    plain.stop().await;

    let folder = tempfile::tempdir().unwrap();
    poisoned_model(folder.path(), poison).await;
    let app = Builder::new()
        .set("SENTIO_MODEL", folder.path().display().to_string())
        .set("SENTIO_PRECISION", "fp32")
        .start()
        .await;
    let started = Instant::now();
    let create = "mutation { createArticle(input: { title: \"words\", content: \"zqzq\" }) { article { id indexState } } }";
    let poisoned = async {
        let data = app.query(create).await;
        assert_eq!(data["createArticle"]["article"]["indexState"], "PENDING");
        data["createArticle"]["article"]["id"].as_str().unwrap().to_owned()
    };
    // In one batch with it, or right after: nobody waits for the other's failure.
    let (id, _) = tokio::join!(poisoned, app.create("Beside", "words of an ordinary article"));
    assert!(started.elapsed() < Duration::from_secs(5), "nobody waits for an article that cannot be indexed");

    let state = json!({ "id": id });
    let article = "query($id: ID!) { article(id: $id) { indexState indexError } }";
    eventually("FAILED", async || {
        app.query_with(article, state.clone()).await["article"]["indexState"] == "FAILED"
    })
    .await;
    let failed = app.query_with(article, state.clone()).await;
    let reason = failed["article"]["indexError"].as_str().unwrap().to_owned();
    let status = status(&app).await;
    assert_eq!((&status["state"], &status["failed"]), (&json!("IN_STEP"), &json!(1)));
    let last_error = status["lastError"].as_str().unwrap();
    assert!(last_error.contains(&reason) && last_error.contains(&format!("article {id}")), "{last_error}");

    let update = "mutation($id: ID!) {
      updateArticle(input: { id: $id, content: \"mended\" }) { article { indexState indexError } }
    }";
    let mended = app.query_with(update, state).await;
    assert_eq!(mended["updateArticle"]["article"], json!({ "indexState": "INDEXED", "indexError": null }));
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn an_index_that_is_deleted_under_a_running_server_comes_back() {
    let app = Builder::new().start().await;
    for number in 0..8 {
        app.create(&format!("Article {number}"), "words").await;
    }
    let runs = app.app.models.runs();
    fs::remove_dir_all(app.folder.path().join("lancedb_store")).unwrap();
    // Nobody writes: it is noticed all the same.
    eventually("the index", async || found(&app).await == Some(8)).await;
    assert_eq!(app.app.models.runs(), runs + 1, "one query, and every other vector from the cache");
    // Searches see the articles a moment before SQL says that the index can be written again.
    app.until_idle().await;
    app.create("After", "words").await;
    app.assert_in_step().await;
    assert_eq!(status(&app).await["state"], "IN_STEP");
    app.stop().await;
}

#[tokio::test]
async fn a_damaged_file_is_noticed_by_a_search_and_the_index_made_anew() {
    let app = Builder::new().start().await;
    for number in 0..8 {
        app.create(&format!("Article {number}"), "words").await;
    }
    let (folder, database_url) = app.stop().await;
    damage(&folder.path().join("lancedb_store"));
    let app = Builder::new().start_in(folder, database_url).await;
    eventually("the index", async || found(&app).await == Some(8)).await;
    app.assert_in_step().await;
    app.create("After", "words").await;
    assert_eq!(found(&app).await, Some(9));
    app.stop().await;
}

/// Cuts every data file of the index to half.
fn damage(store: &Path) {
    let mut damaged = 0;
    for table in fs::read_dir(store).unwrap() {
        let data = table.unwrap().path().join("data");
        for file in fs::read_dir(data).into_iter().flatten() {
            let path = file.unwrap().path();
            let length = fs::metadata(&path).unwrap().len();
            fs::File::options().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
            damaged += 1;
        }
    }
    assert!(damaged > 0);
}

#[tokio::test]
async fn unreadable_manifests_are_an_outage_that_ends_with_a_new_index() {
    let app = Builder::new().start().await;
    app.create("One", "words").await;
    let (folder, database_url) = app.stop().await;
    for table in fs::read_dir(folder.path().join("lancedb_store")).unwrap() {
        for manifest in fs::read_dir(table.unwrap().path().join("_versions")).into_iter().flatten() {
            fs::write(manifest.unwrap().path(), b"no manifest").unwrap();
        }
    }
    let config = Builder::new().config(folder.path(), database_url);
    let app = sentio::app::App::open(config).await.unwrap();
    let worker = app.worker().start();
    assert!(app.index_opened(Duration::from_secs(40)).await, "the index was not made anew");
    until_idle(&app).await;
    assert_eq!(app.index.live().unwrap().snapshot().size().await.unwrap().articles, 1);
    worker.stop().await;
    app.close().await.unwrap();
}

#[tokio::test]
async fn while_the_index_cannot_be_written_articles_are_stored_at_once_and_indexed_later() {
    let app = Builder::new().start().await;
    app.create("Before", "words").await;
    let store = app.folder.path().join("lancedb_store");
    if !set_writable(&store, false) {
        println!("skipped: this file system cannot refuse writes (neither permissions nor chattr work)");
        set_writable(&store, true);
        return;
    }
    let create = "mutation { createArticle(input: { title: \"During\", content: \"words\" }) { article { indexState } } }";
    app.query(create).await;
    eventually("FAILING", async || status(&app).await["state"] == "FAILING").await;
    let started = Instant::now();
    let data = app.query(create).await;
    assert_eq!(data["createArticle"]["article"]["indexState"], "PENDING");
    assert!(started.elapsed() < Duration::from_secs(3), "nobody waits while the index cannot be written");
    assert_eq!(found(&app).await, Some(1), "what is indexed can be searched");
    assert!(set_writable(&store, true));
    eventually("recovery", async || status(&app).await["state"] == "IN_STEP").await;
    assert_eq!(found(&app).await, Some(3));
    app.assert_in_step().await;
    app.stop().await;
}

/// Makes everything below `folder` writable or not, also for root; `false` when that is impossible here.
fn set_writable(folder: &Path, writable: bool) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let mut folders = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(folder) = folders.get(next).cloned() {
        next += 1;
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        folders.extend(entries.filter(|path| path.is_dir()));
    }
    let flag = if writable { "-i" } else { "+i" };
    // Not every file system has the attribute; the probe tells.
    let _ = std::process::Command::new("chattr").arg(flag).args(&folders).output();
    for folder in &folders {
        let mode = if writable { 0o755 } else { 0o555 };
        // An immutable folder refuses it, and does not need it.
        let _ = fs::set_permissions(folder, fs::Permissions::from_mode(mode));
    }
    let probe = folder.join("probe");
    let written = fs::write(&probe, b"").is_ok();
    let _ = fs::remove_file(probe);
    written == writable
}

#[tokio::test]
async fn the_model_folder_may_go_while_the_server_runs() {
    let models = tempfile::tempdir().unwrap();
    let folder = models.path().join("tiny-bert");
    copy(&repository("tests/fixtures/models/tiny-bert"), &folder);
    let app = Builder::new().set("SENTIO_MODEL", folder.display().to_string()).start().await;
    app.create("Before", "words").await;
    fs::remove_dir_all(&folder).unwrap();
    app.create("After", "words of another article").await;
    assert_eq!(found(&app).await, Some(2));
    app.stop().await;
}

#[tokio::test]
async fn a_writer_lock_that_is_removed_lets_no_two_write() {
    let app = Builder::new().start().await;
    app.create("One", "words").await;
    let lock = app.folder.path().join("lancedb_store/writer.lock");
    fs::remove_file(&lock).unwrap();
    eventually("a new lock", async || lock.exists()).await;
    app.create("Two", "words").await;
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn an_index_that_cannot_be_locked_is_said_to_be_failing() {
    let app = Builder::new().start().await;
    app.create("Before", "words").await;
    let (folder, database_url) = app.stop().await;
    let lock = folder.path().join("lancedb_store/writer.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let app = Builder::new().start_in(folder, database_url).await;
    eventually("FAILING", async || status(&app).await["state"] == "FAILING").await;
    let started = Instant::now();
    let create = "mutation { createArticle(input: { title: \"While\", content: \"words\" }) { article { indexState } } }";
    assert_eq!(app.query(create).await["createArticle"]["article"]["indexState"], "PENDING");
    assert!(started.elapsed() < Duration::from_secs(5), "nobody waits for an index that cannot be written");
    assert_eq!(found(&app).await, Some(1), "searches go on");
    fs::remove_dir(&lock).unwrap();
    eventually("IN_STEP", async || status(&app).await["state"] == "IN_STEP").await;
    app.assert_in_step().await;
    app.stop().await;
}
