//! Additional fields, selected by `extend`.

use super::super::query::{InvalidParameter, Query};

/// Additional fields in a response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extend {
    pub(crate) shipping_address: bool,
    pub(crate) exemption_metadata: bool,
}

impl Extend {
    pub(crate) fn parse(query: &Query) -> Result<Self, InvalidParameter> {
        let mut extend = Self { shipping_address: false, exemption_metadata: false };
        for field in query.comma_list("extend")? {
            match field.as_str() {
                "shipping_address" => extend.shipping_address = true,
                "exemption_metadata" => extend.exemption_metadata = true,
                other => {
                    return Err(InvalidParameter::new("extend", format!("extend has the unknown value {other}")));
                }
            }
        }
        Ok(extend)
    }
}
