//! Routes of Tolt.

use std::{collections::HashMap, sync::RwLock};

use fastrand::Rng;
use http::{Method, StatusCode, request::Parts};
use percent_encoding::percent_decode_str;

use super::{
    super::{
        Options, ToltSearch,
        changes::{Change, random_id},
        gate::{Gate, Settings},
        lie::PageLies,
        lock::{read, write},
        response::{BufferedResponse, ok},
        vendor::Vendor,
    },
    CREDENTIAL, Customer, Data, Partner, Program, Transaction,
    change::{change_customer, change_transaction, new_customer, new_transaction},
    error::ErrorResponse,
    expand::Expand,
    list_query::{CustomerListQuery, TransactionListQuery},
    table::{Filter, Position, Table},
    view::{DataBody, ListBody, RelatedRows},
};

/// Simulated Tolt with its rows.
#[derive(Debug)]
pub struct Service {
    gate: Gate,
    program: Program,
    partners: HashMap<String, Partner>,
    search: RwLock<ToltSearch>,
    // Lock order: customers, then transactions.
    customers: RwLock<Table<Customer>>,
    transactions: RwLock<Table<Transaction>>,
}

impl Service {
    pub(crate) fn new(options: &Options, data: Data) -> Self {
        Self {
            gate: Gate::new(
                options,
                Settings {
                    credential: CREDENTIAL,
                    requests_per_second: 25,
                    // v1 names no rate header (FACTS).
                    retry_after: None,
                },
            ),
            program: data.program,
            partners: data.partners.into_iter().map(|partner| (partner.id.clone(), partner)).collect(),
            search: RwLock::new(options.tolt_search),
            customers: RwLock::new(Table::new(data.customers)),
            transactions: RwLock::new(Table::new(data.transactions)),
        }
    }

    pub(crate) fn program_id(&self) -> &str {
        &self.program.id
    }

    pub(crate) fn set_search(&self, search: ToltSearch) {
        *write(&self.search) = search;
    }

    pub(crate) fn transactions(&self) -> &RwLock<Table<Transaction>> {
        &self.transactions
    }

