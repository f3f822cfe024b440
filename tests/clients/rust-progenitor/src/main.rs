use std::{collections::HashSet, env, fmt::Debug, time::Duration};

use anyhow::Context as _;
use async_stream::try_stream;
use customer_gateway_client::{
    Client, Error, ResponseValue,
    builder::ListCustomers,
    types::{Customer, CustomerExpansion, Include, Partial, Problem},
};
use futures::{Stream, TryStreamExt as _};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};

// docs:authenticate
fn authenticated(url: &str, key: &str) -> anyhow::Result<Client> {
    let mut bearer = HeaderValue::try_from(format!("Bearer {key}"))?;
    bearer.set_sensitive(true);
    let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
    let http = reqwest::Client::builder().default_headers(headers).build()?;
    Ok(Client::new_with_client(url, http))
}
// docs:end

// docs:walk
fn customers(query: ListCustomers<'_>) -> impl Stream<Item = Result<Customer, Error<Problem>>> {
    try_stream! {
        let mut query = query.limit(100u32);
        let mut retries = 0;
        loop {
            let wait = match query.clone().send().await {
                Ok(response) => {
                    let wait = retry_after(&response);
                    let page = response.into_inner();
                    for customer in page.data {
                        yield customer;
                    }
                    let Some(cursor) = page.page.next_cursor else { break };
                    query = query.cursor(cursor);
                    retries = 0;
                    wait.unwrap_or(0)
                }
                Err(Error::ErrorResponse(problem)) if problem.retryable && retries < 5 => {
                    retries += 1;
                    retry_after(&problem).unwrap_or(1)
                }
                Err(error) => Err(error)?,
            };
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
    }
}

fn retry_after<T>(response: &ResponseValue<T>) -> Option<u64> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()
}
// docs:end

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let [url, key, spent_key, later_url] = ["GATEWAY_URL", "GATEWAY_KEY", "SPENT_KEY", "LATER_URL"].map(env::var);
    let (url, key, spent_key, later_url) = (url?, key?, spent_key?, later_url?);
    let gateway = authenticated(&url, &key)?;

    walk(&gateway).await?;
    waits(&gateway).await?;
    parameters(&gateway).await?;
    selections(&gateway).await?;
    one_customer(&gateway).await?;
    lookups(&gateway).await?;
    problems(&gateway, &authenticated(&url, "wrong")?, &authenticated(&url, &spent_key)?).await?;
    drift(&gateway).await?;

    // A gateway of a later version, which sends members that the document lacks.
    let later = Client::new(&later_url).list_customers().send().await?;
    assert_eq!(later.data.len(), 2);
    Ok(())
}

/// Reads every customer of both connections, once each, as one list.
async fn walk(gateway: &Client) -> anyhow::Result<()> {
    let both = gateway.list_customers().connection(["affiliates", "tax"].map(str::to_owned));
    assert_eq!(ids_of(both).await?.len(), 12_500);
    Ok(())
}

/// Reads from connections that fail and recover.
async fn waits(gateway: &Client) -> anyhow::Result<()> {
    // Problems with `Retry-After`, for the first page and for the second.
    let busy = gateway.list_customers().connection(["busy".to_owned()]);
    assert_eq!(ids_of(busy).await?.len(), 150);

    // A page without the rows of a failed connection, which follow after the wait.
    let partial = gateway.list_customers().connection(["recovering", "busy"].map(str::to_owned));
    let ids = ids_of(partial.partial(Partial::Allow)).await?;
    assert_eq!(ids.len(), 153);
    assert!(ids[100].starts_with("recovering."), "{}", ids[100]);
    Ok(())
}

/// Reads a whole list. Checks that no customer comes twice.
async fn ids_of(query: ListCustomers<'_>) -> anyhow::Result<Vec<String>> {
    let ids: Vec<_> = customers(query).map_ok(|customer| customer.id).try_collect().await?;
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "a customer came twice");
    Ok(ids)
}

