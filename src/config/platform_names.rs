//! Names that container platforms put into the environment: Kubernetes and old Docker links describe each service of the
//! neighbourhood in variables, and a service called `sentio-db` makes names that begin like settings.

use super::SETTINGS;

/// Whether a platform has made this variable, not a person.
pub(super) fn injected(name: &str, value: &str) -> bool {
    let Some(rest) = name.strip_prefix("SENTIO_") else { return false };
    if SETTINGS.iter().any(|setting| setting.name == name) {
        return rest == "PORT" && is_address(value);
    }
    // Those of the service `sentio` itself, whatever follows.
    rest.starts_with("SERVICE_") || rest.starts_with("PORT_") || describes_a_service(rest, value)
}

/// `(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_(TCP|UDP|SCTP).*)?)`, where a lone `PORT` has an address.
fn describes_a_service(rest: &str, value: &str) -> bool {
    let words: Vec<&str> = rest.split('_').collect();
    let last = words.last().copied();
    if last == Some("PORT") && is_address(value) {
        return true;
    }
    let service = words.windows(2).enumerate().any(|(at, pair)| match pair {
        ["SERVICE", "HOST"] => at + 2 == words.len(),
        ["SERVICE", "PORT"] => true,
        _ => false,
    });
    let port = words.windows(3).any(|window| {
        window[0] == "PORT"
            && !window[1].is_empty()
            && window[1].bytes().all(|byte| byte.is_ascii_digit())
            && ["TCP", "UDP", "SCTP"].contains(&window[2])
    });
    service || port
}

fn is_address(value: &str) -> bool {
    ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_services_are_known_whatever_the_service_is_called() {
        for service in ["", "POSTGRES_", "DB_", "PORT_", "HOST_", "INDEX_URI_", "SERVICE_", "A_B_C_", "LOG_"]
        {
            for (name, value) in [
                ("SERVICE_HOST", "10.0.0.9"),
                ("SERVICE_PORT", "5432"),
                ("SERVICE_PORT_SQL", "5432"),
                ("SERVICE_PORT_HTTP_2", "80"),
                ("PORT", "tcp://10.0.0.9:5432"),
                ("PORT", "udp://10.0.0.9:53"),
                ("PORT", "sctp://10.0.0.9:53"),
                ("PORT_5432_TCP", "tcp://10.0.0.9:5432"),
                ("PORT_5432_TCP_PROTO", "tcp"),
                ("PORT_53_UDP_PORT", "53"),
                ("PORT_53_SCTP_ADDR", "10.0.0.9"),
            ] {
                let name = format!("SENTIO_{service}{name}");
                assert!(injected(&name, value), "{name}={value}");
            }
        }
    }

    #[test]
    fn a_mistyped_name_is_nobodys_but_the_persons_who_wrote_it() {
        for (name, value) in [
            ("SENTIO_PROT", "8001"),
            ("SENTIO_PORT", "8001"),
            ("SENTIO_HOST", "10.0.0.1"),
            ("SENTIO_SERVER_PORT", "8001"),
            ("SENTIO_HTTP_PORT", "8001"),
            ("SENTIO_SERVICEHOST", "10.0.0.1"),
            ("SENTIO_DB_SERVICE_HOSTS", "10.0.0.1"),
            ("SENTIO_DB_SERVICE_HOST_X", "10.0.0.1"),
            ("SENTIO_DB_PORT_X_TCP", "1"),
            ("SENTIO_DB_PORT__TCP", "1"),
            ("SENTIO_SUPPORT", "tcp://10.0.0.1:1"),
            ("SENTIO_API_KEY", "k"),
            ("OTHER_SERVICE_HOST", "10.0.0.1"),
        ] {
            assert!(!injected(name, value), "{name}={value}");
        }
    }
}
