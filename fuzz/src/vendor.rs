//! A vendor without sockets.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use customer_gateway::{
    upstream::{SendError, Transport},
    vendors::VendorRequest,
};
use http::{HeaderMap, Response};

/// A vendor that answers with the current script. Clones share the script.
#[derive(Clone, Default)]
pub struct Vendor(Arc<Mutex<Option<Script>>>);

type Script = Box<dyn FnMut(&VendorRequest) -> Response<Bytes> + Send>;

impl Vendor {
    /// Returns a vendor with this body for every request.
    pub fn answering(body: &'static [u8]) -> Self {
        let vendor = Self::default();
        vendor.answer_with(move |_| Response::new(Bytes::from_static(body)));
        vendor
    }

    /// Replaces the script.
    pub fn answer_with(&self, script: impl FnMut(&VendorRequest) -> Response<Bytes> + Send + 'static) {
        *self.0.lock().expect("no script panics") = Some(Box::new(script));
    }
}

#[async_trait]
impl Transport for Vendor {
    async fn exchange(&self, request: &VendorRequest, _: HeaderMap) -> Result<Response<Bytes>, SendError> {
        let mut script = self.0.lock().expect("no script panics");
        Ok(script.as_mut().map_or_else(Response::default, |script| script(request)))
    }

    // The scripts have no connections.
    fn renew(&self) {}
}

impl std::fmt::Debug for Vendor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vendor")
    }
}

/// Returns a parameter of a vendor request.
pub fn parameter(request: &VendorRequest, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(request.query.as_bytes());
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
