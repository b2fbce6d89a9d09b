//! Who may ask from where: the `Host` header against DNS rebinding, proxies, CORS for browsers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, AllowPrivateNetwork, CorsLayer};
use url::Url;

use super::refusal::Refusal;
use crate::auth::{Authenticator, Caller, InvalidCredential, Viewer, is_forwarding_header};
use crate::config::{AllowedHosts, AllowedOrigin, HostAndPort, ServerConfig};

/// How long a browser may keep the answer to a preflight.
const PREFLIGHT_MAX_AGE: std::time::Duration = std::time::Duration::from_secs(600);

/// What pages of other origins may read of an answer besides the headers that they always may.
const EXPOSED_HEADERS: [HeaderName; 2] = [header::RETRY_AFTER, HeaderName::from_static("x-request-id")];

/// What every request passes first.
#[derive(Clone, Debug)]
pub struct Gate {
    hosts: Hosts,
    authenticator: Authenticator,
}

impl Gate {
    pub fn new(config: &ServerConfig, authenticator: Authenticator) -> Self {
        let hosts =
            Hosts { allowed: config.allowed_hosts.clone().into(), on_loopback: config.listens_on_loopback() };
        Self { hosts, authenticator }
    }

    /// Refuses a request for another host, and notes where it comes from. A page of a stranger whose name was made to point at
    /// 127.0.0.1 is of the same origin as this server for the browser; only the `Host` header gives it away.
    pub fn admit(&self, request: &mut Request) -> Result<(), Refusal> {
        let text = host(request);
        let host = text.as_deref().and_then(HostAndPort::parse);
        if !self.hosts.may_be_asked(host.as_ref()) {
            return Err(text.map_or(Refusal::UnclearHost, Refusal::ForeignHost));
        }
        let caller = self.authenticator.caller(
            peer(request.extensions()),
            host.is_some_and(|host| host.is_loopback()),
            request.headers().keys().any(|name| is_forwarding_header(name.as_str())),
        );
        request.extensions_mut().insert(caller);
        Ok(())
    }
}

/// For which hosts the server answers.
#[derive(Clone, Debug)]
struct Hosts {
    allowed: Arc<AllowedHosts>,
    on_loopback: bool,
}

impl Hosts {
    /// On loopback, for loopback names and those that are allowed. Beyond, for all until some are allowed; then for an address
    /// still, because no page of a stranger can have that as its own, and probes ask for it.
    fn may_be_asked(&self, host: Option<&HostAndPort>) -> bool {
        if !self.on_loopback && self.allowed.is_empty() {
            return true;
        }
        host.is_some_and(|host| {
            host.is_loopback()
                || self.allowed.contains(host)
                || (!self.on_loopback && host.address().is_some())
        })
    }
}

/// The host that a request is for; `None` when it does not say, or names several.
fn host(request: &Request) -> Option<String> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str().to_owned());
    }
    let mut named = request.headers().get_all(header::HOST).iter();
    let host = named.next()?.to_str().ok()?.to_owned();
    named.next().is_none().then_some(host)
}

/// The other end of the connection.
fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
}

/// Where a request comes from, as [`Gate::admit`] has found.
pub fn caller(extensions: &Extensions) -> Caller {
    extensions.get().copied().unwrap_or(Caller::Elsewhere)
}

/// The viewer that a request's headers stand for.
pub fn viewer(
    authenticator: &Authenticator,
    caller: Caller,
    headers: &HeaderMap,
) -> Result<Viewer, InvalidCredential> {
    authenticator.viewer(caller, headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes))
}

/// Which web pages may call the API.
#[derive(Clone, Debug)]
pub struct Origins {
    allowed: Arc<[AllowedOrigin]>,
}

impl Origins {
    pub fn new(config: &ServerConfig) -> Self {
        Self { allowed: config.allowed_origins.as_slice().into() }
    }

    /// Pages of this machine are as good as its other programs, for requests that come from it.
    fn is_allowed(&self, origin: &str, caller: Caller) -> bool {
        self.allowed.iter().any(|allowed| allowed.matches(origin))
            || (caller == Caller::OnLoopback && is_loopback_origin(origin))
    }

