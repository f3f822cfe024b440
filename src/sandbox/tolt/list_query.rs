//! List requests, with the parameters that Tolt's pages list.

use super::{
    super::{
        ToltSearch,
        query::{InvalidParameter, Query},
    },
    expand::{Expand, Object},
    table::{Order, Position, Selection},
    timestamp,
};

/// Request for a list of customers.
#[derive(Debug)]
pub(crate) struct CustomerListQuery {
    pub(crate) common: CommonQuery,
    pub(crate) status: Option<String>,
    /// Part of the email address.
    pub(crate) search: Option<String>,
}

/// Request for a list of transactions.
#[derive(Debug)]
pub(crate) struct TransactionListQuery {
    pub(crate) common: CommonQuery,
    /// Tolt's id of the customer.
    pub(crate) customer_id: Option<String>,
}

/// Parameters of both lists.
#[derive(Debug)]
pub(crate) struct CommonQuery {
    pub(crate) program_id: String,
    pub(crate) partner_id: Option<String>,
    pub(crate) expand: Expand,
    pub(crate) selection: Selection,
}

impl CustomerListQuery {
    /// Parses the query of the page of list customers.
    pub(crate) fn parse(query: Option<&str>, search: ToltSearch) -> Result<Self, InvalidParameter> {
        let own: &[&str] = if search == ToltSearch::Reject { &["status"] } else { &["status", "search"] };
        let query = parse_parameters(query, own)?;
        let status = query.get("status");
        if let Some(status) = status
            && !["lead", "trialing", "active", "canceled"].contains(&status)
        {
            return Err(InvalidParameter::new("status", "status must be lead, trialing, active or canceled"));
        }
        Ok(Self {
            common: CommonQuery::new(&query, &[Object::Partner, Object::Program])?,
            status: status.map(str::to_owned),
            search: query.get("search").filter(|_| search == ToltSearch::Accept).map(str::to_owned),
        })
    }
}

impl TransactionListQuery {
    /// Parses the query of the page of list transactions.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, InvalidParameter> {
        let query = parse_parameters(query, &["customer_id"])?;
        Ok(Self {
            common: CommonQuery::new(&query, &[Object::Customer, Object::Program, Object::Partner])?,
            customer_id: query.get("customer_id").map(str::to_owned),
        })
    }
}

impl CommonQuery {
    fn new(query: &Query, expandable: &[Object]) -> Result<Self, InvalidParameter> {
        let order = match query.get("order") {
            None | Some("desc") => Order::Descending,
            Some("asc") => Order::Ascending,
            Some(_) => return Err(InvalidParameter::new("order", "order must be asc or desc")),
        };
        let position = match (query.get("starting_after"), query.get("ending_before")) {
            (None, None) => Position::Start,
            (Some(id), None) => Position::After(id.to_owned()),
            (None, Some(id)) => Position::Before(id.to_owned()),
            (Some(_), Some(_)) => {
                let message = "ending_before must not be combined with starting_after";
                return Err(InvalidParameter::new("ending_before", message));
            }
        };
        Ok(Self {
            expand: Expand::parse_list(query, expandable)?,
            program_id: query.required("program_id")?.to_owned(),
            partner_id: query.get("partner_id").map(str::to_owned),
            selection: Selection {
                order,
                position,
                limit: query.limit()?,
                created_gte: timestamp::parse_parameter(query, "created_gte")?,
                created_lte: timestamp::parse_parameter(query, "created_lte")?,
            },
        })
    }
}

/// Parses the parameters of a list. `own` are the parameters that the other list does not have.
fn parse_parameters(query: Option<&str>, own: &[&str]) -> Result<Query, InvalidParameter> {
    let common =
        ["program_id", "partner_id", "order", "created_gte", "created_lte", "limit", "starting_after", "ending_before"];
    Query::parse(query, &[own, &common].concat(), &["expand[]"])
}
