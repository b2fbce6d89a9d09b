//! Who is asking: credential → viewer.

use std::net::IpAddr;

use crate::config::{ApiKeys, ServerConfig};

/// Who sent a request, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// May read and write.
    Writer,
    /// May read; writes need an API key and none was sent.
    Anonymous,
    /// May read; this server takes writes from nobody, because it listens beyond loopback and has no keys.
    NobodyMayWrite,
}

/// The credential is none of the server's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the Authorization header holds no valid key: send `Authorization: Bearer KEY` with one of SENTIO_API_KEYS"
)]
pub struct InvalidCredential;

/// Decides who is who.
#[derive(Clone, Debug)]
pub struct Authenticator {
    host: IpAddr,
    keys: ApiKeys,
}

impl Authenticator {
    pub fn new(config: &ServerConfig) -> Self {
        Self { host: config.host, keys: config.api_keys.clone() }
    }

    /// The viewer that an `Authorization` header (or its absence) stands for.
    ///
    /// With keys every write needs one. Without keys anyone may write on loopback and nobody elsewhere; a header that
    /// no key could match is ignored then.
    pub fn viewer(&self, authorization: Option<&[u8]>) -> Result<Viewer, InvalidCredential> {
        if self.keys.is_empty() {
            return Ok(if self.host.is_loopback() { Viewer::Writer } else { Viewer::NobodyMayWrite });
        }
        match authorization {
            None => Ok(Viewer::Anonymous),
            Some(header) => {
                let key = bearer(header).ok_or(InvalidCredential)?;
                if self.keys.contains(key) { Ok(Viewer::Writer) } else { Err(InvalidCredential) }
            }
        }
    }
}

fn bearer(header: &[u8]) -> Option<&str> {
    let (scheme, key) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authenticator(host: &str, keys: &[&str]) -> Authenticator {
        Authenticator { host: host.parse().unwrap(), keys: keys.iter().copied().collect() }
    }

    #[test]
    fn without_keys_only_loopback_may_write() {
        assert_eq!(authenticator("127.0.0.1", &[]).viewer(None), Ok(Viewer::Writer));
        assert_eq!(authenticator("::1", &[]).viewer(Some(b"Bearer x")), Ok(Viewer::Writer));
        assert_eq!(authenticator("0.0.0.0", &[]).viewer(Some(b"Bearer x")), Ok(Viewer::NobodyMayWrite));
    }

    #[test]
    fn with_keys_a_write_needs_one_and_a_wrong_one_is_refused() {
        for host in ["127.0.0.1", "0.0.0.0"] {
            let authenticator = authenticator(host, &["k1", "k2"]);
            assert_eq!(authenticator.viewer(None), Ok(Viewer::Anonymous));
            assert_eq!(authenticator.viewer(Some(b"bearer k2")), Ok(Viewer::Writer));
            for wrong in ["Bearer k3", "Basic k1", "k1", "Bearer", "Bearer "] {
                assert_eq!(authenticator.viewer(Some(wrong.as_bytes())), Err(InvalidCredential), "{wrong}");
            }
        }
    }
}
