//! Caller shares of a budget.

use std::sync::Arc;

/// Fraction of a budget: above 0, at most 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

/// Caller of vendor calls. Its name identifies the caller in the queue of a
/// budget.
#[derive(Debug, Clone, PartialEq)]
pub struct CallerShare {
    /// Name of the caller.
    pub name: Arc<str>,
    /// Fraction of each budget that the caller may use; the whole budget if
    /// absent.
    pub share: Option<Share>,
}

impl Share {
    /// Returns a share, or `None` if `fraction` is out of range.
    #[must_use]
    pub fn new(fraction: f64) -> Option<Self> {
        (fraction > 0.0 && fraction <= 1.0).then_some(Self(fraction))
    }

    /// Returns the fraction.
    #[must_use]
    pub fn fraction(self) -> f64 {
        self.0
    }
}

impl CallerShare {
    /// Returns a caller without a name and without a bound.
    #[must_use]
    pub fn unrestricted() -> Self {
        Self { name: Arc::from(""), share: None }
    }

    /// Returns the weight of the caller in the queue of a budget.
    pub(super) fn weight(&self) -> f64 {
        self.share.map_or(1.0, |Share(fraction)| fraction)
    }
}
