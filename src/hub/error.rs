//! Why a model was not fetched.

use std::io;
use std::path::PathBuf;

use crate::embedding::OpenError;

/// Each message is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error(
        "`{text}` is no model that Sentio knows: `sentio model list` shows those, \
         and any other of the Hub is named OWNER/REPOSITORY"
    )]
    UnknownModel { text: String },
    #[error("`{revision}` is no revision: give a commit, a branch or a tag")]
    BadRevision { revision: String },
    #[error("`{text}` names a revision already: leave out --revision")]
    TwoRevisions { text: String },
    #[error(
        "{wanted} cannot be fetched into {}, because HF_HUB_OFFLINE forbids asking the Hub: \
         unset HF_HUB_OFFLINE, or copy the folder from another machine",
        .folder.display()
    )]
    Offline { wanted: String, folder: PathBuf },
    #[error(
        "{} holds something else than {repository}: --force replaces it, \
         and SENTIO_MODEL_DIR names another folder of models",
        .folder.display()
    )]
    Occupied { repository: String, folder: PathBuf },
    #[error("{endpoint} cannot be reached: check the network and HF_ENDPOINT, or set HTTPS_PROXY")]
    Unreachable { endpoint: String, source: reqwest::Error },
    #[error("the connection to {endpoint} cannot be prepared: check that the system has root certificates")]
    Client { endpoint: String, source: reqwest::Error },
    #[error(
        "{endpoint} does not show {what} to just anyone (status {status}): if it is gated, accept its conditions at \
         {endpoint}/{repository}, then set HF_TOKEN to a token that may read it; if not, check the name"
    )]
    TokenMissing { endpoint: String, repository: String, what: String, status: u16 },
    #[error(
        "the token in HF_TOKEN may not read {what} (status {status}): accept the conditions at \
         {endpoint}/{repository} with the token's account, or use another token"
    )]
    TokenRefused { endpoint: String, repository: String, what: String, status: u16 },
    #[error("{endpoint} has no {what}: check the name and the revision")]
    NotFound { endpoint: String, what: String },
    #[error("{endpoint} answered {status} when asked for {what}: try again later")]
    Status { endpoint: String, what: String, status: u16 },
    #[error("{endpoint} answered something else than a list of the files of {repository}: check HF_ENDPOINT")]
    BadListing { endpoint: String, repository: String, source: reqwest::Error },
    #[error("{repository} has no modules.json, so it is no sentence-transformers model: choose another one")]
    NoModules { repository: String },
    #[error("the modules.json of {repository} cannot be read: choose another model or --revision")]
    BadModules { repository: String, source: serde_json::Error },
    #[error(
        "{repository} has no tokenizer.json: load it with sentence-transformers, save it with `save_pretrained`, \
         and set SENTIO_MODEL to that folder"
    )]
    NoTokenizer { repository: String },
    #[error(
        "{repository} has no weights that Sentio can run ({wanted}): load it with sentence-transformers, save it \
         with `save_pretrained` or export it to ONNX, and set SENTIO_MODEL to that folder; or choose another model"
    )]
    NoWeights { repository: String, wanted: String },
    #[error("{repository} cannot be used with Sentio")]
    Unusable { repository: String, source: OpenError },
    #[error("the download of {file} broke off: call the same command again, it goes on where it stopped")]
    BrokeOff { file: String, source: reqwest::Error },
    #[error(
        "{file} arrived with {found} bytes instead of {expected}: \
         call the same command again"
    )]
    WrongLength { file: String, found: u64, expected: u64 },
    #[error(
        "{file} is not what it should be ({kind} {found} instead of {expected}) and was deleted: \
         call the same command again; if that does not help, check HF_ENDPOINT"
    )]
    WrongHash { file: String, kind: &'static str, found: String, expected: String },
    #[error("another `sentio model pull` is fetching this model into {}: wait for it", .folder.display())]
    Busy { folder: PathBuf },
    #[error("{} cannot be written: check its permissions and the free space", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl HubError {
    /// Whether trying again cannot help, so that nothing is worth keeping for it.
    pub(super) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::NoModules { .. }
                | Self::BadModules { .. }
                | Self::NoTokenizer { .. }
                | Self::NoWeights { .. }
                | Self::Unusable { .. }
        )
    }

    /// For `map_err` after an action on `path`.
    pub(super) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }
}
