//! Another model without downtime, the way back, and what is removed when.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sea_orm::ConnectionTrait;
use sentio::entity::index_generation::State;
use sentio::outbox::{self, Request};
use sentio::sync::Step;
use serde_json::json;

use crate::app::{Builder, TestApp, repository};

fn model(name: &str) -> String {
    repository(&format!("tests/fixtures/models/{name}")).display().to_string()
}

async fn with_articles(count: usize) -> TestApp {
    let app = Builder::new().start().await;
    for number in 0..count {
        app.create(&format!("Article {number}"), &format!("words of number {number}")).await;
    }
    app
}

/// Starts over the data of `app` with another model.
async fn restarted(app: TestApp, model_name: &str) -> TestApp {
    let (folder, database_url) = app.stop().await;
    Builder::new().set("SENTIO_MODEL", model(model_name)).start_in(folder, database_url).await
}

async fn live_model(app: &TestApp) -> String {
    app.app.generations.row(State::Live).await.unwrap().unwrap().model
}

/// Waits until the worker has decided what to build, and built it.
async fn built(app: &TestApp) {
    // Carried out after that decision.
    ask(app, Request::Reconcile).await;
    app.until_idle().await;
}

async fn ask(app: &TestApp, request: Request) {
    let transaction = app.app.db.transaction().await.unwrap();
    outbox::submit(&transaction, request).await.unwrap();
    transaction.commit().await.unwrap();
    app.app.changes.announce();
}

