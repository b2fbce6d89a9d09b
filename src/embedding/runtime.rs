//! Finds ONNX Runtime's shared library and loads it, once per process.

use std::{
    env::{self, consts},
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ort::{LoadDynamicError, environment::Environment, logging::LogLevel};

use super::error::OpenError;

/// The one environment that ONNX Runtime allows per process. It is never dropped.
static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);

struct Runtime {
    library: PathBuf,
    environment: Environment,
}

/// The process's environment, started from `library`, else from the library that `make setup` installed.
pub(super) fn environment(library: Option<&Path>) -> Result<Environment, OpenError> {
    if !processor_suffices() {
        return Err(OpenError::ProcessorTooOld);
    }
    let library = match library {
        Some(path) => found(vec![path.to_owned()])?,
        None => found(installed_at())?,
    };
    // The lock is held while loading, so that two first users do not race. The value is written last and
    // whole.
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    match &*runtime {
        Some(runtime) if runtime.library == library => Ok(runtime.environment.clone()),
        Some(runtime) => {
            Err(OpenError::RuntimeAlreadyLoaded { loaded: runtime.library.clone(), requested: library })
        }
        None => {
            let environment = start(&library)?;
            *runtime = Some(Runtime { library, environment: environment.clone() });
            Ok(environment)
        }
    }
}

/// Whether the processor has what the kernels of ONNX Runtime are written for: without AVX2 they fall back to code from
/// before 2013, which nobody tests any more.
fn processor_suffices() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return true;
}

/// Whether the file has all that its ELF header promises. The loader maps what is missing too, and the process is ended by a
/// signal when it is read. Other formats are left to the loader.
fn is_truncated(library: &Path) -> bool {
    let Ok(mut file) = File::open(library) else { return false };
    let mut header = [0; 64];
    if file.read_exact(&mut header).is_err() || !header.starts_with(b"\x7fELF\x02\x01") {
        return false;
    }
    // The table of sections is the last thing in the file: offset at 40, size and number of entries at 58 and 60.
    let [sections, entry, count] = [(40, 8), (58, 2), (60, 2)].map(|(at, length)| {
        header[at..at + length].iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    });
    let end = entry.saturating_mul(count).saturating_add(sections);
    file.metadata().is_ok_and(|metadata| metadata.len() < end)
}

fn start(library: &Path) -> Result<Environment, OpenError> {
    if is_truncated(library) {
        return Err(OpenError::RuntimeTruncated { path: library.to_owned() });
    }
    let builder = ort::init_from(library).map_err(|source| match source {
        LoadDynamicError::BadVersion { version_str, path } => {
            OpenError::RuntimeTooOld { path, found: version_str, required: ort::MINOR_VERSION }
        }
        source => OpenError::RuntimeUnusable { path: library.to_owned(), source },
    })?;
    let environment = builder
        .with_name("sentio")
        .with_telemetry(false)
        .build()
        .map_err(|source| OpenError::Environment { source })?;
    environment.set_log_level(LogLevel::Warning);
    tracing::debug!(library = %library.display(), build = ort::info(), "ONNX Runtime loaded");
    Ok(environment)
}

/// Where the set-up step puts the library: below the working directory, or beside the executable.
fn installed_at() -> Vec<PathBuf> {
    // `libonnxruntime.so`, `libonnxruntime.dylib` or `onnxruntime.dll`.
    let name = format!("{}onnxruntime{}", consts::DLL_PREFIX, consts::DLL_SUFFIX);
    let below = |folder: &Path| folder.join("lib").join(&name);
    let mut paths = vec![below(Path::new(""))];
    if let Ok(executable) = env::current_exe() {
        paths.extend(executable.parent().map(below));
    }
    paths
}

/// The first path that exists, made absolute: the loader would look for a relative one beside the executable.
fn found(candidates: Vec<PathBuf>) -> Result<PathBuf, OpenError> {
    let library = candidates.iter().find_map(|path| path.canonicalize().ok());
    library.ok_or(OpenError::RuntimeMissing { searched: candidates })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_says_what_to_do() {
        let error = environment(Some(Path::new("missing/libonnxruntime.so"))).err().unwrap();
        assert_eq!(
            error.to_string(),
            "no ONNX Runtime library at missing/libonnxruntime.so: run `make setup`, \
             or set SENTIO_ORT_LIB to the library's path"
        );
    }

    #[test]
    fn a_library_that_was_not_copied_to_its_end_is_refused_before_it_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let whole = Path::new("lib/libonnxruntime.so").canonicalize().unwrap();
        assert!(!is_truncated(&whole));
        let content = std::fs::read(whole).unwrap();
        let part = folder.path().join("libonnxruntime.so");
        for bytes in [1_000, content.len() / 2, content.len() - 1] {
            std::fs::write(&part, &content[..bytes]).unwrap();
            assert!(is_truncated(&part), "{bytes} bytes");
        }
    }
}
