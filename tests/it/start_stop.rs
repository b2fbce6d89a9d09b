//! Starting and stopping as container platforms do it: probes at any moment, and signals that end every command.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{database_url, repository};
use crate::server::MODEL;

/// Within which a signal ends a command: two seconds, and room for a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(6);
/// The exit codes of programs that SIGINT and SIGTERM end.
const INTERRUPTED: i32 = 130;
const TERMINATED: i32 = 143;

/// A command with a tiny model, over data in a folder of its own.
struct Sentio {
    process: Child,
    folder: PathBuf,
}

impl Sentio {
    fn command(folder: &Path, arguments: &[&str]) -> Command {
        Self::command_after(&[], folder, arguments)
    }

    /// With words before it that start it in another way.
    fn command_after(prefix: &[&str], folder: &Path, arguments: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_sentio");
        let words = [prefix, &[program], arguments].concat();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("SENTIO_MODEL", repository(MODEL))
            .env("SENTIO_ORT_LIB", repository("lib/libonnxruntime.so"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn start(command: &mut Command) -> Self {
        let folder = command.get_current_dir().unwrap().to_owned();
        Self { process: command.spawn().unwrap(), folder }
    }

    fn signal(&self, signal: &str) {
        signal_to(self.process.id(), signal);
    }

    /// Waits for its end, which must come soon.
    fn ends_within(&mut self, limit: Duration) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < limit, "it runs on after {limit:?} ({})", self.folder.display());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Sentio {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn signal_to(process: u32, signal: &str) {
    let sent = Command::new("kill").args([signal, &process.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// A server, its log and its address.
struct Server {
    sentio: Sentio,
    log: BufReader<ChildStderr>,
    url: String,
}

impl Server {
    /// Starts one and waits until its port is bound.
    async fn start(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let database = database_url().await;
        let mut command = Sentio::command(folder, &[&["serve", "--port", "0"], arguments].concat());
        command.envs(settings.iter().copied()).stderr(Stdio::piped());
        command.envs(database.map(|url| ("DATABASE_URL", url)));
        let mut sentio = Sentio::start(&mut command);
        let log = BufReader::new(sentio.process.stderr.take().unwrap());
        let mut server = Self { sentio, log, url: String::new() };
        let line = server.line_with("serve.starting");
        let address = line.split_whitespace().find_map(|word| word.strip_prefix("address=")).unwrap();
        server.url = format!("http://{address}");
        server
    }

    /// The next line of the log that contains `text`.
    fn line_with(&mut self, text: &str) -> String {
        self.lines_until(text).pop().unwrap()
    }

    /// The lines of the log up to one that contains `text`.
    fn lines_until(&mut self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let length = self.log.read_line(&mut line).unwrap();
            assert!(length > 0, "the log ends without {text}: {lines:?}");
            let found = line.contains(text);
            lines.push(line);
            if found {
                return lines;
            }
        }
    }

    async fn get(&self, path: &str) -> Result<reqwest::Response, reqwest::Error> {
        reqwest::Client::new().get(format!("{}{path}", self.url)).send().await
    }

    async fn status(&self, path: &str) -> u16 {
        self.get(path).await.unwrap().status().as_u16()
    }

    async fn post(&self, document: &str) -> reqwest::Response {
        let body = json!({ "query": document });
        reqwest::Client::new().post(format!("{}/graphql", self.url)).json(&body).send().await.unwrap()
    }
}

#[tokio::test]
async fn probes_are_answered_from_the_moment_the_port_is_bound() {
    let folder = tempfile::tempdir().unwrap();
    // Without a worker no index will ever open, so the start waits for it.
    let mut server = Server::start(folder.path(), &["--no-worker"], &[]).await;
    assert_eq!(server.status("/livez").await, 200);
    let ready = server.get("/readyz").await.unwrap();
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.json::<Value>().await.unwrap()["ready"], false);
    let answer = server.post("{ __typename }").await;
    assert_eq!(
        (answer.status(), &answer.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap())
    );
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "OVERLOADED");
    assert_eq!(answer["errors"][0]["message"], "the server is starting: try again in a moment");
    assert_eq!(server.status("/").await, 503);
    let socket = format!("{}/graphql", server.url.replace("http://", "ws://"));
    match tokio_tungstenite::connect_async(socket).await {
        Err(tokio_tungstenite::tungstenite::Error::Http(refused)) => assert_eq!(refused.status(), 503),
        other => panic!("{other:?}"),
    }
    let foreign = reqwest::Client::new().get(format!("{}/livez", server.url)).header("host", "evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403, "a page of a stranger may not ask either");
    server.sentio.signal("-TERM");
    assert_eq!(server.sentio.ends_within(SOON).code(), Some(TERMINATED));
}

#[tokio::test]
async fn a_connection_from_before_is_served_when_the_server_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &["--samples"], &[]).await;
    let client = reqwest::Client::builder().pool_max_idle_per_host(1).build().unwrap();
    let livez = || client.get(format!("{}/livez", server.url)).send();
    assert_eq!(livez().await.unwrap().status(), 200);
    let readyz = format!("{}/readyz", server.url);
    server.line_with("serve.ready");
    let began = Instant::now();
    while client.get(&readyz).send().await.unwrap().status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.sentio.signal("-TERM");
    assert!(server.sentio.ends_within(Duration::from_secs(20)).success());
}

#[tokio::test]
async fn a_signal_ends_a_start_at_any_moment() {
    for (number, delay_ms) in [0, 20, 50, 100, 200, 400, 800, 1_600].into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start(folder.path(), &["--no-worker"], &[]).await;
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        let (signal, code) = if number % 2 == 0 { ("-TERM", TERMINATED) } else { ("-INT", INTERRUPTED) };
        server.sentio.signal(signal);
        assert_eq!(server.sentio.ends_within(SOON).code(), Some(code), "after {delay_ms} ms");
    }
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_says_so_and_serves_on_for_the_delay() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &["--samples"], &[("SENTIO_SHUTDOWN_DELAY", "2")]).await;
    server.line_with("serve.ready");
    assert_eq!(server.status("/readyz").await, 200);
    let told = Instant::now();
    server.sentio.signal("-TERM");
    server.line_with("serve.stopping");
    while told.elapsed() < Duration::from_millis(1_500) {
        assert_eq!(server.status("/readyz").await, 503);
        assert_eq!(server.status("/livez").await, 200);
        let answer: Value = server.post("{ articles { totalCount } }").await.json().await.unwrap();
        assert_eq!(answer, json!({ "data": { "articles": { "totalCount": 12 } } }));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(server.sentio.ends_within(Duration::from_secs(20)).success());
    assert!(told.elapsed() >= Duration::from_secs(2));
    assert!(server.get("/readyz").await.is_err());
}

#[tokio::test]
async fn without_a_delay_who_comes_too_late_reads_that_the_server_stops() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &["--samples"], &[]).await;
    server.line_with("serve.ready");
    server.sentio.signal("-TERM");
    server.line_with("serve.stopping");
    assert_eq!(server.status("/readyz").await, 503);
    let answer = server.post("{ __typename }").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    assert!(server.sentio.ends_within(Duration::from_secs(20)).success());
}

