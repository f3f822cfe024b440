//! The vendor's two routes.

use std::sync::RwLock;

use http::{Method, StatusCode, request::Parts};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::{
    super::{
        Envelope, Options,
        gate::{self, Answer, Gate, Rules, Vendor},
        lock::read,
        query::Query,
    },
    CORPORATION_ID, CREDENTIAL, Customer,
    cursor::Cursors,
    error::Problem,
    filter::Filter,
    table::Table,
    view::{CustomerView, Extend, ListBody, Wrapped},
};

/// The vendor and what it holds.
#[derive(Debug)]
pub struct Service {
    gate: Gate,
    seed: u64,
    envelope: Envelope,
    customers: RwLock<Table>,
}

impl Service {
    pub(crate) fn new(options: &Options, customers: Vec<Customer>) -> Self {
        Self {
            gate: Gate::new(
                options,
                Rules {
                    credential: CREDENTIAL,
                    // Our choice: the vendor is silent (FACTS).
                    per_second: 5,
                    retry_after: Some("1"),
                },
            ),
            seed: options.seed,
            envelope: options.envelope,
            customers: RwLock::new(Table::new(options.seed, customers)),
        }
    }

    fn list(&self, query: Option<&str>) -> Result<Answer, Problem> {
        let mut parameters = vec!["cursor", "limit", "extend"];
        parameters.extend(Filter::PARAMETERS);
        let query = Query::parse(query, &parameters, &[])?;
        let filter = Filter::parse(&query)?;
        let extend = Extend::parse(&query)?;
        let limit = query.limit()?;
        if filter.corporation_id() != CORPORATION_ID {
            return Err(Problem::no_corporation());
        }

        let table = read(&self.customers);
        let cursors = Cursors::new(self.seed, &query);
        let start = query.get("cursor").map(|cursor| cursors.read(cursor)).transpose()?.map(|id| table.rank(&id));

        let mut total = 0;
        let mut rows = Vec::with_capacity(limit);
        let mut more = false;
        for (rank, customer) in table.ranked() {
            if !filter.keeps(customer) {
                continue;
            }
            total += 1;
            if start.is_some_and(|start| *rank <= start) {
                continue;
            }
            if rows.len() < limit {
                rows.push(customer);
            } else {
                more = true;
            }
        }
        let body = ListBody {
            total_customers: total,
            cursor: rows.last().filter(|_| more).map(|last| cursors.after(&last.id)),
            customers: rows.into_iter().map(|customer| CustomerView::listed(customer, extend)).collect(),
        };
        Ok(self.enveloped(&body, "Successfully fetched customers."))
    }

    /// The page of retrieve is not at hand: `extend` is the one parameter that makes sense there.
    fn retrieve(&self, id: &str, query: Option<&str>) -> Result<Answer, Problem> {
        let query = Query::parse(query, &["extend"], &[])?;
        let extend = Extend::parse(&query)?;
        let table = read(&self.customers);
        let customer = table.get(id).ok_or_else(Problem::no_customer)?;
        Ok(self.enveloped(&CustomerView::retrieved(customer, extend), "Successfully fetched customer."))
    }

    fn enveloped(&self, body: &impl Serialize, message: &'static str) -> Answer {
        match self.envelope {
            Envelope::Wrapped => gate::json(StatusCode::OK, &Wrapped { data: body, message }),
            Envelope::Flat => gate::json(StatusCode::OK, body),
        }
    }
}

impl Vendor for Service {
    const BASE_PATH: &'static str = "/api/v1";

    type Customer = Customer;
    type Customers = Table;

    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn customers(&self) -> &RwLock<Table> {
        &self.customers
    }

    fn route(&self, request: &Parts) -> Answer {
        let path = request.uri.path();
        let query = request.uri.query();
        // Split before it is decoded, so that an id may hold `%2F`.
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let answer = match segments[..] {
            ["api", "v1", "customers"] | ["api", "v1", "customers", _] if request.method != Method::GET => {
                Err(Problem::of(StatusCode::METHOD_NOT_ALLOWED))
            }
            ["api", "v1", "customers"] => self.list(query),
            ["api", "v1", "customers", id] => self.retrieve(&percent_decode_str(id).decode_utf8_lossy(), query),
            _ => Err(Problem::of(StatusCode::NOT_FOUND)),
        };
        answer.unwrap_or_else(|problem| problem.answer(path))
    }

    fn error(&self, status: StatusCode, path: &str) -> Answer {
        Problem::of(status).answer(path)
    }
}
