//! The HTTP server.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::seconds::seconds;
use super::{AllowedHosts, AllowedOrigin, Anonymous, ApiKeys, ConfigError, SettingValues, TrustedProxies};

/// Where to listen and whom to trust.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Default: 127.0.0.1.
    pub host: IpAddr,
    /// Default: 8000; 0 takes any free one.
    pub port: u16,
    /// How long a connection is kept between two requests. Default: 75 s, because load balancers keep theirs for 60.
    pub keep_alive: Duration,
    /// How long to go on serving when told to stop. Default: not at all.
    pub shutdown_delay: Duration,
    pub api_keys: ApiKeys,
    /// What is open without a key; `None` leaves it to where a request comes from.
    pub anonymous: Option<Anonymous>,
    pub trusted_proxies: TrustedProxies,
    pub allowed_hosts: AllowedHosts,
    /// Web origins that may call from a browser.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Most bytes of a request's body. Default: 8 MiB, because 1 MiB of Cyrillic is 3 MiB when its JSON is escaped.
    pub body_max_bytes: usize,
    /// The manifest of documents that may be asked for by id.
    pub trusted_documents: Option<PathBuf>,
    /// Whether no other documents are executed.
    pub trusted_documents_only: bool,
}

impl ServerConfig {
    pub(super) fn from_values(values: &SettingValues) -> Result<Self, ConfigError> {
        let port =
            values.parse("SENTIO_PORT", "expected a number from 0 to 65535", |text| text.parse().ok())?;
        let keep_alive = "expected seconds from 0.1 to 86400, such as 75";
        let keep_alive =
            values.parse("SENTIO_KEEP_ALIVE", keep_alive, |text| seconds(text, 0.1, 86_400.0))?;
        let shutdown_delay = "expected seconds from 0 to 3600, such as 5";
        let shutdown_delay =
            values.parse("SENTIO_SHUTDOWN_DELAY", shutdown_delay, |text| seconds(text, 0.0, 3_600.0))?;
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
            host: host(values)?,
            port,
            keep_alive,
            shutdown_delay,
            api_keys: ApiKeys::from_values(values)?,
            anonymous: Anonymous::from_values(values)?,
            trusted_proxies: TrustedProxies::from_values(values)?,
            allowed_hosts: AllowedHosts::from_values(values)?,
            allowed_origins: AllowedOrigin::from_values(values)?,
            body_max_bytes: body_max * 1024 * 1024,
            trusted_documents: (!trusted_documents.is_empty()).then(|| trusted_documents.into()),
            trusted_documents_only,
        })
    }

    /// Whether only programs of this machine reach the server.
    pub fn listens_on_loopback(&self) -> bool {
        self.host.to_canonical().is_loopback()
    }
}

fn host(values: &SettingValues) -> Result<IpAddr, ConfigError> {
    let text = values.text("SENTIO_HOST");
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| ConfigError::BadValue {
        name: "SENTIO_HOST",
        value: text.to_owned(),
        expected: if text.parse::<std::net::SocketAddr>().is_ok() {
            "the port goes in SENTIO_PORT".to_owned()
        } else if text.contains("://") {
            "expected the address to listen on, such as 127.0.0.1, 0.0.0.0 or ::, and no URL".to_owned()
        } else {
            "expected an address such as 127.0.0.1, 0.0.0.0 or ::".to_owned()
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &str) -> Result<ServerConfig, String> {
        let values = SettingValues::from_flags([(name, value.to_owned())]);
        ServerConfig::from_values(&values).map_err(|error| error.to_string())
    }

    #[test]
    fn a_host_is_an_address_to_listen_on() {
        for (text, loopback) in [
            ("127.0.0.1", true),
            ("LocalHost", true),
            ("[::1]", true),
            ("::ffff:127.0.0.1", true),
            ("127.9.9.9", true),
            ("0.0.0.0", false),
            ("::", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(read("SENTIO_HOST", text).unwrap().listens_on_loopback(), loopback, "{text}");
        }
        for (text, sentence) in [
            ("127.0.0.1:8000", "the port goes in SENTIO_PORT"),
            ("[::1]:8000", "the port goes in SENTIO_PORT"),
            ("http://127.0.0.1", "and no URL"),
            ("example.org", "expected an address such as"),
            ("*", "expected an address such as"),
            ("", "expected an address such as"),
            ("127.0.0.1 ", "expected an address such as"),
        ] {
            let error = read("SENTIO_HOST", text).unwrap_err();
            assert!(error.starts_with("SENTIO_HOST has the value") && error.contains(sentence), "{error}");
        }
    }

    #[test]
    fn times_that_cannot_be_meant_are_refused() {
        assert_eq!(read("SENTIO_KEEP_ALIVE", "620").unwrap().keep_alive, Duration::from_secs(620));
        assert_eq!(read("SENTIO_PORT", "0").unwrap().keep_alive, Duration::from_secs(75));
        for text in ["0", "-1", "NaN", "inf", "100000", "1m", ""] {
            assert!(read("SENTIO_KEEP_ALIVE", text).unwrap_err().contains("from 0.1 to 86400"), "{text}");
        }
        assert_eq!(
            read("SENTIO_SHUTDOWN_DELAY", "2.5").unwrap().shutdown_delay,
            Duration::from_millis(2_500)
        );
        for text in ["-1", "NaN", "inf", "3601", "soon"] {
            assert!(read("SENTIO_SHUTDOWN_DELAY", text).unwrap_err().contains("from 0 to 3600"), "{text}");
        }
    }
}