async fn found(app: &TestApp) -> usize {
    let data = app.query("{ recommend(query: \"words\", k: 100) { score } }").await;
    data["recommend"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_generation_answers_while_the_next_is_built() {
    let app = with_articles(40).await;
    let (folder, database_url) = app.stop().await;
    // Held at its first step until the searches have been made.
    let (release, held) = tokio::sync::watch::channel(false);
    let held = Arc::new(Mutex::new(held));
    let app = Builder::new()
        .set("SENTIO_MODEL", model("tiny-roberta"))
        .on_step(Arc::new(move |step| {
            if step == Step::GenerationCreated {
                let held = held.lock().unwrap().clone();
                // Tasks that this thread has woken go to other threads, and do not wait with it.
                tokio::task::block_in_place(|| {
                    while !*held.borrow() {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                });
            }
        }))
        .start_in(folder, database_url)
        .await;
    while app.app.generations.row(State::Building).await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(live_model(&app).await, "tiny-bert");
    assert_eq!(found(&app).await, 40);
    let status = app.query("{ indexStatus { live { model coverage } building { model coverage } } }").await;
    assert_eq!(
        status["indexStatus"],
        json!({ "live": { "model": "tiny-bert", "coverage": 1.0 }, "building": { "model": "tiny-roberta", "coverage": 0.0 } })
    );
    release.send(true).unwrap();
    built(&app).await;
    assert_eq!(live_model(&app).await, "tiny-roberta");
    assert_eq!(found(&app).await, 40);
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn searches_and_writes_go_on_throughout_a_change_of_model() {
    let app = with_articles(60).await;
    let app = restarted(app, "tiny-roberta").await;
    let mut written = 60;
    // Until the switch, and once after it.
    loop {
        let switched = live_model(&app).await == "tiny-roberta";
        app.create(&format!("Written meanwhile {written}"), "words").await;
        written += 1;
        assert_eq!(found(&app).await, written.min(100), "every article is found at every moment");
        if switched {
            break;
        }
    }
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_model_becomes_live_although_writes_never_pause() {
    let app = with_articles(40).await;
    let (folder, database_url) = app.stop().await;
    // Slow enough that changes wait at any time.
    let slow = |step| {
        if step == Step::Prepared {
            tokio::task::block_in_place(|| std::thread::sleep(Duration::from_millis(30)));
        }
    };
    let app = Builder::new()
        .set("SENTIO_MODEL", model("tiny-roberta"))
        .on_step(Arc::new(slow))
        .start_in(folder, database_url)
        .await;
    let (db, changes) = (app.app.db.clone(), app.app.changes.clone());
    let (enough, is_enough) = tokio::sync::watch::channel(false);
    let writer = tokio::spawn(async move {
        for number in 0.. {
            if *is_enough.borrow() {
                break;
            }
            let transaction = db.transaction().await.unwrap();
            let change =
                format!("UPDATE article SET content = 'changed by {number}' WHERE id % 4 = {}", number % 4);
            transaction.execute_unprepared(&change).await.unwrap();
            transaction.commit().await.unwrap();
            changes.announce();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let switched = async {
        while live_model(&app).await != "tiny-roberta" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // Without this limit the test would not end where the switch never has its turn.
    tokio::time::timeout(Duration::from_secs(120), switched).await.unwrap();
    // Not aborted: its last transaction would be committed at some later moment.
    enough.send(true).unwrap();
    writer.await.unwrap();
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn a_change_of_model_goes_on_after_a_restart() {
    let app = with_articles(200).await;
    let app = restarted(app, "tiny-roberta").await;
    let app = restarted(app, "tiny-roberta").await;
    built(&app).await;
    assert_eq!(live_model(&app).await, "tiny-roberta");
    app.assert_in_step().await;
    let app = restarted(app, "tiny-mpnet").await;
    // Another change before the first is through: what was begun is dropped.
    let app = restarted(app, "tiny-roberta").await;
    built(&app).await;
    assert_eq!(live_model(&app).await, "tiny-roberta");
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn a_rollback_fills_the_gaps_and_holds_until_the_setting_changes() {
    let app = with_articles(20).await;
    let app = restarted(app, "tiny-roberta").await;
    built(&app).await;
    // What the retired generation misses: a change, a deletion, a new article.
    app.query("mutation { updateArticle(input: { id: \"1\", content: \"changed\" }) { article { id } } }")
        .await;
    app.query("mutation { deleteArticle(input: { id: \"2\" }) { deletedArticleId } }").await;
    app.create("New", "words").await;

    ask(&app, Request::Rollback).await;
    built(&app).await;
    assert_eq!(live_model(&app).await, "tiny-bert");
    app.assert_in_step().await;
    assert_eq!(found(&app).await, 20);

    let app = restarted(app, "tiny-roberta").await;
    built(&app).await;
    assert_eq!(live_model(&app).await, "tiny-bert", "the choice holds after a restart");
    let app = restarted(app, "tiny-mpnet").await;
    built(&app).await;
    assert_eq!(live_model(&app).await, "tiny-mpnet", "until the setting changes");
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn a_second_rollback_returns_to_the_setting() {
    let app = with_articles(5).await;
    let app = restarted(app, "tiny-roberta").await;
    built(&app).await;
    ask(&app, Request::Rollback).await;
    built(&app).await;
    ask(&app, Request::Rollback).await;
    built(&app).await;
    assert_eq!(live_model(&app).await, "tiny-roberta");
    let app = restarted(app, "tiny-roberta").await;
    built(&app).await;
    assert_eq!(live_model(&app).await, "tiny-roberta");
    app.assert_in_step().await;
    app.stop().await;
}

/// Whoever waits for a request must not find it done before it is.
#[tokio::test]
async fn a_request_is_shown_in_one_place_or_another_until_it_is_carried_out() {
    let app = with_articles(5).await;
    let app = restarted(app, "tiny-roberta").await;
    built(&app).await;
    for model in ["tiny-bert", "tiny-roberta"].repeat(3) {
        ask(&app, Request::Rollback).await;
        app.until_idle().await;
        assert_eq!(live_model(&app).await, model);
    }
    let mut live = app.app.generations.row(State::Live).await.unwrap().unwrap().id;
    for _ in 0..3 {
        ask(&app, Request::Rebuild).await;
        app.until_idle().await;
        let rebuilt = app.app.generations.row(State::Live).await.unwrap().unwrap().id;
        assert!(rebuilt > live, "{rebuilt} is no newer than {live}");
        live = rebuilt;
    }
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn going_back_to_a_model_by_the_setting_takes_its_generation_up_again() {
    let app = with_articles(10).await;
    let app = restarted(app, "tiny-roberta").await;
    built(&app).await;
    let (folder, database_url) = app.stop().await;
    let app = Builder::new().start_in(folder, database_url).await;
    let runs = app.app.models.runs();
    built(&app).await;
    assert_eq!(live_model(&app).await, "tiny-bert");
    assert_eq!(app.app.models.runs(), runs, "nothing had changed, so nothing is embedded");
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn a_rebuild_goes_on_beside_the_live_generation_without_inference() {
    let app = with_articles(10).await;
    let before = app.app.generations.row(State::Live).await.unwrap().unwrap().id;
    let runs = app.app.models.runs();
    ask(&app, Request::Rebuild).await;
    built(&app).await;
    assert_eq!(app.app.models.runs(), runs, "the cache has every vector");
    assert_ne!(app.app.generations.row(State::Live).await.unwrap().unwrap().id, before);
    assert_eq!(found(&app).await, 10);
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn prune_removes_what_is_retired_and_its_cached_vectors() {
    let app = with_articles(5).await;
    let app = restarted(app, "tiny-roberta").await;
    built(&app).await;
    let tables = |app: &TestApp| {
        std::fs::read_dir(app.folder.path().join("lancedb_store"))
            .unwrap()
            .filter(|entry| {
                entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "lance")
            })
            .count()
    };
    assert_eq!((tables(&app), app.count("SELECT COUNT(*) FROM embedding").await), (4, 10));
    ask(&app, Request::Prune).await;
    built(&app).await;
    assert_eq!((tables(&app), app.count("SELECT COUNT(*) FROM embedding").await), (2, 5));
    assert_eq!(app.count("SELECT COUNT(*) FROM index_generation").await, 1);
    assert_eq!(found(&app).await, 5);
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
async fn a_live_model_that_is_gone_gives_way_to_the_one_that_is_set() {
    let models = tempfile::tempdir().unwrap();
    for name in ["tiny-bert", "tiny-roberta"] {
        crate::sync::copy(std::path::Path::new(&model(name)), &models.path().join(name));
    }
    let setting = |name: &str| models.path().join(name).display().to_string();
    let app = Builder::new().set("SENTIO_MODEL", setting("tiny-bert")).start().await;
    app.create("One", "words").await;
    let (folder, database_url) = app.stop().await;
    std::fs::remove_dir_all(models.path().join("tiny-bert")).unwrap();
    let app =
        Builder::new().set("SENTIO_MODEL", setting("tiny-roberta")).start_in(folder, database_url).await;
    app.assert_in_step().await;
    assert_eq!(live_model(&app).await, "tiny-roberta");
    assert_eq!(found(&app).await, 1);
    app.stop().await;
}

#[tokio::test]
async fn the_arithmetic_is_chosen_once_and_kept() {
    let app = Builder::new().set("SENTIO_PRECISION", "fp32").start().await;
    app.create("One", "words").await;
    assert_eq!(app.app.models.requested().arithmetic(), "fp32");
    // As if `auto` had chosen it, because 8 bits were not close enough.
    app.raw_sql("UPDATE index_generation SET precision_setting = 'auto'").await;
    let (folder, database_url) = app.stop().await;
    let app = Builder::new().start_in(folder, database_url).await;
    assert_eq!(app.app.models.requested().arithmetic(), "fp32");
    built(&app).await;
    assert_eq!((app.count("SELECT count(*) FROM index_generation").await, found(&app).await), (1, 1));
    // Another setting chooses anew.
    let (folder, database_url) = app.stop().await;
    let app = Builder::new().set("SENTIO_PRECISION", "int8").start_in(folder, database_url).await;
    built(&app).await;
    let live = app.app.generations.row(State::Live).await.unwrap().unwrap();
    assert!(live.arithmetic.starts_with("int8"), "{}", live.arithmetic);
    assert!(live.arithmetic_trials.unwrap().contains("mean_cosine"));
    assert_eq!(found(&app).await, 1);
    app.stop().await;
}

#[tokio::test]
async fn a_machine_that_computes_other_vectors_refuses_the_index() {
    let app = Builder::new().set("SENTIO_PRECISION", "int8").start().await;
    app.create("One", "words").await;
    // Other texts' vectors: those of each text's successor.
    let probes: Vec<_> =
        app.app.models.with_fingerprint(&app.app.models.requested().fingerprint).unwrap().probes().to_vec();
    let others: String = probes
        .iter()
        .cycle()
        .skip(1)
        .take(probes.len())
        .flat_map(|probe| probe.to_le_bytes())
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let bytes = if app.is_postgres() { format!("decode('{others}', 'hex')") } else { format!("X'{others}'") };
    app.raw_sql(&format!("UPDATE index_generation SET probe_vectors = {bytes}")).await;
    let (folder, database_url) = app.stop().await;
    let same = Builder::new().set("SENTIO_PRECISION", "int8").without_worker();
    let app = same.start_in(folder, database_url).await;
    let error = app.app.generations.open_for_search().await.err().unwrap();
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        reason.contains("gives other vectors on this machine than those in the index (cosine 0."),
        "{reason}"
    );
    let error = app.app.generations.live(&[]).await.err().unwrap();
    assert!(error.to_string().contains("a model of the index cannot be used"), "{error}");
    let answer =
        app.execute("{ recommend(query: \"words\") { score } articles { totalCount } }", json!({})).await;
    assert_eq!(
        (&answer["data"]["recommend"], &answer["data"]["articles"]["totalCount"]),
        (&json!(null), &json!(1))
    );
    // Another arithmetic is a way out.
    let (folder, database_url) = app.stop().await;
    let app = Builder::new().set("SENTIO_PRECISION", "fp32").start_in(folder, database_url).await;
    app.until_in_step().await;
    assert_eq!(found(&app).await, 1);
    app.stop().await;
}
