//! A Hugging Face Hub on this machine: the list of a repository's files, and the files, with their faults; and a folder
//! of models that is filled from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, Bytes};
use axum::extract::{Path as UrlPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::StreamExt;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::app::repository;

/// The commit that every repository is at.
pub const COMMIT: &str = "00112233445566778899aabbccddeeff00112233";

/// A Hub that has one model under every name; it ends with the value.
pub struct Hub {
    /// For `HF_ENDPOINT`.
    pub url: String,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    /// What the repositories hold.
    folder: tempfile::TempDir,
    port: u16,
    faults: Mutex<Faults>,
    asked: Mutex<Vec<Asked>>,
}

/// What is wrong with the Hub.
#[derive(Clone, Default)]
pub struct Faults {
    /// Connections break off after so many bytes of a large file.
    pub breaks_after: Option<usize>,
    /// This file is sent with another last byte.
    pub wrong_content: Option<&'static str>,
    /// Large files are always sent whole.
    pub ignores_ranges: bool,
    /// This file is listed and not there.
    pub lost: Option<&'static str>,
    /// Only who brings it may read.
    pub token: Option<&'static str>,
    /// The commit that branches point to, where it is another one.
    pub commit: Option<&'static str>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub range: Option<String>,
    pub token: Option<String>,
}

impl Hub {
    /// A Hub with a copy of one of the tiny models.
    pub fn with(model: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&repository("tests/fixtures/models").join(model), folder.path());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { folder, port, faults: Mutex::default(), asked: Mutex::default() });
        let router = Router::new()
            .route("/api/models/{owner}/{name}/revision/{revision}", get(list))
            .route("/{owner}/{name}/resolve/{revision}/{*path}", get(resolve))
            .route("/storage/{*path}", get(storage))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), note))
            .with_state(Arc::clone(&shared));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url: format!("http://127.0.0.1:{port}"), shared, _runtime: runtime }
    }

    /// A path in what the repositories hold, to be changed.
    pub fn path(&self, file: &str) -> PathBuf {
        self.shared.folder.path().join(file)
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.shared.faults.lock().unwrap()
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.shared.asked.lock().unwrap())
    }
}

/// A folder of models, and the program that fills it.
pub struct Models {
    folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
}

impl Models {
    /// Fetched from `hub`.
    pub fn from(hub: &Hub) -> Self {
        let environment = vec![("HF_ENDPOINT", hub.url.clone())];
        Self { folder: tempfile::tempdir().unwrap(), environment }
    }

    pub fn set(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// A path below the folder of models.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("models").join(path)
    }

