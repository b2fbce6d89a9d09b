//! Web origins that may call: single ones, all names one label below a domain, and those of apps and extensions.

use url::{Host, Url};

use super::{ConfigError, SettingValues};

/// What an `Origin` header may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// This text, which for `http` and `https` is the one that browsers write.
    Exact(String),
    /// `https://*.example.org`: what stands before and after one label.
    OneLabel { before: String, after: String },
}

const FORM: &str = "expected origins such as https://example.org, https://*.example.org or \
                    chrome-extension://ID, separated by commas, without a path";
const STAR: &str = "a * may stand for the first label only, and at least two labels must follow, as in \
                    https://*.example.org: name the origins";
const NULL: &str = "null is the origin of every local file and of every sandboxed frame, so it would let any page call: \
                    serve the page from an origin of its own";
const NOT_OF_A_PAGE: &str =
    "browsers send the origin of the page, which begins with http:// or https://: write that one";

/// Schemes whose pages have the origin `null`.
const WITHOUT_ORIGIN: [&str; 6] = ["about", "blob", "data", "file", "filesystem", "javascript"];

impl AllowedOrigin {
    pub(super) fn from_values(values: &SettingValues) -> Result<Vec<Self>, ConfigError> {
        let origins = values.list("SENTIO_ALLOWED_ORIGINS").map(|text| {
            Self::parse(text).map_err(|expected| ConfigError::BadValue {
                name: "SENTIO_ALLOWED_ORIGINS",
                value: text.to_owned(),
                expected: expected.to_owned(),
            })
        });
        origins.collect()
    }

    /// Whether a browser's `Origin` is this one, or one of these.
    pub fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Exact(allowed) => allowed == origin,
            Self::OneLabel { before, after } => {
                let label =
                    origin.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
                label.is_some_and(is_label)
            }
        }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "*" {
            return Err(STAR);
        }
        if text.eq_ignore_ascii_case("null") {
            return Err(NULL);
        }
        let (scheme, rest) = text.split_once("://").ok_or(FORM)?;
        let scheme = scheme.to_ascii_lowercase();
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let foreign = |character: char| "/?#@\\".contains(character) || character.is_whitespace();
        if authority.is_empty() || authority.contains(foreign) || !is_scheme(&scheme) {
            return Err(FORM);
        }
        match scheme.as_str() {
            "http" | "https" if authority.contains('*') => Self::one_label(&scheme, authority),
            "http" | "https" => {
                let url = Url::parse(&format!("{scheme}://{authority}")).map_err(|_| FORM)?;
                let origin = url.origin().ascii_serialization();
                // Written as %2A.
                if origin.contains('*') { Err(STAR) } else { Ok(Self::Exact(origin)) }
            }
            "ws" | "wss" | "ftp" => Err(NOT_OF_A_PAGE),
            other if WITHOUT_ORIGIN.contains(&other) => Err(NULL),
            // Of an app or an extension. Browsers know nothing of its parts.
            _ if authority.contains('*') => Err(STAR),
            _ if authority.is_ascii() => Ok(Self::Exact(format!("{scheme}://{authority}"))),
            _ => Err(FORM),
        }
    }

    fn one_label(scheme: &str, authority: &str) -> Result<Self, &'static str> {
        let rest = authority.strip_prefix("*.").filter(|rest| !rest.contains('*')).ok_or(STAR)?;
        let url = Url::parse(&format!("{scheme}://x.{rest}")).map_err(|_| FORM)?;
        let Some(Host::Domain(name)) = url.host() else { return Err(STAR) };
        let domain = name.strip_prefix("x.").ok_or(STAR)?;
        if !may_follow_a_star(domain) {
            return Err(STAR);
        }
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        Ok(Self::OneLabel { before: format!("{scheme}://"), after: format!(".{domain}{port}") })
    }
}

/// A whole top-level domain belongs to nobody.
pub(super) fn may_follow_a_star(domain: &str) -> bool {
    domain == "localhost" || domain.trim_end_matches('.').contains('.')
}

/// One part of a host's name.
pub(super) fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// RFC 3986, section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> String {
        match AllowedOrigin::parse(text) {
            Ok(AllowedOrigin::Exact(origin)) => origin,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn origins_of_the_web_are_canonical_and_bare() {
        assert_eq!(exact("HTTPS://Example.org:443"), "https://example.org");
        assert_eq!(exact("https://example.org/"), "https://example.org");
        assert_eq!(exact("http://[::1]:3000"), "http://[::1]:3000");
        assert_eq!(exact("https://bücher.example"), "https://xn--bcher-kva.example");
        for text in [
            "example.org",
            "https://example.org/app",
            "https://example.org?x",
            "https://example.org#x",
            "https://me@example.org",
            "https://",
            "https://exa mple.org",
            "https://example.org:99999",
            "://example.org",
            "1a://example.org",
        ] {
            assert_eq!(AllowedOrigin::parse(text), Err(FORM), "{text}");
        }
        assert_eq!(AllowedOrigin::parse("wss://example.org"), Err(NOT_OF_A_PAGE));
    }

    #[test]
    fn origins_of_apps_and_extensions_are_compared_as_text() {
        for text in [
            "capacitor://localhost",
            "ionic://localhost",
            "tauri://localhost",
            "app://obsidian.md",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "moz-extension://0a1b2c3d-0000-4000-8000-000000000000",
        ] {
            let origin = AllowedOrigin::parse(text).unwrap();
            assert!(origin.matches(text) && !origin.matches("https://localhost"), "{text}");
            assert!(!origin.matches(&format!("{text}x")) && !origin.matches("null"), "{text}");
        }
        for text in ["null", "NULL", "file:///tmp", "file://host", "data://x", "blob://x"] {
            let refused = AllowedOrigin::parse(text).unwrap_err();
            assert!(refused == NULL || text == "file:///tmp", "{text}: {refused}");
        }
        assert_eq!(AllowedOrigin::parse("chrome-extension://*"), Err(STAR));
    }

    #[test]
    fn a_star_stands_for_one_label() {
        let origin = AllowedOrigin::parse("https://*.Example.org").unwrap();
        assert!(origin.matches("https://pr-7.example.org") && origin.matches("https://xn--a_b.example.org"));
        for other in [
            "https://example.org",
            "https://.example.org",
            "https://a.b.example.org",
            "http://pr-7.example.org",
            "https://pr-7.example.org:8443",
            "https://pr-7.example.org.evil.example",
            "https://evil.example/.example.org",
            "https://evil.example?.example.org",
            "https://pr-7example.org",
            "https://*.example.org",
        ] {
            assert!(!origin.matches(other), "{other}");
        }
        let with_port = AllowedOrigin::parse("http://*.localhost:3000").unwrap();
        assert!(with_port.matches("http://app.localhost:3000"));
        assert!(
            !with_port.matches("http://app.localhost") && !with_port.matches("http://app.localhost:30000")
        );
        let default_port = AllowedOrigin::parse("https://*.example.org:443").unwrap();
        assert!(default_port.matches("https://a.example.org"));
    }

    #[test]
    fn other_uses_of_a_star_stop_the_start() {
        for text in [
            "*",
            "https://*",
            "https://*.org",
            "https://*.org.",
            "https://a*.example.org",
            "https://*a.example.org",
            "https://*.*.example.org",
            "https://a.*.example.org",
            "https://example.*",
            "*://example.org",
            "https://%2A.example.org",
        ] {
            let refused = AllowedOrigin::parse(text).unwrap_err();
            assert!(refused == STAR || refused == FORM, "{text}");
        }
        assert!(AllowedOrigin::parse("https://*.0.0.1").is_err());
    }
}
