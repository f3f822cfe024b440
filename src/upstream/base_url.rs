//! Base URL of a vendor's API.

use std::sync::Arc;

use url::Url;

use crate::vendors::VendorRequest;

/// Base URL without its trailing slashes.
#[derive(Debug, Clone)]
pub(super) struct BaseUrl(Arc<str>);

impl BaseUrl {
    pub(super) fn new(url: &Url) -> Self {
        Self(url.as_str().trim_end_matches('/').into())
    }

    /// Returns the URL of a request.
    pub(super) fn join(&self, request: &VendorRequest) -> String {
        let mut url = format!("{}{}", self.0, request.path);
        if !request.query.is_empty() {
            url.push('?');
            url.push_str(&request.query);
        }
        url
    }
}
