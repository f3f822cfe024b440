//! Rows in order of creation, and pages of them.

use std::collections::HashMap;

use jiff::{Timestamp, civil, tz::TimeZone};

use super::super::gate::Store;

/// What a table holds.
pub trait Row: Clone {
    fn id(&self) -> &str;
    fn created_at(&self) -> Timestamp;
}

/// The rows by (created at, id), oldest first: the page promises `created_at`, the tie is our
/// choice (FACTS).
#[derive(Debug)]
pub struct Table<T> {
    entries: Vec<Entry<T>>,
    /// Each row's time by its id, from which its place follows.
    times: HashMap<String, Timestamp>,
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

/// `order`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// The place in the list where a page begins or ends.
#[derive(Debug)]
pub(crate) enum Position {
    Start,
    /// `starting_after` this id.
    After(String),
    /// `ending_before` this id.
    Before(String),
}

/// Which rows of a list to show.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) order: Order,
    pub(crate) position: Position,
    pub(crate) limit: usize,
    /// Inclusive, as our choice in FACTS has it.
    pub(crate) created_gte: Option<Timestamp>,
    /// Inclusive too.
    pub(crate) created_lte: Option<Timestamp>,
}

/// Rows in list order.
#[derive(Debug)]
pub(crate) struct Page<'a, T> {
    pub(crate) rows: Vec<&'a T>,
    /// Whether there are more in the direction of travel (our choice in FACTS).
    pub(crate) has_more: bool,
    /// All that match, on any page.
    pub(crate) total: usize,
}

/// The cursor is no row's id, or not any more.
#[derive(Debug)]
pub(crate) struct UnknownCursor;

impl<T: Row> Table<T> {
    pub(crate) fn new(rows: Vec<T>) -> Self {
        let mut table = Self { entries: Vec::with_capacity(rows.len()), times: HashMap::with_capacity(rows.len()) };
        for row in rows {
            let at = row.created_at();
            if table.times.insert(row.id().to_owned(), at).is_some() {
                // The later of two rows of one id stays, as with `insert`.
                table.entries.retain(|entry| entry.row.id() != row.id());
            }
            table.entries.push(Entry { at, row });
        }
        table.entries.sort_by(|a, b| a.key().cmp(&b.key()));
        table
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        let at = *self.times.get(id)?;
        let place = self.entries.binary_search_by(|entry| entry.key().cmp(&(at, id))).ok()?;
        self.entries.get(place).map(|entry| &entry.row)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|entry| &entry.row)
    }

    /// The page of those rows that `keep` keeps.
    pub(crate) fn page(&self, selection: &Selection, keep: impl Fn(&T) -> bool) -> Result<Page<'_, T>, UnknownCursor> {
        let mut listed: Vec<&Entry<T>> = self
            .entries
            .iter()
            .filter(|entry| {
                selection.created_gte.is_none_or(|gte| entry.at >= gte)
                    && selection.created_lte.is_none_or(|lte| entry.at <= lte)
                    && keep(&entry.row)
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
        // The cursor's row has a place in the list whether or not the filters keep it.
        let (shown, has_more) = match &selection.position {
            Position::Start => forward(&listed, selection.limit),
            Position::After(id) => {
                let key = self.key(id)?;
                let start = listed.partition_point(|entry| earlier(entry, key) || entry.key() == key);
                forward(&listed[start..], selection.limit)
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
        let place = self.entries.partition_point(|entry| entry.key() < (at, row.id()));
        self.times.insert(row.id().to_owned(), at);
        self.entries.insert(place, Entry { at, row });
    }

    fn remove(&mut self, id: &str) -> bool {
        let Some(at) = self.times.remove(id) else {
            return false;
        };
        let found = self.entries.binary_search_by(|entry| entry.key().cmp(&(at, id)));
        found.map(|place| self.entries.remove(place)).is_ok()
    }
}

/// The first rows, and whether there are more.
fn forward<T>(rows: &[T], limit: usize) -> (&[T], bool) {
    (&rows[..rows.len().min(limit)], rows.len() > limit)
}

/// A row's timestamp in any of the formats that FACTS lists. One without an offset is taken as
/// UTC, one that cannot be read as the beginning of time.
pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|_| {
        text.parse::<civil::DateTime>()
            .and_then(|local| local.to_zoned(TimeZone::UTC))
            .map_or(Timestamp::MIN, |zoned| zoned.timestamp())
    })
}
