//! What is wanted: a known model, or any repository.

use std::fmt;

use crate::embedding::known::{self, KnownModel};

use super::HubError;

/// A state of a repository, and the name of the folder it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The folder's name.
    pub name: String,
    /// `owner/name` on the Hub.
    pub repository: String,
    /// A commit, branch or tag; the newest commit where there is none.
    pub revision: Option<String>,
    /// What the weights must be, where that was seen.
    pub weights_sha256: Option<&'static str>,
}

impl Source {
    /// Reads `NAME` of a known model or `OWNER/REPOSITORY`, each with or without `@REVISION`; `revision` is one that
    /// was given apart.
    pub fn parse(text: &str, revision: Option<&str>) -> Result<Self, HubError> {
        let (text, revision) = match (text.split_once('@'), revision) {
            (Some(_), Some(_)) => return Err(HubError::TwoRevisions { text: text.to_owned() }),
            (Some((text, revision)), None) => (text, Some(revision)),
            (None, revision) => (text, revision),
        };
        if let Some(revision) = revision.filter(|revision| !is_revision(revision)) {
            return Err(HubError::BadRevision { revision: revision.to_owned() });
        }
        let known = known::MODELS.iter().find(|model| [model.name, model.repository].contains(&text));
        if let Some(model) = known {
            return Ok(Self::known(model, revision));
        }
        match text.split_once('/') {
            Some((owner, name)) if is_name(owner) && is_name(name) => Ok(Self {
                name: name.to_owned(),
                repository: text.to_owned(),
                revision: revision.map(str::to_owned),
                weights_sha256: None,
            }),
            _ => Err(HubError::UnknownModel { text: text.to_owned() }),
        }
    }

    fn known(model: &KnownModel, revision: Option<&str>) -> Self {
        let pinned =
            model.pinned.filter(|pinned| revision.is_none_or(|revision| revision == pinned.revision));
        let pinned_revision = pinned.map(|pinned| pinned.revision);
        Self {
            name: model.name.to_owned(),
            repository: model.repository.to_owned(),
            revision: revision.or(pinned_revision).map(str::to_owned),
            weights_sha256: pinned.map(|pinned| pinned.weights_sha256),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.repository)?;
        self.revision.iter().try_for_each(|revision| write!(formatter, "@{revision}"))
    }
}

/// Whether `text` can be the name of an owner, of a repository and of a folder.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= 96 && text.bytes().all(allowed) && !text.starts_with('.')
}

fn is_revision(text: &str) -> bool {
    text.len() <= 200 && text.split('/').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, revision: Option<&str>) -> (String, String, Option<String>, bool) {
        let source = Source::parse(text, revision).unwrap();
        (source.name, source.repository, source.revision, source.weights_sha256.is_some())
    }

    #[test]
    fn a_known_model_is_pinned_unless_told_otherwise() {
        let commit = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41";
        let repository = "sentence-transformers/all-MiniLM-L6-v2".to_owned();
        let name = "all-MiniLM-L6-v2".to_owned();
        let pinned = (name.clone(), repository.clone(), Some(commit.to_owned()), true);
        assert_eq!(parsed("all-MiniLM-L6-v2", None), pinned);
        assert_eq!(parsed("sentence-transformers/all-MiniLM-L6-v2", None), pinned);
        assert_eq!(parsed("all-MiniLM-L6-v2", Some(commit)), pinned);
        let main = (name, repository, Some("main".to_owned()), false);
        assert_eq!(parsed("all-MiniLM-L6-v2@main", None), main);
        assert_eq!(parsed("gte-small", None).2, None);
    }

    #[test]
    fn any_repository_is_named_by_its_owner_and_name() {
        let other = ("model".to_owned(), "Some-One/model".to_owned(), Some("refs/pr/7".to_owned()), false);
        assert_eq!(parsed("Some-One/model@refs/pr/7", None), other);
        for text in ["nothing", "a/b/c", "../b", "a/..", "a/.hidden", "/b", "a/", "a b/c", "https://x/y"] {
            assert!(matches!(Source::parse(text, None), Err(HubError::UnknownModel { .. })), "{text}");
        }
        for revision in ["", "../x", "a b", "x?y"] {
            assert!(matches!(Source::parse("a/b", Some(revision)), Err(HubError::BadRevision { .. })));
        }
        assert!(matches!(Source::parse("a/b@x", Some("y")), Err(HubError::TwoRevisions { .. })));
    }
}
