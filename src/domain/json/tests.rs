//! Comparison of the writer with `serde_json`.

use proptest::{collection::vec, option, prelude::*};
use serde::Serialize;

use super::*;
use crate::domain::{
    customer::{Address, Customer, Exemption, Source, Tax},
    referral::{Partner, Program, Referral, Stats},
    transaction::{CustomerSummary, Product, Transaction},
};

type Text = Option<Cow<'static, str>>;

fn written(value: &(impl WriteJson + ?Sized)) -> String {
    let mut out = b"before".to_vec();
    value.write_json(&mut out);
    String::from_utf8(out.split_off(6)).unwrap()
}

fn check(value: &(impl WriteJson + Serialize)) -> Result<(), TestCaseError> {
    prop_assert_eq!(written(value), serde_json::to_string(value).unwrap());
    Ok(())
}

fn text() -> BoxedStrategy<Text> {
    option::of(prop_oneof!["\\PC{0,20}", "[\\x00-\\x7f]{0,40}", "[a-z\"\\\\]{0,9}"].prop_map(Cow::Owned)).boxed()
}

fn texts() -> BoxedStrategy<Vec<Cow<'static, str>>> {
    vec(text().prop_map(Option::unwrap_or_default), 0..3).boxed()
}

fn time() -> BoxedStrategy<Option<Timestamp>> {
    let nanoseconds = -377_705_023_201_000_000_000_i128..253_402_207_200_000_000_000;
    option::of((nanoseconds, 0_u8..12).prop_map(|(number, digits)| Timestamp::from_nanosecond(number, digits).unwrap()))
        .boxed()
}

fn raw() -> Cow<'static, RawValue> {
    Cow::Owned(RawValue::from_string(r#"{ "a" : [1e400, "\ud800"]}"#.to_owned()).unwrap())
}

fn id() -> GatewayId<'static> {
    GatewayId { connection: "affiliates", vendor_id: "a\"b\u{1}é" }
}

fn source() -> Source<'static> {
    Source { connection: "affiliates", vendor: "tolt", id: "a\"b\u{1}é" }
}

prop_compose! {
    fn referrals()(
        ids in [text(), text(), text()],
        partner in option::of(([text(), text(), text()], [text(), text(), text()], time())),
        program in option::of(([text(), text(), text()], [text(), text(), text(), text()], time())),
        stats in option::of((any::<[Option<i64>; 3]>(), time())),
    ) -> Referral<'static> {
        let [partner_id, program_id, organization_id] = ids;
        let partner = partner.map(|([id, first_name, last_name], [email, company_name, status], created_at)| {
            Partner { id, first_name, last_name, email, company_name, status, created_at }
        });
        let program = program.map(|([id, status, name], [product_name, subdomain, kind, currency], created_at)| {
            Program { id, status, name, product_name, subdomain, kind, currency, created_at }
        });
        let stats = stats.map(|([total_revenue, total_commission, total_orders], last_order_at)| {
            Stats { total_revenue, total_commission, total_orders, last_order_at }
        });
        Referral { partner_id, program_id, organization_id, partner, program, stats }
    }
}

prop_compose! {
    fn taxes()(
        ids in [text(), text(), text(), text()],
        exemption in option::of((any::<[Option<i64>; 6]>(), texts(), texts())),
    ) -> Tax<'static> {
        let [corporation_id, business_identification_number, source_platform, source_platform_id] = ids;
        let exemption = exemption.map(|([certificates, states, active, inactive, expired, others], types, exempted)| {
            Exemption {
                total_certificates: certificates,
                certificate_types: types,
                total_exempted_states: states,
                exempted_states: exempted,
                active_exemptions_count: active,
                inactive_exemptions_count: inactive,
                expired_exemptions_count: expired,
                non_expired_exemptions_count: others,
            }
        });
        Tax { corporation_id, business_identification_number, source_platform, source_platform_id, exemption }
    }
}

prop_compose! {
    fn addresses()(lines in [text(), text(), text()], rest in [text(), text(), text(), text()]) -> Address<'static> {
        let ([line1, line2, line3], [city, state, postal_code, country]) = (lines, rest);
        Address { line1, line2, line3, city, state, postal_code, country }
    }
}

prop_compose! {
    fn customers()(
        texts in [text(), text(), text(), text()],
        times in [time(), time()],
        referral in option::of(referrals()),
        tax in option::of(taxes()),
        shipping_address in option::of(addresses()),
        has_raw in any::<bool>(),
    ) -> Customer<'static> {
        let ([external_id, name, email, status], [created_at, updated_at]) = (texts, times);
        let raw = has_raw.then(raw);
        let (id, source) = (id(), source());
        Customer {
            id, source, external_id, name, email, status, created_at, updated_at, referral, tax, shipping_address, raw,
        }
    }
}

prop_compose! {
    fn transactions()(
        texts in ([text(), text(), text(), text()], [text(), text(), text()]),
        numbers in (any::<Option<i64>>(), any::<bool>(), any::<bool>()),
        product in option::of([text(), text()]),
        times in [time(), time()],
        referral in option::of(referrals()),
        customer in option::of(([text(), text(), text()], time())),
    ) -> Transaction<'static> {
        let ([currency, status, billing_type, interval], [platform, charge_id, click_id]) = texts;
        let ((amount, has_customer_id, has_raw), [created_at, updated_at]) = (numbers, times);
        let product = product.map(|[id, name]| Product { id, name });
        let customer_id = has_customer_id.then(id);
        let customer = customer.map(|([name, email, status], created_at)| {
            CustomerSummary { id: customer_id, name, email, status, created_at }
        });
        let raw = has_raw.then(raw);
        let (id, source) = (id(), source());
        Transaction {
            id, source, customer_id, amount, currency, status, billing_type, interval, platform, charge_id, click_id,
            product, created_at, updated_at, referral, customer, raw,
        }
    }
}

proptest! {
    #[test]
    fn customer_equals_serde(customer in customers()) {
        check(&customer)?;
    }

    #[test]
    fn transaction_equals_serde(transaction in transactions()) {
        check(&transaction)?;
    }
}

#[test]
fn every_ascii_character_equals_serde() {
    for code in 0..=0x80 {
        let text = format!("0123456789{}abc", char::from(code));
        assert_eq!(written(text.as_str()), serde_json::to_string(&text).unwrap());
    }
}
