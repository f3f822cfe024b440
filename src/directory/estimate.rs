//! Estimates of vendor calls.

/// Range of vendor calls that a request needs, if vendors fill their pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallEstimate {
    /// Lower bound.
    pub min: u32,
    /// Upper bound.
    pub max: u32,
}
