//! The rooms use each other only as ARCHITECTURE.md says.

use std::fs;
use std::path::{Path, PathBuf};

use crate::app::repository;

/// Rust files of the library below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The first part of a file's path below `src`, without `.rs`.
fn room(file: &Path) -> String {
    let relative = file.strip_prefix(repository("src")).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file without comments and without its tests.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn violations(is_wrong: impl Fn(&str, &str) -> bool) -> Vec<String> {
    sources(&repository("src"))
        .into_iter()
        .filter(|file| is_wrong(&room(file), &code(file)))
        .map(|file| file.display().to_string())
        .collect()
}

/// Whether `code` names the crate `name`, as a path or in a `use`.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(&format!("{name}::")).any(|(at, _)| {
        !code[..at].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | ':'))
    })
}

#[test]
fn each_foreign_crate_is_named_in_its_rooms_only() {
    let rules: &[(&[&str], &[&str])] = &[
        (&["lancedb", "lance"], &["index"]),
        (&["icu_properties", "icu_segmenter", "frostem", "whatlang", "stop_words", "caseless"], &["words"]),
        (&["arrow_array", "arrow_schema"], &["index", "article_file"]),
        (&["parquet", "csv"], &["article_file"]),
        (&["ort", "safetensors", "tokenizers"], &["embedding"]),
        (&["axum", "async_graphql_axum", "hyper", "hyper_util", "tower_http"], &["http"]),
        (&["async_graphql", "async_graphql_value"], &["document", "graphql", "http"]),
        (&["apollo_compiler", "strsim"], &["document"]),
        (&["clap", "indicatif"], &["cli"]),
        (&["reqwest", "sha1"], &["hub"]),
        (&["memmap2"], &["mapped_file"]),
    ];
    for (crates, rooms) in rules {
        for name in *crates {
            let wrong = violations(|room, code| !rooms.contains(&room) && names(code, name));
            assert!(wrong.is_empty(), "{name} belongs to {rooms:?}, but is named in {wrong:#?}");
        }
    }
}

#[test]
fn only_config_reads_the_environment() {
    let reads = ["env::var", "env::set_var", "dotenvy::"];
    let wrong = violations(|room, code| {
        let may = room == "config" || (room == "main" && !code.contains("env::var"));
        !may && reads.iter().any(|read| code.contains(read))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rooms_use_only_the_rooms_they_may() {
    let allowed: &[(&str, &[&str])] = &[
        ("article", &[]),
        ("config", &[]),
        ("error_chain", &[]),
        ("mapped_file", &[]),
        ("memory", &[]),
        ("events", &["article"]),
        ("article_file", &[]),
        ("embedding", &["config", "mapped_file"]),
        ("hub", &["config", "embedding"]),
        ("words", &[]),
        ("search", &["article", "mapped_file", "words"]),
        ("index", &["article", "config", "memory", "search", "words"]),
        ("outbox", &["article", "events"]),
        ("db", &["config"]),
        ("auth", &["config"]),
        ("document", &[]),
        ("entity", &["article", "outbox"]),
        ("recommend", &["article", "embedding", "index", "search", "words"]),
        ("evaluation", &["article", "db", "entity", "recommend"]),
        (
            "sync",
            &["article", "db", "embedding", "entity", "error_chain", "events", "index", "outbox", "words"],
        ),
        (
            "graphql",
            &[
                "article",
                "auth",
                "db",
                "document",
                "entity",
                "error_chain",
                "events",
                "index",
                "outbox",
                "recommend",
            ],
        ),
        ("http", &["auth", "config", "db", "document", "embedding", "graphql", "index", "outbox"]),
    ];
    let rooms: Vec<_> = sources(&repository("src")).iter().map(|file| room(file)).collect();
    for (room_name, allowed) in allowed {
        for other in rooms.iter().filter(|other| other.as_str() != *room_name) {
            if allowed.contains(&other.as_str()) {
                continue;
            }
            let wrong =
                violations(|room, code| room == *room_name && code.contains(&format!("crate::{other}::")));
            assert!(wrong.is_empty(), "{room_name} may not use {other}, but does in {wrong:#?}");
        }
    }
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    for file in sources(&repository("src")) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} opens without a //! line", file.display());
        assert!(text.lines().count() <= 450, "{} is too long", file.display());
    }
}
