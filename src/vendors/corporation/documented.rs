//! Documented fields of the corporation vendor that the gateway does not read,
//! and documented values (docs/FACTS.md).

use crate::vendors::documented::{Documented, KnownObject, OpenField};

pub(super) static DOCUMENTED: Documented =
    Documented { objects: &[&ENVELOPE, &CUSTOMER, &ADDRESS, &EXEMPTION], fields: &[&CERTIFICATE_TYPES] };

/// The envelope of rows, flat or with all its members in `data`.
pub(super) static ENVELOPE: KnownObject =
    KnownObject { name: "envelope", unread: &["message"], nested: &[("data", &ENVELOPE)] };

pub(super) static CUSTOMER: KnownObject = KnownObject {
    name: "customer",
    unread: &["exemption_certificates"],
    nested: &[("shipping_address", &ADDRESS), ("exemption_metadata", &EXEMPTION)],
};

static ADDRESS: KnownObject = KnownObject { name: "shipping_address", unread: &[], nested: &[] };
static EXEMPTION: KnownObject = KnownObject { name: "exemption", unread: &[], nested: &[] };

/// The current types, and the types of older variants.
pub(super) static CERTIFICATE_TYPES: OpenField = OpenField {
    name: "exemption.certificate_types",
    values: &["SINGLE_STATE", "MULTI_STATE", "BLANKET", "PURPOSE_WHOLESALE", "ENTITY_TYPE_NONPROFIT"],
};
