//! Parameters of requests: from the query string to a typed request.

mod batch_request;
mod connections;
mod documented;
mod fields;
mod filter;
mod id;
mod instant;
mod list_parts;
mod list_request;
mod page;
mod shape;
mod tables;

pub(super) use batch_request::BatchRequest;
pub(super) use connections::requested_connections;
pub(super) use documented::{
    BatchParameters, ConnectionParameters, CustomerExpansion, CustomerParameters, CustomerShapeParameters,
    DocumentedMarks, ExportParameters, Include, PageParameters, Partial, TransactionExpansion, TransactionParameters,
    TransactionShapeParameters,
};
pub(super) use id::{customer_id, missing_customer, path_id, unknown_connection};
pub(super) use list_parts::ListParts;
pub(super) use list_request::{CustomersRequest, ListRequest, Marks};
pub(super) use shape::customer_shape;
pub(super) use tables::{CUSTOMER_FILTERS, TRANSACTION_FILTERS};
