//! Fields of rows that a table reads.

use jiff::Timestamp;

use super::{
    Customer, Transaction,
    timestamp::{format_millis, parse_row},
};

/// Row of a table.
pub trait Row: Clone {
    /// Returns the row's id.
    fn id(&self) -> &str;

    /// Returns the id of the row's program.
    fn program_id(&self) -> &str;

    /// Returns the row's creation time.
    fn created_at(&self) -> Timestamp;

    /// Changes the row's creation time.
    fn set_created_at(&mut self, at: Timestamp);

    /// Returns the text of the row's `updated_at`.
    fn updated_at(&mut self) -> &mut String;
}

impl Row for Customer {
    fn id(&self) -> &str {
        &self.id
    }

    fn program_id(&self) -> &str {
        &self.program_id
    }

    fn created_at(&self) -> Timestamp {
        parse_row(&self.created_at)
    }

    fn set_created_at(&mut self, at: Timestamp) {
        self.created_at = format_millis(at);
    }

    fn updated_at(&mut self) -> &mut String {
        &mut self.updated_at
    }
}

impl Row for Transaction {
    fn id(&self) -> &str {
        &self.id
    }

    fn program_id(&self) -> &str {
        &self.program_id
    }

    fn created_at(&self) -> Timestamp {
        parse_row(&self.created_at)
    }

    fn set_created_at(&mut self, at: Timestamp) {
        self.created_at = format_millis(at);
    }

    fn updated_at(&mut self) -> &mut String {
        &mut self.updated_at
    }
}
