//! Batches: queries of several customers by id.

use serde::{Deserialize, Serialize};

use super::{connection::ConnectionName, id::GatewayId, query::Shape};

/// Maximum number of ids in a batch. A request target of 8 KiB has space for
/// them.
pub const MAX_IDS: usize = 100;

/// Query of several customers by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchQuery {
    /// The ids, each once, in request order. At most [`MAX_IDS`].
    pub ids: Vec<CustomerId>,
    /// The requested content of each customer.
    pub shape: Shape,
}

/// Id of a customer, split into its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerId {
    /// The connection that holds the customer.
    pub connection: ConnectionName,
    /// The customer's id at the vendor.
    pub vendor_id: String,
}

/// Ids of a batch without a result, by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIds(u128);

impl CustomerId {
    /// Returns the id at the gateway.
    #[must_use]
    pub fn gateway_id(&self) -> GatewayId<'_> {
        GatewayId { connection: self.connection.as_str(), vendor_id: &self.vendor_id }
    }
}

impl OpenIds {
    /// Returns the first `count` ids, at most 128.
    #[must_use]
    pub fn first(count: usize) -> Self {
        Self(bit(count).map_or(u128::MAX, |bit| bit - 1))
    }

    /// Returns true if an id has no result.
    #[must_use]
    pub fn contains(&self, index: usize) -> bool {
        bit(index).is_some_and(|bit| self.0 & bit != 0)
    }

    /// Returns the first `limit` of these ids.
    #[must_use]
    pub fn limited(self, limit: usize) -> Self {
        let mut ids = self;
        (0..u128::BITS as usize).filter(|&index| self.contains(index)).skip(limit).for_each(|index| ids.remove(index));
        ids
    }

    /// Removes an id that has a result.
    pub fn remove(&mut self, index: usize) {
        self.0 &= !bit(index).unwrap_or(0);
    }

    /// Returns true if each id has a result.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

fn bit(index: usize) -> Option<u128> {
    u32::try_from(index).ok().and_then(|index| 1_u128.checked_shl(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_ids_lose_only_removed_ids() {
        for count in [0, 1, 100, 127, 128] {
            let mut open = OpenIds::first(count);
            assert!((0..count).all(|index| open.contains(index)), "{count}");
            assert!(!open.contains(count) && !open.contains(usize::MAX), "{count}");
            for index in 0..count {
                open.remove(index);
                assert!(!open.contains(index) && (index + 1..count).all(|other| open.contains(other)), "{index}");
            }
            open.remove(count);
            assert!(open.is_empty(), "{count}");
        }
    }

    #[test]
    fn limit_keeps_the_first_open_ids() {
        let mut open = OpenIds::first(128);
        open.remove(0);
        for limit in [0, 1, 127, 128, usize::MAX] {
            let limited = open.limited(limit);
            assert!((0..128).all(|index| limited.contains(index) == (index > 0 && index <= limit)), "{limit}");
        }
    }
}
