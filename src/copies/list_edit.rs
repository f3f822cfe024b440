//! Changes of single rows. The unchanged rows are shared.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use crate::domain::page::RecordPage;

use super::{
    Changes, RowRef, Segment, StoredList,
    creation::{Creation, Trend},
    row_order::RowOrder,
    segment::{Row, RowReader},
    segment_builder::SegmentBuilder,
    slot::Slot,
};

/// Change of a list.
#[derive(Default)]
pub(super) struct Edit {
    /// Rows that take the rank of another row with the same id.
    pub(super) replaced: Vec<(RowRef, RowRef)>,
    /// Rows before the first row.
    pub(super) inserted: Vec<RowRef>,
    pub(super) removed: Option<RowRef>,
}

impl StoredList {
    /// Replaces the rows of the list that a page has with other content. Rows that
    /// the list lacks are ignored. Returns `None` if nothing changed. Takes some
    /// milliseconds for 1,000,000 rows, and up to a second if segments are
    /// combined: call it on a blocking thread.
    #[must_use]
    pub fn with_rows(&self, page: &RecordPage) -> Option<(Self, Changes)> {
        self.updated(page, 0..page.len(), false)
    }

    /// Like [`with_rows`](Self::with_rows) for a range of a page's rows, and
    /// inserts unknown rows before the first row, in the order of the page.
    #[must_use]
    pub fn with_newest(&self, page: &RecordPage, rows: Range<usize>) -> Option<(Self, Changes)> {
        self.updated(page, rows, true)
    }

    /// Removes a row. Returns `None` if the list lacks it.
    #[must_use]
    pub fn without(&self, id: &str) -> Option<Self> {
        let removed = Some(self.find(id)?);
        Some(self.edited(None, &Edit { removed, ..Edit::default() }).into_compacted())
    }

    fn updated(&self, page: &RecordPage, rows: Range<usize>, inserts: bool) -> Option<(Self, Changes)> {
        let (mut builder, mut reader) = (SegmentBuilder::new(), RowReader::default());
        let (mut edit, mut changes) = (Edit::default(), Changes::default());
        let slot = self.free_slot()?;
        let mut ids = HashSet::new();
        for index in rows.start..rows.end.min(page.len()) {
            let row = Row::of_page(page, index);
            let new = RowRef::new(slot, builder.len());
            match self.find(row.id) {
                _ if !ids.insert(row.id) => continue,
                Some(old) => {
                    let segment = &self.slots[old.segment()].segment;
                    if reader.read(segment, old.row()).as_ref() == Some(&row) {
                        continue;
                    }
                    edit.replaced.push((old, new));
                    changes.updated += 1;
                }
                None if inserts => {
                    edit.inserted.push(new);
                    changes.created += 1;
                }
                None => continue,
            }
            // A page has fewer rows than a segment.
            builder.push(&row)?;
        }
        if builder.len() == 0 {
            return None;
        }
        let segment = Arc::new(builder.finish()?);
        Some((self.edited(Some((slot, segment)), &edit).into_compacted(), changes))
    }

    /// Returns the index of a slot for a segment.
    pub(super) fn free_slot(&self) -> Option<usize> {
        let free = self.slots.iter().position(Slot::is_free).unwrap_or(self.slots.len());
        u16::try_from(free).is_ok().then_some(free)
    }

