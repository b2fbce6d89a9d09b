//! The HTTP server.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

use super::{ConfigError, SettingValues};

/// Where to listen and whom to trust.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Default: 127.0.0.1.
    pub host: IpAddr,
    /// Default: 8000; 0 takes any free one.
    pub port: u16,
    pub api_keys: ApiKeys,
    /// Web origins that may call from a browser, in their canonical form.
    pub allowed_origins: Vec<String>,
    /// Most bytes of a request's body. Default: 8 MiB, because 1 MiB of Cyrillic is 3 MiB when its JSON is escaped.
    pub body_max_bytes: usize,
    /// The manifest of documents that may be asked for by id.
    pub trusted_documents: Option<PathBuf>,
    /// Whether no other documents are executed.
    pub trusted_documents_only: bool,
}

/// The keys that may write.
#[derive(Clone, Debug, Default)]
pub struct ApiKeys(Vec<SecretString>);

impl ApiKeys {
    /// Whether no key is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `key` is one of them. Compares hashes in constant time, so that neither content nor length leaks.
    pub fn contains(&self, key: &str) -> bool {
        let given = Sha256::digest(key);
        self.0.iter().fold(false, |found, known| {
            found | bool::from(Sha256::digest(known.expose_secret()).ct_eq(&given))
        })
    }
}

impl<S: Into<String>> FromIterator<S> for ApiKeys {
    fn from_iter<I: IntoIterator<Item = S>>(keys: I) -> Self {
        Self(keys.into_iter().map(|key| SecretString::from(key.into())).collect())
    }
}

impl ServerConfig {
    pub(super) fn from_values(values: &SettingValues) -> Result<Self, ConfigError> {
        let host =
            values.parse("SENTIO_HOST", "expected an address such as 127.0.0.1, 0.0.0.0 or ::", |text| {
                if text == "localhost" { Some(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { text.parse().ok() }
            })?;
        let port =
            values.parse("SENTIO_PORT", "expected a number from 0 to 65535", |text| text.parse().ok())?;
        let api_keys: ApiKeys = values.list("SENTIO_API_KEYS").collect();
        if values.list("SENTIO_API_KEYS").any(|key| !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(ConfigError::BadSecret {
                name: "SENTIO_API_KEYS",
                expected: "a key may have visible ASCII characters only, because it travels in a header"
                    .to_owned(),
            });
        }
        let allowed_origins = values.list("SENTIO_ALLOWED_ORIGINS").map(origin).collect::<Result<_, _>>()?;
        let body_max = "expected MiB, a number from 1 to 1024";
        let body_max: usize = values.parse("SENTIO_BODY_MAX", body_max, |text| {
            text.parse().ok().filter(|mebibytes| (1..=1_024).contains(mebibytes))
        })?;
        let trusted_documents = values.text("SENTIO_TRUSTED_DOCUMENTS");
        let trusted_documents_only =
            values
                .parse("SENTIO_TRUSTED_DOCUMENTS_ONLY", "expected true or false", |text| text.parse().ok())?;
        if trusted_documents_only && trusted_documents.is_empty() {
            return Err(ConfigError::BadValue {
                name: "SENTIO_TRUSTED_DOCUMENTS_ONLY",
                value: "true".to_owned(),
                expected: "it needs a manifest: set SENTIO_TRUSTED_DOCUMENTS to its path".to_owned(),
            });
        }
        Ok(Self {
            host,
            port,
            api_keys,
            allowed_origins,
            body_max_bytes: body_max * 1024 * 1024,
            trusted_documents: (!trusted_documents.is_empty()).then(|| trusted_documents.into()),
            trusted_documents_only,
        })
    }
}

fn origin(text: &str) -> Result<String, ConfigError> {
    let parsed = Url::parse(text).ok().map(|url| (url.origin(), url));
    match parsed {
        Some((origin, url)) if origin.is_tuple() && url.path() == "/" && url.query().is_none() => {
            Ok(origin.ascii_serialization())
        }
        _ => Err(ConfigError::BadValue {
            name: "SENTIO_ALLOWED_ORIGINS",
            value: text.to_owned(),
            expected: "expected origins such as https://example.org, separated by commas".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_key_is_accepted() {
        let keys: ApiKeys = ["one-key", "other"].into_iter().collect();
        assert!(keys.contains("one-key") && keys.contains("other"));
        assert!(!keys.contains("one") && !keys.contains("") && !keys.contains("one-key,other"));
        assert!(!format!("{keys:?}").contains("one-key"));
    }

    #[test]
    fn origins_are_canonical_and_bare() {
        assert_eq!(origin("HTTPS://Example.org:443").unwrap(), "https://example.org");
        for text in ["example.org", "*", "https://example.org/app", "file:///tmp"] {
            assert!(origin(text).is_err(), "{text}");
        }
    }
}
