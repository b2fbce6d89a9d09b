//! Which files of a repository Sentio runs from.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use super::HubError;
use super::listing::{Listing, RemoteFile};

/// Says which modules a model has, and in which folders they lie.
pub(super) const MODULES: &str = "modules.json";

/// Read from the repository's root and from the folder of each module, where they are there.
const SMALL_FILES: [&str; 6] = [
    "config.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
];

#[derive(Deserialize)]
struct Module {
    path: String,
}

/// Everything but the weights and [`MODULES`], whose content is `modules`.
pub(super) fn small_files<'a>(
    repository: &str,
    listing: &'a Listing,
    modules: &[u8],
) -> Result<Vec<&'a RemoteFile>, HubError> {
    let modules: Vec<Module> = serde_json::from_slice(modules)
        .map_err(|source| HubError::BadModules { repository: repository.to_owned(), source })?;
    let mut folders: BTreeSet<&str> = modules.iter().map(|module| module.path.as_str()).collect();
    folders.insert("");
    let paths = folders.iter().flat_map(|folder| SMALL_FILES.map(|file| joined(folder, file)));
    let files: Vec<_> = paths.filter_map(|path| listing.file(&path)).collect();
    if !files.iter().any(|file| Path::new(&file.path).ends_with("tokenizer.json")) {
        return Err(HubError::NoTokenizer { repository: repository.to_owned() });
    }
    Ok(files)
}

/// The best of `candidates` that the repository has; with what an ONNX file may keep beside it.
pub(super) fn weights<'a>(
    repository: &str,
    listing: &'a Listing,
    candidates: &[impl AsRef<Path>],
) -> Result<Vec<&'a RemoteFile>, HubError> {
    let path = |candidate: &Path| candidate.to_str().map(str::to_owned);
    let candidates: Vec<_> = candidates.iter().filter_map(|candidate| path(candidate.as_ref())).collect();
    let Some(weights) = candidates.iter().find_map(|candidate| listing.file(candidate)) else {
        let wanted = candidates.join(" or ");
        return Err(HubError::NoWeights { repository: repository.to_owned(), wanted });
    };
    let beside = listing.file(&format!("{}_data", weights.path));
    Ok([weights].into_iter().chain(beside).collect())
}

fn joined(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(paths: &[&str]) -> Listing {
        let file = |path: &&str| RemoteFile { path: (*path).to_owned(), size: None, git_id: None, lfs: None };
        Listing { revision: "0123".to_owned(), files: paths.iter().map(file).collect() }
    }

    fn paths(files: Vec<&RemoteFile>) -> Vec<&str> {
        files.into_iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn small_files_are_those_of_the_root_and_of_the_modules() {
        let listing = listing(&[
            "0_Transformer/tokenizer.json",
            "0_Transformer/config.json",
            "1_Pooling/config.json",
            "README.md",
            "config_sentence_transformers.json",
            "onnx/config.json",
            "pytorch_model.bin",
        ]);
        let modules = br#"[{"path": "0_Transformer"}, {"path": "1_Pooling"}, {"path": "../.."}]"#;
        let found = small_files("a/b", &listing, modules).unwrap();
        let expected = [
            "config_sentence_transformers.json",
            "0_Transformer/config.json",
            "0_Transformer/tokenizer.json",
            "1_Pooling/config.json",
        ];
        assert_eq!(paths(found), expected);
        let error = small_files("a/b", &listing, br#"[{"path": "1_Pooling"}]"#).unwrap_err();
        assert!(matches!(error, HubError::NoTokenizer { .. }));
        assert!(matches!(small_files("a/b", &listing, b"{}").unwrap_err(), HubError::BadModules { .. }));
    }

    #[test]
    fn weights_are_the_first_candidate_that_is_there() {
        let candidates = ["model.safetensors", "onnx/model.onnx", "model.onnx"];
        let all = listing(&["onnx/model.onnx", "model.safetensors", "onnx/model.onnx_data"]);
        assert_eq!(paths(weights("a/b", &all, &candidates).unwrap()), ["model.safetensors"]);
        let onnx = paths(weights("a/b", &all, &candidates[1..]).unwrap());
        assert_eq!(onnx, ["onnx/model.onnx", "onnx/model.onnx_data"]);
        let error = weights("a/b", &listing(&["pytorch_model.bin"]), &candidates).unwrap_err().to_string();
        assert!(error.contains("model.safetensors or onnx/model.onnx or model.onnx"), "{error}");
    }
}
