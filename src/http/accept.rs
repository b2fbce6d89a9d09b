//! Which media type a GraphQL response has.

use axum::http::{HeaderMap, StatusCode, header};

/// The two media types of GraphQL over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseType {
    /// `application/graphql-response+json`: the status tells whether the request was executed.
    GraphQl,
    /// `application/json`: a well-formed request is answered with 200 whatever came of it, because old clients take
    /// other statuses for the answers of something in between.
    Legacy,
}

impl ResponseType {
    /// The best type that the `Accept` header allows; `None` when it allows neither.
    pub fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let ranges = ranges(headers);
        if ranges.is_empty() {
            return Some(Self::Legacy);
        }
        let quality = |media_type: &str| {
            let matching = ranges.iter().filter(|range| range.matches(media_type));
            matching.max_by_key(|range| range.specificity()).map_or(0.0, |range| range.quality)
        };
        let (graphql, legacy) = (quality("application/graphql-response+json"), quality("application/json"));
        let named = ranges.iter().any(|range| range.media_type == "application/graphql-response+json");
        match (graphql > 0.0, legacy > 0.0) {
            (false, false) => None,
            (true, true) if named && graphql >= legacy => Some(Self::GraphQl),
            (true, false) => Some(Self::GraphQl),
            _ => Some(Self::Legacy),
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
            Self::Legacy => "application/json; charset=utf-8",
        }
    }

    /// The status of a request that could not be executed.
    pub fn request_error(self) -> StatusCode {
        match self {
            Self::GraphQl => StatusCode::BAD_REQUEST,
            Self::Legacy => StatusCode::OK,
        }
    }
}

/// Whether the `Accept` header names `text/event-stream`.
pub fn accepts_event_stream(headers: &HeaderMap) -> bool {
    ranges(headers).iter().any(|range| range.media_type == "text/event-stream" && range.quality > 0.0)
}

fn ranges(headers: &HeaderMap) -> Vec<MediaRange> {
    let values = headers.get_all(header::ACCEPT).into_iter();
    let values = values.filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(MediaRange::parse).collect()
}

struct MediaRange {
    media_type: String,
    quality: f32,
}

impl MediaRange {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().filter(|part| !part.is_empty())?.to_ascii_lowercase();
        let quality = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
        Some(Self { media_type, quality })
    }

    fn matches(&self, media_type: &str) -> bool {
        self.media_type == media_type || matches!(self.media_type.as_str(), "*/*" | "*" | "application/*")
    }

    fn specificity(&self) -> usize {
        match self.media_type.as_str() {
            "*/*" | "*" => 0,
            "application/*" => 1,
            _ => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(accept: &str) -> Option<ResponseType> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        ResponseType::negotiate(&headers)
    }

    #[test]
    fn the_named_type_wins_and_wildcards_mean_the_old_one() {
        use ResponseType::{GraphQl, Legacy};
        assert_eq!(ResponseType::negotiate(&HeaderMap::new()), Some(Legacy));
        assert_eq!(negotiate("*/*"), Some(Legacy));
        assert_eq!(negotiate("application/json"), Some(Legacy));
        assert_eq!(negotiate("application/graphql-response+json"), Some(GraphQl));
        assert_eq!(negotiate("application/graphql-response+json, application/json;q=0.9"), Some(GraphQl));
        assert_eq!(negotiate("application/graphql-response+json;q=0.5, application/json"), Some(Legacy));
        assert_eq!(negotiate("application/graphql-response+json;q=0, */*"), Some(Legacy));
        // As Java's standard library asks.
        assert_eq!(negotiate("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"), Some(Legacy));
        assert_eq!(negotiate("application/graphql-response+json;charset=utf-8, *;q=0.1"), Some(GraphQl));
        assert_eq!(
            negotiate("multipart/mixed;boundary=\"graphql\";subscriptionSpec=\"1.0\", application/json"),
            Some(Legacy)
        );
        assert_eq!(negotiate(""), Some(Legacy));
        assert_eq!(negotiate("text/html"), None);
        assert_eq!(negotiate("application/json;q=0"), None);
    }
}
