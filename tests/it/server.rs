//! `sentio serve` as a process of its own.

use std::io::BufRead;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::app::repository;

/// What the servers embed with.
pub const MODEL: &str = "tests/fixtures/models/tiny-bert";

/// A real server over a data folder, with a tiny model; it ends with `kill -9`.
pub struct Server {
    process: Child,
    /// Where GraphQL is answered.
    pub url: String,
}

impl Server {
    /// Starts one and waits until it listens.
    pub fn start(data_folder: &Path, database_url: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentio"));
        command
            .current_dir(data_folder)
            .env_clear()
            .env("SENTIO_DATA_DIR", data_folder)
            .env("SENTIO_MODEL", repository(MODEL))
            .env("SENTIO_ORT_LIB", repository("lib/libonnxruntime.so"))
            .env("SENTIO_LOG", "error")
            .args(["serve", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(url) = database_url {
            command.env("DATABASE_URL", url);
        }
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        std::io::BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_else(|| {
            panic!("the server did not start: {line:?}");
        });
        Self { url: format!("{url}graphql"), process }
    }

    /// Sends a document; returns the whole response.
    pub async fn execute(&self, client: &reqwest::Client, document: &str, variables: Value) -> Value {
        let body = json!({ "query": document, "variables": variables });
        client.post(&self.url).json(&body).send().await.unwrap().json().await.unwrap()
    }

    /// The id of its process.
    #[cfg(target_os = "linux")]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
