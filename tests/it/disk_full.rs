//! Full disks: that of the index alone, and that of everything. Each test fills a small file system of its own.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, Statement};
use sentio::index::{Batch, Previous};
use serde_json::json;

use crate::app::{Builder, TestApp};

const CREATE: &str = "mutation($title: String!, $content: String!, $wait: Boolean!) {
  createArticle(input: { title: $title, content: $content, waitForIndex: $wait }) {
    article { id indexState } userErrors { code }
  }
}";

/// A file system in memory, mounted on a folder; it goes with this value.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// `None`, with a printed reason, where nothing may be mounted.
    fn mount(folder: &Path, megabytes: u32) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=0777"), "tmpfs"]).arg(folder);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        if !mounted {
            println!("skipped: a file system of its own cannot be mounted here (that takes root on Linux)");
        }
        mounted.then(|| Self { folder: folder.to_owned() })
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        for size in [64 * 1024, 1] {
            let block = vec![1; size];
            while file.write_all(&block).is_ok() {}
        }
    }

    /// Gives the room back.
    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: files may be open still.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

async fn status(app: &TestApp) -> serde_json::Value {
    app.query("{ indexStatus { state pending lastError } }").await["indexStatus"].take()
}

async fn until_state(app: &TestApp, state: &str) -> serde_json::Value {
    let started = Instant::now();
    loop {
        let status = status(app).await;
        if status["state"] == state {
            return status;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{state} did not come: {status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn article_count(app: &TestApp) -> i64 {
    app.count("SELECT COUNT(*) FROM article").await
}

#[tokio::test]
async fn while_the_disk_of_the_index_is_full_articles_are_stored_at_once_and_indexed_later() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("lancedb_store"), 8) else { return };
    let database_url = crate::app::database_url().await;
    let app = Builder::new().set("SENTIO_INDEX_WAIT", "1").start_in(folder, database_url).await;
    for number in 0..5 {
        app.create(&format!("Before {number}"), "words").await;
    }
    disk.fill();
    for number in 0..5 {
        let variables =
            json!({ "title": format!("While {number}"), "content": "words", "wait": number == 4 });
        let started = Instant::now();
        let data = app.query_with(CREATE, variables).await;
        assert_eq!(data["createArticle"]["article"]["indexState"], "PENDING", "{data}");
        assert!(started.elapsed() < Duration::from_secs(5), "SQL does not wait for the index");
    }
    assert_eq!(article_count(&app).await, 10);
    let failing = until_state(&app, "FAILING").await;
    assert_eq!(failing["pending"], 5);
    assert!(failing["lastError"].as_str().unwrap().contains("cannot be written"), "{failing}");
    let found = app.query("{ recommend(query: \"words\", k: 100) { score } }").await;
    assert_eq!(found["recommend"].as_array().unwrap().len(), 5, "searches go on with what is indexed");
    disk.free();
    until_state(&app, "IN_STEP").await;
    app.assert_in_step().await;
    let found = app.query("{ recommend(query: \"words\", k: 100) { score } }").await;
    assert_eq!(found["recommend"].as_array().unwrap().len(), 10);
    app.stop().await;
}

#[tokio::test]
async fn a_start_on_a_full_disk_of_the_index_serves_what_is_indexed() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("lancedb_store"), 8) else { return };
    let database_url = crate::app::database_url().await;
    let app = Builder::new().start_in(folder, database_url).await;
    for number in 0..5 {
        app.create(&format!("Before {number}"), "words").await;
    }
    // As a process leaves it that is killed after writing: it has to be taken back, and that takes room.
    let live = app.app.generations.open_live().await.unwrap();
    let (folder, database_url) = app.stop().await;
    let batch = Batch { deleted: vec![1], ..Batch::default() };
    live.tables.write(&batch, Previous::Possible).await.unwrap();
    disk.fill();
    let app = Builder::new().start_in(folder, database_url).await;
    let failing = until_state(&app, "FAILING").await;
    let found = app.query("{ recommend(query: \"words\", k: 100) { score } }").await;
    assert_eq!(found["recommend"].as_array().unwrap().len(), 5, "{failing}");
    disk.free();
    until_state(&app, "IN_STEP").await;
    app.until_in_step().await;
    app.stop().await;
}