    /// Runs `sentio`.
    pub fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_sentio"))
            .current_dir(self.folder.path())
            .env_clear()
            .env("SENTIO_ORT_LIB", repository("lib/libonnxruntime.so"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Pulls what must come; what is printed.
    pub fn pull(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["model", "pull"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    /// Pulls what must not come; the reason.
    pub fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["model", "pull"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    /// What is in the folder of models.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Shared {
    fn faults(&self) -> Faults {
        self.faults.lock().unwrap().clone()
    }

    /// The file at `path`, as it is sent.
    fn content(&self, path: &str) -> Vec<u8> {
        let mut content = fs::read(self.folder.path().join(path)).unwrap();
        if self.faults().wrong_content == Some(path) {
            *content.last_mut().unwrap() ^= 1;
        }
        content
    }

    fn commit(&self) -> &'static str {
        self.faults().commit.unwrap_or(COMMIT)
    }
}

impl Asked {
    fn of(request: &Request) -> Self {
        let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        Self {
            path: request.uri().to_string(),
            range: text(header::RANGE),
            token: text(header::AUTHORIZATION),
        }
    }
}

async fn note(State(shared): State<Arc<Shared>>, request: Request, next: axum::middleware::Next) -> Response {
    let asked = Asked::of(&request);
    shared.asked.lock().unwrap().push(asked.clone());
    match shared.faults().token {
        Some(token) if !asked.path.starts_with("/storage") => match asked.token {
            None => StatusCode::UNAUTHORIZED.into_response(),
            Some(given) if given != format!("Bearer {token}") => StatusCode::FORBIDDEN.into_response(),
            Some(_) => next.run(request).await,
        },
        _ => next.run(request).await,
    }
}

async fn list(
    State(shared): State<Arc<Shared>>,
    UrlPath((owner, name, revision)): UrlPath<(String, String, String)>,
) -> Response {
    if name == "nothing" || revision == "nothing" {
        return StatusCode::NOT_FOUND.into_response();
    }
    let siblings: Vec<Value> =
        files(shared.folder.path()).iter().map(|path| sibling(shared.folder.path(), path)).collect();
    Json(json!({ "id": format!("{owner}/{name}"), "sha": shared.commit(), "siblings": siblings }))
        .into_response()
}

fn sibling(folder: &Path, path: &str) -> Value {
    let content = fs::read(folder.join(path)).unwrap();
    let mut file = json!({ "rfilename": path, "size": content.len(), "blobId": git_id(&content) });
    if is_large(path) {
        file["blobId"] = git_id(b"a pointer").into();
        file["lfs"] = json!({ "sha256": sha256(&content), "size": content.len(), "pointerSize": 134 });
    }
    file
}

/// Small files come at once, large ones from another host.
async fn resolve(
    State(shared): State<Arc<Shared>>,
    UrlPath((_, _, revision, path)): UrlPath<(String, String, String, String)>,
) -> Response {
    if revision != shared.commit() || shared.faults().lost == Some(&path) {
        return StatusCode::NOT_FOUND.into_response();
    }
    if is_large(&path) {
        let location = format!("http://localhost:{}/storage/{path}", shared.port);
        return (StatusCode::FOUND, [(header::LOCATION, location)]).into_response();
    }
    shared.content(&path).into_response()
}

async fn storage(
    State(shared): State<Arc<Shared>>,
    UrlPath(path): UrlPath<String>,
    headers: HeaderMap,
) -> Response {
    let faults = shared.faults();
    let mut content = shared.content(&path);
    let size = content.len();
    let from = headers.get(header::RANGE).filter(|_| !faults.ignores_ranges).map_or(0, |range| {
        let range = range.to_str().unwrap().strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap();
        range.parse::<usize>().unwrap()
    });
    if from >= size {
        return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    }
    let rest = Bytes::from(content.split_off(from));
    let mut response = Response::builder().header(header::CONTENT_LENGTH, rest.len());
    if from > 0 {
        let range = format!("bytes {from}-{}/{size}", size - 1);
        response = response.status(StatusCode::PARTIAL_CONTENT).header(header::CONTENT_RANGE, range);
    }
    let body = match faults.breaks_after {
        Some(bytes) if bytes < rest.len() => {
            let sent = futures::stream::iter([Ok(rest.slice(..bytes))]);
            let cut = futures::stream::once(async {
                // Gives way, so that what is sent goes out before.
                tokio::task::yield_now().await;
                Err(std::io::Error::other("the line is cut"))
            });
            Body::from_stream(sent.chain(cut))
        }
        _ => Body::from(rest),
    };
    response.body(body).unwrap()
}

fn is_large(path: &str) -> bool {
    [".safetensors", ".onnx", ".bin"].iter().any(|extension| path.ends_with(extension))
}

/// Paths of all files below `folder`.
pub fn files(folder: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            paths.extend(files(&entry.path()).iter().map(|path| format!("{name}/{path}")));
        } else {
            paths.push(name);
        }
    }
    paths.sort();
    paths
}

pub fn copy_folder(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(&path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(path), target).unwrap();
    }
}

pub fn sha256(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

fn git_id(content: &[u8]) -> String {
    let blob = [format!("blob {}\0", content.len()).as_bytes(), content].concat();
    hex(&Sha1::digest(blob))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
