//! The GraphQL API: thin roots, fat types.

mod arguments;
mod article_list;
mod article_rows;
mod cursor;
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
mod request_error;
mod responses;
mod status;
mod subscription;
mod trusted_documents;
mod types;
mod verdict;
mod write;

use async_graphql::dataloader::DataLoader;
use async_graphql::runtime::{TokioSpawner, TokioTimer};
use async_graphql::{Request, SDLExportOptions, ValidationMode};

use crate::db::{Changes, Database};
use crate::document::{Compiler, SchemaError};
use crate::events::Events;
use crate::index::VectorIndex;
use crate::outbox::IndexWait;
use crate::recommend::Recommender;

pub use documents::Documents;
pub use error::ApiError;
pub use executor::{Answer, Executor, ResponseBody};
pub use operation::Operation;
pub use parameters::Parameters;
pub use request_error::RequestError;
pub use responses::{Held, Responses};
pub use status::index_status;
pub use trusted_documents::{ManifestError, TrustedDocuments};
pub use types::{IndexGeneration, IndexState, IndexStatus};

use loader::ArticleLoader;
use mutation::Mutation;
use query::Query;
use responses::{ResponseBudget, ResponseCounter};
use subscription::Subscription;

/// The schema with its roots.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// Deepest nesting of what is executed: more than the limits of documents allow.
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
        .extension(ResponseCounter)
        .finish()
}

/// The schema definition language, made without any service.
pub fn sdl() -> String {
    builder().finish().sdl_with_options(SDLExportOptions::new().include_specified_by())
}

/// The compiler of documents for the schema.
pub fn compiler() -> Result<Compiler, SchemaError> {
    Compiler::new(&sdl(), &[("DateTime", check_date_time)])
}

fn check_date_time(text: &str) -> Result<(), String> {
    let expected = "expected a moment as RFC 3339 writes it, such as 2026-01-31T12:00:00Z";
    types::parse_date_time(text).map(|_| ()).map_err(|_| expected.to_owned())
}

/// Adds to a request what lives as long as the request.
fn prepared(request: impl Into<Request>, db: &Database, budget: &ResponseBudget) -> Request {
    let loader = ArticleLoader::new(db.clone(), budget.clone());
    let loader = DataLoader::new(loader, TokioSpawner::current(), TokioTimer::default());
    request.into().data(loader).data(budget.clone())
}

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    // Documents come validated from the compiler, and within `limits`.
    async_graphql::Schema::build(Query, Mutation, Subscription)
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(RECURSION_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What introspection answers of the types of introspection themselves.
    const INTROSPECTED: &str =
        "{ __schema { types { name fields(includeDeprecated: true) { name args { name } } } } }";

    #[tokio::test]
    async fn the_compiler_knows_the_fields_that_are_answered_and_no_others() {
        let answer = builder().finish().execute(INTROSPECTED).await;
        let answer = serde_json::to_value(&answer.data).unwrap();
        let compiler = compiler().unwrap();
        let mut compared = 0;
        for ty in answer["__schema"]["types"].as_array().unwrap() {
            let Some(fields) = ty["fields"].as_array() else { continue };
            let names = |value: &serde_json::Value| value["name"].as_str().unwrap().to_owned();
            let field = |field: &serde_json::Value| {
                let mut arguments: Vec<_> = field["args"].as_array().unwrap().iter().map(names).collect();
                arguments.sort();
                (names(field), arguments)
            };
            let mut executed: Vec<_> = fields.iter().map(field).collect();
            let mut known = compiler.fields(&names(ty));
            if known.is_empty() {
                continue;
            }
            executed.sort();
            known.iter_mut().for_each(|(_, arguments)| arguments.sort());
            known.sort();
            assert_eq!(known, executed, "{ty}");
            compared += 1;
        }
        assert!(compared > 15, "{compared}");
    }
}
