//! Policies that hide fields of rows from a caller.
//!
//! A policy names fields as the API does: `email`, `tax` or `tax.*`. It covers
//! each row that has such a field, and each field that holds the same value:
//! `email` of a customer is `customer.email` of a transaction.

use super::{
    parameter::Parameter,
    query::{Expansion, Resource},
    record::RecordFields,
};

/// Fields of all rows that a caller may not see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldPolicy {
    customers: HiddenFields,
    transactions: HiddenFields,
}

/// Fields of one kind of row that a caller may not see, by path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HiddenFields {
    /// Fields that are absent.
    pub denied: Vec<&'static str>,
    /// Fields whose values are replaced.
    pub masked: Vec<&'static str>,
}

/// Reason why a field cannot be hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldPolicyError {
    /// No row has the field.
    #[error("no row has a field of this name")]
    Unknown,
    /// The id and the cursors contain the value.
    #[error("`{0}` cannot be hidden, because ids and cursors contain it")]
    Exposed(&'static str),
    /// A mask would not be a valid value.
    #[error("`{0}` cannot be masked, because it is not free text")]
    NotText(&'static str),
}

/// A field of one kind of row.
type Field = (Resource, &'static str);

/// Fields that hold the same value of one customer, partner or program.
const COPIES: &[(Field, Field)] = {
    use Resource::{Customers, Transactions};
    &[
        ((Customers, "name"), (Transactions, "customer.name")),
        ((Customers, "email"), (Transactions, "customer.email")),
        ((Customers, "status"), (Transactions, "customer.status")),
        ((Transactions, "customer_id"), (Transactions, "customer.id")),
        ((Customers, "referral.partner_id"), (Customers, "referral.partner.id")),
        ((Customers, "referral.program_id"), (Customers, "referral.program.id")),
        ((Transactions, "referral.partner_id"), (Transactions, "referral.partner.id")),
        ((Transactions, "referral.program_id"), (Transactions, "referral.program.id")),
    ]
};

/// Fields that ids and cursors contain. Cursors are signed, not encrypted.
const EXPOSED: &[&str] = &["id", "source.connection", "source.vendor", "source.id", "created_at"];

impl FieldPolicy {
    /// Policy that hides nothing.
    pub const NONE: &'static Self = &Self { customers: HiddenFields::NONE, transactions: HiddenFields::NONE };

    /// Denies a field, or all fields of an object.
    pub fn deny(&mut self, selector: &str) -> Result<(), FieldPolicyError> {
        for (resource, path) in covered(selector)? {
            let hidden = self.hidden_mut(resource);
            hidden.masked.retain(|masked| *masked != path);
            insert(&mut hidden.denied, path);
        }
        Ok(())
    }

    /// Masks a text field, or all fields of an object of texts. A denied field
    /// remains denied.
    pub fn mask(&mut self, selector: &str) -> Result<(), FieldPolicyError> {
        let covered = covered(selector)?;
        if let Some((_, path)) = covered.iter().find(|(resource, path)| !RecordFields::get(*resource).is_text(path)) {
            return Err(FieldPolicyError::NotText(path));
        }
        for (resource, path) in covered {
            let hidden = self.hidden_mut(resource);
            if !hidden.denied.contains(&path) {
                insert(&mut hidden.masked, path);
            }
        }
        Ok(())
    }

    /// Returns true if the policy hides nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty() && self.transactions.is_empty()
    }

    /// Returns the hidden fields of a resource's rows.
    #[must_use]
    pub fn hidden(&self, resource: Resource) -> &HiddenFields {
        match resource {
            Resource::Customers => &self.customers,
            Resource::Transactions => &self.transactions,
        }
    }

    fn hidden_mut(&mut self, resource: Resource) -> &mut HiddenFields {
        match resource {
            Resource::Customers => &mut self.customers,
            Resource::Transactions => &mut self.transactions,
        }
    }
}

impl HiddenFields {
    const NONE: Self = Self { denied: Vec::new(), masked: Vec::new() };

    /// Returns true if no field is hidden.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.denied.is_empty() && self.masked.is_empty()
    }

    /// Returns true if a field is absent.
    #[must_use]
    pub fn denies(&self, path: &str) -> bool {
        self.denied.contains(&path)
    }

    /// Returns true if all fields of an expansion are absent.
    #[must_use]
    pub fn denies_expansion(&self, resource: Resource, expansion: Expansion) -> bool {
        RecordFields::get(resource).all().filter(|(_, by)| *by == Some(expansion)).all(|(path, _)| self.denies(path))
    }

    /// Returns a hidden field whose values the parameter would disclose.
    #[must_use]
    pub fn disclosed_by(&self, parameter: Parameter) -> Option<&'static str> {
        let is_hidden = |path: &&str| self.denies(path) || self.masked.contains(path);
        compared_fields(parameter).iter().copied().find(is_hidden)
    }
}

