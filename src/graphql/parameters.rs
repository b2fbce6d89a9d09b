//! What a request says, whichever transport brings it.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::document::JsonObject;

/// The parameters of a request, as GraphQL over HTTP names them. Many clients send an empty text or null for what they leave
/// out: either is the same as nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    #[serde(default, deserialize_with = "text")]
    pub query: Option<String>,
    /// Names a document of the manifest, or one that was sent before by its hash.
    #[serde(default, deserialize_with = "text")]
    pub document_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub operation_name: Option<String>,
    #[serde(default, deserialize_with = "object")]
    pub variables: Option<JsonObject>,
    #[serde(default, deserialize_with = "extensions")]
    pub extensions: Option<JsonObject>,
}

impl Parameters {
    /// Whether the client asks for the cost of its operation: `extensions: { "cost": true }`.
    pub fn asks_for_cost(&self) -> bool {
        self.extensions.as_ref().and_then(|extensions| extensions.get("cost")) == Some(&true.into())
    }

    /// Takes the variables from a text of their own, as a query string has them.
    pub fn read_variables(&mut self, json: &str) -> Result<(), serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(json);
        self.variables = object(&mut reader)?;
        reader.end()
    }

    /// Takes the extensions from a text of their own.
    pub fn read_extensions(&mut self, json: &str) -> Result<(), serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(json);
        self.extensions = extensions(&mut reader)?;
        reader.end()
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()))
}

fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<JsonObject>, D::Error> {
    deserializer.deserialize_any(ObjectOrNothing)
}

/// Without those that are null.
fn extensions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<JsonObject>, D::Error> {
    let mut extensions = object(deserializer)?;
    if let Some(extensions) = &mut extensions {
        extensions.retain(|_, value| !value.is_null());
    }
    Ok(extensions)
}

struct ObjectOrNothing;

impl<'de> Visitor<'de> for ObjectOrNothing {
    type Value = Option<JsonObject>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        JsonObject::deserialize(MapAccessDeserializer::new(entries)).map(Some)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.is_empty() { Ok(None) } else { Err(E::invalid_type(Unexpected::Str("…"), &self)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Parameters, serde_json::Error> {
        serde_json::from_str(body)
    }

    #[test]
    fn what_is_empty_or_null_is_left_out() {
        let nothing = read("{}").unwrap();
        for body in [
            r#"{"query": null, "documentId": null, "operationName": null, "variables": null, "extensions": null}"#,
            r#"{"query": "", "documentId": "", "operationName": "", "variables": "", "extensions": ""}"#,
        ] {
            assert_eq!(format!("{:?}", read(body).unwrap()), format!("{nothing:?}"), "{body}");
        }
        let extensions = read(r#"{"extensions": {"persistedQuery": null, "cost": true}}"#).unwrap();
        assert!(extensions.asks_for_cost());
        assert!(!extensions.extensions.unwrap().contains_key("persistedQuery"));
        // They are values of the client's own: null is one.
        let variables = read(r#"{"variables": {"a": null, "b": ""}}"#).unwrap().variables.unwrap();
        assert_eq!(variables.len(), 2);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for body in [
            r#"{"query": 1}"#,
            r#"{"query": ["a"]}"#,
            r#"{"operationName": false}"#,
            r#"{"variables": []}"#,
            r#"{"variables": "{\"a\": 1}"}"#,
            r#"{"variables": 0}"#,
            r#"{"extensions": [null]}"#,
            r#"{"query": "{ a }", "query": "{ b }"}"#,
        ] {
            assert!(read(body).is_err(), "{body}");
        }
    }
}
