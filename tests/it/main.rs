//! The integration tests, one binary: real SQL, real LanceDB, real ONNX Runtime.
//!
//! `TEST_DATABASE=postgres` with `TEST_POSTGRES_URL` runs them on PostgreSQL; otherwise they use SQLite.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says where")]

mod app;
mod articles;
mod bypass;
mod commands;
mod compression;
mod contents;
mod cynic;
mod disk_full;
mod documents;
mod embedding;
mod eval;
mod events;
mod explained;
mod faults;
mod full_text;
mod generations;
mod http;
mod hub;
mod image;
mod judged;
mod kills;
mod leftover;
mod limits;
mod lists;
mod meaning;
#[cfg(target_os = "linux")]
mod memory;
mod model_pull;
mod prompts;
mod recommend;
mod recommend_options;
mod recommendations;
mod request_forms;
mod response_limits;
mod rooms;
mod schema;
mod search_files;
mod server;
mod specification;
mod start_stop;
mod strangers;
mod sync;
mod times;
mod triggers;
mod verify;
mod web_socket;
mod writers;
