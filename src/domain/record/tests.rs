//! Comparison of the field table with the records and their OpenAPI schemas.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::*;
use crate::domain::{
    customer::{Address, Customer, Exemption, Source, Tax, Text},
    id::GatewayId,
    referral::{Partner, Program, Referral, Stats},
    timestamp::Timestamp,
    transaction::{CustomerSummary, Product, Transaction},
};

/// Paths, each with the expansion that adds it.
type Paths = BTreeMap<String, Option<&'static str>>;

#[test]
fn table_matches_serialized_records() {
    for (resource, record) in
        [(Resource::Customers, json(full_customer())), (Resource::Transactions, json(full_transaction()))]
    {
        let mut paths = BTreeSet::new();
        collect_leaves(&record, "", &mut paths);
        assert_eq!(paths, table(resource).into_keys().collect(), "{resource:?}");
    }
}

#[test]
fn table_matches_openapi_schemas() {
    assert_eq!(schema_paths::<Customer<'_>>(), table(Resource::Customers));
    let mut transaction = schema_paths::<Transaction<'_>>();
    // The schema of a referral is shared. Only customers have `stats`.
    transaction.retain(|_, expansion| *expansion != Some(Expansion::Stats.name()));
    assert_eq!(transaction, table(Resource::Transactions));
}

#[test]
fn paths_follow_the_expansions() {
    for resource in [Resource::Customers, Resource::Transactions] {
        let fields = RecordFields::get(resource);
        assert!(fields.expanded.is_sorted_by_key(|(expansion, _)| *expansion), "{resource:?}");
        assert!(fields.paths(&Shape::default()).eq(fields.base.iter().copied()));
        for &(expansion, paths) in fields.expanded {
            let shape = Shape { expand: vec![expansion], raw: false };
            assert!(fields.paths(&shape).eq(fields.base.iter().chain(paths).copied()), "{expansion:?}");
        }
    }
}

#[test]
fn text_fields_match_openapi_schemas() {
    let texts = |schema_texts: BTreeMap<String, bool>, resource: Resource| {
        let fields = RecordFields::get(resource);
        for (path, _) in fields.all() {
            assert_eq!(Some(&fields.is_text(path)), schema_texts.get(path), "{resource:?} {path}");
        }
        assert!(!fields.is_text("raw"));
    };
    texts(schema_texts::<Customer<'_>>(), Resource::Customers);
    texts(schema_texts::<Transaction<'_>>(), Resource::Transactions);
}

/// Returns the paths of a schema, and whether each is text without a format.
fn schema_texts<T: ToSchema>() -> BTreeMap<String, bool> {
    fn collect(schema: &Value, path: &str, schemas: &Map<String, Value>, texts: &mut BTreeMap<String, bool>) {
        let target = referenced(schema, schemas).unwrap_or(schema);
        if let Some(properties) = target["properties"].as_object() {
            for (name, property) in properties {
                collect(property, &joined(path, name), schemas, texts);
            }
        } else {
            let is_string = target["type"] == "string" || target["type"] == serde_json::json!(["string", "null"]);
            texts.insert(path.to_owned(), is_string && target["format"].is_null());
        }
    }
    let mut named = Vec::new();
    T::schemas(&mut named);
    let schemas: Map<String, Value> = named.into_iter().map(|(name, schema)| (name, json(schema))).collect();
    let mut texts = BTreeMap::new();
    collect(&json(T::schema()), "", &schemas, &mut texts);
    texts
}

fn table(resource: Resource) -> Paths {
    let fields = RecordFields::get(resource);
    let base = fields.base.iter().map(|path| ((*path).to_owned(), None));
    let expanded = fields
        .expanded
        .iter()
        .flat_map(|(expansion, paths)| paths.iter().map(|path| ((*path).to_owned(), Some(expansion.name()))));
    base.chain(expanded).collect()
}

fn json(record: impl serde::Serialize) -> Value {
    serde_json::to_value(record).unwrap()
}

fn collect_leaves(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                collect_leaves(member, &joined(path, name), paths);
            }
        }
        _ => assert!(paths.insert(path.to_owned()), "{path}"),
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Returns the paths of a schema. The description of an expanded member names
/// its expansion: "with `expand=partner`".
fn schema_paths<T: ToSchema>() -> Paths {
    let mut named = Vec::new();
    T::schemas(&mut named);
    let schemas: Map<String, Value> = named.into_iter().map(|(name, schema)| (name, json(schema))).collect();
    let mut paths = Paths::new();
    collect_properties(&json(T::schema()), "", None, &schemas, &mut paths);
    assert_eq!(paths.remove("raw"), Some(None));
    paths
}

fn collect_properties(
    schema: &Value,
    path: &str,
    expansion: Option<&'static str>,
    schemas: &Map<String, Value>,
    paths: &mut Paths,
) {
    let description = schema["description"].as_str().unwrap_or_default();
    let described = Expansion::ALL.iter().map(|expansion| expansion.name());
    let expansion = described.into_iter().find(|name| description.contains(&format!("`expand={name}`"))).or(expansion);
    let target = referenced(schema, schemas).unwrap_or(schema);
    match target["properties"].as_object() {
        Some(properties) => {
            for (name, property) in properties {
                collect_properties(property, &joined(path, name), expansion, schemas, paths);
            }
        }
        None => assert!(paths.insert(path.to_owned(), expansion).is_none(), "{path}"),
    }
}

fn referenced<'s>(schema: &Value, schemas: &'s Map<String, Value>) -> Option<&'s Value> {
    let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str())?;
    Some(&schemas[reference.strip_prefix("#/components/schemas/")?])
}

