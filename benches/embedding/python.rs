//! The Python reference: its environment, its exported graphs, and sentence-transformers as a contestant.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::contestant::Contestant;
use crate::repository;

/// The environment's Python; made, with what it needs, when it is not there.
pub fn environment() -> anyhow::Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(std::env::home_dir()?.join(".cache"))).unwrap_or_default();
    let folder = cache.join("sentio/bench-python");
    let python = folder.join("bin/python");
    if !python.exists() {
        eprintln!("making a Python environment in {}", folder.display());
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    let requirements = repository("benches/reference/requirements.txt");
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements))?;
    Ok(python)
}

/// The folder of the model's graphs, `fp32.onnx` and `int8.onnx`; made when they are not there.
pub fn export(python: &Path, model: &str) -> anyhow::Result<PathBuf> {
    let name = Path::new(model).file_name().unwrap_or_default();
    let folder = python.ancestors().nth(2).unwrap_or(Path::new("")).join("exported").join(name);
    if !folder.join("int8.onnx").exists() {
        std::fs::create_dir_all(&folder)?;
        run(Command::new(python).arg(script()).arg("export").arg(model).arg(&folder))?;
    }
    Ok(folder)
}

pub fn contestant(python: &Path, model: &str, threads: usize) -> anyhow::Result<Contestant> {
    let mut command = Command::new(python);
    command.arg(script()).arg("embed").arg(model).arg(threads.to_string());
    Contestant::start(&format!("sentence-transformers, {threads}"), &mut command)
}

fn script() -> PathBuf {
    repository("benches/reference/reference.py")
}

pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status()?;
    anyhow::ensure!(status.success(), "{command:?} failed");
    Ok(())
}
