//! A vendor of the sandbox, beside its contract.

use std::sync::Arc;

use bytes::Bytes;
use customer_gateway::{
    domain::{
        anchor::{Anchor, Neighbour},
        page::RecordPage,
    },
    sandbox::Sandbox,
    vendors::{Account, Call, Vendor, VendorResponse, registry::kind},
};
use http::{Request, Response, header::AUTHORIZATION};

use super::contract::Contract;

/// A simulated vendor, asked over a socket.
pub(super) struct Simulated {
    pub(super) contract: Contract,
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
        Self {
            contract: Contract::of(vendor),
            adapter: (kind(vendor).unwrap().adapter)(account),
            base_url,
            credential: credential.to_owned(),
            client: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(),
        }
    }

    /// Asks with the vendor's credential.
    pub(super) fn asking(&self, target: &str) -> Request<()> {
        Request::get(target).header(AUTHORIZATION, format!("Bearer {}", self.credential)).body(()).unwrap()
    }

    /// The answer to a request.
    pub(super) async fn answer(&self, request: &Request<()>) -> Response<Bytes> {
        let url = format!("{}{}", self.base_url, request.uri());
        let sent = self.client.get(url).headers(request.headers().clone()).send().await.unwrap();
        let (status, headers) = (sent.status(), sent.headers().clone());
        let mut answer = Response::new(sent.bytes().await.unwrap());
        (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
        answer
    }

    /// The answer to a request, which is in the contract.
    pub(super) async fn documented(&self, request: &Request<()>) -> Response<Bytes> {
        let answer = self.answer(request).await;
        let strays = self.contract.strays_of_answer(request, &answer);
        assert!(strays.is_empty(), "{}: {answer:?}: {strays:#?}", request.uri());
        answer
    }

    /// The answer to an adapter's call, where the adapter can make it. Both the
    /// request and the answer are in the contract.
    pub(super) async fn call(&self, call: &Call) -> Option<Response<Bytes>> {
        let request = self.adapter.request(call).ok()?;
        let request = self.asking(&format!("{}?{}", request.path, request.query));
        assert_eq!(self.contract.strays_of_request(&request), Vec::<String>::new(), "{}", request.uri());
        Some(self.documented(&request).await)
    }

    /// All pages of a list, and how many rows they hold.
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

    /// The page that a call gets.
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
