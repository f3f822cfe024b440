//! Changes of a stored list between two walks.

use std::{ops::Range, sync::Arc};

use crate::{
    copies::{Changes, StoredList},
    domain::page::RecordPage,
};

/// Change of a stored list.
#[derive(Debug, Clone)]
pub(super) enum Update {
    /// Rows with their current content. Rows that the list lacks are not added: their
    /// place is not known.
    Rows(Arc<RecordPage>),
    /// The newest rows of the list, first rows first.
    Newest(Arc<RecordPage>, Range<usize>),
    /// Row that the vendor has deleted.
    Deleted(Box<str>),
}

impl Update {
    /// Applies the change. `None` if the list has the content already.
    pub(super) fn apply(&self, list: &StoredList) -> Option<(StoredList, Changes)> {
        match self {
            Self::Rows(page) => list.with_rows(page),
            Self::Newest(page, rows) => list.with_newest(page, rows.clone()),
            Self::Deleted(id) => list.without(id).map(|list| (list, Changes { deleted: 1, ..Changes::default() })),
        }
    }
}

/// Applies changes in their order. `None` if none of them changes the list.
pub(super) fn apply_all(list: &StoredList, updates: &[Update]) -> Option<(StoredList, Changes)> {
    let mut changed: Option<(StoredList, Changes)> = None;
    for update in updates {
        let current = changed.as_ref().map_or(list, |(list, _)| list);
        if let Some((next, changes)) = update.apply(current) {
            let before = changed.map_or_else(Changes::default, |(_, before)| before);
            changed = Some((next, before.plus(changes)));
        }
    }
    changed
}
