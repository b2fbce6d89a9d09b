//! kill -9 at every named step of the worker, and at random moments under load: after a restart nothing is missing,
//! stale, orphaned or duplicated.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryOrder, Set};
use sentio::app::App;
use sentio::article::ArticleDraft;
use sentio::entity::article;
use sentio::outbox::{self, Request};
use sentio::sync::Step;
use serde_json::json;
use tempfile::TempDir;

use crate::app::{Builder, database_url, repository, until_idle};
use crate::server::Server;

/// What the child process is told by its environment.
const FOLDER: &str = "KILL_TEST_FOLDER";
const DATABASE: &str = "KILL_TEST_DATABASE";
const STEP: &str = "KILL_TEST_STEP";
const MODEL: &str = "KILL_TEST_MODEL";

/// The child's job when the variables are set; otherwise there is nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn child_that_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else {
        println!("skipped: this is the process that the other tests of this file start and kill");
        return;
    };
    let step = std::env::var(STEP).unwrap();
    let database_url = std::env::var(DATABASE).ok();
    let model = std::env::var(MODEL).unwrap();
    let config = Builder::new().set("SENTIO_MODEL", model).config(Path::new(&folder), database_url);
    let app = App::open(config).await.unwrap();
    write(&app).await;
    if step == "Committed" {
        kill();
    }
    let rebuild = step == "Rebuilding";
    let mut worker = app.worker();
    let seen = AtomicUsize::new(0);
    worker.on_step = Arc::new(move |reached| {
        let wanted = match step.as_str() {
            "Rebuilding" => reached == Step::Backfilled,
            name => format!("{reached:?}") == name,
        };
        // Not the first time, so that something is half done; but there may be one batch to fill, and one switch.
        if wanted
            && (seen.fetch_add(1, Ordering::Relaxed) >= 1
                || matches!(reached, Step::GenerationCreated | Step::Switched | Step::Backfilled))
        {
            if reached == Step::Maintaining {
                // In the middle of what follows.
                std::thread::spawn(|| {
                    std::thread::sleep(Duration::from_millis(4));
                    kill();
                });
            } else {
                kill();
            }
        }
    });
    let _worker = worker.start();
    // Written one by one, so that there are several batches and files.
    for number in 0.. {
        write(&app).await;
        if rebuild && number == 10 {
            let transaction = app.db.transaction().await.unwrap();
            outbox::submit(&transaction, Request::Rebuild).await.unwrap();
            transaction.commit().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

/// Ends this process as `kill -9` does.
fn kill() -> ! {
    let id = std::process::id().to_string();
    Command::new("kill").args(["-9", &id]).status().unwrap();
    loop {
        std::thread::park();
    }
}

/// One transaction: a new article, a changed one, and now and then a deleted one.
async fn write(app: &App) {
    let transaction = app.db.transaction().await.unwrap();
    let draft = ArticleDraft {
        title: "A title".to_owned(),
        content: "Some words. ".repeat(20),
        ..Default::default()
    };
    let row = article::ActiveModel::from_draft(draft).insert(&transaction).await.unwrap();
    let first =
        article::Entity::find().order_by_asc(article::Column::Id).one(&transaction).await.unwrap().unwrap();
    if row.id % 5 == 0 {
        first.delete(&transaction).await.unwrap();
    } else {
        let mut active = first.into_active_model();
        active.content = Set(format!("Changed for the sake of {}", row.id));
        active.update(&transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
    app.changes.announce();
}

fn model(name: &str) -> String {
    repository(&format!("tests/fixtures/models/{name}")).display().to_string()
}

/// Runs the child until it is killed at `step`.
fn killed_at(step: &str, folder: &Path, database_url: Option<&str>, model_name: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "kills::child_that_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .env(STEP, step)
        .env(MODEL, model(model_name))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(url) = database_url {
        command.env(DATABASE, url);
    }
    let status = command.status().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{step}: {status:?}");
}

#[tokio::test]
async fn killed_at_any_step_the_index_is_in_step_after_a_restart() {
    let steps = [
        "Committed",
        "Claimed",
        "Prepared",
        "Written",
        "Recorded",
        "Maintaining",
        "SearchFileWritten",
        "Rebuilding",
    ];
    for step in steps {
        let folder = tempfile::tempdir().unwrap();
        let database_url = database_url().await;
        // Killed twice: the second time over what the first one left.
        for _ in 0..2 {
            killed_at(step, folder.path(), database_url.as_deref(), "tiny-bert");
        }
        let app = Builder::new().start_in(folder, database_url).await;
        app.assert_in_step().await;
        app.create("After", "words").await;
        app.assert_in_step().await;
        app.stop().await;
    }
}

#[tokio::test]
async fn killed_while_the_model_changes_the_index_is_in_step_after_a_restart() {
    for step in ["GenerationCreated", "Backfilled", "Switched"] {
        let folder = tempfile::tempdir().unwrap();
        let database_url = database_url().await;
        let app = Builder::new().start_in(folder, database_url).await;
        for _ in 0..40 {
            write(&app.app).await;
        }
        app.assert_in_step().await;
        let (folder, database_url) = app.stop().await;
        killed_at(step, folder.path(), database_url.as_deref(), "tiny-roberta");
        let app =
            Builder::new().set("SENTIO_MODEL", model("tiny-roberta")).start_in(folder, database_url).await;
        while app
            .app
            .generations
            .row(sentio::entity::index_generation::State::Live)
            .await
            .unwrap()
            .unwrap()
            .model
            != "tiny-roberta"
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        app.assert_in_step().await;
        app.stop().await;
    }
}

/// Writes until the server is gone. What it answered for must be there afterwards.
async fn load(url: String, writer: usize) -> Vec<String> {
    let client = reqwest::Client::new();
    let mut created = Vec::new();
    for number in 0.. {
        let title = format!("Writer {writer} number {number}");
        let query = if number % 4 == 3 && !created.is_empty() {
            let id: &String = &created[number % created.len()];
            json!({ "query": "mutation($id: ID!, $c: String!) { updateArticle(input: { id: $id, content: $c }) { article { id } } }",
                    "variables": { "id": id, "c": format!("changed by {number}") } })
        } else {
            json!({ "query": "mutation($t: String!) { createArticle(input: { title: $t, content: \"words\" }) { article { id } } }",
                    "variables": { "t": title } })
        };
        let Ok(response) = client.post(&url).json(&query).send().await else { break };
        let Ok(response) = response.json::<serde_json::Value>().await else { break };
        if let Some(id) = response["data"]["createArticle"]["article"]["id"].as_str() {
            created.push(id.to_owned());
        }
    }
    created
}

/// How often a server is killed: few times in `make test`, often in `make soak`.
fn kills() -> usize {
    std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(20)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_at_random_under_load_loses_nothing_it_answered_for() {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().to_owned();
    let database_url = database_url().await;
    let mut created = Vec::new();
    for round in 0..kills() {
        let mut server = Server::start(&path, database_url.as_deref());
        let writers: Vec<_> = (0..8).map(|writer| tokio::spawn(load(server.url.clone(), writer))).collect();
        // Between the first writes and some upkeep; different each time, the same in each run.
        tokio::time::sleep(Duration::from_millis(40 + (round as u64 * 131) % 700)).await;
        server.kill();
        for writer in writers {
            created.extend(writer.await.unwrap());
        }
    }
    assert!(created.len() > kills(), "only {} articles were created", created.len());
    let mut server = Server::start(&path, database_url.as_deref());
    let app = App::open(Builder::new().config(&path, database_url)).await.unwrap();
    until_idle(&app).await;
    server.kill();
    let live = app.generations.open_live().await.unwrap();
    let look = sentio::sync::Look::Newest;
    let report = sentio::sync::verify(&app.db, &live, look, |_| {}, |_| async { Ok(()) }).await.unwrap();
    assert!(report.in_step(), "{report:?}");
    for id in &created {
        let found =
            article::Entity::find_by_id(id.parse::<i64>().unwrap()).one(app.db.reader()).await.unwrap();
        assert!(found.is_some(), "article {id} was answered for and is gone");
    }
    app.close().await.unwrap();
}
