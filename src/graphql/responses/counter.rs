//! Counts every value of a response as soon as it was resolved, whichever field it is of: a field that is added later, and
//! those of introspection, need nothing.

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo};
use async_graphql::{PathSegment, QueryPathNode, QueryPathSegment, ServerError, ServerResult, Value};

use super::budget::ResponseBudget;

/// The part of the schema that counts; the request brings its [`ResponseBudget`].
pub struct ResponseCounter;

impl ExtensionFactory for ResponseCounter {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for ResponseCounter {
    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let (path, pos) = (info.path_node, info.field.name.pos);
        let Some(budget) = context.data_opt::<ResponseBudget>() else { return next.run(context, info).await };
        let place = |error| ServerError { locations: vec![pos], path: segments(path), ..error };
        let field = budget.begin_field(place)?;
        let value = next.run(context, info).await?;
        let is_large = field.end(value.as_ref().unwrap_or(&Value::Null), || names_length(path), place)?;
        if is_large {
            budget.take_turn().await.map_err(|refusal| place(refusal.to_error()))?;
        }
        Ok(value)
    }
}

/// From the root to the field.
fn segments(path: &QueryPathNode<'_>) -> Vec<PathSegment> {
    let mut segments: Vec<_> = nodes(path)
        .map(|node| match node.segment {
            QueryPathSegment::Name(name) => PathSegment::Field(name.to_owned()),
            QueryPathSegment::Index(index) => PathSegment::Index(index),
        })
        .collect();
    segments.reverse();
    segments
}

fn names_length(path: &QueryPathNode<'_>) -> u64 {
    let length = |node: &QueryPathNode<'_>| match node.segment {
        QueryPathSegment::Name(name) => name.len() as u64,
        QueryPathSegment::Index(_) => 0,
    };
    nodes(path).map(length).sum()
}

fn nodes<'a>(path: &'a QueryPathNode<'a>) -> impl Iterator<Item = &'a QueryPathNode<'a>> {
    std::iter::successors(Some(path), |node| node.parent)
}
