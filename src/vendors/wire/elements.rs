//! Elements of a list, up to a limit.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};

use crate::vendors::{PAGE_SIZE, VendorError};

/// Maximum number of elements of a list. A vendor that ignores the page size may
/// send more rows than a page has.
const MAX_ELEMENTS: usize = 10 * PAGE_SIZE;

/// Length from which a list grows by pages. Most such lists contain a page, and a growing
/// list moves its elements.
const LONG_LIST: usize = 8;

/// Elements of a list. Elements beyond `MAX_ELEMENTS` are counted only: an element
/// of two bytes takes several hundred bytes of memory.
#[derive(Debug)]
pub(in crate::vendors) struct Elements<E> {
    elements: Vec<E>,
    /// The number of elements beyond the limit.
    excess: usize,
}

impl<E> Elements<E> {
    /// Returns a list without elements.
    pub(in crate::vendors) fn none() -> Self {
        Self { elements: Vec::new(), excess: 0 }
    }

    /// Returns the number of elements that the vendor sent.
    pub(in crate::vendors) fn count(&self) -> usize {
        self.elements.len() + self.excess
    }

    /// Returns the elements up to the limit.
    pub(in crate::vendors) fn into_first(self) -> Vec<E> {
        self.elements
    }

    /// Returns all elements. Fails if their number exceeds the limit.
    pub(in crate::vendors) fn into_all(self) -> Result<Vec<E>, VendorError> {
        if self.excess > 0 {
            let fault = format!("the list has {} elements, more than {MAX_ELEMENTS}", self.count());
            return Err(VendorError::Unreadable(fault));
        }
        Ok(self.elements)
    }
}

impl<'de, E: Deserialize<'de>> Deserialize<'de> for Elements<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ElementsVisitor(PhantomData))
    }
}

struct ElementsVisitor<E>(PhantomData<E>);

impl<'de, E: Deserialize<'de>> Visitor<'de> for ElementsVisitor<E> {
    type Value = Elements<E>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < MAX_ELEMENTS {
            let Some(element) = list.next_element()? else { return Ok(Elements { elements, excess: 0 }) };
            if elements.len() == elements.capacity() && elements.len() >= LONG_LIST {
                elements.reserve_exact(PAGE_SIZE - elements.len() % PAGE_SIZE);
            }
            elements.push(element);
        }
        let mut excess = 0;
        while list.next_element::<IgnoredAny>()?.is_some() {
            excess += 1;
        }
        Ok(Elements { elements, excess })
    }
}
