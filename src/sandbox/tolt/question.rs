//! What a request asks of Tolt, in the parameters that its pages list.

use jiff::Timestamp;

use super::{
    super::query::{Query, Refusal},
    table::{Order, Position, Selection},
};

/// An object that can be shown inside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Customer,
    Partner,
    Program,
    Stats,
}

impl Object {
    fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Partner => "partner",
            Self::Program => "program",
            Self::Stats => "stats",
        }
    }
}

/// The objects that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Expand(Vec<Object>);

/// A list of customers.
#[derive(Debug)]
pub(crate) struct CustomersQuestion {
    pub(crate) common: Common,
    pub(crate) status: Option<String>,
}

/// A list of transactions.
#[derive(Debug)]
pub(crate) struct TransactionsQuestion {
    pub(crate) common: Common,
    /// Tolt's id of the customer.
    pub(crate) customer_id: Option<String>,
}

/// What both lists can be asked.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) program_id: String,
    pub(crate) partner_id: Option<String>,
    pub(crate) expand: Expand,
    pub(crate) selection: Selection,
}

impl CustomersQuestion {
    /// The parameters of the page of list customers.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Refusal> {
        let query = Query::parse(
            query,
            &[
                "program_id",
                "partner_id",
                "order",
                "status",
                "created_gte",
                "created_lte",
                "limit",
                "starting_after",
                "ending_before",
            ],
            &["expand[]"],
        )?;
        let status = query.get("status");
        if let Some(status) = status
            && !["lead", "trialing", "active", "canceled"].contains(&status)
        {
            return Err(Refusal::new("status", "status must be lead, trialing, active or canceled"));
        }
        Ok(Self {
            common: Common::parse(&query, &[Object::Partner, Object::Program])?,
            status: status.map(str::to_owned),
        })
    }
}

impl TransactionsQuestion {
    /// The parameters of the page of list transactions.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Refusal> {
        let query = Query::parse(
            query,
            &[
                "program_id",
                "partner_id",
                "customer_id",
                "order",
                "created_gte",
                "created_lte",
                "limit",
                "starting_after",
                "ending_before",
            ],
            &["expand[]"],
        )?;
        Ok(Self {
            common: Common::parse(&query, &[Object::Customer, Object::Program, Object::Partner])?,
            customer_id: query.get("customer_id").map(str::to_owned),
        })
    }
}

impl Expand {
    /// The parameters of the page of retrieve customer.
    pub(crate) fn of_customer(query: Option<&str>) -> Result<Self, Refusal> {
        let query = Query::parse(query, &[], &["expand[]", "include[]"])?;
        let mut expand = Self::default();
        expand.add(&query, "expand[]", &[Object::Partner, Object::Program])?;
        expand.add(&query, "include[]", &[Object::Stats])?;
        Ok(expand)
    }

    pub(crate) fn has(&self, object: Object) -> bool {
        self.0.contains(&object)
    }

    fn add(&mut self, query: &Query, parameter: &str, allowed: &[Object]) -> Result<(), Refusal> {
        for value in query.all(parameter) {
            let object = allowed.iter().find(|object| object.name() == value);
            let unknown = || Refusal::new(parameter, format!("{parameter} does not know {value}"));
            self.0.push(*object.ok_or_else(unknown)?);
        }
        Ok(())
    }
}

impl Common {
    fn parse(query: &Query, expandable: &[Object]) -> Result<Self, Refusal> {
        let order = match query.get("order") {
            None | Some("desc") => Order::Descending,
            Some("asc") => Order::Ascending,
            Some(_) => return Err(Refusal::new("order", "order must be asc or desc")),
        };
        let position = match (query.get("starting_after"), query.get("ending_before")) {
            (None, None) => Position::Start,
            (Some(id), None) => Position::After(id.to_owned()),
            (None, Some(id)) => Position::Before(id.to_owned()),
            (Some(_), Some(_)) => {
                return Err(Refusal::new("ending_before", "starting_after and ending_before exclude each other"));
            }
        };
        let mut expand = Expand::default();
        expand.add(query, "expand[]", expandable)?;
        Ok(Self {
            program_id: query.required("program_id")?.to_owned(),
            partner_id: query.get("partner_id").map(str::to_owned),
            expand,
            selection: Selection {
                order,
                position,
                limit: query.limit()?,
                created_gte: instant(query, "created_gte")?,
                created_lte: instant(query, "created_lte")?,
            },
        })
    }
}

/// An RFC 3339 date-time in UTC: the format that we chose to send (FACTS), and no other, so that a
/// local offset or a `+` that became a space shows.
fn instant(query: &Query, parameter: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = query.get(parameter) else {
        return Ok(None);
    };
    let separators: Vec<u8> = [4, 7, 10, 13, 16].iter().filter_map(|&at| text.as_bytes().get(at).copied()).collect();
    // jiff alone would also read a space for the T, no seconds, and a zone in brackets.
    let utc = separators == b"--T::" && (text.ends_with('Z') || text.ends_with("+00:00"));
    utc.then(|| text.parse().ok())
        .flatten()
        .map(Some)
        .ok_or_else(|| Refusal::new(parameter, format!("{parameter} must be an RFC 3339 date-time in UTC")))
}
