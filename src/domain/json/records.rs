//! Members of the served records, in the order of the derived `Serialize`.

use crate::domain::{
    customer::{Address, Customer, Exemption, Source, Tax},
    referral::{Partner, Program, Referral, Stats},
    transaction::{CustomerSummary, Product, Transaction},
};

use super::WriteJson;

/// Implements [`WriteJson`] for an object with at least one required member. A required
/// member without a value is null, and an optional one is absent.
macro_rules! write_object {
    ($object:ty { $($rule:ident $field:ident $(as $name:literal)?),+ $(,)? }) => {
        impl WriteJson for $object {
            fn write_json(&self, out: &mut Vec<u8>) {
                let Self { $($field),+ } = self;
                let start = out.len();
                $(write_object!(@member out $rule $field $(as $name)?);)+
                // In place of the first member's comma.
                if let Some(first) = out.get_mut(start) {
                    *first = b'{';
                }
                out.push(b'}');
            }
        }
    };
    (@member $out:ident required $field:ident) => {
        $out.extend_from_slice(concat!(",\"", stringify!($field), "\":").as_bytes());
        $field.write_json($out);
    };
    (@member $out:ident required $field:ident as $name:literal) => {
        $out.extend_from_slice(concat!(",\"", $name, "\":").as_bytes());
        $field.write_json($out);
    };
    (@member $out:ident optional $field:ident) => {
        if let Some($field) = $field {
            write_object!(@member $out required $field);
        }
    };
}

write_object!(Customer<'_> {
    required id,
    required source,
    required external_id,
    required name,
    required email,
    required status,
    required created_at,
    required updated_at,
    optional referral,
    optional tax,
    optional shipping_address,
    optional raw,
});

write_object!(Source<'_> { required connection, required vendor, required id });

write_object!(Tax<'_> {
    required corporation_id,
    required business_identification_number,
    required source_platform,
    required source_platform_id,
    optional exemption,
});

write_object!(Exemption<'_> {
    required total_certificates,
    required certificate_types,
    required total_exempted_states,
    required exempted_states,
    required active_exemptions_count,
    required inactive_exemptions_count,
    required expired_exemptions_count,
    required non_expired_exemptions_count,
});

write_object!(Address<'_> {
    required line1,
    required line2,
    required line3,
    required city,
    required state,
    required postal_code,
    required country,
});

write_object!(Referral<'_> {
    required partner_id,
    required program_id,
    required organization_id,
    optional partner,
    optional program,
    optional stats,
});

write_object!(Partner<'_> {
    required id,
    required first_name,
    required last_name,
    required email,
    required company_name,
    required status,
    required created_at,
});

write_object!(Program<'_> {
    required id,
    required status,
    required name,
    required product_name,
    required subdomain,
    required kind as "type",
    required currency,
    required created_at,
});

write_object!(Stats {
    required total_revenue,
    required total_commission,
    required total_orders,
    required last_order_at,
});

write_object!(Transaction<'_> {
    required id,
    required source,
    required customer_id,
    required amount,
    required currency,
    required status,
    required billing_type,
    required interval,
    required platform,
    required charge_id,
    required click_id,
    optional product,
    required created_at,
    required updated_at,
    optional referral,
    optional customer,
    optional raw,
});

write_object!(Product<'_> { required id, required name });

write_object!(CustomerSummary<'_> {
    required id,
    required name,
    required email,
    required status,
    required created_at,
});
