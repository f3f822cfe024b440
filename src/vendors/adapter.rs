//! The vendor adapter: vendor-specific questions, and the shared code around
//! them.

use std::collections::BTreeSet;

use crate::domain::{anchor::Anchor, connection::ConnectionName, page::RecordPage};

use super::{
    Call, VendorError, VendorRefusal, VendorRequest, VendorResponse,
    classify::classify,
    documented::UnknownField,
    error_body::{ErrorBody, is_markup},
    plan::{Plan, RetrievalPlan},
};

/// Maximum length of a path and query in bytes. The `http` crate accepts URLs of
/// at most 65,534 bytes, and the base URL is a part of them.
const MAX_TARGET: usize = 60 << 10;

/// An account at a vendor.
#[derive(Debug, Clone)]
pub struct Account {
    /// The connection that is configured for the account.
    pub connection: ConnectionName,
    /// The account's id at the vendor: the id of a program or corporation.
    pub id: String,
}

/// Translation for one account at a vendor.
pub trait Vendor: Send + Sync {
    /// Returns the request for the page of a list at an anchor.
    fn list_request(&self, plan: &Plan, anchor: &Anchor) -> Result<VendorRequest, VendorError>;

    /// Returns the request for one customer.
    fn retrieve_request(&self, plan: &RetrievalPlan) -> Result<VendorRequest, VendorError>;

    /// Reads the page of a list from the body of a successful response.
    fn read_list(&self, plan: &Plan, anchor: &Anchor, body: &[u8]) -> Result<ResponseBody, VendorError>;

    /// Reads one customer from the body of a successful response.
    fn read_one(&self, plan: &RetrievalPlan, body: &[u8]) -> Result<ResponseBody, VendorError>;

    /// Reads the refusal from a response without records.
    fn refusal(&self, response: &VendorResponse) -> VendorRefusal;

    /// Returns the fields of a response that the vendor does not document, each
    /// once. This parses the response a second time.
    fn unknown_fields(&self, call: &Call, response: &VendorResponse) -> BTreeSet<UnknownField>;
}

/// The content of a successful response.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one value exists per response, and a refusal is rare")]
pub enum ResponseBody {
    /// The requested records; exactly one record for a retrieval.
    Records(RecordPage),
    /// A refusal.
    Refusal,
}

impl dyn Vendor {
    /// Returns the request for a call. Fails if the vendor's cursor is too long for
    /// a URL, because a call would count as a failure of the vendor.
    pub fn request(&self, call: &Call) -> Result<VendorRequest, VendorError> {
        let request = match call {
            Call::List(plan, anchor) => self.list_request(plan, anchor),
            Call::Retrieve(plan) => self.retrieve_request(plan),
        }?;
        if request.path.len() + request.query.len() > MAX_TARGET {
            return Err(VendorError::Unreadable("the cursor is too long for a URL".to_owned()));
        }
        Ok(request)
    }

    /// Reads the response to a call, and classifies a response without records.
    pub fn read(&self, call: &Call, response: &VendorResponse) -> Result<RecordPage, VendorError> {
        let VendorResponse { status, body } = response;
        let refused = || Err(classify(call, body, self.refusal(response)));
        // Other successes have no content, or only part of it. A proxy that
        // changes a response may send 203 (RFC 9110, section 15.3.4).
        if !matches!(status, 200 | 203) || is_markup(body) {
            return refused();
        }
        let content = match call {
            Call::List(plan, anchor) => self.read_list(plan, anchor, body),
            Call::Retrieve(plan) => self.read_one(plan, body),
        };
        match content {
            Ok(ResponseBody::Refusal) => refused(),
            // The records may be incomplete because of the error.
            Ok(ResponseBody::Records(_)) if ErrorBody::is_stated(body) => refused(),
            Ok(ResponseBody::Records(page)) => Ok(page),
            Err(error) => {
                let refusal = self.refusal(response);
                if ErrorBody::read(body).is_error || refusal.meaning.is_some() {
                    Err(classify(call, body, refusal))
                } else {
                    Err(error)
                }
            }
        }
    }
}
