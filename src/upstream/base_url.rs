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
        let separator = if request.query.is_empty() { "" } else { "?" };
        [&*self.0, &*request.path, separator, &*request.query].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_are_appended_to_the_base() {
        let request = |query: &str| VendorRequest { path: "/v1/customers".to_owned(), query: query.to_owned() };
        for (base, expected) in [
            ("https://vendor.test", "https://vendor.test/v1/customers"),
            ("https://vendor.test/", "https://vendor.test/v1/customers"),
            ("http://vendor.test:8080/api//", "http://vendor.test:8080/api/v1/customers"),
        ] {
            let base = BaseUrl::new(&Url::parse(base).unwrap());
            assert_eq!(base.join(&request("")), expected);
            assert_eq!(base.join(&request("expand[]=a%2Fb")), format!("{expected}?expand[]=a%2Fb"));
        }
    }
}
