//! What a request says, whichever transport brings it.

use serde::Deserialize;

use crate::document::JsonObject;

/// The parameters of a request, as GraphQL over HTTP names them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    pub query: Option<String>,
    /// Names a document of the manifest, or one that was sent before by its hash.
    pub document_id: Option<String>,
    pub operation_name: Option<String>,
    pub variables: Option<JsonObject>,
    pub extensions: Option<JsonObject>,
}

impl Parameters {
    /// The name of the operation to execute; an empty one is none.
    pub fn chosen_operation(&self) -> Option<&str> {
        self.operation_name.as_deref().filter(|name| !name.is_empty())
    }

    /// Whether the client asks for the cost of its operation: `extensions: { "cost": true }`.
    pub fn asks_for_cost(&self) -> bool {
        self.extensions.as_ref().and_then(|extensions| extensions.get("cost")) == Some(&true.into())
    }
}
