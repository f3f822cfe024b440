//! Who asks for a list, and with which words.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{HeaderMap, request::Parts};

use crate::{api::state::ApiState, callers::Access, directory::Directory, web::problem::Problem};

/// What the question of a list is read from.
#[derive(Debug)]
pub(crate) struct ListParts {
    pub(crate) headers: HeaderMap,
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
