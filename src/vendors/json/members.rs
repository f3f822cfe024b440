//! Containers that a repair has opened.

use std::{collections::HashMap, ops::Range};

/// Deepest array that may be a list of rows: `{"data": {"data": […]}}`.
const MAX_LIST_DEPTH: usize = 3;

/// An open array or object.
#[derive(Debug)]
pub(super) enum Container {
    /// An array, with the number of its objects.
    Array(u32),
    /// An object.
    Object(Members),
}

/// Members of an open object.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Index of the last member of each name.
    by_name: HashMap<String, usize>,
    /// Start of each member in the output.
    starts: Vec<usize>,
    /// Number of rows in each member.
    rows: Vec<u32>,
}

/// A member that a later member of the same name replaces.
#[derive(Debug)]
pub(super) struct Replaced {
    /// The member in the output, with its comma.
    pub(super) range: Range<usize>,
    /// Number of rows in the member.
    pub(super) rows: u32,
}

impl Container {
    /// Returns the byte that closes the container.
    pub(super) fn end(&self) -> u8 {
        match self {
            Self::Array(_) => b']',
            Self::Object(_) => b'}',
        }
    }

    /// Returns the number of members, with replaced members.
    pub(super) fn member_count(&self) -> usize {
        match self {
            Self::Array(_) => 0,
            Self::Object(members) => members.starts.len(),
        }
    }

    /// Records a container that was closed inside this container. `depth` is
    /// the depth of the closed container.
    pub(super) fn record(&mut self, closed: &Self, depth: usize) {
        match (self, closed) {
            (Self::Array(objects), Self::Object(_)) => *objects = objects.saturating_add(1),
            (Self::Object(members), Self::Array(objects)) if depth <= MAX_LIST_DEPTH => members.add_rows(*objects),
            (_, Self::Array(_)) => {}
            (Self::Object(members), Self::Object(closed)) => members.add_rows(closed.rows.iter().sum()),
        }
    }
}

impl Members {
    /// Records a member that starts at `start`. Returns the earlier member of
    /// the same name.
    pub(super) fn insert(&mut self, name: String, start: usize) -> Option<Replaced> {
        let index = self.starts.len();
        self.starts.push(start);
        self.rows.push(0);
        let replaced = self.by_name.insert(name, index)?;
        let rows = std::mem::take(&mut self.rows[replaced]);
        Some(Replaced { range: self.starts[replaced]..self.starts[replaced + 1], rows })
    }

    fn add_rows(&mut self, rows: u32) {
        if let Some(last) = self.rows.last_mut() {
            *last = last.saturating_add(rows);
        }
    }
}
