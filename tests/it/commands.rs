//! The commands, as a person runs them.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::app::{new_postgres_database, repository};
use crate::server::{self, Server};

/// The database of a folder's commands: SQLite in the folder, or a PostgreSQL one whose URL the folder remembers.
fn database_url(folder: &Path) -> String {
    if std::env::var("TEST_DATABASE").as_deref() != Ok("postgres") {
        return format!("sqlite://{}", folder.join("data/sentio.db").display());
    }
    let remembered = folder.join("database-url");
    std::fs::read_to_string(&remembered).unwrap_or_else(|_| {
        let url = in_runtime(new_postgres_database());
        std::fs::write(remembered, &url).unwrap();
        url
    })
}

fn in_runtime<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A command in a folder of its own, with a tiny model.
fn sentio(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentio"));
    command
        .current_dir(folder)
        .env_clear()
        .env("SENTIO_MODEL", repository("tests/fixtures/models/tiny-roberta"))
        .env("SENTIO_MODEL_DIR", repository("models"))
        .env("SENTIO_ORT_LIB", repository("lib/libonnxruntime.so"))
        .env("DATABASE_URL", database_url(folder))
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    sentio(folder, arguments).output().unwrap()
}

/// Runs a command that must succeed; its standard output.
fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail; its standard error.
fn fails(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn verify(folder: &Path) -> Value {
    serde_json::from_str(&succeeds(folder, &["verify", "--json"])).unwrap()
}

#[test]
fn populate_makes_twelve_searchable_samples_and_asks_before_it_deletes() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), &["populate"]);
    let counts = serde_json::json!({
        "articles": 12, "missing": 0, "stale": 0, "orphaned": 0, "duplicated": 0, "pending": 0,
        "search_files": { "whole": 0, "bytes": 0, "foreign": 0, "damaged": 0 },
    });
    assert_eq!(verify(folder.path()), counts);
    succeeds(folder.path(), &["populate"]);
    assert_eq!(verify(folder.path()), counts);

    let file = folder.path().join("more.jsonl");
    std::fs::write(&file, r#"{"id": "mine", "title": "Mine", "text": "words"}"#).unwrap();
    succeeds(folder.path(), &["import", "more.jsonl"]);
    assert!(
        fails(folder.path(), &["populate"]).contains("1 articles that are not samples. Give --yes to go on")
    );
    assert_eq!(verify(folder.path())["articles"], 13);
    succeeds(folder.path(), &["populate", "--yes"]);
    assert_eq!(verify(folder.path()), counts);
}

#[test]
fn import_and_export_are_each_others_reverse() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [
        r#"{"id": "one", "title": "First", "content": "words\nin lines", "category": "C", "tags": ["a", "b;c"], "created_at": "2020-01-02T03:04:05.678901Z"}"#,
        r#"{"id": "two", "title": "Second, \"quoted\"", "content": "émoji 😀", "category": null, "tags": [], "created_at": "2021-01-01T00:00:00.000000Z"}"#,
    ];
    std::fs::write(folder.path().join("in.jsonl"), lines.join("\n")).unwrap();
    succeeds(folder.path(), &["import", "in.jsonl"]);
    for file in ["out.jsonl", "out.csv.gz", "out.parquet"] {
        succeeds(folder.path(), &["export", file]);
        let other = tempfile::tempdir().unwrap();
        let path = folder.path().join(file).display().to_string();
        succeeds(other.path(), &["import", &path, "--no-wait"]);
        let exported = succeeds(other.path(), &["export", "-"]);
        let articles = |text: &str| -> Vec<Value> {
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        assert_eq!(articles(&exported), articles(&lines.join("\n")), "{file}");
    }
}

#[test]
fn a_repeated_import_skips_updates_or_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let write = |title: &str| {
        let line = format!(r#"{{"id": "one", "title": "{title}", "content": "words"}}"#);
        std::fs::write(folder.path().join("in.jsonl"), line).unwrap();
    };
    let title = || {
        let line = succeeds(folder.path(), &["export", "-"]);
        serde_json::from_str::<Value>(&line).unwrap()["title"].as_str().unwrap().to_owned()
    };
    write("Old");
    succeeds(folder.path(), &["import", "in.jsonl"]);
    write("New");
    succeeds(folder.path(), &["import", "in.jsonl"]);
    assert_eq!(title(), "Old");
    let error = fails(folder.path(), &["import", "in.jsonl", "--on-conflict", "error", "--strict"]);
    assert!(error.contains("in.jsonl:1: the id belongs to article 1"), "{error}");
    succeeds(folder.path(), &["import", "in.jsonl", "--on-conflict", "update"]);
    assert_eq!(title(), "New");
    assert_eq!(verify(folder.path())["stale"], 0);
}