#[tokio::test]
async fn a_second_signal_ends_a_server_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &["--samples"], &[("SENTIO_SHUTDOWN_DELAY", "60")]).await;
    server.line_with("serve.ready");
    server.sentio.signal("-TERM");
    server.line_with("serve.stopping");
    server.sentio.signal("-INT");
    assert_eq!(server.sentio.ends_within(SOON).code(), Some(INTERRUPTED));
}

#[tokio::test]
async fn the_log_says_once_what_to_set_behind_a_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &["--samples"], &[]).await;
    server.line_with("serve.ready");
    for _ in 0..3 {
        let request = reqwest::Client::new().post(format!("{}/graphql", server.url));
        let request =
            request.header("x-forwarded-for", "203.0.113.7").json(&json!({ "query": "{ __typename }" }));
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    server.sentio.signal("-TERM");
    let log = server.lines_until("serve.stopping").concat();
    assert_eq!(log.matches("auth.proxied").count(), 1, "{log}");
    for setting in ["SENTIO_API_KEYS", "SENTIO_ANONYMOUS", "SENTIO_TRUSTED_PROXIES"] {
        assert!(log.contains(setting), "{log}");
    }
    assert!(server.sentio.ends_within(Duration::from_secs(20)).success());
}

/// What containers run besides the server, and what keeps each from ending by itself.
fn long_commands(folder: &Path) -> Vec<Vec<String>> {
    let lines: String = (0..4_000)
        .map(|n| format!("{{\"title\":\"Article {n}\",\"content\":\"{}\"}}\n", "some words ".repeat(400)))
        .collect();
    std::fs::write(folder.join("articles.jsonl"), lines).unwrap();
    let collection = folder.join("collection");
    std::fs::create_dir(&collection).unwrap();
    let documents: String = (0..4_000)
        .map(|n| {
            format!(
                "{{\"id\":\"{n}\",\"title\":\"Article {n}\",\"text\":\"{}\"}}\n",
                "some words ".repeat(400)
            )
        })
        .collect();
    std::fs::write(collection.join("corpus.jsonl"), documents).unwrap();
    std::fs::write(collection.join("queries.jsonl"), "{\"id\":\"q\",\"text\":\"words\"}\n").unwrap();
    std::fs::write(collection.join("qrels.tsv"), "q\t1\t1\n").unwrap();
    let commands: [&[&str]; 5] = [
        // Its standard input stays open.
        &["import", "-"],
        &["import", "-", "--format", "parquet"],
        &["import", "articles.jsonl"],
        &["eval", "collection"],
        // The hub that it asks takes the connection and says nothing.
        &["model", "pull", "owner/model"],
    ];
    commands.iter().map(|command| command.iter().map(|word| (*word).to_owned()).collect()).collect()
}