fn full_customer() -> Customer<'static> {
    Customer {
        id: GatewayId { connection: "c", vendor_id: "1" },
        source: source(),
        external_id: text(),
        name: text(),
        email: text(),
        status: text(),
        created_at: time(),
        updated_at: time(),
        referral: Some(full_referral(Some(Stats {
            total_revenue: Some(1),
            total_commission: Some(1),
            total_orders: Some(1),
            last_order_at: time(),
        }))),
        tax: Some(Tax {
            corporation_id: text(),
            business_identification_number: text(),
            source_platform: text(),
            source_platform_id: text(),
            exemption: Some(Exemption {
                total_certificates: Some(1),
                certificate_types: Vec::new(),
                total_exempted_states: Some(1),
                exempted_states: Vec::new(),
                active_exemptions_count: Some(1),
                inactive_exemptions_count: Some(1),
                expired_exemptions_count: Some(1),
                non_expired_exemptions_count: Some(1),
            }),
        }),
        shipping_address: Some(Address {
            line1: text(),
            line2: text(),
            line3: text(),
            city: text(),
            state: text(),
            postal_code: text(),
            country: text(),
        }),
        raw: None,
    }
}

fn full_transaction() -> Transaction<'static> {
    Transaction {
        id: GatewayId { connection: "c", vendor_id: "1" },
        source: source(),
        customer_id: Some(GatewayId { connection: "c", vendor_id: "1" }),
        amount: Some(1),
        currency: text(),
        status: text(),
        billing_type: text(),
        interval: text(),
        platform: text(),
        charge_id: text(),
        click_id: text(),
        product: Some(Product { id: text(), name: text() }),
        created_at: time(),
        updated_at: time(),
        referral: Some(full_referral(None)),
        customer: Some(CustomerSummary {
            id: Some(GatewayId { connection: "c", vendor_id: "1" }),
            name: text(),
            email: text(),
            status: text(),
            created_at: time(),
        }),
        raw: None,
    }
}

fn full_referral(stats: Option<Stats>) -> Referral<'static> {
    Referral {
        partner_id: text(),
        program_id: text(),
        organization_id: text(),
        partner: Some(Partner {
            id: text(),
            first_name: text(),
            last_name: text(),
            email: text(),
            company_name: text(),
            status: text(),
            created_at: time(),
        }),
        program: Some(Program {
            id: text(),
            status: text(),
            name: text(),
            product_name: text(),
            subdomain: text(),
            kind: text(),
            currency: text(),
            created_at: time(),
        }),
        stats,
    }
}

fn source() -> Source<'static> {
    Source { connection: "c", vendor: "v", id: "1" }
}

#[expect(clippy::unnecessary_wraps, reason = "the type of a text field")]
fn text() -> Text<'static> {
    Some("x".into())
}

fn time() -> Option<Timestamp> {
    Timestamp::parse("2025-01-15T14:30:00Z")
}