#[test]
fn a_bad_line_is_named_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [
        r#"{"title": "Good", "content": "words"}"#,
        r#"{"title": "No content"}"#,
        "no json",
        r#"{"title": " ", "content": "words"}"#,
        r#"{"title": "Good too", "content": "words"}"#,
    ];
    std::fs::write(folder.path().join("in.jsonl"), lines.join("\n")).unwrap();
    let output = run(folder.path(), &["import", "in.jsonl"]);
    assert!(output.status.success());
    let report = String::from_utf8(output.stderr).unwrap();
    for bad in [2, 3, 4] {
        assert!(report.contains(&format!("in.jsonl:{bad}: ")), "{report}");
    }
    assert_eq!(verify(folder.path())["articles"], 2);
    let strict = fails(folder.path(), &["import", "in.jsonl", "--strict"]);
    assert!(strict.contains("in.jsonl:2: "), "{strict}");
    assert!(fails(folder.path(), &["import", "nothing.jsonl"]).contains("nothing.jsonl"));
    assert!(fails(folder.path(), &["import", "nothing.txt"]).contains(".jsonl"));
}

#[test]
fn index_and_verify_find_and_mend_differences() {
    let folder = tempfile::tempdir().unwrap();
    assert!(fails(folder.path(), &["verify"]).contains("no index yet"));
    succeeds(folder.path(), &["populate", "--no-wait"]);
    succeeds(folder.path(), &["index"]);
    assert_eq!(verify(folder.path())["missing"], 0);
    succeeds(folder.path(), &["index", "--rebuild"]);
    assert_eq!(verify(folder.path())["articles"], 12);

    // What a broken restore would leave: a change that nothing recorded.
    in_runtime(async {
        let connection = sea_orm::Database::connect(database_url(folder.path())).await.unwrap();
        for sql in [
            "UPDATE article SET content = 'changed' WHERE id = 1",
            "DELETE FROM article WHERE id = 2",
            "DELETE FROM index_change",
        ] {
            sea_orm::ConnectionTrait::execute_unprepared(&connection, sql).await.unwrap();
        }
        connection.close().await.unwrap();
    });
    let output = run(folder.path(), &["verify", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["stale"], &report["orphaned"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(report["examples"], serde_json::json!({ "stale": ["1"], "orphaned": ["2"] }));
    let repaired = succeeds(folder.path(), &["verify", "--repair", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&repaired).unwrap()["articles"], 11);
    assert_eq!(verify(folder.path())["stale"], 0);
}

#[test]
fn commands_beside_a_running_server_end_when_searches_there_see_what_they_did() {
    let folder = tempfile::tempdir().unwrap();
    let data_folder = folder.path().join("data");
    std::fs::create_dir(&data_folder).unwrap();
    let server = Server::start(&data_folder, Some(&database_url(folder.path())));
    let beside = |arguments: &[&str]| {
        let mut command = sentio(folder.path(), arguments);
        let output = command.env("SENTIO_MODEL", repository(server::MODEL)).output().unwrap();
        assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let found = || {
        let query = "{ recommend(query: \"words\", k: 100) { score } indexStatus { state live { id } building { id } } }";
        let client = reqwest::Client::new();
        let mut response = in_runtime(server.execute(&client, query, serde_json::json!({})));
        assert_eq!(response["data"]["indexStatus"]["building"], Value::Null);
        let count = response["data"]["recommend"].as_array().unwrap().len();
        (count, response["data"]["indexStatus"]["live"]["id"].take())
    };
    let lines: String = (0..40)
        .map(|n| format!("{{\"id\":\"{n}\",\"title\":\"Article {n}\",\"content\":\"words\"}}\n"))
        .collect();
    let file = folder.path().join("articles.jsonl");
    std::fs::write(&file, lines).unwrap();
    beside(&["import", file.to_str().unwrap()]);
    let (count, first_generation) = found();
    assert_eq!(count, 40);
    beside(&["populate", "--yes"]);
    assert_eq!(found().0, 12);
    beside(&["import", file.to_str().unwrap()]);
    assert_eq!(found().0, 52);
    beside(&["index"]);
    assert_eq!(found(), (52, first_generation.clone()));
    beside(&["index", "--rebuild"]);
    let (count, second_generation) = found();
    assert_eq!(count, 52);
    assert_ne!(second_generation, first_generation, "the server has made another generation");
    let report: Value = serde_json::from_str(&beside(&["verify", "--json"])).unwrap();
    assert_eq!((&report["articles"], &report["missing"]), (&Value::from(52), &Value::from(0)));
    beside(&["index", "prune"]);
    assert_eq!(found().0, 52);
}

#[test]
fn migrations_go_up_and_down() {
    let folder = tempfile::tempdir().unwrap();
    let status = succeeds(folder.path(), &["migrate"]);
    assert!(status.lines().count() > 0 && status.lines().all(|line| line.starts_with("applied")), "{status}");
    assert!(fails(folder.path(), &["migrate", "fresh"]).contains("--yes"));
    succeeds(folder.path(), &["migrate", "fresh", "--yes"]);
    let down = succeeds(folder.path(), &["migrate", "down", "--yes"]);
    assert_eq!(down.lines().filter(|line| line.starts_with("pending")).count(), 1, "{down}");
    assert_eq!(succeeds(folder.path(), &["migrate", "status"]), down);
}

#[test]
fn migrations_of_several_processes_at_once_are_applied_once() {
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        database_url(folder.path());
        let mut started: Vec<_> = (0..4)
            .map(|_| sentio(folder.path(), &["migrate"]).stdout(Stdio::null()).spawn().unwrap())
            .collect();
        for command in &mut started {
            assert!(command.wait().unwrap().success());
        }
    }
}

#[test]
fn an_interrupted_migration_leaves_nothing_half_made() {
    for delay in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        database_url(folder.path());
        let mut command = sentio(folder.path(), &["migrate"]).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(6 + delay * 3));
        // It may have ended already.
        let _ = command.kill();
        command.wait().unwrap();
        succeeds(folder.path(), &["migrate"]);
    }
}

#[test]
fn an_export_never_makes_one_article_of_two() {
    let folder = tempfile::tempdir().unwrap();
    let lines =
        "{\"title\":\"no id\",\"content\":\"c\"}\n{\"id\":\"1\",\"title\":\"named 1\",\"content\":\"c\"}\n";
    std::fs::write(folder.path().join("in.jsonl"), lines).unwrap();
    succeeds(folder.path(), &["import", "--no-wait", "in.jsonl"]);
    succeeds(folder.path(), &["export", "out.jsonl"]);
    let other = tempfile::tempdir().unwrap();
    std::fs::copy(folder.path().join("out.jsonl"), other.path().join("out.jsonl")).unwrap();
    succeeds(other.path(), &["import", "--no-wait", "out.jsonl"]);
    let exported = succeeds(other.path(), &["export", "-", "--format", "jsonl"]);
    assert_eq!(exported.lines().count(), 2, "{exported}");
}

#[test]
fn settings_are_checked_and_secrets_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let shown = sentio(folder.path(), &["config", "--port", "9000"])
        .env("SENTIO_API_KEYS", "s3cret-key,other")
        .env("DATABASE_URL", "postgres://me:p4ss@db/sentio")
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(!shown.contains("s3cret") && !shown.contains("p4ss"), "{shown}");
    let line = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("SENTIO_PORT ").contains("9000") && line("SENTIO_PORT ").ends_with("flag"));
    assert!(line("SENTIO_API_KEYS").contains("2 set") && line("SENTIO_API_KEYS").ends_with("environment"));

    for (name, value, message) in [
        ("SENTIO_PORT", "x", "SENTIO_PORT has the value \"x\": expected a number"),
        ("SENTIO_TYPO", "1", "SENTIO_TYPO (from the environment) is no setting"),
        ("SENTIO_PRECISION", "int4", "expected auto, int8 or fp32"),
        ("SENTIO_ACCELERATOR", "gpu", "expected none, cuda, openvino, coreml or directml"),
        ("SENTIO_QUERY_CACHE", "-1", "expected MiB, a number from 0 to 65536"),
        ("SENTIO_INDEX_CACHE", "0", "expected MiB, a number from 1 to 1048576"),
        ("SENTIO_SEARCH_BACKEND", "ram", "expected auto, memory or disk"),
        ("SENTIO_SEARCH_MEMORY", "0", "expected MiB, a number from 1 to 16777216"),
        ("SENTIO_PASSAGES_MAX", "0", "expected a number from 1 to 100000"),
        ("SENTIO_TEXT_LANGUAGE", "klingon", "expected auto, none or a language: arabic, danish"),
        ("DATABASE_URL", "mysql://x", "expected sqlite://FILE or postgres://"),
        ("DATABASE_URL", "sqlite::memory:", "name a file"),
        ("SENTIO_LOG", "verbose", "expected a level"),
    ] {
        let output = sentio(folder.path(), &["config"]).env(name, value).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && error.contains(message), "{error}");
    }
    let missing = sentio(folder.path(), &["index"]).env("SENTIO_MODEL", "nothing").output().unwrap();
    assert!(String::from_utf8(missing.stderr).unwrap().contains("no model folder at"));
}

