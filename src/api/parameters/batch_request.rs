//! Requests for a batch: customers by id.

use crate::{
    directory::{PageRequest, Source},
    domain::{
        batch::{BatchQuery, CustomerId, MAX_IDS},
        connection::ConnectionName,
        projection::Projection,
        query::Resource,
    },
    web::{
        problem::{Code, Problem},
        query::QueryString,
    },
};

use super::{
    ListParts,
    id::customer_id,
    page::page_request,
    shape::{RowParameters, row_parameters},
    tables::{BATCH_PARAMETERS, ID},
};

/// A request for a batch.
#[derive(Debug)]
pub(crate) struct BatchRequest {
    /// Ids and shape of the customers.
    pub(crate) query: BatchQuery,
    /// Fields of the customers that remain; `None` for all fields.
    pub(crate) projection: Option<Projection>,
    /// Page, with the connections of the ids. Its limit counts ids.
    pub(crate) page: PageRequest,
}

impl BatchRequest {
    /// Reads a request for a batch. Rejects the parameters of lists.
    pub(super) fn new(parameters: &QueryString<'_>, parts: &ListParts) -> Result<Self, Problem> {
        if let Some(name) = parameters.names().find(|name| !BATCH_PARAMETERS.contains(name)) {
            let detail = format!("`{name}` cannot be combined with `id`; remove one of the parameters");
            return Err(Problem::new(Code::InvalidParameter, detail)
                .parameter(name.to_owned())
                .supported(BATCH_PARAMETERS.iter().copied()));
        }
        let ids = ids(parameters, parts)?;
        let RowParameters { shape, projection } = row_parameters(parameters, Resource::Customers, &parts.access)?;
        let query = BatchQuery { ids, shape };
        let page = page_request(parameters, connections(&query, parts), parts)?;
        // Some generated clients send the documented default of `limit`.
        let limit = if parameters.many("limit").next().is_some() { page.limit } else { query.ids.len() };
        if limit == 0 {
            return Err(Problem::invalid("limit", "a whole number from 1 to 100", "0"));
        }
        Ok(Self { page: PageRequest { limit, ..page }, query, projection })
    }
}

/// Reads the ids, each once.
fn ids(parameters: &QueryString<'_>, parts: &ListParts) -> Result<Vec<CustomerId>, Problem> {
    let mut ids = Vec::new();
    for text in parameters.many(ID) {
        let id = customer_id(text, &parts.access, &parts.directory);
        let (connection, vendor_id) = id.map_err(|problem| problem.parameter(ID))?;
        let id = CustomerId { connection, vendor_id };
        if ids.contains(&id) {
            continue;
        }
        if ids.len() == MAX_IDS {
            let detail = format!("`{ID}` takes at most {MAX_IDS} different ids; split the request");
            return Err(Problem::new(Code::InvalidParameter, detail).parameter(ID));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Returns the connections of the ids, in configuration order.
fn connections(query: &BatchQuery, parts: &ListParts) -> Vec<ConnectionName> {
    let names: Vec<_> = query.ids.iter().map(|id| id.connection.as_str()).collect();
    // `customer_id` has rejected ids of unknown connections.
    let sources = parts.directory.sources_named(&names).unwrap_or_default();
    sources.into_iter().map(Source::name).cloned().collect()
}
