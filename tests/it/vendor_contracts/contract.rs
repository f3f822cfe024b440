//! A vendor's contract, and what in an exchange strays from it.

use bytes::Bytes;
use http::{Request, Response, header::AUTHORIZATION};

use super::{document::Document, operation::Operation};

/// What a vendor is asked and answers, as its contract has it.
pub(super) struct Contract {
    operations: Vec<Operation>,
}

impl Contract {
    /// The contract of a kind of vendor.
    pub(super) fn of(vendor: &str) -> Self {
        let document = Document::of(vendor);
        for scheme in document.components.security_schemes.values() {
            assert_eq!((&*scheme.r#type, &*scheme.scheme), ("http", "bearer"), "no vendor has another");
        }
        assert_eq!(document.security.len(), 1, "every operation takes the credential");
        let operations = document.paths.into_iter().flat_map(|(path, methods)| {
            methods.into_iter().map(move |(method, operation)| Operation::new(&method, &path, operation))
        });
        Self { operations: operations.collect() }
    }

    /// The operation that a request asks for.
    pub(super) fn operation(&self, request: &Request<()>) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.takes(request.method(), request.uri().path()))
    }

    /// What in a request the contract does not know.
    pub(super) fn strays_of_request(&self, request: &Request<()>) -> Vec<String> {
        let Some(operation) = self.operation(request) else {
            return vec![format!("no operation is {} {}", request.method(), request.uri().path())];
        };
        let mut strays = operation.strays_of_path(request.uri().path());
        strays.extend(operation.strays_of_query(request.uri().query().unwrap_or_default()));
        let credential = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if credential.and_then(|value| value.strip_prefix("Bearer ")).is_none_or(str::is_empty) {
            strays.push("there is no bearer credential".to_owned());
        }
        strays
    }

    /// What in the answer to a request the contract does not know.
    pub(super) fn strays_of_answer(&self, request: &Request<()>, answer: &Response<Bytes>) -> Vec<String> {
        match self.operation(request) {
            Some(operation) => operation.strays_of_answer(answer),
            None => vec![format!("no operation is {} {}", request.method(), request.uri().path())],
        }
    }
}
