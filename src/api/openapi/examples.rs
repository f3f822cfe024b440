//! Examples of answers and problems: what the gateway answered, recorded by a
//! test (`tests/it/contract/examples.rs`) that also holds it to them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use utoipa::openapi::{
    OpenApi, RefOr,
    example::{Example, ExampleBuilder},
};

use crate::{api::openapi::conventions, web::problem::Code};

/// By problem code, and by `operationId` and a name.
#[derive(Deserialize, Default)]
struct Recorded {
    problems: BTreeMap<String, Value>,
    answers: BTreeMap<String, BTreeMap<String, Answer>>,
}

#[derive(Deserialize)]
struct Answer {
    request: String,
    response: Value,
}

/// Adds them.
pub(super) fn add(document: &mut OpenApi) {
    let Recorded { mut problems, mut answers } =
        serde_json::from_str(include_str!("examples.json")).unwrap_or_default();
    let mut referred = BTreeSet::new();
    for operation in conventions::operations(document) {
        let responses = operation.responses.responses.values_mut().filter_map(of_its_own);
        let contents = responses.flat_map(|response| response.content.values_mut()).filter_map(of_its_own);
        referred.extend(contents.flat_map(|content| content.examples.keys().cloned()));
        let answers = operation.operation_id.as_ref().and_then(|id| answers.remove(id)).unwrap_or_default();
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("200") {
            for content in response.content.values_mut().filter_map(of_its_own) {
                content
                    .examples
                    .extend(answers.iter().map(|(name, answer)| (name.clone(), RefOr::T(answer.example()))));
            }
        }
    }
    // No operation answers that it takes no such method.
    let problems = Code::ALL.iter().filter(|code| referred.contains(code.name())).filter_map(|code| {
        let value = problems.remove(code.name())?;
        let example = ExampleBuilder::new().summary(code.title()).description(code.help()).value(Some(value)).build();
        Some((code.name().to_owned(), RefOr::T(example)))
    });
    document.components.get_or_insert_default().examples.extend(problems);
}

fn of_its_own<T>(value: &mut RefOr<T>) -> Option<&mut T> {
    match value {
        RefOr::T(value) => Some(value),
        RefOr::Ref(_) => None,
    }
}

impl Answer {
    fn example(&self) -> Example {
        ExampleBuilder::new().summary(format!("GET {}", self.request)).value(Some(self.response.clone())).build()
    }
}
