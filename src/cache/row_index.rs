//! Index of the rows in cached list pages.
//!
//! A page is addressed by its vendor request. After an insertion, the same rows
//! are on pages of other requests. The index finds the cached pages that contain
//! a row, so that neither a walk nor a retrieval fetches them again.

use std::{
    hash::BuildHasher,
    sync::{Arc, Weak},
    time::Duration,
};

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use parking_lot::{Mutex, RwLock};
use slab::Slab;

use crate::domain::{
    anchor::{Anchor, Direction},
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
    /// True if the vendor promises an order of the rows.
    pub is_ordered: bool,
}

/// Rows that a lookup asks for. Another cached page than the requested one may
/// contain them.
#[derive(Debug, Clone)]
pub enum Rows {
    /// A page of a list.
    List(ListRows),
    /// One row.
    One(Row),
}

/// Rows of a list from an anchor.
#[derive(Debug, Clone)]
pub struct ListRows {
    /// The list.
    pub list: Arc<List>,
    /// The anchor of the requested page.
    pub anchor: Anchor,
    /// The gap from which the walk continues, if known.
    pub gap: Option<Gap>,
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
    /// The number of rows before the page of the gap, if known.
    pub rows_before: Option<u32>,
    /// The number of rows of that page before the gap.
    pub offset: u16,
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

/// Place of a page in the index. [`Place::remove`] removes the page; dropping the
/// place does not.
#[derive(Debug)]
pub(super) struct Place {
    table: Weak<Table>,
    page: u32,
    pub(super) list: Arc<List>,
    pub(super) anchor: Anchor,
}

/// Rows of one form.
#[derive(Debug, Default)]
struct Table(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    pages: Slab<IndexedPage>,
    /// The newest copy of each row, by the hash of its id.
    newest: HashTable<Head>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
struct IndexedPage {
    entry: Arc<Entry>,
    list: Arc<List>,
    /// The number of rows of the list before the page, if known.
    rows_before: Option<u32>,
    /// For each row, the copy that was indexed before it.
    older: Box<[Option<RowCopy>]>,
}

/// Newest copy of a row. With its hash, a growing table reads no ids.
#[derive(Debug)]
struct Head {
    hash: u32,
    copy: RowCopy,
}

/// Copy of a row in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RowCopy {
    page: u32,
    row: u32,
}

/// Maximum number of indexed copies of a row. A page that is requested with many
/// bounds has a copy of each row for each bound.
const MAX_COPIES: usize = 8;

/// Memory of a row in the index, in bytes. A hash table is between half full and
/// full.
pub(super) const ROW_BYTES: usize = 3 * (size_of::<Head>() + 1) / 2 + size_of::<Option<RowCopy>>();

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
    pub(super) fn add(&self, key: &Key, entry: &Arc<Entry>, rows: &ListRows) {
        let ListRows { list, anchor, .. } = rows;
        let form = Form::new(key, list.resource, &list.shape);
        let table = self.table(&form).unwrap_or_else(|| self.create(form));
        let page = table.0.lock().add(entry, rows);
        if let Some(page) = page {
            let (table, list, anchor) = (Arc::downgrade(&table), Arc::clone(list), anchor.clone());
            entry.set_place(Place { table, page, list, anchor });
        }
    }

    /// Returns the youngest entry with the requested rows.
    pub(super) fn find(&self, key: &Key, rows: &Rows) -> Option<Arc<Entry>> {
        match rows {
            Rows::List(ListRows { list, gap: Some(gap), .. }) => {
                let table = self.table(&Form::new(key, list.resource, &list.shape))?;
                let contents = table.0.lock();
                contents.youngest(&gap.id, |page, row| *page.list == **list && gap.continues_in(page, row))
            }
            Rows::List(ListRows { gap: None, .. }) => None,
            // The vendor's own object of a list may lack fields.
            Rows::One(row) if row.shape.raw => None,
            Rows::One(row) => {
                let table = self.table(&Form::new(key, row.resource, &row.shape))?;
                let contents = table.0.lock();
                contents.youngest(&row.id, |page, _| !page.entry.is_displaced())
            }
        }
    }

    fn table(&self, form: &Form) -> Option<Arc<Table>> {
        self.0.read().get(form).cloned()
    }

    /// Creates a table, and drops the tables that are empty.
    fn create(&self, form: Form) -> Arc<Table> {
        let mut tables = self.0.write();
        // The count of a table in use by another thread is higher.
        tables.retain(|_, table| Arc::strong_count(table) > 1 || !table.0.lock().pages.is_empty());
        Arc::clone(tables.entry(form).or_default())
    }
}

impl Form {
    fn new(key: &Key, resource: Resource, shape: &Shape) -> Self {
        Self { connection: key.connection.clone(), generation: key.generation, resource, shape: shape.clone() }
    }
}

impl Gap {
    /// Returns true if a walk continues in a page, in which the adjacent row has an index:
    /// the page also contains a row beyond the gap. Between two copies of the adjacent row,
    /// no row counts, because the walk would return to the first copy in a cycle.
    fn continues_in(&self, IndexedPage { entry, list, rows_before, .. }: &IndexedPage, row: usize) -> bool {
        let page = &entry.page;
        let index = if self.side == Side::After { row + 1 } else { row };
        match self.direction {
            Direction::Forward => {
                (index > 0 || !entry.is_displaced())
                    && index < page.len()
                    && !page.contains(row + 1..page.len(), &self.id)
                    && (list.is_ordered || self.is_reached(*rows_before, index, page.len()))
            }
            // Rows may have been inserted before a displaced page.
            Direction::Backward => index > 0 && !entry.is_displaced() && !page.contains(0..row, &self.id),
        }
    }

