//! Where a request comes from: programs of this machine, or through a proxy from anywhere.

/// Whether a request has the rights of loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A program of this machine, or a proxy that is trusted like one.
    OnLoopback,
    /// Anybody.
    Elsewhere,
}

/// Headers in which proxies, balancers and content networks tell of the client they speak for, besides those that begin
/// with `x-forwarded`.
const FORWARDING_HEADERS: [&str; 29] = [
    "ali-cdn-real-ip",
    "cdn-loop",
    "cdn-real-ip",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "cf-pseudo-ipv4",
    "cf-ray",
    "client-ip",
    "cloudfront-viewer-address",
    "do-connecting-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded",
    "forwarded-for",
    "proxy-client-ip",
    "true-client-ip",
    "via",
    "wl-proxy-client-ip",
    "x-appengine-user-ip",
    "x-arr-clientip",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-nf-client-connection-ip",
    "x-original-forwarded-for",
    "x-real-ip",
    "x-remote-ip",
];

/// Whether a header of this name, in small letters, says that somebody passed the request on.
pub fn is_forwarding_header(name: &str) -> bool {
    if name.contains('_') {
        // Some programs take the two for one.
        return is_forwarding_header(&name.replace('_', "-"));
    }
    name.contains("forwarded") || FORWARDING_HEADERS.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proxies_send_is_known_and_what_clients_send_is_not() {
        assert!(FORWARDING_HEADERS.is_sorted());
        for name in [
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
            "x-forwarded",
            "x-forwarded-prefix",
            "x_forwarded_for",
            "x-vercel-forwarded-for",
            "x-ms-forwarded-client-ip",
            "x-real-ip",
            "via",
            "cf-connecting-ip",
            "true-client-ip",
        ] {
            assert!(is_forwarding_header(name), "{name}");
        }
        for name in
            ["host", "origin", "user-agent", "x-request-id", "x-requested-with", "traceparent", "forward"]
        {
            assert!(!is_forwarding_header(name), "{name}");
        }
    }
}
