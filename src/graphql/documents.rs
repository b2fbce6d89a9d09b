//! Documents that are known already: those sent before, with the compiler's verdict, and those of a manifest.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moka::future::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::limits;
use super::parameters::Parameters;
use super::request_error::RequestError;
use super::trusted_documents::TrustedDocuments;
use super::verdict::Verdict;
use crate::document::{Compiler, Document};

/// Memory for documents, in bytes.
const CACHE_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Texts up to here are compiled on the thread that asks: that takes less than a millisecond. Longer ones would hold up what else
/// the thread does.
const COMPILED_AT_ONCE_MAX_BYTES: usize = 2 * 1024;

/// The SHA-256 of a document's text.
pub type DocumentHash = [u8; 32];

/// A cheap handle on the known documents.
#[derive(Clone)]
pub struct Documents {
    compiler: Arc<Compiler>,
    recent: Cache<DocumentHash, Arc<Verdict>>,
    trusted: Arc<TrustedDocuments>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    known: AtomicU64,
    compiled: AtomicU64,
}

/// What `extensions.persistedQuery` holds, as Apollo's clients and urql send it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PersistedQuery {
    version: u64,
    sha256_hash: String,
}

impl Documents {
    /// Knows the documents of a manifest, and none besides.
    pub fn new(compiler: Arc<Compiler>, trusted: TrustedDocuments) -> Self {
        let recent = Cache::builder()
            .weigher(|_, verdict: &Arc<Verdict>| verdict.memory())
            .max_capacity(CACHE_MAX_BYTES)
            .build();
        Self { compiler, recent, trusted: Arc::new(trusted), counts: Arc::default() }
    }

    pub fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// How many requests had a document that was known, and how many one that had to be compiled.
    pub fn counts(&self) -> (u64, u64) {
        (self.counts.known.load(Ordering::Relaxed), self.counts.compiled.load(Ordering::Relaxed))
    }

    /// The document that a request means by its text, its hash or its id: valid, and with the chosen operation within its limits.
    /// A text that comes with its hash can be asked for by the hash alone from then on, for as long as it is remembered.
    pub async fn find(&self, parameters: &Parameters) -> Result<Arc<Document>, RequestError> {
        let persisted =
            parameters.extensions.as_ref().and_then(|extensions| extensions.get("persistedQuery"));
        let hash = persisted.map(persisted_hash).transpose()?;
        let name = parameters.operation_name.as_deref();
        match (parameters.query.as_deref(), parameters.document_id.as_deref(), hash) {
            (Some(_), Some(_), _) => {
                Err(RequestError::Malformed("send a query or a documentId, not both".to_owned()))
            }
            (Some(text), None, None) => self.of_text(text, Sha256::digest(text).into(), name).await,
            (Some(text), None, Some(expected)) => {
                let hash: DocumentHash = Sha256::digest(text).into();
                if !hex(&hash).eq_ignore_ascii_case(&expected) {
                    return Err(RequestError::WrongHash);
                }
                self.of_text(text, hash, name).await
            }
            (None, Some(id), _) => self.of_id(id, name).await,
            (None, None, Some(hash)) => self.of_id(&hash, name).await,
            (None, None, None) => Err(RequestError::NoQuery),
        }
    }

    async fn of_text(
        &self,
        text: &str,
        hash: DocumentHash,
        name: Option<&str>,
    ) -> Result<Arc<Document>, RequestError> {
        let known = match self.trusted.by_hash(&hash) {
            Some(verdict) => Some(verdict),
            None if self.trusted.only => return Err(RequestError::NotTrusted),
            None => self.recent.get(&hash).await,
        };
        if let Some(verdict) = known {
            self.counts.known.fetch_add(1, Ordering::Relaxed);
            return verdict.document(name);
        }
        self.counts.compiled.fetch_add(1, Ordering::Relaxed);
        let verdict = Arc::new(self.compile(text, name).await?);
        self.recent.insert(hash, Arc::clone(&verdict)).await;
        verdict.document(name)
    }

    async fn compile(&self, text: &str, name: Option<&str>) -> Result<Verdict, RequestError> {
        limits::check_text(text)?;
        if text.len() <= COMPILED_AT_ONCE_MAX_BYTES {
            return Ok(Verdict::on(&self.compiler, text, name)?);
        }
        let compiler = Arc::clone(&self.compiler);
        let (text, name) = (text.to_owned(), name.map(str::to_owned));
        let compiled =
            tokio::task::spawn_blocking(move || Verdict::on(&compiler, &text, name.as_deref())).await;
        match compiled {
            Ok(verdict) => Ok(verdict?),
            Err(error) => {
                tracing::error!(%error, "graphql.document_not_compiled");
                Err(RequestError::NotCompiled)
            }
        }
    }

