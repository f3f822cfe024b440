//! Capability table of Tolt: the query parameters of its pages "List all
//! customers", "Retrieve customer" and "List all transactions".

use crate::{
    domain::{
        parameter::Parameter,
        query::{Expansion, Order},
    },
    vendors::capabilities::{
        Capabilities, ListCapabilities,
        Support::{Gateway, Native, NativeChecked, Prefilter},
    },
};

pub(super) static CAPABILITIES: Capabilities = Capabilities {
    customers: ListCapabilities {
        parameters: &[
            (Parameter::Order, Native("order")),
            (Parameter::Status, Native("status")),
            (Parameter::PartnerId, Native("partner_id")),
            // Documented as "after" and "before". The adapter treats both bounds
            // as inclusive (FACTS.md, "Tolt v1").
            (Parameter::CreatedGte, NativeChecked("created_gte")),
            (Parameter::CreatedLte, NativeChecked("created_lte")),
            (Parameter::UpdatedGte, Gateway),
            (Parameter::UpdatedLte, Gateway),
            (Parameter::Name, Gateway),
            // A later copy of the page documents `search`, a partial match on the
            // email address (FACTS.md, cases 140 to 144).
            (Parameter::Search, Prefilter("search")),
            (Parameter::Email, Prefilter("search")),
            (Parameter::ExternalId, Gateway),
        ],
        expand: &[(Expansion::Partner, "partner"), (Expansion::Program, "program")],
        default_order: Some(Order::Desc),
    },
    transactions: Some(ListCapabilities {
        parameters: &[
            (Parameter::Order, Native("order")),
            (Parameter::PartnerId, Native("partner_id")),
            (Parameter::CustomerId, Native("customer_id")),
            (Parameter::CreatedGte, NativeChecked("created_gte")),
            (Parameter::CreatedLte, NativeChecked("created_lte")),
            (Parameter::UpdatedGte, Gateway),
            (Parameter::UpdatedLte, Gateway),
        ],
        expand: &[(Expansion::Partner, "partner"), (Expansion::Program, "program"), (Expansion::Customer, "customer")],
        default_order: Some(Order::Desc),
    }),
    retrieve_expand: &[
        (Expansion::Partner, "partner"),
        (Expansion::Program, "program"),
        (Expansion::Stats, super::query::STATS),
    ],
};
