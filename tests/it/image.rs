//! What the image and the working copy promise to those who run and clone them, as far as no container engine is needed.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::app::repository;
use crate::server::MODEL;

/// The instructions of the last stage of the Dockerfile, each on one line.
fn instructions() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(repository("Dockerfile")).unwrap();
    let lines =
        text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n");
    let joined = lines.replace("\\\n", " ");
    let instructions = joined.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(' ')?;
        Some((name.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" ")))
    });
    let all: Vec<_> = instructions.collect();
    let last_stage = all.iter().rposition(|(name, _)| name == "FROM").unwrap();
    all[last_stage..].to_vec()
}

fn instruction(name: &str) -> String {
    let of_name = |(found, rest): &(String, String)| (found == name).then(|| rest.clone());
    instructions().iter().rev().find_map(of_name).unwrap_or_else(|| panic!("the Dockerfile has a {name}"))
}

#[test]
fn the_image_runs_as_a_number_that_need_not_be_looked_up() {
    let user = instruction("USER");
    let (user, group) = user.split_once(':').unwrap();
    for id in [user, group] {
        assert!(id.parse::<u32>().is_ok_and(|id| id > 0), "{id}");
    }
}

#[test]
fn group_0_may_write_the_data_folder() {
    let made =
        instructions().into_iter().find(|(name, rest)| name == "RUN" && rest.contains("/data")).unwrap().1;
    assert!(made.contains("--group=root") && made.contains("--mode=2770"), "{made}");
    assert_eq!(instruction("VOLUME"), "/data");
}

#[test]
fn temporary_files_go_where_a_read_only_image_may_write() {
    let environment = instruction("ENV");
    for name in ["TMPDIR", "SQLITE_TMPDIR", "SENTIO_DATA_DIR"] {
        assert!(environment.split(' ').any(|set| set == format!("{name}=/data")), "{name} in {environment}");
    }
}

#[test]
fn signals_reach_the_program_itself() {
    assert_eq!(instruction("STOPSIGNAL"), "SIGTERM");
    assert!(instruction("ENTRYPOINT").starts_with('['), "no shell stands between");
}

/// A command as in a container whose root file system is read-only: only its data folder can be written.
fn read_only(data: &Path, arguments: &[&str], input: &[u8]) -> Option<std::process::Output> {
    let script = "mount --bind \"$DATA\" \"$DATA\" && for on in $(findmnt -rno TARGET -t nosysfs,noproc | grep -v \"^$DATA$\"); do \
                  mount -o remount,bind,ro \"$on\" 2>/dev/null; done; \
                  if touch /tmp/.sentio-read-only-test 2>/dev/null; then exit 77; fi; cd / && exec \"$@\"";
    let mut command = Command::new("unshare");
    let program = env!("CARGO_BIN_EXE_sentio");
    command
        .args(["--mount", "sh", "-c", script, "sh", program])
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("DATA", data)
        .env("TMPDIR", data)
        .env("SQLITE_TMPDIR", data)
        .env("SENTIO_DATA_DIR", data)
        .env("SENTIO_MODEL", repository(MODEL))
        .env("SENTIO_ORT_LIB", repository("lib/libonnxruntime.so"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = command.spawn().ok()?;
    // It may have ended without reading.
    let _ = process.stdin.take().unwrap().write_all(input);
    let output = process.wait_with_output().unwrap();
    (output.status.code() != Some(77)).then_some(output)
}

#[test]
fn everything_works_where_only_the_data_folder_can_be_written() {
    let may = Command::new("unshare").args(["--mount", "true"]).status();
    if !may.is_ok_and(|status| status.success()) {
        println!("skipped: a mount namespace of its own cannot be made here (that takes root on Linux)");
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let article = "{\"title\": \"t\", \"content\": \"c\"}\n";
    let exported = data.path().join("all.parquet");
    let exported = exported.to_str().unwrap();
    for (arguments, input) in [
        (vec!["populate", "--yes"], ""),
        (vec!["import", "-"], article),
        (vec!["index", "--rebuild"], ""),
        (vec!["verify"], ""),
        (vec!["export", exported], ""),
        // Standard input in Parquet goes through a temporary file.
        (vec!["import", "-", "--format", "parquet"], exported),
    ] {
        let input = if input == exported { std::fs::read(exported).unwrap() } else { input.into() };
        let Some(output) = read_only(data.path(), &arguments, &input) else {
            println!("skipped: the root file system cannot be made read-only here");
            return;
        };
        assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let left: Vec<_> = std::fs::read_dir(data.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "lancedb_store" && name != "all.parquet" && !name.starts_with("sentio.db"))
        .collect();
    assert!(left.is_empty(), "temporary files stay behind: {left:?}");
}

#[test]
fn a_clone_has_the_same_bytes_on_every_system() {
    let listed = Command::new("git").args(["ls-files", "--eol"]).current_dir(repository(".")).output();
    let listed = match listed {
        Ok(listed) if listed.status.success() => String::from_utf8(listed.stdout).unwrap(),
        _ => {
            println!("skipped: this is no working copy of git");
            return;
        }
    };
    for line in listed.lines() {
        let (attributes, path) = line.split_once('\t').unwrap();
        assert!(
            !attributes.contains("i/crlf") && !attributes.contains("i/mixed"),
            "{path} has other line ends"
        );
        let binary =
            [".br", ".gz", ".onnx", ".parquet", ".png", ".safetensors"].iter().any(|end| path.ends_with(end));
        let expected = if binary { "attr/-text" } else { "attr/text=auto eol=lf" };
        assert!(attributes.contains(expected), "{path}: {attributes}");
    }
}
