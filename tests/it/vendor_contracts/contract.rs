//! A vendor's contract, and violations of the contract.

use bytes::Bytes;
use http::{Request, Response, header::AUTHORIZATION};

use super::{document::Document, operation::Operation};

/// Operations of a vendor's contract.
pub(super) struct Contract {
    operations: Vec<Operation>,
}

impl Contract {
    /// Loads the contract of a vendor.
    pub(super) fn load(vendor: &str) -> Self {
        let document = Document::load(vendor);
        for scheme in document.components.security_schemes.values() {
            assert_eq!((&*scheme.r#type, &*scheme.scheme), ("http", "bearer"), "vendors use bearer tokens only");
        }
        assert_eq!(document.security.len(), 1, "every operation requires the credential");
        let operations = document.paths.into_iter().flat_map(|(path, methods)| {
            methods.into_iter().map(move |(method, operation)| Operation::new(&method, &path, operation))
        });
        Self { operations: operations.collect() }
    }

    /// Returns the operation that a request matches.
    pub(super) fn operation(&self, request: &Request<()>) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.matches(request.method(), request.uri().path()))
    }

    /// Returns the violations in a request.
    pub(super) fn request_violations(&self, request: &Request<()>) -> Vec<String> {
        let Some(operation) = self.operation(request) else {
            return vec![format!("no operation matches {} {}", request.method(), request.uri().path())];
        };
        let mut violations = operation.path_violations(request.uri().path());
        violations.extend(operation.query_violations(request.uri().query().unwrap_or_default()));
        let credential = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if credential.and_then(|value| value.strip_prefix("Bearer ")).is_none_or(str::is_empty) {
            violations.push("there is no bearer credential".to_owned());
        }
        violations
    }

    /// Returns the violations in the response to a request.
    pub(super) fn response_violations(&self, request: &Request<()>, answer: &Response<Bytes>) -> Vec<String> {
        match self.operation(request) {
            Some(operation) => operation.response_violations(answer),
            None => vec![format!("no operation matches {} {}", request.method(), request.uri().path())],
        }
    }
}
