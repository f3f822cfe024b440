//! The served state, replaceable while connections are open.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::Request;
use hyper::body::Incoming;

use super::{HttpService, Limits, Responding, Tls};

/// Service, certificate and limits of the server.
#[derive(Debug)]
pub struct Served<S> {
    /// Service that answers requests.
    pub service: S,
    /// TLS certificate; plain HTTP if absent.
    pub tls: Option<Tls>,
    /// Limits of connections and of the shutdown.
    pub limits: Limits,
}

/// The current served state. Clones share it.
#[derive(Debug)]
pub struct Live<S>(Arc<ArcSwap<Served<S>>>);

impl<S: Clone> Live<S> {
    /// Creates a handle to the initial state.
    #[must_use]
    pub fn new(served: Served<S>) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(served)))
    }

    /// Replaces the state. The next request uses the new service, the next
    /// connection the new certificate and limits.
    pub fn replace(&self, served: Served<S>) {
        self.0.store(Arc::new(served));
    }

    /// Returns the current state.
    #[must_use]
    pub fn served(&self) -> Arc<Served<S>> {
        self.0.load_full()
    }

    /// Answers a request with the current service.
    pub(super) fn respond<B>(
        &self,
        request: Request<Incoming>,
        connection: &mut S::Connection,
    ) -> Responding<B, S::Future>
    where
        S: HttpService<B>,
    {
        self.0.load().service.respond(request, connection)
    }
}

/// Implemented by hand: a derived `Clone` would require `S: Clone`.
impl<S> Clone for Live<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
