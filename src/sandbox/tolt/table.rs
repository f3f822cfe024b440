//! Table of rows in order of creation, and its pages.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    super::vendor::{Direction, Store},
    range::{Key, Range},
    row::Row,
    timestamp::next_second,
};

/// Distance of a moved row from its new neighbour.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Rows by creation time and id, oldest first. The page promises the order by `created_at`; the
/// order of ties is our choice (FACTS).
#[derive(Debug)]
pub struct Table<T> {
    rows: BTreeMap<Key, T>,
    /// Creation time of each row by its id.
    times: HashMap<Arc<str>, Timestamp>,
    /// Number of rows by program.
    counts: HashMap<String, usize>,
}

/// Filter of a list within one program.
pub(crate) type Filter<'a, T> = &'a dyn Fn(&T) -> bool;

/// Order of a list, the parameter `order`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// Position in the list at which a page begins or ends.
#[derive(Debug)]
pub(crate) enum Position {
    /// First rows of the list.
    Start,
    /// Rows after this id, the parameter `starting_after`.
    After(String),
    /// Rows before this id, the parameter `ending_before`.
    Before(String),
}

/// Selection of the rows of a page.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) order: Order,
    pub(crate) position: Position,
    pub(crate) limit: usize,
    /// Inclusive lower bound; inclusive is our choice (FACTS).
    pub(crate) created_gte: Option<Timestamp>,
    /// Inclusive upper bound.
    pub(crate) created_lte: Option<Timestamp>,
}

/// Page of rows in list order.
#[derive(Debug)]
pub(crate) struct Page<'a, T> {
    pub(crate) rows: Vec<&'a T>,
    /// True if more rows follow in the direction of travel (our choice in FACTS).
    pub(crate) has_more: bool,
    /// Number of matching rows on all pages.
    pub(crate) total: usize,
}

/// Error: the cursor is not the id of a row in the table.
#[derive(Debug)]
pub(crate) struct UnknownCursor;

impl<T: Row> Table<T> {
    pub(crate) fn new(rows: Vec<T>) -> Self {
        let mut table =
            Self { rows: BTreeMap::new(), times: HashMap::with_capacity(rows.len()), counts: HashMap::new() };
        for row in rows {
            table.insert(row);
        }
        table
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(&self.key(id)?)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    /// Returns a page of the program's rows that match the filter, if any. Without a filter and a
    /// range of creation times, the effort does not depend on the number of rows.
    pub(crate) fn page(
        &self,
        selection: &Selection,
        program_id: &str,
        filter: Option<Filter<'_, T>>,
    ) -> Result<Page<'_, T>, UnknownCursor> {
        let matching = |row: &&T| row.program_id() == program_id && filter.is_none_or(|matches| matches(row));
        let created = Range::created(selection);
        let total = if filter.is_none() && created.is_full() {
            self.counts.get(program_id).copied().unwrap_or_default()
        } else {
            self.range(created.clone()).filter(matching).count()
        };

        let ascending = selection.order == Order::Ascending;
        // The cursor's row has a position in the list even if it does not match the filters.
        let (range, backward) = match &selection.position {
            Position::Start => (created, false),
            Position::After(id) => (created.beyond(self.key(id).ok_or(UnknownCursor)?, ascending), false),
            Position::Before(id) => (created.beyond(self.key(id).ok_or(UnknownCursor)?, !ascending), true),
        };
        let rows = self.range(range);
        let most = selection.limit + 1;
        let mut rows: Vec<&T> = if ascending == backward {
            rows.rev().filter(matching).take(most).collect()
        } else {
            rows.filter(matching).take(most).collect()
        };
        let has_more = rows.len() == most;
        rows.truncate(selection.limit);
        if backward {
            rows.reverse();
        }
        Ok(Page { rows, has_more, total })
    }

    fn range(&self, range: Range) -> impl DoubleEndedIterator<Item = &T> {
        range.bounds().map(|bounds| self.rows.range(bounds)).into_iter().flatten().map(|(_, row)| row)
    }

    fn key(&self, id: &str) -> Option<Key> {
        let (id, at) = self.times.get_key_value(id)?;
        Some((*at, Arc::clone(id)))
    }
}

impl<T: Row> Store<T> for Table<T> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn to_vec(&self) -> Vec<T> {
        self.rows().cloned().collect()
    }

    fn id_at(&self, index: usize) -> Option<String> {
        self.rows().nth(index).map(|row| row.id().to_owned())
    }

    fn insert(&mut self, row: T) {
        self.remove(row.id());
        let (at, id) = (row.created_at(), Arc::from(row.id()));
        self.times.insert(Arc::clone(&id), at);
        *self.counts.entry(row.program_id().to_owned()).or_default() += 1;
        self.rows.insert((at, id), row);
    }

    fn update(&mut self, id: &str, change: impl FnOnce(&mut T)) -> bool {
        let Some(mut row) = self.get(id).cloned() else {
            return false;
        };
        let before = row.updated_at().clone();
        change(&mut row);
        if *row.updated_at() == before {
            *row.updated_at() = next_second(&before);
        }
        // The id and the creation time may have changed.
        self.remove(id);
        self.insert(row);
        true
    }

    fn remove(&mut self, id: &str) -> bool {
        let Some(row) = self.key(id).and_then(|key| self.rows.remove(&key)) else {
            return false;
        };
        self.times.remove(id);
        if let Some(count) = self.counts.get_mut(row.program_id()) {
            *count -= 1;
        }
        true
    }

    fn rotate(&mut self, direction: Direction) {
        let (Some((oldest, first)), Some((newest, last))) = (self.rows.first_key_value(), self.rows.last_key_value())
        else {
            return;
        };
        // The default order is newest first.
        let (row, at) = match direction {
            Direction::Down => (last, oldest.0.checked_sub(SECOND)),
            Direction::Up => (first, newest.0.checked_add(SECOND)),
        };
        if let Ok(at) = at {
            let mut row = row.clone();
            row.set_created_at(at);
            self.insert(row);
        }
    }

    fn remove_last(&mut self) {
        if let Some(id) = self.id_at(0) {
            self.remove(&id);
        }
    }
}
