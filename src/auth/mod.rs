//! Who is asking: where a request comes from, and what its credential is worth → viewer.

mod caller;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::{Anonymous, ApiKeys, ServerConfig, TrustedProxies};

pub use caller::{Caller, is_forwarding_header};

/// Who sent a request, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// May read and write.
    Writer,
    /// May read.
    Reader,
    /// May do nothing without a key.
    Stranger,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Read,
    Write,
}

impl Viewer {
    /// Refuses what this viewer may not do.
    pub fn check(self, scope: Scope) -> Result<(), Denied> {
        match (self, scope) {
            (Self::Writer, _) | (Self::Reader, Scope::Read) => Ok(()),
            (Self::Reader, Scope::Write) | (Self::Stranger, _) => Err(Denied(scope)),
        }
    }
}

/// A request without a key for something that needs one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", match .0 {
    Scope::Read => "reading needs a key: send `Authorization: Bearer KEY` with one of SENTIO_API_KEYS, or let everybody read \
                    with SENTIO_ANONYMOUS=read",
    Scope::Write => "writing needs a key: send `Authorization: Bearer KEY` with one of SENTIO_API_KEYS (without one, only \
                     SENTIO_ANONYMOUS=all lets anybody write)",
})]
pub struct Denied(pub Scope);

/// The credential is none of the server's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the Authorization header holds no valid key: send `Authorization: Bearer KEY` with one of SENTIO_API_KEYS"
)]
pub struct InvalidCredential;

/// Decides who is who.
#[derive(Clone, Debug)]
pub struct Authenticator {
    on_loopback: bool,
    keys: ApiKeys,
    anonymous: Option<Anonymous>,
    trusted: TrustedProxies,
    /// Whether the log has said what to set for requests that come through a proxy.
    told: Arc<AtomicBool>,
}

impl Authenticator {
    pub fn new(config: &ServerConfig) -> Self {
        Self {
            on_loopback: config.listens_on_loopback(),
            keys: config.api_keys.clone(),
            anonymous: config.anonymous,
            trusted: config.trusted_proxies.clone(),
            told: Arc::default(),
        }
    }

    /// Where a request comes from that arrived on a connection from `peer`, for a host that is one of this machine's names or
    /// not, with or without a header in which a proxy tells of another sender.
    ///
    /// Only who connects is believed, never the value of a header: anybody can write one.
    pub fn caller(&self, peer: Option<IpAddr>, host_is_loopback: bool, forwarded: bool) -> Caller {
        if !self.on_loopback {
            return Caller::Elsewhere;
        }
        if peer.is_some_and(|peer| self.trusted.contains(peer)) {
            return Caller::OnLoopback;
        }
        // A request for another name can only have come through a proxy, which keeps quiet about itself.
        if host_is_loopback && !forwarded { Caller::OnLoopback } else { Caller::Elsewhere }
    }

    /// What is open without a key to those who come without a proxy.
    pub fn open_directly(&self) -> Anonymous {
        self.open_to(if self.on_loopback { Caller::OnLoopback } else { Caller::Elsewhere })
    }

    fn open_to(&self, caller: Caller) -> Anonymous {
        self.anonymous.unwrap_or(match caller {
            Caller::Elsewhere => Anonymous::None,
            Caller::OnLoopback if self.keys.is_empty() => Anonymous::All,
            Caller::OnLoopback => Anonymous::Read,
        })
    }

    /// A caller without a key.
    fn anonymous(&self, caller: Caller) -> Viewer {
        if self.on_loopback && caller == Caller::Elsewhere && self.anonymous.is_none() {
            self.tell_what_to_set();
        }
        match self.open_to(caller) {
            Anonymous::All => Viewer::Writer,
            Anonymous::Read => Viewer::Reader,
            Anonymous::None => Viewer::Stranger,
        }
    }

    fn tell_what_to_set(&self) {
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "auth.proxied: a request without a key came through a proxy and was refused, because it may come from \
                 anywhere. Give clients a key (SENTIO_API_KEYS), or let everybody read with SENTIO_ANONYMOUS=read; only if \
                 the proxy lets nobody in who may not write, name its address in SENTIO_TRUSTED_PROXIES"
            );
        }
    }

    /// The viewer that a credential stands for; `None` when it is none of ours: a proxy in front may ask for a password and
    /// pass it on, and without keys nothing can be one.
    pub fn credential(&self, authorization: &[u8]) -> Result<Option<Viewer>, InvalidCredential> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        match key(authorization) {
            Credential::Foreign => Ok(None),
            Credential::Key(key) if self.keys.contains(key) => Ok(Some(Viewer::Writer)),
            Credential::Key(_) | Credential::Unreadable => Err(InvalidCredential),
        }
    }

    /// The viewer that a request's `Authorization` headers, or their absence, stand for.
    pub fn viewer<'a>(
        &self,
        caller: Caller,
        authorizations: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Viewer, InvalidCredential> {
        for authorization in authorizations {
            if let Some(viewer) = self.credential(authorization)? {
                return Ok(viewer);
            }
        }
        Ok(self.anonymous(caller))
    }
}

enum Credential<'a> {
    Key(&'a str),
    /// Of another scheme, such as `Basic`.
    Foreign,
    Unreadable,
}

