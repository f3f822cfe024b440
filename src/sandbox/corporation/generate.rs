//! Generated rows of the corporation vendor, including the anomalies that FACTS lists.

use fastrand::Rng;

use super::{
    super::{
        Data, Field,
        names::{COMPANY, FAMILY, FORM, TRADE},
        random::{id, one_in, pick, sometimes_missing, uuid},
    },
    Address, CORPORATION_ID, Certificate, Customer,
};

/// 2023-01-01.
const FIRST_DAY: i64 = 1_672_531_200;
const DAY: i64 = 86_400;

const PLATFORMS: &[&str] = &["stripe", "shopify", "quickbooks", "xero", "netsuite"];

/// Country, state, city, postal code.
const PLACES: &[(&str, &str, &str, &str)] = &[
    ("US", "CA", "San Francisco", "94105"),
    ("US", "NY", "Brooklyn", "11201"),
    ("US", "TX", "Austin", "78701"),
    ("US", "WA", "Seattle", "98101"),
    ("US", "IL", "Chicago", "60601"),
    ("CA", "QC", "Montréal", "H2Y 1C6"),
    ("GB", "", "London", "EC1A 1BB"),
    ("DE", "BY", "München", "80331"),
    ("FR", "", "Saint-Étienne", "42000"),
    ("IN", "KA", "Bengaluru", "560001"),
    ("JP", "", "東京", "100-0001"),
    ("BR", "SP", "São Paulo", "01310-100"),
];

const JURISDICTIONS: &[&str] = &["US_CA", "US_NY", "US_TX", "US_WA", "US_IL", "US_FL"];

/// Generates customers.
pub(crate) fn generate(seed: u64, customers: usize) -> Vec<Customer> {
    let mut rng = Rng::with_seed(seed);
    (0..customers)
        .map(|n| {
            let id = if n == 0 { Data::SHARED_ID.to_owned() } else { id(&mut rng, "cust_") };
            customer(&mut rng, n, id)
        })
        .collect()
}

/// Generates the customer with this number and id.
pub(super) fn customer(rng: &mut Rng, n: usize, id: String) -> Customer {
    let name = company(rng);
    let created_at = rng.i64(FIRST_DAY..Certificate::TODAY - 400 * DAY);
    let platform = (!one_in(rng, 4)).then(|| pick(rng, PLATFORMS));
    let exempt = one_in(rng, 3);
    let certificates = if exempt { rng.usize(1..4) } else { 0 };
    Customer {
        name: sometimes_missing(rng, 60, name),
        email: {
            let email = email(rng, n);
            sometimes_missing(rng, 15, email)
        },
        corporation_id: CORPORATION_ID.to_owned(),
        // Older variants have no creation time (FACTS).
        created_at: if one_in(rng, 50) { Field::Absent } else { created_at.into() },
        source_platform: platform.map_or(Field::Absent, Field::from),
        source_platform_id: platform.map_or(Field::Absent, |platform| Field::Value(format!("{platform}_{n}"))),
        external_id: if one_in(rng, 3) { Field::Value(format!("crm-{n}")) } else { Field::Absent },
        business_identification_number: match rng.u8(..4) {
            0 => Field::Value(format!("DE{:09}", rng.u32(..1_000_000_000))),
            1 => Field::Value(format!("{:02}-{:07}", rng.u32(10..99), rng.u32(..10_000_000))),
            2 => Field::Null,
            _ => Field::Absent,
        },
        shipping_address: match rng.u8(..10) {
            0 => Field::Null,
            1 => Field::Absent,
            _ => address(rng).into(),
        },
        exemption_certificates: (0..certificates).map(|_| certificate(rng, &id, created_at)).collect(),
        id,
        ..Customer::default()
    }
}

/// Generates a name. Some customers share a name, as branches do.
pub(super) fn company(rng: &mut Rng) -> String {
    format!("{} {} {}", pick(rng, COMPANY), pick(rng, TRADE), pick(rng, FORM))
}

/// Generates the email address of the customer with this number.
fn email(rng: &mut Rng, n: usize) -> String {
    let (_, family) = pick(rng, FAMILY);
    format!("{family}@company{n}.example")
}

/// Generates an address in either spelling, or with a country only (FACTS, case 17).
fn address(rng: &mut Rng) -> Address {
    let (country, state, city, postal_code) = pick(rng, PLACES);
    let country_only = Address { country: country.to_owned(), ..Address::default() };
    if one_in(rng, 8) {
        return country_only;
    }
    let street = format!("{} {} Street", rng.u32(1..2_000), pick(rng, &["Main", "Oak", "Market", "Elm", "High"]));
    let suite = if one_in(rng, 3) { Field::Value(format!("Suite {}", rng.u32(1..900))) } else { Field::Null };
    let lines = if rng.bool() {
        Address { line1: street.into(), line2: suite, ..country_only }
    } else {
        Address {
            address_line_1: street.into(),
            address_line_2: suite,
            address_line_3: if one_in(rng, 4) { "c/o Accounts Payable".into() } else { Field::Absent },
            ..country_only
        }
    };
    Address {
        city: city.into(),
        state: if state.is_empty() { Field::Null } else { state.into() },
        postal_code: postal_code.into(),
        ..lines
    }
}

fn certificate(rng: &mut Rng, customer_id: &str, since: i64) -> Certificate {
    let issued_at = rng.i64(since..Certificate::TODAY);
    Certificate {
        id: id(rng, "cert_"),
        // Some certificates expired before the sandbox's current day, some expire later, some never.
        expiring_at: (!one_in(rng, 6)).then(|| issued_at + rng.i64(90..1_000) * DAY),
        issued_at,
        country: "US".to_owned(),
        jurisdiction: pick(rng, JURISDICTIONS).to_owned(),
        status: pick(rng, &["ACTIVE", "ACTIVE", "ACTIVE", "INACTIVE"]).to_owned(),
        verification_status: pick(rng, &["VERIFIED", "PENDING"]).to_owned(),
        r#type: pick(rng, &["SINGLE_STATE", "MULTI_STATE", "BLANKET", "PURPOSE_WHOLESALE"]).to_owned(),
        customer_id: customer_id.to_owned(),
        file_id: rng.bool().then(|| uuid(rng)),
        created_at: issued_at,
    }
}