/// Takes connections and says nothing.
fn silent_hub() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn a_signal_ends_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let (_hub, endpoint) = silent_hub();
    for words in long_commands(folder.path()) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for (signal, code) in [("-TERM", TERMINATED), ("-INT", INTERRUPTED)] {
            let mut command = Sentio::command(folder.path(), &words);
            let mut sentio = Sentio::start(command.env("HF_ENDPOINT", &endpoint));
            std::thread::sleep(Duration::from_secs(1));
            assert!(sentio.process.try_wait().unwrap().is_none(), "{words:?} ended by itself");
            sentio.signal(signal);
            assert_eq!(sentio.ends_within(SOON).code(), Some(code), "{words:?}");
        }
    }
    // What was interrupted can be done.
    let again = Sentio::command(folder.path(), &["import", "articles.jsonl", "--no-wait"]).status().unwrap();
    assert!(again.success());
}

/// The kernel drops signals to the first process of a container that it has no handler for.
#[test]
fn a_signal_ends_every_command_as_the_first_process_of_a_container() {
    let unshare = ["unshare", "--pid", "--fork"];
    if !Command::new("unshare")
        .args(["--pid", "--fork", "true"])
        .status()
        .is_ok_and(|status| status.success())
    {
        println!("skipped: a process namespace of its own cannot be made here (that takes root on Linux)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (_hub, endpoint) = silent_hub();
    let mut commands = long_commands(folder.path());
    // Nobody makes an index there, so the start waits for it.
    commands
        .push(["serve", "--no-worker", "--port", "0", "--data-dir", "another"].map(str::to_owned).to_vec());
    for words in commands {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = Sentio::command_after(&unshare, folder.path(), &words);
        let mut sentio = Sentio::start(command.env("HF_ENDPOINT", &endpoint));
        std::thread::sleep(Duration::from_secs(1));
        signal_to(child_of(sentio.process.id()), "-TERM");
        assert_eq!(sentio.ends_within(SOON).code(), Some(TERMINATED), "{words:?}");
    }
}

/// The only child of a process.
fn child_of(process: u32) -> u32 {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap();
    children.split_whitespace().next().expect("it runs").parse().unwrap()
}

#[test]
fn an_interrupted_export_leaves_no_file() {
    let folder: TempDir = tempfile::tempdir().unwrap();
    long_commands(folder.path());
    let imported =
        Sentio::command(folder.path(), &["import", "articles.jsonl", "--no-wait"]).status().unwrap();
    assert!(imported.success());
    let mut sentio = Sentio::start(&mut Sentio::command(folder.path(), &["export", "out.jsonl.gz"]));
    std::thread::sleep(Duration::from_millis(150));
    sentio.signal("-TERM");
    let ended = sentio.ends_within(SOON);
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let half = names.iter().any(|name| name.to_string_lossy().starts_with(".sentio-export"));
    assert!(!half, "{names:?}");
    let whole = names.iter().any(|name| name == "out.jsonl.gz");
    assert_eq!(whole, ended.success(), "{ended} {names:?}");
}