/// Returns the fields that a parameter compares, by path.
fn compared_fields(parameter: Parameter) -> &'static [&'static str] {
    match parameter {
        Parameter::Order | Parameter::CreatedGte | Parameter::CreatedLte => &["created_at"],
        Parameter::UpdatedGte | Parameter::UpdatedLte => &["updated_at"],
        Parameter::Status => &["status"],
        Parameter::PartnerId => &["referral.partner_id"],
        Parameter::CustomerId => &["customer_id"],
        Parameter::Name => &["name"],
        Parameter::Search => &["name", "email"],
        Parameter::Email => &["email"],
        Parameter::ExternalId => &["external_id"],
        Parameter::SourcePlatform => &["tax.source_platform"],
        Parameter::SourcePlatformId => &["tax.source_platform_id"],
        Parameter::CertificateType => &["tax.exemption.certificate_types"],
        Parameter::ExemptionJurisdiction => &["tax.exemption.exempted_states", "tax.exemption.total_exempted_states"],
        Parameter::ExemptionStatus => {
            &["tax.exemption.active_exemptions_count", "tax.exemption.inactive_exemptions_count"]
        }
        Parameter::ExpirationStatus => {
            &["tax.exemption.expired_exemptions_count", "tax.exemption.non_expired_exemptions_count"]
        }
        // Each field of the summary shows whether there is an exemption.
        Parameter::HasExemption => RecordFields::get(Resource::Customers).expanded(Expansion::Exemption),
        Parameter::Expand => &[],
    }
}

/// Returns the fields that a selector covers, with their copies.
fn covered(selector: &str) -> Result<Vec<Field>, FieldPolicyError> {
    let mut fields: Vec<Field> = Vec::new();
    for resource in [Resource::Customers, Resource::Transactions] {
        fields.extend(RecordFields::get(resource).covered(selector).map(|(path, _)| (resource, path)));
    }
    if fields.is_empty() {
        return Err(FieldPolicyError::Unknown);
    }
    for &(field, copy) in COPIES {
        match (fields.contains(&field), fields.contains(&copy)) {
            (true, false) => fields.push(copy),
            (false, true) => fields.push(field),
            _ => {}
        }
    }
    match fields.iter().find(|(_, path)| EXPOSED.contains(path)) {
        Some((_, path)) => Err(FieldPolicyError::Exposed(path)),
        None => Ok(fields),
    }
}

fn insert(paths: &mut Vec<&'static str>, path: &'static str) {
    if !paths.contains(&path) {
        paths.push(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denying(selectors: &[&str]) -> FieldPolicy {
        let mut policy = FieldPolicy::default();
        for selector in selectors {
            policy.deny(selector).unwrap();
        }
        policy
    }

    #[test]
    fn selector_covers_copies_of_a_value() {
        for (selector, customers, transactions) in [
            ("email", &["email"][..], &["customer.email"][..]),
            ("customer.email", &["email"], &["customer.email"]),
            ("referral.partner.email", &["referral.partner.email"], &["referral.partner.email"]),
            ("status", &["status"], &["status", "customer.status"]),
            ("customer.id", &[], &["customer.id", "customer_id"]),
            (
                "referral.partner_id",
                &["referral.partner_id", "referral.partner.id"],
                &["referral.partner_id", "referral.partner.id"],
            ),
            ("customer.created_at", &[], &["customer.created_at"]),
        ] {
            let policy = denying(&[selector]);
            assert_eq!(policy.hidden(Resource::Customers).denied, customers, "{selector}");
            assert_eq!(policy.hidden(Resource::Transactions).denied, transactions, "{selector}");
        }
    }

    #[test]
    fn object_is_denied_with_its_expansions() {
        for selector in ["tax", "tax.*"] {
            let policy = denying(&[selector]);
            let hidden = policy.hidden(Resource::Customers);
            assert_eq!(hidden.denied.len(), 12);
            assert!(hidden.denies_expansion(Resource::Customers, Expansion::Exemption));
            assert!(!hidden.denies_expansion(Resource::Customers, Expansion::Partner));
            assert!(policy.hidden(Resource::Transactions).is_empty());
        }
    }

    #[test]
    fn deny_prevails_over_mask() {
        let mut policy = FieldPolicy::default();
        policy.mask("name").unwrap();
        policy.deny("name").unwrap();
        policy.mask("name").unwrap();
        policy.mask("email").unwrap();
        let hidden = policy.hidden(Resource::Customers);
        assert_eq!((&hidden.denied[..], &hidden.masked[..]), (&["name"][..], &["email"][..]));
    }

    #[test]
    fn exposed_unknown_and_typed_fields_are_rejected() {
        let mut policy = FieldPolicy::default();
        for selector in ["id", "source", "source.id", "source.*", "created_at"] {
            assert!(matches!(policy.deny(selector), Err(FieldPolicyError::Exposed(_))), "{selector}");
            assert!(matches!(policy.mask(selector), Err(FieldPolicyError::Exposed(_))), "{selector}");
        }
        for selector in ["", "*", "raw", "emial", "email.*", "tax.", ".email", "customer.tax"] {
            assert_eq!(policy.deny(selector), Err(FieldPolicyError::Unknown), "{selector}");
        }
        for selector in ["amount", "updated_at", "tax.*", "tax.exemption.certificate_types", "customer.created_at"] {
            assert!(matches!(policy.mask(selector), Err(FieldPolicyError::NotText(_))), "{selector}");
        }
        assert!(policy.is_empty());
    }

    #[test]
    fn compared_fields_are_in_the_table() {
        for &parameter in Parameter::ALL {
            for path in compared_fields(parameter) {
                let mut resources = [Resource::Customers, Resource::Transactions].into_iter();
                let is_known = resources.any(|it| RecordFields::get(it).all().any(|(known, _)| known == *path));
                assert!(is_known, "{parameter} {path}");
            }
        }
    }
}