    /// Returns the list with a change, whose new rows are in a segment in a free
    /// slot.
    pub(super) fn edited(&self, new: Option<(usize, Arc<Segment>)>, edit: &Edit) -> Self {
        let mut segments: Vec<_> = self.slots.iter().map(|slot| Arc::clone(&slot.segment)).collect();
        let mut touched: HashSet<usize> = edit.replaced.iter().map(|(old, _)| old.segment()).collect();
        touched.extend(edit.removed.map(RowRef::segment));
        if let Some((index, segment)) = new {
            touched.insert(index);
            if index < segments.len() { segments[index] = segment } else { segments.push(segment) }
        }
        let lengths = || segments.iter().map(|segment| segment.len());
        let order = if edit.inserted.is_empty() && edit.removed.is_none() {
            self.order.replaced(&edit.replaced, lengths())
        } else {
            let replaced = self.order.replaced(&edit.replaced, lengths());
            let rows = edit.inserted.iter().chain(replaced.rows()).copied();
            RowOrder::new(rows.filter(|row| Some(*row) != edit.removed).collect(), lengths())
        };
        let slot = |(index, segment)| match self.slots.get(index) {
            Some(slot) if !touched.contains(&index) => slot.clone(),
            _ => Slot::new(segment, index, &order),
        };
        let slots: Vec<_> = (0..).zip(&segments).map(slot).collect();
        let mut marks = self.marks.clone();
        marks.shift(u32::try_from(edit.inserted.len()).unwrap_or(u32::MAX));
        if let Some(rank) = edit.removed.and_then(|row| self.rank(row)) {
            marks.remove(rank);
        }
        let mut list =
            Self { slots, order, creation: Creation::Listed, trend: self.trend, marks, dropped: self.dropped };
        list.sort_edited(self, edit);
        list
    }

    /// Sets the order by creation time. `before` is the list before the change.
    fn sort_edited(&mut self, before: &Self, edit: &Edit) {
        let moved = edit.replaced.iter().filter(|(old, new)| before.key_of(*old) != self.key_of(*new));
        let moved: Vec<_> = moved.copied().collect();
        let changed = edit.inserted.iter().chain(moved.iter().map(|(_, new)| new));
        let changed: Vec<_> = changed.copied().collect();
        let created_at = |row| self.key_of(row).0;
        self.trend = Trend {
            ascends: before.trend.ascends && self.holds_around(&changed, |a, b| created_at(a) <= created_at(b)),
            descends: before.trend.descends && self.holds_around(&changed, |a, b| created_at(a) >= created_at(b)),
        };
        let lengths = || self.slots.iter().map(|slot| slot.segment.len());
        let creation = match &before.creation {
            Creation::Listed if self.holds_around(&changed, |a, b| self.key_of(a) < self.key_of(b)) => Creation::Listed,
            Creation::Reversed if self.holds_around(&changed, |a, b| self.key_of(a) > self.key_of(b)) => {
                Creation::Reversed
            }
            Creation::Listed | Creation::Reversed => Creation::of(&self.slots, &self.order),
            Creation::Own(order) if changed.is_empty() && edit.removed.is_none() => {
                Creation::Own(order.replaced(&edit.replaced, lengths()))
            }
            Creation::Own(order) => {
                let gone: HashSet<_> = moved.iter().map(|(old, _)| *old).chain(edit.removed).collect();
                let rest = order.rows().iter().filter(|row| !gone.contains(row)).copied();
                let new: HashMap<_, _> = edit.replaced.iter().copied().collect();
                let rest: Vec<_> = rest.map(|row| new.get(&row).copied().unwrap_or(row)).collect();
                Creation::Own(RowOrder::new(self.merged(&rest, changed), lengths()))
            }
        };
        self.creation = creation;
    }

    /// Returns true if every two neighbours in list order of which one is among
    /// the rows have a relation.
    fn holds_around(&self, rows: &[RowRef], holds: impl Fn(RowRef, RowRef) -> bool) -> bool {
        let order = self.order.rows();
        rows.iter().filter_map(|row| self.order.rank(*row)).all(|rank| {
            let around = &order[rank.saturating_sub(1)..order.len().min(rank + 2)];
            around.windows(2).all(|pair| holds(pair[0], pair[1]))
        })
    }

    /// Inserts rows into rows that are sorted by creation time.
    fn merged(&self, rows: &[RowRef], mut inserted: Vec<RowRef>) -> Vec<RowRef> {
        inserted.sort_unstable_by(|a, b| self.key_of(*a).cmp(&self.key_of(*b)));
        let mut merged = Vec::with_capacity(rows.len() + inserted.len());
        let mut rest = rows;
        for row in inserted {
            let (before, after) = rest.split_at(rest.partition_point(|other| self.key_of(*other) < self.key_of(row)));
            merged.extend_from_slice(before);
            merged.push(row);
            rest = after;
        }
        merged.extend_from_slice(rest);
        merged
    }
}
