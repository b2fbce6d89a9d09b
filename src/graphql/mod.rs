//! The GraphQL API: thin roots, fat types.

mod arguments;
mod article_list;
mod cursor;
mod error;
pub mod limits;
mod loader;
mod mutation;
mod query;
mod recommend;
mod recommend_arguments;
mod recommendation_cursor;
mod recommendations;
mod status;
mod subscription;
mod types;
pub mod variables;
mod write;

use async_graphql::Request;
use async_graphql::dataloader::DataLoader;
use async_graphql::runtime::{TokioSpawner, TokioTimer};

use crate::auth::Viewer;
use crate::db::{Changes, Database};
use crate::events::Events;
use crate::index::VectorIndex;
use crate::outbox::IndexWait;
use crate::recommend::Recommender;

pub use error::ApiError;
pub use status::index_status;
pub use types::{IndexGeneration, IndexState, IndexStatus};

use loader::ArticleLoader;
use mutation::Mutation;
use query::Query;
use subscription::Subscription;

/// The schema with its roots.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// Deepest selection of a request; the introspection query of GraphiQL needs 15.
const DEPTH_MAX: usize = 20;
/// Most fields of a request, each counted as often as fragments spread it.
const COMPLEXITY_MAX: usize = 2_000;
/// Most directives on one field.
const DIRECTIVES_MAX: usize = 10;

/// What resolvers work with.
#[derive(Clone)]
pub struct Services {
    pub db: Database,
    pub recommender: Recommender,
    pub index: VectorIndex,
    pub wait: IndexWait,
    /// Told when a mutation has committed.
    pub changes: Changes,
    pub events: Events,
}

/// The schema over live services.
pub fn schema(services: Services) -> Schema {
    builder()
        .data(services.db)
        .data(services.recommender)
        .data(services.index)
        .data(services.wait)
        .data(services.changes)
        .data(services.events)
        .finish()
}

/// The schema definition language, made without any service.
pub fn sdl() -> String {
    builder().finish().sdl()
}

/// Adds to a request what lives as long as the request.
pub fn prepared(request: impl Into<Request>, viewer: Viewer, db: &Database) -> Request {
    let loader =
        DataLoader::new(ArticleLoader::new(db.clone()), TokioSpawner::current(), TokioTimer::default());
    request.into().data(viewer).data(loader)
}

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    async_graphql::Schema::build(Query, Mutation, Subscription)
        .limit_depth(DEPTH_MAX)
        .limit_complexity(COMPLEXITY_MAX)
        .limit_directives(DIRECTIVES_MAX)
}
