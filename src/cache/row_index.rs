//! Index of the rows in cached list pages.
//!
//! A page is addressed by its vendor request. After an insertion, the same rows
//! are on pages of other requests. The index finds the cached pages that contain
//! a row, so that neither a walk nor a retrieval fetches them again.

use std::{
    collections::HashMap,
    hash::BuildHasher,
    sync::{Arc, Weak},
    time::Duration,
};

use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::{Mutex, RwLock};
use slab::Slab;

use crate::domain::{
    anchor::Direction,
    connection::ConnectionName,
    position::Side,
    query::{Resource, Shape},
};

use super::{Entry, Key, Policy};

/// List that a page belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The kind of row.
    pub resource: Resource,
    /// The content of each row.
    pub shape: Shape,
    /// The vendor path and query of the list's first page.
    pub start: Arc<str>,
}

/// Rows that a lookup asks for. Another cached page than the requested one may
/// contain them.
#[derive(Debug, Clone)]
pub enum Rows {
    /// A page of a list, from a gap between two rows if the gap is known.
    List(Arc<List>, Option<Gap>),
    /// One row.
    One(Row),
}

/// Row of a list page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The kind of row.
    pub resource: Resource,
    /// The content of the row.
    pub shape: Shape,
    /// The row's id at the vendor.
    pub id: Box<str>,
    /// Freshness lifetime of list pages.
    pub lifetime: Duration,
}

/// Gap between two rows, from which a walk continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The vendor id of the adjacent row.
    pub id: Box<str>,
    /// The side of the adjacent row on which the gap lies.
    pub side: Side,
    /// The direction of the walk.
    pub direction: Direction,
}

/// Index of rows by connection and form. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct RowIndex(Arc<RwLock<HashMap<Form, Arc<Table>>>>);

/// Kind of row that is interchangeable between pages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Form {
    connection: ConnectionName,
    generation: u32,
    resource: Resource,
    shape: Shape,
}

/// Place of a page in the index. Its drop has no effect.
#[derive(Debug)]
pub(super) struct Place {
    table: Weak<Table>,
    page: u32,
}

/// Rows of one form.
#[derive(Debug, Default)]
struct Table(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    pages: Slab<IndexedPage>,
    /// References to all rows, by the hash of their ids.
    rows: HashTable<RowRef>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
struct IndexedPage {
    entry: Arc<Entry>,
    list: Arc<List>,
}

/// Memory of a row in the index, in bytes. A hash table is between half full and
/// full.
pub(super) const ROW_BYTES: usize = 3 * (size_of::<RowRef>() + 1) / 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RowRef {
    page: u32,
    row: u32,
}

impl Rows {
    /// Returns the policy for the page that another request has fetched.
    pub(super) fn policy(&self, policy: Policy) -> Policy {
        match self {
            Self::List(..) => policy,
            Self::One(row) => Policy { fresh: policy.fresh.min(row.lifetime), ..policy },
        }
    }
}

impl RowIndex {
    /// Adds the page of a list. It stays in the index until
    /// [`Place::remove`].
    pub(super) fn add(&self, key: &Key, entry: &Arc<Entry>, list: &Arc<List>) {
        let table = Arc::clone(self.0.write().entry(Form::new(key, list.resource, &list.shape)).or_default());
        let page = table.0.lock().add(IndexedPage { entry: Arc::clone(entry), list: Arc::clone(list) });
        if let Some(page) = page {
            entry.set_place(Place { table: Arc::downgrade(&table), page });
        }
    }

    /// Returns the youngest entry with the requested rows.
    pub(super) fn find(&self, key: &Key, rows: &Rows) -> Option<Arc<Entry>> {
        match rows {
            Rows::List(list, Some(gap)) => {
                let table = self.table(&Form::new(key, list.resource, &list.shape))?;
                table.0.lock().youngest(&gap.id, |page, row| *page.list == **list && gap.has_next(&page.entry, row))
            }
            Rows::List(_, None) => None,
            // The vendor's own object of a list may lack fields.
            Rows::One(row) if row.shape.raw => None,
            Rows::One(row) => {
                let table = self.table(&Form::new(key, row.resource, &row.shape))?;
                table.0.lock().youngest(&row.id, |page, _| !page.entry.is_displaced())
            }
        }
    }

    fn table(&self, form: &Form) -> Option<Arc<Table>> {
        self.0.read().get(form).cloned()
    }
}

impl Form {
    fn new(key: &Key, resource: Resource, shape: &Shape) -> Self {
        Self { connection: key.connection.clone(), generation: key.generation, resource, shape: shape.clone() }
    }
}

impl Gap {
    /// Returns true if the page of the adjacent row also contains a row beyond the
    /// gap.
    fn has_next(&self, entry: &Entry, row: usize) -> bool {
        let gap = if self.side == Side::After { row + 1 } else { row };
        match self.direction {
            Direction::Forward => gap < entry.page.len(),
            Direction::Backward => gap > 0,
        }
    }
}

impl Place {
    /// Removes the page from the index.
    pub(super) fn remove(&self) {
        if let Some(table) = self.table.upgrade() {
            table.0.lock().remove(self.page);
        }
    }
}

impl Contents {
    /// Adds a page and returns its number. `None` if the number is not supported.
    fn add(&mut self, page: IndexedPage) -> Option<u32> {
        let Self { pages, rows, hasher } = self;
        let number = u32::try_from(pages.vacant_key()).ok()?;
        let count = u32::try_from(page.entry.page.len()).ok()?;
        pages.insert(page);
        rows.reserve(count as usize, |row| hasher.hash_one(id(pages, *row)));
        for row in 0..count {
            let row = RowRef { page: number, row };
            rows.insert_unique(hasher.hash_one(id(pages, row)), row, |row| hasher.hash_one(id(pages, *row)));
        }
        Some(number)
    }

    fn remove(&mut self, number: u32) {
        let Self { pages, rows, hasher } = self;
        let count = pages.get(number as usize).map_or(0, |page| page.entry.page.len());
        for row in (0..count).filter_map(|row| u32::try_from(row).ok()) {
            let row = RowRef { page: number, row };
            if let Ok(found) = rows.find_entry(hasher.hash_one(id(pages, row)), |other| *other == row) {
                found.remove();
            }
        }
        pages.try_remove(number as usize);
    }

    /// Returns the youngest entry that contains a row and is accepted.
    fn youngest(&self, vendor_id: &str, accepts: impl Fn(&IndexedPage, usize) -> bool) -> Option<Arc<Entry>> {
        let hash = self.hasher.hash_one(vendor_id);
        let found = self.rows.iter_hash(hash).filter_map(|row| {
            let page = self.pages.get(row.page as usize)?;
            let is_same = id(&self.pages, *row) == vendor_id;
            (is_same && !page.entry.is_superseded() && accepts(page, row.row as usize)).then_some(&page.entry)
        });
        found.max_by_key(|entry| entry.fetched()).map(Arc::clone)
    }
}

/// Returns the id of a row.
fn id(pages: &Slab<IndexedPage>, row: RowRef) -> &str {
    pages.get(row.page as usize).map_or("", |page| page.entry.page.id(row.row as usize))
}
