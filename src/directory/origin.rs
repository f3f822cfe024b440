//! Origin of the rows of a source.

/// Origin of the rows of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// Vendor responses, cached or not.
    #[default]
    Vendor,
    /// The stored list of the connection.
    Sync,
}

impl Origin {
    /// Returns the name in responses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Sync => "sync",
        }
    }

    /// Returns the origin of rows of both origins.
    pub(super) fn merge(self, other: Self) -> Self {
        if self == other { self } else { Self::Vendor }
    }
}
