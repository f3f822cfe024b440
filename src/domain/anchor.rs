//! Anchors of vendor pages: the places from which a vendor serves a page.

use serde::{Deserialize, Serialize};

/// Which way a walk goes through a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Towards the end.
    Forward,
    /// Towards the beginning.
    Backward,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }
}

/// Where a vendor's page begins, in the words that vendors have for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Anchor {
    /// At the beginning of the list.
    Start,
    /// Behind the row with this vendor's id.
    After(Box<str>),
    /// Ends before the row with this vendor's id.
    Before(Box<str>),
    /// Where the vendor's opaque token says.
    Token(Box<str>),
    /// At an instant of `created_at`, inclusive, going in a direction: the way
    /// back into an ordered list when the row of an anchor is gone.
    From(Instant, Direction),
}

/// What lies on one side of a vendor's page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Neighbour {
    /// Nothing: the list ends here.
    #[default]
    End,
    /// The page at this anchor.
    At(Anchor),
    /// Something or nothing; the vendor has no word for it.
    Unknown,
}

/// An instant in nanoseconds since the epoch, as it stands in a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Instant(i128);

impl From<jiff::Timestamp> for Instant {
    fn from(instant: jiff::Timestamp) -> Self {
        Self(instant.as_nanosecond())
    }
}

impl Instant {
    /// Nanoseconds since the epoch.
    #[must_use]
    pub fn nanosecond(self) -> i128 {
        self.0
    }

    /// The instant, where it lies within the years that can be written.
    #[must_use]
    pub fn timestamp(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_nanosecond(self.0).ok()
    }
}