    fn related<'a>(&'a self, customers: &'a Table<Customer>, transactions: &'a Table<Transaction>) -> RelatedRows<'a> {
        RelatedRows { program: &self.program, partners: &self.partners, customers, transactions }
    }

    fn check_program(&self, id: &str) -> Result<(), ErrorResponse> {
        if id == self.program.id { Ok(()) } else { Err(ErrorResponse::not_found("Program")) }
    }

    fn list_customers(&self, query: Option<&str>) -> Result<BufferedResponse, ErrorResponse> {
        let lies = self.gate.lies.next_page();
        let response = self.customer_page(query, &lies)?;
        lies.change(&self.customers);
        Ok(response)
    }

    fn customer_page(&self, query: Option<&str>, lies: &PageLies) -> Result<BufferedResponse, ErrorResponse> {
        let CustomerListQuery { mut common, status, search } = CustomerListQuery::parse(query, *read(&self.search))?;
        self.check_program(&common.program_id)?;
        let (customers, transactions) = (read(&self.customers), read(&self.transactions));
        let related = self.related(&customers, &transactions);

        if lies.repeats_cursor() {
            common.selection.position = Position::Start;
        }
        let search = search.map(|part| part.to_lowercase());
        let filter = |customer: &Customer| {
            matches(common.partner_id.as_deref(), customer.partner_id.as_str())
                && matches(status.as_deref(), customer.status.as_str())
                && search.as_deref().is_none_or(|part| contains(customer.email.as_str(), part))
        };
        let is_filtered = common.partner_id.is_some() || status.is_some() || search.is_some();
        let filter = is_filtered.then_some(&filter as Filter<'_, Customer>);
        let page = customers.page(&common.selection, &common.program_id, filter)?;
        let rows: Vec<_> = page.rows.into_iter().map(|customer| related.customer(customer, &common.expand)).collect();
        Ok(ok(&ListBody {
            success: true,
            has_more: page.has_more || lies.repeats_cursor(),
            total_count: lies.total(page.total),
            data: DataBody { success: None, data: rows },
        }))
    }

    fn retrieve_customer(&self, id: &str, query: Option<&str>) -> Result<BufferedResponse, ErrorResponse> {
        let expand = Expand::parse_retrieve(query)?;
        let (customers, transactions) = (read(&self.customers), read(&self.transactions));
        let customer = customers.get(id).ok_or_else(|| ErrorResponse::not_found("Customer"))?;
        Ok(ok(&DataBody {
            success: Some(true),
            data: self.related(&customers, &transactions).customer(customer, &expand),
        }))
    }

    fn list_transactions(&self, query: Option<&str>) -> Result<BufferedResponse, ErrorResponse> {
        let lies = self.gate.lies.next_page();
        let response = self.transaction_page(query, &lies)?;
        lies.change(&self.transactions);
        Ok(response)
    }

    fn transaction_page(&self, query: Option<&str>, lies: &PageLies) -> Result<BufferedResponse, ErrorResponse> {
        let TransactionListQuery { mut common, customer_id } = TransactionListQuery::parse(query)?;
        self.check_program(&common.program_id)?;
        let (customers, transactions) = (read(&self.customers), read(&self.transactions));
        let related = self.related(&customers, &transactions);

        if lies.repeats_cursor() {
            common.selection.position = Position::Start;
        }
        let filter = |transaction: &Transaction| {
            matches(common.partner_id.as_deref(), transaction.partner_id.as_str())
                && matches(customer_id.as_deref(), Some(&transaction.customer_id))
        };
        let is_filtered = common.partner_id.is_some() || customer_id.is_some();
        let filter = is_filtered.then_some(&filter as Filter<'_, Transaction>);
        let page = transactions.page(&common.selection, &common.program_id, filter)?;
        let rows: Vec<_> =
            page.rows.into_iter().map(|transaction| related.transaction(transaction, &common.expand)).collect();
        Ok(ok(&ListBody {
            success: true,
            has_more: page.has_more || lies.repeats_cursor(),
            total_count: lies.total(page.total),
            data: rows,
        }))
    }
}

impl Vendor for Service {
    const BASE_PATH: &'static str = "";

    type Customer = Customer;
    type Customers = Table<Customer>;

    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn customers(&self) -> &RwLock<Table<Customer>> {
        &self.customers
    }

    fn change(&self, rng: &mut Rng, change: Change) {
        let mut partners: Vec<&Partner> = self.partners.values().collect();
        partners.sort_unstable_by_key(|partner| &partner.id);
        change.apply(
            rng,
            &self.customers,
            |rng, number| Customer {
                program_id: self.program.id.clone(),
                ..new_customer(rng, number, change.at, &partners)
            },
            |rng, customer| change_customer(rng, customer, change.at),
        );
        let payer = {
            let customers = read(&self.customers);
            random_id(rng, &*customers).and_then(|id| customers.get(&id).cloned())
        };
        if let Some(payer) = payer {
            change.apply(
                rng,
                &self.transactions,
                |rng, _| new_transaction(rng, change.at, &payer),
                |rng, transaction| change_transaction(rng, transaction, change.at),
            );
        }
    }

    fn route(&self, request: &Parts) -> BufferedResponse {
        let query = request.uri.query();
        // The path is split before decoding, because an id may contain `%2F`.
        let segments: Vec<&str> = request.uri.path().split('/').skip(1).collect();
        let response = match segments[..] {
            ["v1", "customers" | "transactions"] | ["v1", "customers", _] if request.method != Method::GET => {
                Err(ErrorResponse::from_status(StatusCode::METHOD_NOT_ALLOWED))
            }
            ["v1", "customers"] => self.list_customers(query),
            ["v1", "customers", id] => self.retrieve_customer(&percent_decode_str(id).decode_utf8_lossy(), query),
            ["v1", "transactions"] => self.list_transactions(query),
            _ => Err(ErrorResponse::from_status(StatusCode::NOT_FOUND)),
        };
        response.unwrap_or_else(ErrorResponse::into_response)
    }

    fn error(&self, status: StatusCode, _path: &str) -> BufferedResponse {
        ErrorResponse::from_status(status).into_response()
    }
}

/// Returns true if a row's value contains a text in lower case, without regard to the value's case.
fn contains(value: Option<&str>, part: &str) -> bool {
    value.is_some_and(|value| value.to_lowercase().contains(part))
}

/// Returns true if a row's value equals the requested value, or if no value is requested.
fn matches(requested: Option<&str>, value: Option<&str>) -> bool {
    requested.is_none() || requested == value
}