/// Passes arrays and date-times as parameters.
async fn parameters(gateway: &Client) -> anyhow::Result<()> {
    let affiliates = || gateway.list_customers().connection(["affiliates".to_owned()]);
    let tax = || gateway.list_customers().connection(["tax".to_owned()]);

    let expanded = affiliates().expand([CustomerExpansion::Partner, CustomerExpansion::Program]).send().await?;
    let mut referrals = expanded.data.iter().filter_map(|customer| customer.referral.as_ref());
    assert!(referrals.any(|referral| referral.partner.is_some() && referral.program.is_some()));

    let platforms = ["stripe", "xero"];
    let found = tax().source_platform(platforms.map(str::to_owned)).limit(100u32).send().await?;
    let found = found.data.iter().filter_map(|customer| customer.tax.as_ref()?.source_platform.as_deref());
    assert_eq!(found.collect::<HashSet<_>>(), HashSet::from(platforms));

    let statuses = ["active", "lead"];
    let found = affiliates().status(statuses.map(str::to_owned)).limit(100u32).send().await?;
    let found = found.data.iter().filter_map(|customer| customer.status.as_deref());
    assert_eq!(found.collect::<HashSet<_>>(), HashSet::from(statuses));

    let second = &expanded.data[1];
    let instant = second.created_at.context("the customer has no created_at")?;
    let then = affiliates().created_gte(instant).created_lte(instant).send().await?;
    assert!(then.data.iter().any(|customer| customer.id == second.id));
    assert!(then.data.iter().all(|customer| customer.created_at == Some(instant)));
    Ok(())
}

