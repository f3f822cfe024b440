//! Table of rows in order of creation, and its pages.

use std::collections::HashMap;

use jiff::Timestamp;

use super::super::vendor::Store;

/// Rows by creation time and id, oldest first. The page promises the order by `created_at`; the
/// order of ties is our choice (FACTS).
#[derive(Debug)]
pub struct Table<T> {
    entries: Vec<Entry<T>>,
    /// Creation time of each row by its id, from which the row's index follows.
    times: HashMap<String, Timestamp>,
}

/// Row of a table.
pub trait Row: Clone {
    /// Returns the row's id.
    fn id(&self) -> &str;

    /// Returns the row's creation time.
    fn created_at(&self) -> Timestamp;
}

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
        let mut table = Self { entries: Vec::with_capacity(rows.len()), times: HashMap::with_capacity(rows.len()) };
        for row in rows {
            let at = row.created_at();
            if table.times.insert(row.id().to_owned(), at).is_some() {
                // The last of several rows with one id is kept, as with `insert`.
                table.entries.retain(|entry| entry.row.id() != row.id());
            }
            table.entries.push(Entry { at, row });
        }
        table.entries.sort_by(|a, b| a.key().cmp(&b.key()));
        table
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        let at = *self.times.get(id)?;
        let index = self.entries.binary_search_by(|entry| entry.key().cmp(&(at, id))).ok()?;
        self.entries.get(index).map(|entry| &entry.row)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|entry| &entry.row)
    }

    /// Returns a page of the rows that match `filter`.
    pub(crate) fn page(
        &self,
        selection: &Selection,
        filter: impl Fn(&T) -> bool,
    ) -> Result<Page<'_, T>, UnknownCursor> {
        let mut listed: Vec<&Entry<T>> = self
            .entries
            .iter()
            .filter(|entry| {
                selection.created_gte.is_none_or(|gte| entry.at >= gte)
                    && selection.created_lte.is_none_or(|lte| entry.at <= lte)
                    && filter(&entry.row)
            })
            .collect();
        let total = listed.len();

        let descending = selection.order == Order::Descending;
        if descending {
            listed.reverse();
        }
        let earlier = |entry: &Entry<T>, key: Key<'_>| {
            if descending { entry.key() > key } else { entry.key() < key }
        };
        // The cursor's row has a position in the list even if it does not match the filters.
        let (shown, has_more) = match &selection.position {
            Position::Start => first_rows(&listed, selection.limit),
            Position::After(id) => {
                let key = self.key(id)?;
                let start = listed.partition_point(|entry| earlier(entry, key) || entry.key() == key);
                first_rows(&listed[start..], selection.limit)
            }
            Position::Before(id) => {
                let key = self.key(id)?;
                let end = listed.partition_point(|entry| earlier(entry, key));
                let start = end.saturating_sub(selection.limit);
                (&listed[start..end], start > 0)
            }
        };
        Ok(Page { rows: shown.iter().map(|entry| &entry.row).collect(), has_more, total })
    }

    fn key<'a>(&self, id: &'a str) -> Result<Key<'a>, UnknownCursor> {
        let at = self.times.get(id).ok_or(UnknownCursor)?;
        Ok((*at, id))
    }
}

impl<T: Row> Store<T> for Table<T> {
    fn to_vec(&self) -> Vec<T> {
        self.rows().cloned().collect()
    }

    fn insert(&mut self, row: T) {
        self.remove(row.id());
        let at = row.created_at();
        let index = self.entries.partition_point(|entry| entry.key() < (at, row.id()));
        self.times.insert(row.id().to_owned(), at);
        self.entries.insert(index, Entry { at, row });
    }

    fn remove(&mut self, id: &str) -> bool {
        let Some(at) = self.times.remove(id) else {
            return false;
        };
        let found = self.entries.binary_search_by(|entry| entry.key().cmp(&(at, id)));
        found.map(|index| self.entries.remove(index)).is_ok()
    }
}

/// Returns the first `limit` rows, and true if more rows follow.
fn first_rows<T>(rows: &[T], limit: usize) -> (&[T], bool) {
    (&rows[..rows.len().min(limit)], rows.len() > limit)
}

#[derive(Debug)]
struct Entry<T> {
    at: Timestamp,
    row: T,
}

impl<T: Row> Entry<T> {
    fn key(&self) -> Key<'_> {
        (self.at, self.row.id())
    }
}

type Key<'a> = (Timestamp, &'a str);
