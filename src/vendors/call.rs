//! Vendor calls: the call itself, its request and its response.

use std::sync::Arc;

use bytes::Bytes;

use crate::domain::{anchor::Anchor, query::Shape};

use super::plan::{Plan, RetrievalPlan};

/// One call to a vendor.
#[derive(Debug, Clone)]
pub enum Call {
    /// A page of a list, at an anchor.
    List(Arc<Plan>, Anchor),
    /// One customer.
    Retrieve(Arc<RetrievalPlan>),
}

impl Call {
    /// Returns the requested content of each record.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        match self {
            Self::List(plan, _) => &plan.shape,
            Self::Retrieve(plan) => &plan.shape,
        }
    }
}

/// A `GET` request to a vendor, relative to the connection's base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorRequest {
    /// The path, percent-encoded, with its leading slash.
    pub path: String,
    /// The query, percent-encoded, without the question mark.
    pub query: String,
}

/// A vendor's response.
#[derive(Debug, Clone)]
pub struct VendorResponse {
    /// The HTTP status.
    pub status: u16,
    /// The complete body.
    pub body: Bytes,
}
