//! Extractor for list requests.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{HeaderMap, Uri, request::Parts};

use crate::{
    api::{auth::Authorized, state::ApiState},
    callers::Access,
    directory::{Deadline, Directory},
    web::problem::Problem,
};

/// Extractor for the parts of an HTTP request that define a list request.
#[derive(Debug)]
pub(crate) struct ListParts {
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// Target of the request.
    pub(crate) target: Uri,
    /// Query string.
    pub(super) query: Option<String>,
    /// Access rights of the caller.
    pub(crate) access: Access,
    /// Instant by which the response must be complete.
    pub(super) deadline: Deadline,
    /// Configured connections.
    pub(crate) directory: Arc<Directory>,
}

impl FromRequestParts<ApiState> for ListParts {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Self::Rejection> {
        let Authorized(access) = Authorized::from_request_parts(parts, state).await?;
        Ok(Self {
            headers: parts.headers.clone(),
            target: parts.uri.clone(),
            query: parts.uri.query().map(str::to_owned),
            access,
            deadline: Deadline::within(state.request_timeout, &*state.clock),
            directory: Arc::clone(&state.directory),
        })
    }
}
