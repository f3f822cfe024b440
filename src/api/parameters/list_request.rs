//! List requests.

use crate::{
    callers::Access,
    directory::PageRequest,
    domain::{
        connection::ConnectionName,
        parameter::Parameter,
        projection::Projection,
        query::{ListQuery, Order, Resource},
    },
    web::{
        problem::{Code, Problem},
        query::QueryString,
    },
};

use super::{
    BatchRequest, ListParts,
    connections::requested_connections,
    fields::{reject_customer_disclosure, reject_disclosure},
    filter::filter,
    id::customer_id,
    page::page_request,
    shape::{RowParameters, row_parameters},
    tables::{CUSTOMER_FILTERS, ID, TRANSACTION_FILTERS, list_parameters, single_connection_parameters},
};

/// Maximum number of combinations of the values that vendors take one at a time.
const MAX_ALTERNATIVES: usize = 50;

/// A request for a list.
#[derive(Debug)]
pub(crate) struct ListRequest {
    /// Filter, order and shape of the rows.
    pub(crate) query: ListQuery,
    /// Fields of the rows that remain; `None` for all fields.
    pub(crate) projection: Option<Projection>,
    /// Page and connections.
    pub(crate) page: PageRequest,
    /// Parameter that limits a page, if present. Exports reject it.
    pub(crate) page_limit: Option<&'static str>,
    /// Checkpoints of an export, if requested. Pages reject the parameter.
    pub(crate) marks: Option<Marks>,
}

/// A request to `GET /customers`.
#[derive(Debug)]
pub(crate) enum CustomersRequest {
    /// A list.
    List(Box<ListRequest>),
    /// Customers by id.
    Batch(Box<BatchRequest>),
}

/// Checkpoints that an export contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    /// All checkpoints.
    All,
    /// The last checkpoint of an NDJSON stream.
    None,
}

impl CustomersRequest {
    /// Reads a request to `GET /customers`. The parameter `id` selects a batch.
    pub(crate) fn new(parts: &ListParts) -> Result<Self, Problem> {
        let mut known = list_parameters(CUSTOMER_FILTERS);
        known.push(ID);
        let parameters = QueryString::parse(parts.query.as_deref(), &known)?;
        if parameters.many(ID).next().is_some() {
            BatchRequest::new(&parameters, parts).map(|request| Self::Batch(Box::new(request)))
        } else {
            ListRequest::customers_by(&parameters, parts).map(|request| Self::List(Box::new(request)))
        }
    }
}

impl ListRequest {
    /// Reads a request for a list of customers.
    pub(crate) fn customers(parts: &ListParts) -> Result<Self, Problem> {
        let parameters = QueryString::parse(parts.query.as_deref(), &list_parameters(CUSTOMER_FILTERS))?;
        Self::customers_by(&parameters, parts)
    }

    fn customers_by(parameters: &QueryString<'_>, parts: &ListParts) -> Result<Self, Problem> {
        let query = list_query(parameters, Resource::Customers, &parts.access)?;
        let connections = requested_connections(parameters, &parts.directory, &parts.access)?;
        Self::new(query, parameters, connections, parts)
    }

    /// Reads a request for a list of transactions.
    pub(crate) fn transactions(parts: &ListParts) -> Result<Self, Problem> {
        let parameters = QueryString::parse(parts.query.as_deref(), &list_parameters(TRANSACTION_FILTERS))?;
        let (mut query, projection) = list_query(&parameters, Resource::Transactions, &parts.access)?;
        let mut connections = requested_connections(&parameters, &parts.directory, &parts.access)?;
        if let Some(id) = query.filter.customer_id.take() {
            // The id of the customer contains the connection.
            let (holder, vendor_id) = customer_id(&id, &parts.access, &parts.directory)?;
            connections.retain(|connection| *connection == holder);
            if connections.is_empty() {
                let detail = format!("the customer belongs to `{holder}`, which `connection` does not include");
                return Err(Problem::new(Code::InvalidParameter, detail).parameter(Parameter::CustomerId.name()));
            }
            query.filter.customer_id = Some(vendor_id);
        }
        Self::new((query, projection), &parameters, connections, parts)
    }

