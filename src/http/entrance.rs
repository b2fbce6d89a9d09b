//! What every request passes first, as one service: a middleware for each of its parts would make copies of all routes.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;
use futures::FutureExt;
use futures::future::BoxFuture;
use tower::{Layer, Service};

use super::accept::ResponseType;
use super::guard::Gate;
use super::leftover::Leftovers;

/// Refuses requests for other hosts, and reads what handlers leave of bodies. A cheap handle.
#[derive(Clone, Debug)]
pub struct Entrance(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    gate: Gate,
    leftovers: Leftovers,
}

impl Entrance {
    pub fn new(gate: Gate) -> Self {
        Self(Arc::new(Parts { gate, leftovers: Leftovers::default() }))
    }
}

impl<S> Layer<S> for Entrance {
    type Service = Entered<S>;

    fn layer(&self, inner: S) -> Entered<S> {
        Entered { inner, entrance: self.clone() }
    }
}

/// What is behind the entrance.
#[derive(Clone, Debug)]
pub struct Entered<S> {
    inner: S,
    entrance: Entrance,
}

impl<S> Service<Request> for Entered<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Parts { gate, leftovers } = &*self.entrance.0;
        let (mut request, watch) = leftovers.watch(request);
        let answering = match gate.admit(&mut request) {
            Ok(()) => self.inner.call(request).left_future(),
            Err(refusal) => {
                let refused = refusal.into_response(ResponseType::Legacy);
                async { Ok(refused) }.right_future()
            }
        };
        async move {
            let mut response = answering.await?;
            if let Some(watch) = watch {
                watch.close_if_refused(&mut response);
            }
            Ok(response)
        }
        .boxed()
    }
}