    /// Whether pages of `origin` may open a WebSocket: those that may call, and those of the server itself, for which browsers
    /// ask nobody about other calls.
    pub fn may_connect(&self, origin: &HeaderValue, host: Option<&HeaderValue>, caller: Caller) -> bool {
        let (Ok(origin), host) = (origin.to_str(), host.and_then(|host| host.to_str().ok())) else {
            return false;
        };
        let own = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        self.is_allowed(origin, caller) || (own.is_some() && own == host)
    }

    /// The rule for other calls of web pages.
    pub fn cors(&self) -> CorsLayer {
        let origins = self.clone();
        let allow = move |origin: &HeaderValue, parts: &axum::http::request::Parts| {
            origin.to_str().is_ok_and(|origin| origins.is_allowed(origin, caller(&parts.extensions)))
        };
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(allow.clone()))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(AllowHeaders::mirror_request())
            .allow_private_network(AllowPrivateNetwork::predicate(allow))
            .expose_headers(EXPOSED_HEADERS)
            .max_age(PREFLIGHT_MAX_AGE)
    }
}

fn is_loopback_origin(origin: &str) -> bool {
    Url::parse(origin).is_ok_and(|url| {
        let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
        matches!(url.scheme(), "http" | "https")
            && HostAndPort::parse(authority).is_some_and(|host| host.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, SettingValues};

    fn config(settings: &[(&'static str, &str)]) -> ServerConfig {
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned()));
        Config::from_values(&SettingValues::from_flags(settings)).unwrap().server
    }

    #[test]
    fn only_origins_of_loopback_are_loopback() {
        for origin in
            ["http://localhost:5173", "https://app.localhost", "http://127.0.0.1", "http://[::1]:3000"]
        {
            assert!(is_loopback_origin(origin), "{origin}");
        }
        for origin in
            ["null", "http://evil.example", "capacitor://localhost", "http://localhost.evil.example", ""]
        {
            assert!(!is_loopback_origin(origin), "{origin}");
        }
    }

    #[test]
    fn hosts_are_those_of_loopback_and_what_is_allowed() {
        let asked = |settings: &[(&'static str, &str)], host: &str| {
            let config = config(settings);
            let gate = Gate::new(&config, Authenticator::new(&config));
            gate.hosts.may_be_asked(HostAndPort::parse(host).as_ref())
        };
        let beyond = ("SENTIO_HOST", "0.0.0.0");
        let named = ("SENTIO_ALLOWED_HOSTS", "sentio.example");
        for (settings, host, expected) in [
            (vec![], "localhost:8000", true),
            (vec![], "sentio.example", false),
            (vec![], "10.0.0.1", false),
            (vec![], "", false),
            (vec![named], "sentio.example", true),
            (vec![named], "localhost", true),
            (vec![named], "10.0.0.1", false),
            (vec![beyond], "anything.example", true),
            (vec![beyond], "", true),
            (vec![beyond, named], "sentio.example", true),
            (vec![beyond, named], "evil.example", false),
            (vec![beyond, named], "10.1.2.3:8000", true),
            (vec![beyond, named], "localhost", true),
        ] {
            assert_eq!(asked(&settings, host), expected, "{settings:?} {host}");
        }
    }

    #[test]
    fn a_page_of_the_server_itself_may_connect_and_a_strangers_may_not() {
        let origins = Origins::new(&config(&[("SENTIO_ALLOWED_ORIGINS", "https://app.example")]));
        let may = |origin: &str, host: &str, caller| {
            let header = |text: &str| HeaderValue::from_str(text).unwrap();
            origins.may_connect(&header(origin), Some(&header(host)), caller)
        };
        for caller in [Caller::OnLoopback, Caller::Elsewhere] {
            assert!(may("https://app.example", "api.example", caller));
            assert!(may("https://api.example", "api.example", caller));
            assert!(may("http://api.example:8000", "api.example:8000", caller));
            for origin in ["http://evil.example", "null", "api.example", "http://api.example:1"] {
                assert!(!may(origin, "api.example", caller), "{origin}");
            }
        }
        assert!(may("http://localhost:3000", "localhost:8000", Caller::OnLoopback));
        assert!(!may("http://localhost:3000", "localhost:8000", Caller::Elsewhere));
    }
}