fn key(authorization: &[u8]) -> Credential<'_> {
    let authorization = authorization.trim_ascii();
    let end = authorization.iter().position(u8::is_ascii_whitespace).unwrap_or(authorization.len());
    let (scheme, rest) = authorization.split_at(end);
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return std::str::from_utf8(rest.trim_ascii()).map_or(Credential::Unreadable, Credential::Key);
    }
    // A lone word is most likely a key that lacks its scheme; nothing at all is no credential.
    if rest.is_empty() && !scheme.is_empty() { Credential::Unreadable } else { Credential::Foreign }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, SettingValues};

    fn authenticator(settings: &[(&'static str, &str)]) -> Authenticator {
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let config = Config::from_values(&SettingValues::from_flags(settings)).unwrap();
        Authenticator::new(&config.server)
    }

    fn loopback_peer() -> Option<IpAddr> {
        Some(IpAddr::from([127, 0, 0, 1]))
    }

    #[test]
    fn what_is_open_without_a_key_depends_on_where_the_request_comes_from() {
        use Viewer::{Reader, Stranger, Writer};
        let keys = ("SENTIO_API_KEYS", "k");
        let beyond = ("SENTIO_HOST", "0.0.0.0");
        for (settings, directly, through_a_proxy) in [
            (vec![], Writer, Stranger),
            (vec![keys], Reader, Stranger),
            (vec![("SENTIO_ANONYMOUS", "all"), keys], Writer, Writer),
            (vec![("SENTIO_ANONYMOUS", "read")], Reader, Reader),
            (vec![("SENTIO_ANONYMOUS", "none")], Stranger, Stranger),
            (vec![("SENTIO_TRUSTED_PROXIES", "127.0.0.1")], Writer, Writer),
            (vec![("SENTIO_TRUSTED_PROXIES", "127.0.0.1"), keys], Reader, Reader),
            (vec![("SENTIO_TRUSTED_PROXIES", "10.0.0.0/8")], Writer, Stranger),
            (vec![beyond], Stranger, Stranger),
            (vec![beyond, keys], Stranger, Stranger),
            (vec![beyond, ("SENTIO_TRUSTED_PROXIES", "127.0.0.1")], Stranger, Stranger),
            (vec![beyond, ("SENTIO_ANONYMOUS", "read")], Reader, Reader),
            (vec![beyond, ("SENTIO_ANONYMOUS", "all")], Writer, Writer),
        ] {
            let authenticator = authenticator(&settings);
            let viewer = |host_is_loopback, forwarded| {
                authenticator.anonymous(authenticator.caller(loopback_peer(), host_is_loopback, forwarded))
            };
            assert_eq!(viewer(true, false), directly, "{settings:?}");
            assert_eq!(viewer(true, true), through_a_proxy, "{settings:?}");
            assert_eq!(viewer(false, false), through_a_proxy, "{settings:?}");
        }
    }

    #[test]
    fn a_peer_that_is_not_known_is_not_trusted() {
        let authenticator = authenticator(&[("SENTIO_TRUSTED_PROXIES", "127.0.0.1")]);
        assert_eq!(authenticator.caller(None, true, true), Caller::Elsewhere);
        assert_eq!(authenticator.caller(None, true, false), Caller::OnLoopback);
    }

    #[test]
    fn a_key_writes_from_anywhere_and_a_wrong_one_is_refused() {
        for host in ["127.0.0.1", "0.0.0.0"] {
            let authenticator = authenticator(&[("SENTIO_HOST", host), ("SENTIO_API_KEYS", "k1,k2")]);
            for right in ["bearer k2", "Bearer  k1 ", "BEARER\tk1"] {
                assert_eq!(authenticator.credential(right.as_bytes()), Ok(Some(Viewer::Writer)), "{right}");
            }
            for wrong in
                ["Bearer k3", "k1", "Bearer", "Bearer ", "Bearer k1,k2", "Bearer k1 k2", "Bearer \u{fc}"]
            {
                assert_eq!(authenticator.credential(wrong.as_bytes()), Err(InvalidCredential), "{wrong}");
            }
        }
    }

    #[test]
    fn a_credential_of_another_scheme_is_none() {
        let authenticator = authenticator(&[("SENTIO_API_KEYS", "k1")]);
        for foreign in ["Basic dmlzaXRvcjpw", "Digest username=\"x\"", "Negotiate YII=", "ApiKey k1", ""] {
            assert_eq!(authenticator.credential(foreign.as_bytes()), Ok(None), "{foreign}");
        }
        assert_eq!(authenticator.credential(b"Basic \xff"), Ok(None));
        let viewer = |headers: &[&'static str]| {
            authenticator.viewer(Caller::OnLoopback, headers.iter().map(|header| header.as_bytes()))
        };
        assert_eq!(viewer(&["Basic eA=="]), Ok(Viewer::Reader));
        assert_eq!(viewer(&["Basic eA==", "Bearer k1"]), Ok(Viewer::Writer));
        assert_eq!(viewer(&["Basic eA==", "Bearer k2"]), Err(InvalidCredential));
    }

    #[test]
    fn without_keys_a_credential_is_ignored() {
        let authenticator = authenticator(&[]);
        assert_eq!(authenticator.viewer(Caller::OnLoopback, [b"Bearer x".as_slice()]), Ok(Viewer::Writer));
        assert_eq!(authenticator.viewer(Caller::Elsewhere, [b"Bearer x".as_slice()]), Ok(Viewer::Stranger));
    }

    #[test]
    fn a_refusal_names_what_was_wanted_and_the_setting() {
        assert_eq!(Viewer::Reader.check(Scope::Read), Ok(()));
        let reading = Viewer::Stranger.check(Scope::Read).unwrap_err().to_string();
        assert!(reading.starts_with("reading") && reading.contains("SENTIO_ANONYMOUS"), "{reading}");
        for viewer in [Viewer::Reader, Viewer::Stranger] {
            let writing = viewer.check(Scope::Write).unwrap_err().to_string();
            assert!(writing.starts_with("writing") && writing.contains("SENTIO_ANONYMOUS"), "{writing}");
        }
    }
}