/// Puts PostgreSQL's articles on the small disk: a table space has to belong to the server's user. Returns its name.
async fn move_articles_to(app: &TestApp, folder: &Path) -> String {
    fs::create_dir(folder).unwrap();
    let owner = Command::new("chown").arg("postgres").arg(folder).status().unwrap();
    assert!(owner.success());
    let name = format!("small_{}", uuid::Uuid::new_v4().simple());
    let connection = app.app.db.schema_connection();
    let create = format!("CREATE TABLESPACE {name} LOCATION '{}'", folder.display());
    connection.execute_unprepared(&create).await.unwrap();
    connection.execute_unprepared(&format!("ALTER TABLE article SET TABLESPACE {name}")).await.unwrap();
    name
}

/// Without this the whole cluster would miss files when the small disk goes.
async fn move_articles_back(app: &TestApp, name: &str) {
    let connection = app.app.db.schema_connection();
    connection.execute_unprepared("ALTER TABLE article SET TABLESPACE pg_default").await.unwrap();
    connection.execute_unprepared(&format!("DROP TABLESPACE {name}")).await.unwrap();
}

#[tokio::test]
async fn while_the_disk_of_everything_is_full_writes_are_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let data_folder = folder.path().join("data");
    let Some(disk) = SmallDisk::mount(&data_folder, 8) else { return };
    let database_url = crate::app::database_url().await;
    let app = Builder::new()
        .set("SENTIO_DATA_DIR", data_folder.display().to_string())
        .set("SENTIO_INDEX_WAIT", "1")
        .start_in(folder, database_url)
        .await;
    let mut tablespace = None;
    if app.is_postgres() {
        tablespace = Some(move_articles_to(&app, &data_folder.join("tablespace")).await);
    }
    for number in 0..5 {
        app.create(&format!("Before {number}"), "words").await;
    }
    let (mut refused, mut stored) = (0, 5);
    for number in 0.. {
        // Each time, because upkeep of the index gives room back. What fits into a log that is there already is stored.
        disk.fill();
        let content: String = (0..10_000).map(|word| format!("word {} ", word * 7_919 + number)).collect();
        let variables = json!({ "title": format!("While {number}"), "content": content, "wait": false });
        let response = app.execute(CREATE, variables).await;
        if response["errors"].is_null() {
            stored += 1;
            assert!(stored < 100, "10 MB were stored on a full disk");
            continue;
        }
        refused += 1;
        let error = &response["errors"][0];
        assert_eq!(error["extensions"]["code"], "OVERLOADED", "{response}");
        assert!(error["message"].as_str().unwrap().contains("disk"), "{response}");
        assert_eq!(response["data"]["createArticle"], serde_json::Value::Null);
        if refused == 10 {
            break;
        }
    }
    assert_eq!(article_count(&app).await, stored, "nothing half-written");
    let whole = "SELECT COUNT(*) FROM article WHERE content = 'words' OR length(content) > 10000";
    assert_eq!(app.count(whole).await, stored);
    let reader = app.app.db.reader();
    let sql = "SELECT title FROM article ORDER BY id LIMIT 1";
    let row = reader.query_one_raw(Statement::from_string(app.app.db.backend(), sql)).await.unwrap();
    assert_eq!(row.unwrap().try_get::<String>("", "title").unwrap(), "Before 0", "reading goes on");
    disk.free();
    app.create("After", "words").await;
    until_state(&app, "IN_STEP").await;
    app.assert_in_step().await;
    if let Some(name) = tablespace {
        move_articles_back(&app, &name).await;
    }
    app.stop().await;
}
