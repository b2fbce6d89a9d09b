//! Who may ask from where: the `Host` header against DNS rebinding, CORS for browsers.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
use url::{Host, Url};

use super::accept::ResponseType;
use super::refusal::Refusal;
use crate::config::ServerConfig;

/// How long a browser may keep the answer to a preflight.
const PREFLIGHT_MAX_AGE: std::time::Duration = std::time::Duration::from_secs(600);

/// Whether the `Host` header must be a loopback name.
#[derive(Clone, Copy, Debug)]
pub struct HostGuard {
    loopback_only: bool,
}

impl HostGuard {
    pub fn new(config: &ServerConfig) -> Self {
        Self { loopback_only: config.host.is_loopback() }
    }
}

/// Refuses requests for another host. A page of a stranger whose name was made to point at 127.0.0.1 is of the same
/// origin as this server for the browser; only the `Host` header gives it away.
pub async fn check_host(State(guard): State<HostGuard>, request: Request, next: Next) -> Response {
    let host = request.uri().host().map(str::to_owned).or_else(|| {
        let header = request.headers().get(header::HOST)?.to_str().ok()?;
        Some(header.to_owned())
    });
    if guard.loopback_only && !host.as_deref().is_some_and(is_loopback_authority) {
        return Refusal::ForeignHost.into_response(ResponseType::Legacy);
    }
    next.run(request).await
}

/// Which web pages may call the API.
#[derive(Clone, Debug)]
pub struct Origins {
    allowed: Arc<[String]>,
    loopback: bool,
}

impl Origins {
    pub fn new(config: &ServerConfig) -> Self {
        Self { allowed: config.allowed_origins.as_slice().into(), loopback: config.host.is_loopback() }
    }

    fn is_allowed(&self, origin: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed == origin) || (self.loopback && is_loopback_origin(origin))
    }

    /// Whether pages of `origin` may open a WebSocket: those that may call, and those of the server itself, for which browsers
    /// ask nobody about other calls.
    pub fn may_connect(&self, origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
        let (Ok(origin), host) = (origin.to_str(), host.and_then(|host| host.to_str().ok())) else {
            return false;
        };
        let own = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        self.is_allowed(origin) || (own.is_some() && own == host)
    }

    /// The rule for other calls of web pages.
    pub fn cors(&self) -> CorsLayer {
        let origins = self.clone();
        let allow =
            move |origin: &HeaderValue, _: &_| origin.to_str().is_ok_and(|origin| origins.is_allowed(origin));
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(allow))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(AllowHeaders::mirror_request())
            .max_age(PREFLIGHT_MAX_AGE)
    }
}

fn is_loopback_origin(origin: &str) -> bool {
    Url::parse(origin)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && is_loopback_host(url.host()))
}

fn is_loopback_authority(authority: &str) -> bool {
    Url::parse(&format!("http://{authority}/"))
        .is_ok_and(|url| url.username().is_empty() && url.path() == "/" && is_loopback_host(url.host()))
}

fn is_loopback_host(host: Option<Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_pass() {
        for host in
            ["localhost", "localhost:8000", "127.0.0.1:8000", "127.8.9.1", "[::1]:8000", "app.localhost"]
        {
            assert!(is_loopback_authority(host), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "10.0.0.1", "127.0.0.1.nip.io", "x@localhost", ""]
        {
            assert!(!is_loopback_authority(host), "{host}");
        }
        assert!(is_loopback_origin("http://localhost:5173"));
        assert!(!is_loopback_origin("null") && !is_loopback_origin("http://evil.example"));
    }

    #[test]
    fn a_page_of_the_server_itself_may_connect_and_a_strangers_may_not() {
        let origins =
            Origins { allowed: ["https://app.example".to_owned()].as_slice().into(), loopback: false };
        let may = |origin: &str, host: &str| {
            let header = |text: &str| HeaderValue::from_str(text).unwrap();
            origins.may_connect(&header(origin), Some(&header(host)))
        };
        assert!(may("https://app.example", "api.example"));
        assert!(
            may("https://api.example", "api.example") && may("http://api.example:8000", "api.example:8000")
        );
        for origin in
            ["http://evil.example", "null", "http://localhost:3000", "api.example", "http://api.example:1"]
        {
            assert!(!may(origin, "api.example"), "{origin}");
        }
    }
}