    /// Reads a request for the transactions of one customer.
    pub(crate) fn customer_transactions(parts: &ListParts, id: &str) -> Result<Self, Problem> {
        let filters = TRANSACTION_FILTERS.iter().copied().filter(|parameter| *parameter != Parameter::CustomerId);
        let parameters = QueryString::parse(parts.query.as_deref(), &single_connection_parameters(filters))?;
        let (mut query, projection) = list_query(&parameters, Resource::Transactions, &parts.access)?;
        let (connection, vendor_id) = customer_id(id, &parts.access, &parts.directory)?;
        query.filter.customer_id = Some(vendor_id);
        reject_customer_disclosure(&parts.access)?;
        Self::new((query, projection), &parameters, vec![connection], parts)
    }

    fn new(
        (mut query, projection): (ListQuery, Option<Projection>),
        parameters: &QueryString<'_>,
        connections: Vec<ConnectionName>,
        parts: &ListParts,
    ) -> Result<Self, Problem> {
        let page_limit = ["limit", "max_calls"].into_iter().find(|name| parameters.many(name).next().is_some());
        let marks = marks(parameters)?;
        let alternatives = query.alternative_count();
        if alternatives > MAX_ALTERNATIVES {
            let detail = format!(
                "the values of `status` and `partner_id` have {alternatives} combinations, and a list takes at most {MAX_ALTERNATIVES}; name fewer values"
            );
            return Err(Problem::new(Code::InvalidParameter, detail).parameter(Parameter::PartnerId.name()));
        }
        if alternatives > 1 {
            // The lists of the values are merged, which requires an order.
            query.order.get_or_insert(Order::Desc);
        }
        let page = page_request(parameters, connections, parts)?;
        if page.limit == 0 {
            if page.cursor.is_some() {
                let detail = "`limit=0` counts the whole list; remove `cursor`, or request rows";
                return Err(Problem::new(Code::InvalidParameter, detail).parameter("cursor"));
            }
            // A vendor without an order would be read completely.
            query.order = None;
        }
        Ok(Self { query, projection, page, page_limit, marks })
    }

    /// Rejects the parameters that apply to exports only.
    pub(crate) fn reject_export_parameters(&self) -> Result<(), Problem> {
        if self.marks.is_none() {
            return Ok(());
        }
        let detail = "`marks` applies to exports only; remove `marks`, or accept `application/x-ndjson` or `text/csv`";
        Err(Problem::new(Code::InvalidParameter, detail).parameter("marks"))
    }
}

fn list_query(
    parameters: &QueryString<'_>,
    resource: Resource,
    access: &Access,
) -> Result<(ListQuery, Option<Projection>), Problem> {
    let RowParameters { shape, projection } = row_parameters(parameters, resource, access)?;
    let query = ListQuery { resource, filter: filter(parameters)?, order: order(parameters)?, shape };
    reject_disclosure(&query, access)?;
    Ok((query, projection))
}

fn marks(parameters: &QueryString<'_>) -> Result<Option<Marks>, Problem> {
    let marks = |text| match text {
        "all" => Ok(Marks::All),
        "none" => Ok(Marks::None),
        _ => Err(Problem::invalid("marks", "`all` or `none`", text)),
    };
    parameters.one("marks")?.map(marks).transpose()
}

fn order(parameters: &QueryString<'_>) -> Result<Option<Order>, Problem> {
    let order = |text| match text {
        "asc" => Ok(Order::Asc),
        "desc" => Ok(Order::Desc),
        _ => Err(Problem::invalid("order", "`asc` or `desc`", text)),
    };
    parameters.one("order")?.map(order).transpose()
}
