//! Anchors: the positions from which a vendor serves a page.

use serde::{Deserialize, Serialize};

/// Direction of a walk through a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Towards the end of the list.
    Forward,
    /// Towards the beginning of the list.
    Backward,
}

impl Direction {
    /// Returns the opposite direction.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }
}

/// Position from which a vendor serves a page, in the vendor's terms.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Anchor {
    /// The beginning of the list.
    Start,
    /// After the row with this id at the vendor.
    After(Box<str>),
    /// Before the row with this id at the vendor: the page ends there.
    Before(Box<str>),
    /// At an opaque token of the vendor.
    Token(Box<str>),
    /// At an instant of `created_at`, inclusive, in a direction. Used to find the
    /// position in an ordered list after the row of an anchor was deleted.
    From(Instant, Direction),
}

/// Neighbour on one side of a vendor's page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Neighbour {
    /// No neighbour: the list ends here.
    #[default]
    End,
    /// The page at this anchor.
    At(Anchor),
    /// Unknown: the vendor cannot express the neighbour.
    Unknown,
}

impl Neighbour {
    /// Returns the length of the vendor's id or token, in bytes.
    pub(super) fn text_len(&self) -> usize {
        match self {
            Self::At(Anchor::After(text) | Anchor::Before(text) | Anchor::Token(text)) => text.len(),
            Self::At(Anchor::Start | Anchor::From(..)) | Self::End | Self::Unknown => 0,
        }
    }
}

/// Instant in nanoseconds since the Unix epoch, as encoded in cursors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Instant(i128);

impl From<jiff::Timestamp> for Instant {
    fn from(instant: jiff::Timestamp) -> Self {
        Self(instant.as_nanosecond())
    }
}

impl Instant {
    /// Returns the nanoseconds since the Unix epoch.
    #[must_use]
    pub fn nanosecond(self) -> i128 {
        self.0
    }

    /// Returns the timestamp, or `None` if its year is not supported.
    #[must_use]
    pub fn timestamp(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_nanosecond(self.0).ok()
    }
}
