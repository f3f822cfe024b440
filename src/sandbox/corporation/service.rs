//! Routes of the vendor.

use std::sync::RwLock;

use fastrand::Rng;
use http::{Method, StatusCode, request::Parts};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::{
    super::{
        Envelope, Options,
        changes::Change,
        gate::{Gate, Settings},
        lie::PageLies,
        lock::read,
        query::Query,
        response::{BufferedResponse, ok},
        vendor::Vendor,
    },
    CORPORATION_ID, CREDENTIAL, Customer,
    change::{change_customer, new_customer},
    cursor::CursorCodec,
    error::ErrorResponse,
    extend::Extend,
    filter::Filter,
    table::Table,
    view::{CustomerView, ListBody, Wrapped},
};

/// Simulated corporation vendor with its rows.
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
                Settings {
                    credential: CREDENTIAL,
                    // Our choice: the vendor documents no limit (FACTS).
                    requests_per_second: 5,
                    retry_after: Some("1"),
                },
            ),
            seed: options.seed,
            envelope: options.envelope,
            customers: RwLock::new(Table::new(options.seed, customers)),
        }
    }

    fn list(&self, query: Option<&str>) -> Result<BufferedResponse, ErrorResponse> {
        let lies = self.gate.lies.next_page();
        let response = self.list_page(query, &lies)?;
        lies.change(&self.customers);
        Ok(response)
    }

    fn list_page(&self, query: Option<&str>, lies: &PageLies) -> Result<BufferedResponse, ErrorResponse> {
        let mut parameters = vec!["cursor", "limit", "extend"];
        parameters.extend(Filter::PARAMETERS);
        let query = Query::parse(query, &parameters, &[])?;
        let filter = Filter::parse(&query)?;
        let extend = Extend::parse(&query)?;
        let limit = query.limit()?;
        if filter.corporation_id() != CORPORATION_ID {
            return Err(ErrorResponse::unknown_corporation());
        }

        let table = read(&self.customers);
        let codec = CursorCodec::new(self.seed, &query);
        let cursor = query.get("cursor");
        let start = cursor.map(|cursor| codec.decode(cursor)).transpose()?.map(|id| table.rank(&id));

        let matching = |customer: &&Customer| filter.matches(customer);
        let total = if filter.selects_all() {
            table.count(filter.corporation_id())
        } else {
            table.rows().filter(matching).count()
        };
        let mut rows: Vec<_> = table.rows_after(start).filter(matching).take(limit + 1).collect();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|last| codec.encode(&last.id));
        let body = ListBody {
            total_customers: lies.total(total),
            cursor: cursor.filter(|_| lies.repeats_cursor()).map(str::to_owned).or(next),
            customers: rows.into_iter().map(|customer| CustomerView::listed(customer, extend)).collect(),
        };
        Ok(self.success(&body, "Successfully fetched customers."))
    }

    /// Retrieves one customer. The vendor's page of retrieve is not available, so `extend` is the only
    /// parameter: it is the only list parameter that applies to one customer.
    fn retrieve(&self, id: &str, query: Option<&str>) -> Result<BufferedResponse, ErrorResponse> {
        let query = Query::parse(query, &["extend"], &[])?;
        let extend = Extend::parse(&query)?;
        let table = read(&self.customers);
        let customer = table.get(id).ok_or_else(ErrorResponse::unknown_customer)?;
        Ok(self.success(&CustomerView::retrieved(customer, extend), "Successfully fetched customer."))
    }

    fn success(&self, body: &impl Serialize, message: &'static str) -> BufferedResponse {
        match self.envelope {
            Envelope::Wrapped => ok(&Wrapped { data: body, message }),
            Envelope::Flat => ok(body),
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

    fn change(&self, rng: &mut Rng, change: Change) {
        change.apply(rng, &self.customers, |rng, number| new_customer(rng, number, change.at), change_customer);
    }

    fn route(&self, request: &Parts) -> BufferedResponse {
        let path = request.uri.path();
        let query = request.uri.query();
        // The path is split before decoding, because an id may contain `%2F`.
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let response = match segments[..] {
            ["api", "v1", "customers"] | ["api", "v1", "customers", _] if request.method != Method::GET => {
                Err(ErrorResponse::from_status(StatusCode::METHOD_NOT_ALLOWED))
            }
            ["api", "v1", "customers"] => self.list(query),
            ["api", "v1", "customers", id] => self.retrieve(&percent_decode_str(id).decode_utf8_lossy(), query),
            _ => Err(ErrorResponse::from_status(StatusCode::NOT_FOUND)),
        };
        response.unwrap_or_else(|error| error.into_response(path))
    }

    fn error(&self, status: StatusCode, path: &str) -> BufferedResponse {
        ErrorResponse::from_status(status).into_response(path)
    }
}
