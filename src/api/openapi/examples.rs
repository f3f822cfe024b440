//! Examples of responses and problems. `tests/it/contract/examples.rs` records
//! them from a running gateway and compares them with its responses.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use utoipa::openapi::{
    OpenApi, RefOr,
    example::{Example, ExampleBuilder},
};

use crate::{api::openapi::conventions, web::problem::Code};

/// The recorded examples.
#[derive(Deserialize, Default)]
struct Recorded {
    /// Problems by code.
    problems: BTreeMap<String, Value>,
    /// Responses by `operationId` and name.
    responses: BTreeMap<String, BTreeMap<String, RecordedResponse>>,
}

#[derive(Deserialize)]
struct RecordedResponse {
    request: String,
    response: Value,
}

/// Adds the recorded examples to a document.
pub(super) fn add(document: &mut OpenApi) {
    let Recorded { mut problems, responses: mut recorded } =
        serde_json::from_str(include_str!("examples.json")).unwrap_or_default();
    let mut referenced = BTreeSet::new();
    for operation in conventions::operations(document) {
        let responses = operation.responses.responses.values_mut().filter_map(inline);
        let contents = responses.flat_map(|response| response.content.values_mut()).filter_map(inline);
        referenced.extend(contents.flat_map(|content| content.examples.keys().cloned()));
        let recorded = operation.operation_id.as_ref().and_then(|id| recorded.remove(id)).unwrap_or_default();
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("200") {
            for content in response.content.values_mut().filter_map(inline) {
                let examples = recorded.iter().map(|(name, recorded)| (name.clone(), RefOr::T(recorded.example())));
                content.examples.extend(examples);
            }
        }
    }
    // Some recorded problems belong to no operation, such as a wrong method.
    let problems = Code::ALL.iter().filter(|code| referenced.contains(code.name())).filter_map(|code| {
        let value = problems.remove(code.name())?;
        let example = ExampleBuilder::new().summary(code.title()).description(code.help()).value(Some(value)).build();
        Some((code.name().to_owned(), RefOr::T(example)))
    });
    document.components.get_or_insert_default().examples.extend(problems);
}

/// Returns a value that is not a reference.
fn inline<T>(value: &mut RefOr<T>) -> Option<&mut T> {
    match value {
        RefOr::T(value) => Some(value),
        RefOr::Ref(_) => None,
    }
}

impl RecordedResponse {
    fn example(&self) -> Example {
        ExampleBuilder::new().summary(format!("GET {}", self.request)).value(Some(self.response.clone())).build()
    }
}