#[test]
fn models_and_schema_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let models = succeeds(folder.path(), &["model", "list"]);
    assert!(models.contains("all-MiniLM-L6-v2") && models.contains("all-distilroberta-v1"), "{models}");
    let model = succeeds(folder.path(), &["model", "show"]);
    assert!(model.contains("architecture    roberta") && model.contains("fingerprint"), "{model}");
    let exact = succeeds(folder.path(), &["model", "show", "--precision", "fp32"]);
    assert!(exact.contains("arithmetic      fp32") && !exact.contains("tried"), "{exact}");
    let rounded = succeeds(folder.path(), &["model", "show", "--precision", "int8"]);
    assert!(rounded.contains("arithmetic      int8-per-t"), "{rounded}");
    assert!(
        rounded.contains("  tried         int8-per-t") && rounded.contains("centred cosine to fp32 0.99"),
        "{rounded}"
    );
    assert!(!folder.path().join("data/sentio.db").exists(), "looking makes no database");
    let schema = std::fs::read_to_string(repository("schema.graphql")).unwrap();
    assert!(succeeds(folder.path(), &["schema"]) == schema);
}

/// ONNX Runtime keeps a device id there when its telemetry is on.
#[test]
fn nothing_is_left_in_the_home_folder() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let output = sentio(folder.path(), &["model", "show"]).env("HOME", home.path()).output().unwrap();
    assert!(output.status.success());
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn every_command_has_help() {
    let folder = tempfile::tempdir().unwrap();
    let help = succeeds(folder.path(), &["--help"]);
    for command in [
        "serve", "migrate", "populate", "import", "export", "index", "verify", "eval", "model", "schema",
        "config",
    ] {
        assert!(help.contains(command), "{help}");
        let help = succeeds(folder.path(), &[command, "--help"]);
        assert!(help.contains("Usage:") && help.contains("--data-dir"), "{help}");
    }
}

#[cfg(unix)]
#[test]
fn the_server_announces_itself_when_the_samples_are_found_and_stops_on_a_signal() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let mut server =
        sentio(folder.path(), &["serve", "--samples", "--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("Sentio is ready: http://127.0.0.1:"), "{line}");
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let query = json!({ "query": r#"{ recommend(query: "pasta", k: 12) { article { id } } }"# });
    let answer = post(&format!("{url}graphql"), &query);
    let kill = Command::new("kill").arg(server.id().to_string()).status().unwrap();
    assert!(kill.success());
    assert!(server.wait().unwrap().success());
    assert_eq!(answer["data"]["recommend"].as_array().map(Vec::len), Some(12), "{answer}");
    assert_eq!(verify(folder.path())["articles"], 12);
}

/// The answer to one request from a test that has no runtime: starting a command may need one of its own.
fn post(url: &str, body: &Value) -> Value {
    in_runtime(async { reqwest::Client::new().post(url).json(body).send().await?.json().await }).unwrap()
}
