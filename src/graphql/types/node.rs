//! Relay's global object identification.

use async_graphql::{ID, Interface};

use super::Article;

/// Anything that has a global id.
#[derive(Clone, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The global id."))]
pub enum Node {
    Article(Article),
}
