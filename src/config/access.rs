//! Who may do what: the keys, and what is open to those who send none.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{ConfigError, SettingValues};

/// What a request without a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anonymous {
    /// Read and write.
    All,
    /// Read.
    Read,
    /// Nothing.
    None,
}

impl Anonymous {
    /// What was set; `None` leaves it to where the request comes from.
    pub(super) fn from_values(values: &SettingValues) -> Result<Option<Self>, ConfigError> {
        if values.given("SENTIO_ANONYMOUS").is_none() {
            return Ok(None);
        }
        let parsed = values.parse("SENTIO_ANONYMOUS", "expected all, read or none", |text| {
            [Self::All, Self::Read, Self::None].into_iter().find(|anonymous| anonymous.name() == text)
        });
        parsed.map(Some)
    }

    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Read => "read",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Anonymous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Shorter keys can be guessed.
const SAFE_KEY_LENGTH: usize = 16;

/// The keys that may read and write.
#[derive(Clone, Debug, Default)]
pub struct ApiKeys(Vec<SecretString>);

impl ApiKeys {
    pub(super) fn from_values(values: &SettingValues) -> Result<Self, ConfigError> {
        let bad = |expected: &str| {
            Err(ConfigError::BadSecret { name: "SENTIO_API_KEYS", expected: expected.to_owned() })
        };
        let keys: Vec<_> = values.list("SENTIO_API_KEYS").collect();
        // Taken for no keys at all, it would open what was meant to be closed.
        if keys.is_empty() && values.given("SENTIO_API_KEYS").is_some() {
            return bad("it holds no key: give one, or leave the setting out");
        }
        if keys.iter().any(|key| !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            return bad("a key may have visible ASCII characters only, because it travels in a header");
        }
        Ok(keys.into_iter().collect())
    }

    /// Whether no key is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them is short enough to be guessed.
    pub fn has_short_one(&self) -> bool {
        self.0.iter().any(|key| key.expose_secret().len() < SAFE_KEY_LENGTH)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Result<ApiKeys, ConfigError> {
        ApiKeys::from_values(&SettingValues::from_flags([("SENTIO_API_KEYS", text.to_owned())]))
    }

    #[test]
    fn only_the_whole_key_is_accepted() {
        let keys = keys("one-key, other").unwrap();
        assert!(keys.contains("one-key") && keys.contains("other"));
        assert!(!keys.contains("one") && !keys.contains("") && !keys.contains("one-key,other"));
        assert!(!format!("{keys:?}").contains("one-key"));
        assert!(keys.has_short_one());
    }

    #[test]
    fn a_list_without_a_key_does_not_open_the_server() {
        for text in ["", " ", ",", " , ,"] {
            assert!(keys(text).unwrap_err().to_string().contains("holds no key"), "{text:?}");
        }
        for text in ["schlüssel", "two words", "Bearer x"] {
            let error = keys(text).unwrap_err().to_string();
            assert!(error.contains("visible ASCII") && !error.contains(text), "{error}");
        }
    }

    #[test]
    fn what_is_open_is_said_in_one_of_three_words() {
        let read = |text: &str| {
            let values = SettingValues::from_flags([("SENTIO_ANONYMOUS", text.to_owned())]);
            Anonymous::from_values(&values)
        };
        assert_eq!(read("read").unwrap(), Some(Anonymous::Read));
        assert_eq!(Anonymous::from_values(&SettingValues::default()).unwrap(), None);
        for text in ["true", "write", "ALL", "read,write", ""] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.ends_with("expected all, read or none"), "{error}");
        }
    }
}
