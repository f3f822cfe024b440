//! A vendor of the sandbox, with its contract.

use std::sync::Arc;

use bytes::Bytes;
use customer_gateway::{
    domain::{
        anchor::{Anchor, Neighbour},
        page::RecordPage,
    },
    sandbox::Sandbox,
    vendors::{Account, Call, Vendor, VendorResponse, kind::VendorKind, registry::by_name},
};
use http::{Request, Response, header::AUTHORIZATION};

use super::contract::Contract;

/// Simulated vendor, called over a socket.
pub(super) struct Simulated {
    pub(super) contract: Contract,
    pub(super) kind: &'static VendorKind,
    pub(super) adapter: Box<dyn Vendor>,
    base_url: String,
    credential: String,
    client: reqwest::Client,
}

impl Simulated {
    /// The sandbox's Tolt.
    pub(super) fn tolt(sandbox: &Sandbox) -> Self {
        let tolt = sandbox.tolt();
        Self::new("tolt", tolt.base_url(), tolt.credential(), tolt.program_id())
    }

    /// The sandbox's corporation vendor.
    pub(super) fn corporation(sandbox: &Sandbox) -> Self {
        let corporation = sandbox.corporation();
        Self::new("corporation", corporation.base_url(), corporation.credential(), corporation.corporation_id())
    }

    fn new(vendor: &str, base_url: String, credential: &str, account: &str) -> Self {
        let account = Account { connection: "sandbox".parse().unwrap(), id: account.to_owned() };
        let kind = by_name(vendor).unwrap();
        Self {
            contract: Contract::load(vendor),
            kind,
            adapter: (kind.adapter)(account),
            base_url,
            credential: credential.to_owned(),
            client: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(),
        }
    }

    /// Builds a request with the vendor's credential.
    pub(super) fn request(&self, target: &str) -> Request<()> {
        Request::get(target).header(AUTHORIZATION, format!("Bearer {}", self.credential)).body(()).unwrap()
    }

    /// Sends a request.
    pub(super) async fn send(&self, request: &Request<()>) -> Response<Bytes> {
        let url = format!("{}{}", self.base_url, request.uri());
        let sent = self.client.get(url).headers(request.headers().clone()).send().await.unwrap();
        let (status, headers) = (sent.status(), sent.headers().clone());
        let mut answer = Response::new(sent.bytes().await.unwrap());
        (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
        answer
    }

    /// Sends a request. Asserts that the response is in the contract.
    pub(super) async fn send_documented(&self, request: &Request<()>) -> Response<Bytes> {
        let answer = self.send(request).await;
        let violations = self.contract.response_violations(request, &answer);
        assert!(violations.is_empty(), "{}: {answer:?}: {violations:#?}", request.uri());
        answer
    }

    /// Sends an adapter's call, or returns `None` if the adapter refuses the
    /// call. Asserts that the request and the response are in the contract.
    pub(super) async fn call(&self, call: &Call) -> Option<Response<Bytes>> {
        let request = self.adapter.request(call).ok()?;
        let request = self.request(&format!("{}?{}", request.path, request.query));
        assert_eq!(self.contract.request_violations(&request), Vec::<String>::new(), "{}", request.uri());
        Some(self.send_documented(&request).await)
    }

    /// Walks a list. Returns the number of pages and of rows.
    pub(super) async fn walk(&self, start: &Call) -> (usize, usize) {
        let (mut pages, mut rows) = (0, 0);
        let mut call = start.clone();
        loop {
            let page = self.page(&call).await;
            (pages, rows) = (pages + 1, rows + page.len());
            let Neighbour::At(anchor) = page.info().next.clone() else { return (pages, rows) };
            call = at(start, anchor);
        }
    }

    /// Returns the page for a call.
    pub(super) async fn page(&self, call: &Call) -> RecordPage {
        let answer = self.call(call).await.unwrap();
        let status = answer.status().as_u16();
        self.adapter.read(call, &VendorResponse { status, body: answer.into_body() }).unwrap()
    }
}

fn at(start: &Call, anchor: Anchor) -> Call {
    let Call::List(plan, _) = start else { panic!("only lists have pages") };
    Call::List(Arc::clone(plan), anchor)
}
