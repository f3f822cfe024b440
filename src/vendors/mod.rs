//! The vendors: translation of questions into their requests, and of their
//! answers into our pages.
//!
//! A vendor is synchronous and does no I/O: the same adapter runs behind a
//! socket, in a snapshot test and in a bench. Its wire types never leave its
//! folder. To add one, see `docs/ADDING_A_VENDOR.md`.

pub mod capabilities;
mod corporation;
pub mod documented;
pub mod plan;
mod query;
mod records;
mod refusal;
pub mod registry;
mod tolt;
mod wire;

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;

use crate::domain::{anchor::Anchor, connection::ConnectionName, page::RecordPage, parameter::Parameter, query::Shape};
use capabilities::Capabilities;
use documented::UnknownField;
use plan::{Plan, RetrievalPlan};

/// The largest page either vendor serves, and the only size the gateway asks
/// for: fetch wide, serve narrow.
pub const PAGE_SIZE: usize = 100;

/// What the gateway needs to know of a kind of vendor, for one account there.
pub trait Vendor: Send + Sync {
    /// What it can be asked, and by which of its own parameters.
    fn capabilities(&self) -> &'static Capabilities;

    /// The request that makes a call.
    fn request(&self, call: &Call) -> Result<VendorRequest, VendorError>;

    /// The records in the answer to a call; of a retrieval, exactly one.
    fn read(&self, call: &Call, response: &VendorResponse) -> Result<RecordPage, VendorError>;

    /// The fields of an answer that the vendor does not document, each once.
    /// Looking for them costs a reading of its own, which not every answer is
    /// worth.
    fn unknown_fields(&self, call: &Call, response: &VendorResponse) -> BTreeSet<UnknownField>;
}

/// The account that a vendor is asked about.
#[derive(Debug, Clone)]
pub struct Account {
    /// The connection it is configured as.
    pub connection: ConnectionName,
    /// The account's id at the vendor: a program's or a corporation's.
    pub id: String,
}

/// One call to a vendor.
#[derive(Debug, Clone)]
pub enum Call {
    /// The page of a list at an anchor.
    List(Arc<Plan>, Anchor),
    /// One customer.
    Retrieve(Arc<RetrievalPlan>),
}

impl Call {
    /// How much of each row is wanted.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        match self {
            Self::List(plan, _) => &plan.shape,
            Self::Retrieve(plan) => &plan.shape,
        }
    }
}

/// A `GET` to a vendor, relative to the connection's base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorRequest {
    /// The path, percent-encoded, from its slash on.
    pub path: String,
    /// The query, percent-encoded, without its question mark.
    pub query: String,
}

/// What a vendor answered.
#[derive(Debug, Clone)]
pub struct VendorResponse {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
}

/// Why a vendor's answer holds no records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VendorError {
    /// There is no such row.
    #[error("there is no such row")]
    NotFound,
    /// The vendor does not know the place that a walk had reached.
    #[error("the vendor refused the cursor")]
    CursorRefused(Refusal),
    /// The vendor refused a value that the caller gave.
    #[error("the vendor refused the value of `{0}`")]
    ValueRefused(Parameter, Refusal),
    /// The vendor refused the request for another reason.
    #[error("the vendor refused the request")]
    Rejected(Refusal),
    /// The vendor refused the connection's credential.
    #[error("the vendor refused the credential")]
    Unauthorized(Refusal),
    /// The vendor is asked too often.
    #[error("the vendor is asked too often")]
    RateLimited(Refusal),
    /// The vendor failed.
    #[error("the vendor failed")]
    Failed(Refusal),
    /// The vendor's answer cannot be read.
    #[error("the vendor's answer cannot be read: {0}")]
    Unreadable(String),
}

/// What a vendor said when it refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    /// The HTTP status, whatever a body says besides.
    pub status: u16,
    /// The vendor's code or type of error.
    pub code: Option<String>,
    /// The vendor's message.
    pub message: Option<String>,
}