/// Selects fields, counts without reading a row, and reads the links of a page.
async fn selections(gateway: &Client) -> anyhow::Result<()> {
    let affiliates = || gateway.list_customers().connection(["affiliates".to_owned()]);
    let selected = affiliates().fields(["email", "referral.partner_id"].map(str::to_owned)).send().await?;
    assert!(selected.data.iter().any(|customer| customer.email.is_some() && customer.referral.is_some()));
    assert!(selected.data.iter().all(|customer| !customer.id.is_empty() && customer.status.is_none()));
    let mut referrals = selected.data.iter().filter_map(|customer| customer.referral.as_ref());
    assert!(referrals.all(|referral| referral.program_id.is_none()));

    let counted = affiliates().limit(0u32).send().await?;
    assert_eq!((counted.data.len(), counted.page.total), (0, Some(10_000)));

    let page = gateway.list_customers().connection(["tax".to_owned()]).send().await?;
    let cursor = page.page.next_cursor.as_deref().context("the list has one page")?;
    let links = page.headers()["link"].to_str()?;
    let next = links.split(", ").find(|link| link.ends_with(r#"; rel="next""#));
    assert!(next.context("the link is missing")?.contains(cursor), "{links}");
    Ok(())
}

/// Reads one customer and its transactions.
async fn one_customer(gateway: &Client) -> anyhow::Result<()> {
    let transactions = gateway.list_transactions().connection(["affiliates".to_owned()]).limit(1u32).send().await?;
    let id = transactions.data[0].customer_id.as_ref().context("the transaction has no customer")?;
    let customer = gateway.get_customer().id(id).send().await?;
    assert_eq!(customer.id, *id);
    let own = gateway.list_customer_transactions().id(id).send().await?;
    assert!(!own.data.is_empty());
    assert!(own.data.iter().all(|row| row.customer_id.as_ref() == Some(id) && row.amount.is_some()));

    // A conditional request: 304 without a body if nothing has changed.
    let etag = customer.headers()["etag"].to_str()?;
    let unchanged = gateway.get_customer().id(id).if_none_match(etag).send().await;
    assert_eq!(unchanged.unwrap_err().status().map(|status| status.as_u16()), Some(304));
    Ok(())
}

/// Looks customers up by id and by email address.
async fn lookups(gateway: &Client) -> anyhow::Result<()> {
    let first = |connection: &str| gateway.list_customers().connection([connection.to_owned()]).limit(1u32).send();
    let (affiliate, taxpayer) = (first("affiliates").await?, first("tax").await?);
    let (affiliate, taxpayer) = (&affiliate.data[0], &taxpayer.data[0]);

    // Several customers by id, in the order of the request.
    let [known, other] = [taxpayer.id.as_str(), affiliate.id.as_str()];
    let ids = [known, "affiliates.cust_nobody", other, known].map(str::to_owned);
    let batch = gateway.list_customers().id(ids).send().await?;
    let found: Vec<_> = batch.data.iter().map(|row| &row.id).collect();
    assert_eq!(found, [known, other]);
    let missing: Vec<_> = batch.sources.iter().map(|source| source.not_found.clone()).collect();
    assert_eq!(missing, [vec!["affiliates.cust_nobody".to_owned()], vec![]]);

    let email = taxpayer.email.as_ref().context("the customer has no email address")?.to_uppercase();
    let both = gateway.list_customers().connection(["affiliates", "tax"].map(str::to_owned));
    assert!(ids_of(both.email(email)).await?.contains(&taxpayer.id));
    Ok(())
}

async fn problems(gateway: &Client, stranger: &Client, spender: &Client) -> anyhow::Result<()> {
    let ask = |connection: &str| gateway.list_customers().connection([connection.to_owned()]);
    refused(ask("tax").cursor("nonsense").send().await, 400, "invalid_cursor");
    refused(stranger.list_connections().send().await, 401, "unauthenticated");
    refused(gateway.get_customer().id("affiliates.cust_nobody").send().await, 404, "customer_not_found");
    refused(ask("failing").send().await, 502, "vendor_error");
    let limited = refused(ask("limited").send().await, 503, "vendor_rate_limited");
    assert!(limited.headers()["retry-after"].to_str()?.parse::<u64>()? > 50);
    let spent = refused(spender.list_connections().send().await, 429, "quota_exceeded");
    assert!(spent.headers()["retry-after"].to_str()?.parse::<u64>()? > 50);
    assert!(spent.headers()["ratelimit"].to_str()?.starts_with(r#""quota";r=0;t="#));
    Ok(())
}

/// Checks that the error is a problem of the generated type.
fn refused<T: Debug>(
    response: Result<ResponseValue<T>, Error<Problem>>,
    status: u16,
    code: &str,
) -> ResponseValue<Problem> {
    let Err(Error::ErrorResponse(problem)) = response else { panic!("{response:?}") };
    assert_eq!((problem.status().as_u16(), problem.code.as_str()), (status, code));
    assert_eq!(problem.retry_after.map(i64::unsigned_abs), retry_after(&problem));
    problem
}

/// Reads from vendors that send unknown fields and values.
async fn drift(gateway: &Client) -> anyhow::Result<()> {
    let drifting = gateway.list_customers().connection(["drifting".to_owned()]);
    let drifting = drifting.expand([CustomerExpansion::Partner]).include([Include::Raw]).send().await?;
    let said: Vec<_> = drifting.data.iter().map(|row| (row.status.as_deref(), row.name.as_deref())).collect();
    assert_eq!(said, [(Some("hibernating"), Some("Jim")), (None, None), (None, None)]);
    let first = &drifting.data[0];
    let partner = first.referral.as_ref().and_then(|referral| referral.partner.as_ref());
    assert_eq!(partner.context("the partner is missing")?.status.as_deref(), Some("dormant"));
    assert!(first.raw.contains_key("unheard_of"));

    let tax = gateway.list_customers().connection(["drifting-tax".to_owned()]);
    let tax = tax.expand([CustomerExpansion::Exemption, CustomerExpansion::ShippingAddress]).send().await?;
    let [first, second, _] = tax.data.as_slice() else { panic!("{:?}", tax.data) };
    let first = first.tax.as_ref().context("the tax object is missing")?;
    assert_eq!(first.source_platform.as_deref(), Some("abacus"));
    assert_eq!(first.exemption.as_ref().context("the exemption is missing")?.certificate_types, ["VERBAL"]);
    assert!(second.tax.as_ref().context("the tax object is missing")?.exemption.is_none());
    Ok(())
}