    /// Returns true unless a page with `rows_before` rows before it has the gap much earlier
    /// in the list. In a list without an order, a row may move to a later page, and the walk
    /// would return to the earlier page in a cycle.
    fn is_reached(&self, rows_before: Option<u32>, index: usize, length: usize) -> bool {
        let (Some(here), Some(there)) = (self.rows_before, rows_before) else { return true };
        let here = here as usize + usize::from(self.offset);
        there as usize + index + length / 2 >= here
    }
}

impl ListRows {
    /// Returns the number of rows before the page, if known.
    fn rows_before(&self) -> Option<u32> {
        if self.anchor == Anchor::Start { Some(0) } else { self.gap.as_ref()?.rows_before }
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
    fn add(&mut self, entry: &Arc<Entry>, rows: &ListRows) -> Option<u32> {
        let page = u32::try_from(self.pages.vacant_key()).ok()?;
        let count = u32::try_from(entry.page.len()).ok()?;
        let older = vec![None; entry.page.len()].into_boxed_slice();
        let (entry, list) = (Arc::clone(entry), Arc::clone(&rows.list));
        self.pages.insert(IndexedPage { entry: Arc::clone(&entry), list, rows_before: rows.rows_before(), older });
        for row in 0..count {
            let copy = RowCopy { page, row };
            let id = entry.page.id(row as usize);
            let hash = self.hash(id);
            let pages = &self.pages;
            match self.newest.find_mut(spread(hash), |head| head.hash == hash && id_of(pages, head.copy) == id) {
                Some(head) => {
                    let newest = std::mem::replace(&mut head.copy, copy);
                    self.set_older(copy, Some(newest));
                    self.forget_oldest(copy);
                }
                None => {
                    self.newest.insert_unique(spread(hash), Head { hash, copy }, |head| spread(head.hash));
                }
            }
        }
        Some(page)
    }

    fn remove(&mut self, page: u32) {
        let Some(entry) = self.pages.get(page as usize).map(|page| Arc::clone(&page.entry)) else { return };
        for row in (0..entry.page.len()).filter_map(|row| u32::try_from(row).ok()) {
            self.remove_copy(RowCopy { page, row }, entry.page.id(row as usize));
        }
        self.pages.remove(page as usize);
        if self.newest.len() < self.newest.capacity() / 4 {
            self.newest.shrink_to(self.newest.len() * 2, |head| spread(head.hash));
            self.pages.shrink_to_fit();
        }
    }

    fn remove_copy(&mut self, copy: RowCopy, id: &str) {
        let hash = self.hash(id);
        let pages = &self.pages;
        let found = self.newest.find_entry(spread(hash), |head| head.hash == hash && id_of(pages, head.copy) == id);
        let Ok(mut found) = found else { return };
        let newest = found.get().copy;
        if newest == copy {
            match older(&self.pages, copy) {
                Some(older) => found.get_mut().copy = older,
                None => {
                    found.remove();
                }
            }
            return;
        }
        let newer = copies(&self.pages, newest).find(|newer| older(&self.pages, *newer) == Some(copy));
        if let Some(newer) = newer {
            self.set_older(newer, older(&self.pages, copy));
        }
    }

    /// Removes the copy beyond the maximum number of copies.
    fn forget_oldest(&mut self, newest: RowCopy) {
        let last = copies(&self.pages, newest).nth(MAX_COPIES - 1);
        if let Some(last) = last {
            self.set_older(last, None);
        }
    }

    fn set_older(&mut self, copy: RowCopy, older: Option<RowCopy>) {
        if let Some(page) = self.pages.get_mut(copy.page as usize) {
            page.older[copy.row as usize] = older;
        }
    }

    /// Returns the youngest entry that contains a row and is accepted.
    fn youngest(&self, id: &str, accepts: impl Fn(&IndexedPage, usize) -> bool) -> Option<Arc<Entry>> {
        let hash = self.hash(id);
        let head = self.newest.find(spread(hash), |head| head.hash == hash && id_of(&self.pages, head.copy) == id)?;
        let accepted = copies(&self.pages, head.copy).filter_map(|copy| {
            let page = self.pages.get(copy.page as usize)?;
            (!page.entry.is_superseded() && accepts(page, copy.row as usize)).then_some(&page.entry)
        });
        accepted.max_by_key(|entry| entry.fetched()).map(Arc::clone)
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
    fn hash(&self, id: &str) -> u32 {
        self.hasher.hash_one(id) as u32
    }
}

/// Returns the hash for the table, which reads the high bits and the low bits.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

/// Returns a copy of a row and the older copies, newest first.
fn copies(pages: &Slab<IndexedPage>, newest: RowCopy) -> impl Iterator<Item = RowCopy> {
    std::iter::successors(Some(newest), |copy| older(pages, *copy))
}

fn older(pages: &Slab<IndexedPage>, copy: RowCopy) -> Option<RowCopy> {
    pages.get(copy.page as usize)?.older[copy.row as usize]
}

/// Returns the id of a row.
fn id_of(pages: &Slab<IndexedPage>, copy: RowCopy) -> &str {
    pages.get(copy.page as usize).map_or("", |page| page.entry.page.id(copy.row as usize))
}