    async fn of_id(&self, id: &str, name: Option<&str>) -> Result<Arc<Document>, RequestError> {
        let hash = unhex(id.strip_prefix("sha256:").unwrap_or(id));
        let trusted = self.trusted.by_id(id).or_else(|| self.trusted.by_hash(hash.as_ref()?));
        let known = match (trusted, hash) {
            (Some(verdict), _) => Some(verdict),
            (None, Some(hash)) if !self.trusted.only => self.recent.get(&hash).await,
            (None, _) => None,
        };
        let verdict = known.ok_or(RequestError::DocumentNotFound)?;
        self.counts.known.fetch_add(1, Ordering::Relaxed);
        verdict.document(name)
    }
}

fn persisted_hash(value: &serde_json::Value) -> Result<String, RequestError> {
    let persisted = PersistedQuery::deserialize(value)
        .map_err(|error| RequestError::Malformed(format!("extensions.persistedQuery: {error}")))?;
    if persisted.version == 1 {
        Ok(persisted.sha256_hash)
    } else {
        Err(RequestError::PersistedQueryNotSupported)
    }
}

/// In lower-case hexadecimal.
fn hex(hash: &DocumentHash) -> String {
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<DocumentHash> {
    let mut hash = DocumentHash::default();
    if text.len() != 2 * hash.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn documents() -> Documents {
        let sdl = "type Query { a: Query articles: Query totalCount: Int b: Int }";
        Documents::new(Arc::new(Compiler::new(sdl, &[]).unwrap()), TrustedDocuments::default())
    }

    fn parameters(value: serde_json::Value) -> Parameters {
        serde_json::from_value(value).unwrap()
    }

    fn persisted(text: &str) -> serde_json::Value {
        json!({ "persistedQuery": { "version": 1, "sha256Hash": hex(&Sha256::digest(text).into()) } })
    }

    async fn code(documents: &Documents, value: serde_json::Value) -> &'static str {
        documents.find(&parameters(value)).await.map_or_else(|error| error.code(), |_| "")
    }

    #[tokio::test]
    async fn a_text_that_came_with_its_hash_is_known_by_the_hash() {
        let documents = documents();
        let text = "{ articles { totalCount } }";
        let alone = json!({ "extensions": persisted(text) });
        assert_eq!(code(&documents, alone.clone()).await, "PERSISTED_QUERY_NOT_FOUND");
        let both = json!({ "query": text, "extensions": persisted(text) });
        assert_eq!(code(&documents, both.clone()).await, "");
        assert_eq!(code(&documents, alone).await, "");
        assert_eq!(code(&documents, both).await, "");
        assert_eq!(documents.counts(), (2, 1));
    }

    #[tokio::test]
    async fn what_cannot_be_meant_is_refused() {
        let documents = documents();
        for (value, expected) in [
            (json!({}), "BAD_USER_INPUT"),
            (json!({ "query": "{ a }", "documentId": "x" }), "BAD_USER_INPUT"),
            (json!({ "query": "{ a }", "extensions": persisted("{ b }") }), "BAD_USER_INPUT"),
            (json!({ "query": "{ a }", "extensions": { "persistedQuery": 1 } }), "BAD_USER_INPUT"),
            (
                json!({ "extensions": { "persistedQuery": { "version": 2, "sha256Hash": "" } } }),
                "PERSISTED_QUERY_NOT_SUPPORTED",
            ),
            (json!({ "documentId": "é".repeat(32) }), "PERSISTED_QUERY_NOT_FOUND"),
            (json!({ "query": "{ a" }), "GRAPHQL_PARSE_FAILED"),
            (json!({ "query": "[".repeat(65) }), "LIMIT_EXCEEDED"),
        ] {
            assert_eq!(code(&documents, value.clone()).await, expected, "{value}");
        }
    }

    #[tokio::test]
    async fn memory_has_a_bound() {
        let documents = documents();
        for number in 0..100 {
            let text = format!("{{ a {{ {} }} }}", format!("b # {number}\n").repeat(3_000));
            assert_eq!(code(&documents, json!({ "query": text })).await, "");
        }
        documents.recent.run_pending_tasks().await;
        assert!(documents.recent.weighted_size() <= CACHE_MAX_BYTES);
        assert!(documents.recent.entry_count() < 30);
    }
}
