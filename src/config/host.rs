//! Names of this server: what a `Host` header says, and which further names may stand there.

use std::net::IpAddr;

use url::{Host, Url};

use super::origin::{is_label, may_follow_a_star};
use super::{ConfigError, SettingValues};

/// A host with or without a port, as a `Host` header has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAndPort {
    host: Host<String>,
    port: Option<u16>,
}

impl HostAndPort {
    /// Reads a host in any spelling that a browser would read as the same; `None` for what is none.
    pub fn parse(text: &str) -> Option<Self> {
        // Each drops its own default port.
        let [http, https] = ["http", "https"].map(|scheme| Url::parse(&format!("{scheme}://{text}/")).ok());
        let (http, https) = (http?, https?);
        let bare = http.path() == "/" && http.username().is_empty() && http.password().is_none();
        if !bare || text.contains(['/', '?', '#', '@', '\\']) {
            return None;
        }
        let host = match http.host()?.to_owned() {
            Host::Domain(name) => Host::Domain(name.trim_end_matches('.').to_owned()),
            address => address,
        };
        Some(Self { host, port: http.port().or(https.port()) })
    }

    /// Whether this is a name or an address of the machine itself.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            _ => self.address().is_some_and(|address| address.is_loopback()),
        }
    }

    /// The address, when it is no name.
    pub fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(IpAddr::from(address).to_canonical()),
        }
    }
}

/// Further hosts that requests may be for.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(Vec<AllowedHost>);

#[derive(Clone, Debug)]
struct AllowedHost {
    name: HostPattern,
    /// `None`: any.
    port: Option<u16>,
}

#[derive(Clone, Debug)]
enum HostPattern {
    Exact(Host<String>),
    /// `*.example.org`, kept with its dot.
    OneLabel(String),
    /// `.example.org`: the domain and all below it.
    Domain(String),
}

const FORM: &str = "expected hosts such as example.org, example.org:8443, *.example.org (one label) or .example.org (the \
                    domain and all below it), separated by commas, without https:// and path";

impl AllowedHosts {
    pub(super) fn from_values(values: &SettingValues) -> Result<Self, ConfigError> {
        let hosts = values.list("SENTIO_ALLOWED_HOSTS").map(|text| {
            AllowedHost::parse(text).ok_or_else(|| ConfigError::BadValue {
                name: "SENTIO_ALLOWED_HOSTS",
                value: text.to_owned(),
                expected: FORM.to_owned(),
            })
        });
        hosts.collect::<Result<_, _>>().map(Self)
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `host` is one of them.
    pub fn contains(&self, host: &HostAndPort) -> bool {
        self.0.iter().any(|allowed| allowed.matches(host))
    }
}

impl AllowedHost {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(IpAddr::V6(address)) = text.parse() {
            return Some(Self { name: HostPattern::Exact(Host::Ipv6(address)), port: None });
        }
        let pattern = [("*.", HostPattern::OneLabel as fn(String) -> _), (".", HostPattern::Domain)]
            .into_iter()
            .find_map(|(prefix, pattern)| Some((text.strip_prefix(prefix)?, pattern)));
        let Some((domain, pattern)) = pattern else {
            let HostAndPort { host, port } = HostAndPort::parse(text)?;
            let star = matches!(&host, Host::Domain(name) if name.contains('*'));
            return (!star).then_some(Self { name: HostPattern::Exact(host), port });
        };
        let HostAndPort { host, port } = HostAndPort::parse(domain)?;
        match host {
            Host::Domain(name) if may_follow_a_star(&name) && name.split('.').all(is_label) => {
                Some(Self { name: pattern(format!(".{name}")), port })
            }
            _ => None,
        }
    }

    fn matches(&self, found: &HostAndPort) -> bool {
        // Browsers leave out the port that is usual for the scheme, which a proxy may have changed.
        let port = self.port.is_none_or(|port| match found.port {
            Some(found) => found == port,
            None => matches!(port, 80 | 443),
        });
        port && match (&self.name, &found.host) {
            (HostPattern::Exact(allowed), found) => allowed == found,
            (HostPattern::OneLabel(domain), Host::Domain(name)) => {
                name.strip_suffix(domain.as_str()).is_some_and(is_label)
            }
            (HostPattern::Domain(domain), Host::Domain(name)) => {
                name.ends_with(domain.as_str()) || *name == domain[1..]
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback(text: &str) -> bool {
        HostAndPort::parse(text).is_some_and(|host| host.is_loopback())
    }

    #[test]
    fn only_loopback_names_are_loopback() {
        for host in [
            "localhost",
            "localhost:8000",
            "LOCALHOST.",
            "127.0.0.1:8000",
            "127.8.9.1",
            "[::1]:8000",
            "[::ffff:127.0.0.1]",
            "app.localhost",
        ] {
            assert!(loopback(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "127.0.0.1.nip.io",
            "x@localhost",
            "localhost/x",
            "localhost?",
            "",
            "0.0.0.0",
        ] {
            assert!(!loopback(host), "{host}");
        }
    }

    fn allows(setting: &str, host: &str) -> bool {
        let values = SettingValues::from_flags([("SENTIO_ALLOWED_HOSTS", setting.to_owned())]);
        let hosts = AllowedHosts::from_values(&values).unwrap();
        HostAndPort::parse(host).is_some_and(|host| hosts.contains(&host))
    }

    #[test]
    fn a_host_is_allowed_with_any_port_or_with_the_one_that_is_named() {
        assert!(
            allows("sentio.example", "sentio.example") && allows("sentio.example", "Sentio.Example.:8443")
        );
        assert!(allows("a.example, sentio.example:8443", "sentio.example:8443"));
        assert!(
            !allows("sentio.example:8443", "sentio.example")
                && !allows("sentio.example:8443", "sentio.example:80")
        );
        assert!(
            allows("sentio.example:443", "sentio.example") && allows("sentio.example:80", "sentio.example")
        );
        assert!(
            !allows("sentio.example", "x.sentio.example") && !allows("sentio.example", "sentio.example.evil")
        );
        assert!(allows("192.168.1.5", "192.168.1.5:8000") && allows("fd00::1", "[fd00::1]:80"));
        assert!(allows("[fd00::1]:8000", "[fd00:0::1]:8000") && !allows("[fd00::1]:8000", "[fd00::1]:8001"));
        assert!(allows("bücher.example", "xn--bcher-kva.example"));
    }

    #[test]
    fn patterns_match_one_label_or_a_whole_domain() {
        assert!(
            allows("*.example.org", "a.example.org") && allows("*.example.org:8443", "a.example.org:8443")
        );
        for host in ["example.org", "a.b.example.org", "aexample.org", "a.example.org.evil"] {
            assert!(!allows("*.example.org", host), "{host}");
        }
        for host in ["example.org", "a.example.org", "a.b.example.org:1"] {
            assert!(allows(".example.org", host), "{host}");
        }
        assert!(!allows(".example.org", "badexample.org"));
    }

    #[test]
    fn what_is_no_host_stops_the_start() {
        for text in [
            "*",
            "*:8000",
            "https://a.example",
            "a.example/x",
            "*.org",
            ".org",
            "a.*.example",
            "*a.example.org",
            ".",
            "a b.example",
            "a.example:x",
            "a.example:99999",
            "me@a.example",
            ".10.0.0.1",
            "**.example.org",
        ] {
            let values = SettingValues::from_flags([("SENTIO_ALLOWED_HOSTS", text.to_owned())]);
            assert!(AllowedHosts::from_values(&values).is_err(), "{text}");
        }
    }
}
