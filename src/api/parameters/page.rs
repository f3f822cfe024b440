//! Parameters of a page.

use crate::{
    directory::PageRequest,
    domain::connection::ConnectionName,
    web::{cache_control, prefer, problem::Problem, query::QueryString},
};

use super::ListParts;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// Reads the parameters and headers of a page.
pub(super) fn page_request(
    parameters: &QueryString<'_>,
    connections: Vec<ConnectionName>,
    parts: &ListParts,
) -> Result<PageRequest, Problem> {
    Ok(PageRequest {
        are_named: connections.len() == 1 || parameters.many("connection").next().is_some(),
        connections,
        is_lenient: prefer::is_lenient(&parts.headers),
        allows_partial: allows_partial(parameters)?,
        max_calls: max_calls(parameters, parts.directory.max_calls())?,
        limit: limit(parameters)?,
        cursor: parameters.one("cursor")?.map(str::to_owned),
        directives: cache_control::parse(&parts.headers),
        caller: parts.access.caller_share(),
        deadline: parts.deadline,
    })
}

fn limit(parameters: &QueryString<'_>) -> Result<usize, Problem> {
    let Some(text) = parameters.one("limit")? else { return Ok(DEFAULT_LIMIT) };
    let limit = text.parse().ok().filter(|limit| *limit <= MAX_LIMIT);
    limit.ok_or_else(|| Problem::invalid("limit", "a whole number from 0 to 100", text))
}

fn max_calls(parameters: &QueryString<'_>, configured: u32) -> Result<Option<u32>, Problem> {
    let calls = |text: &str| {
        let calls = text.parse().ok().filter(|calls| (1..=configured).contains(calls));
        calls.ok_or_else(|| Problem::invalid("max_calls", &format!("a whole number from 1 to {configured}"), text))
    };
    parameters.one("max_calls")?.map(calls).transpose()
}

fn allows_partial(parameters: &QueryString<'_>) -> Result<bool, Problem> {
    match parameters.one("partial")? {
        None | Some("deny") => Ok(false),
        Some("allow") => Ok(true),
        Some(other) => Err(Problem::invalid("partial", "`allow` or `deny`", other)),
    }
}
