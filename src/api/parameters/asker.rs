//! Who asks for a list, and with which words.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{HeaderMap, request::Parts};

use crate::directory::Directory;

use super::super::{ApiState, access::Access, problem::Problem};

/// What the question of a list is read from.
#[derive(Debug)]
pub(in crate::api) struct ListParts {
    pub(in crate::api) headers: HeaderMap,
    pub(super) query: Option<String>,
    pub(super) access: Access,
    /// The connections that there are to ask.
    pub(super) directory: Arc<Directory>,
}

impl FromRequestParts<ApiState> for ListParts {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Self::Rejection> {
        Ok(Self {
            headers: parts.headers.clone(),
            query: parts.uri.query().map(str::to_owned),
            access: Access::from_request_parts(parts, state).await?,
            directory: Arc::clone(&state.directory),
        })
    }
}
