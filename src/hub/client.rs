//! The Hub's protocol: the list of a repository's files, and a file from some byte on.

use std::time::Duration;

use reqwest::header::RANGE;
use reqwest::{RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::HubConfig;

use super::HubError;
use super::listing::Listing;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long nothing may arrive.
const SILENCE: Duration = Duration::from_secs(60);
/// What is fetched without a revision.
const DEFAULT_REVISION: &str = "main";

/// Asks one Hub.
pub(super) struct Client {
    http: reqwest::Client,
    endpoint: Url,
    token: Option<SecretString>,
}

impl Client {
    pub fn new(config: &HubConfig) -> Result<Self, HubError> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("sentio/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE)
            // A compressed answer has neither the file's length nor its bytes.
            .no_gzip()
            .build()
            .map_err(|source| HubError::Client { endpoint: shown(&config.endpoint), source })?;
        Ok(Self { http, endpoint: config.endpoint.clone(), token: config.token.clone() })
    }

    /// The files of `repository`, at the commit that `revision` names.
    pub async fn list(&self, repository: &str, revision: Option<&str>) -> Result<Listing, HubError> {
        let revision = revision.unwrap_or(DEFAULT_REVISION);
        let mut url = self.url(["api", "models"].into_iter().chain(repository.split('/')));
        extend(&mut url, ["revision", revision]);
        url.set_query(Some("blobs=true"));
        let what = format!("{repository} at revision {revision}");
        let response = self.send(self.http.get(url), repository, &what).await?;
        response.json().await.map_err(|source| HubError::BadListing {
            endpoint: shown(&self.endpoint),
            repository: repository.to_owned(),
            source: source.without_url(),
        })
    }

    /// The file `path` of `repository`, from the byte `from` on if the server can do that: see the answer's status.
    pub async fn file(
        &self,
        repository: &str,
        revision: &str,
        path: &str,
        from: u64,
    ) -> Result<Response, HubError> {
        let mut url = self.url(repository.split('/'));
        extend(&mut url, ["resolve", revision].into_iter().chain(path.split('/')));
        let mut request = self.http.get(url);
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        self.send(request, repository, &format!("{path} of {repository}")).await
    }

    /// The answer to `request`, if it is a good one. Follows redirects; the token goes to the endpoint's host only.
    async fn send(
        &self,
        mut request: RequestBuilder,
        repository: &str,
        what: &str,
    ) -> Result<Response, HubError> {
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        let endpoint = shown(&self.endpoint);
        let response = match request.send().await {
            Ok(response) => response,
            // The address may be a signed one.
            Err(error) => return Err(HubError::Unreachable { endpoint, source: error.without_url() }),
        };
        let (status, what) = (response.status(), what.to_owned());
        match status {
            // What starts beyond a file's end is a matter for whoever asked.
            StatusCode::RANGE_NOT_SATISFIABLE => Ok(response),
            status if status.is_success() => Ok(response),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let (repository, status) = (repository.to_owned(), status.as_u16());
                Err(match self.token {
                    None => HubError::TokenMissing { endpoint, repository, what, status },
                    Some(_) => HubError::TokenRefused { endpoint, repository, what, status },
                })
            }
            StatusCode::NOT_FOUND => Err(HubError::NotFound { endpoint, what }),
            status => Err(HubError::Status { endpoint, what, status: status.as_u16() }),
        }
    }

    fn url<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.endpoint.clone();
        extend(&mut url, segments);
        url
    }
}

/// Appends to the path; each segment is escaped, a slash in it too.
fn extend<'a>(url: &mut Url, segments: impl IntoIterator<Item = &'a str>) {
    // Only addresses such as `mailto:` have no path, and the settings accept none of them.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
}

/// The endpoint for a message, without a slash at its end and without a password.
fn shown(endpoint: &Url) -> String {
    let host = endpoint.host_str().unwrap_or_default();
    let port = endpoint.port().map_or_else(String::new, |port| format!(":{port}"));
    let path = endpoint.path().trim_end_matches('/');
    format!("{}://{host}{port}{path}", endpoint.scheme())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_escaped_and_shown_without_passwords() {
        let mut url = Url::parse("http://me:secret@mirror:8080/hub/").unwrap();
        assert_eq!(shown(&url), "http://mirror:8080/hub");
        extend(&mut url, ["a", "b", "resolve", "refs/pr/7", "1_Pooling", "x y?.json"]);
        assert_eq!(url.path(), "/hub/a/b/resolve/refs%2Fpr%2F7/1_Pooling/x%20y%3F.json");
    }
}
