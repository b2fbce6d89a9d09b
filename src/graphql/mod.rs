//! The GraphQL API: thin roots, fat types.

mod arguments;
mod article_list;
mod cursor;
mod document;
mod documents;
mod error;
mod executor;
mod limits;
mod loader;
mod mutation;
mod operation;
mod parameters;
mod query;
mod recommend;
mod recommend_arguments;
mod recommendation_cursor;
mod recommendations;
mod repeated_fields;
mod request_error;
mod status;
mod subscription;
mod trusted_documents;
mod type_name_fields;
mod types;
mod variables;
mod write;

use async_graphql::dataloader::DataLoader;
use async_graphql::runtime::{TokioSpawner, TokioTimer};
use async_graphql::{Request, SDLExportOptions};

use chrono::{DateTime, Utc};

use crate::auth::Viewer;
use crate::db::{Changes, Database};
use crate::events::Events;
use crate::index::VectorIndex;
use crate::outbox::IndexWait;
use crate::recommend::Recommender;

pub use documents::Documents;
pub use error::ApiError;
pub use executor::{Answer, Asked, Executor, ResponseBody};
pub use operation::Operation;
pub use parameters::{JsonObject, Parameters};
pub use request_error::RequestError;
pub use status::index_status;
pub use trusted_documents::{ManifestError, TrustedDocuments};
pub use types::{IndexGeneration, IndexState, IndexStatus};

use loader::ArticleLoader;
use mutation::Mutation;
use query::Query;
use subscription::Subscription;

/// The schema with its roots.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// The description of the scalar, which the library does not give for clients to read.
const DATE_TIME: &str = "A moment, as RFC 3339 writes it: 2026-01-31T12:00:00Z.";

/// Deepest nesting of fields and fragments.
const RECURSION_MAX: usize = 128;

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
    builder().finish().sdl_with_options(SDLExportOptions::new().include_specified_by())
}

/// Adds to a request what lives as long as the request.
fn prepared(request: impl Into<Request>, viewer: Viewer, db: &Database) -> Request {
    let loader =
        DataLoader::new(ArticleLoader::new(db.clone()), TokioSpawner::current(), TokioTimer::default());
    request.into().data(viewer).data(loader)
}

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    // The limits of `limits` are checked before; this one counts fields and fragments together.
    async_graphql::Schema::build(Query, Mutation, Subscription)
        .limit_recursive_depth(RECURSION_MAX)
        .override_output_type_description::<DateTime<Utc>>(DATE_TIME)
}
