//! Compaction: segments with many hidden rows, and many small segments, are
//! written again as one.

use std::sync::Arc;

use super::{RowRef, Segment, StoredList, list_edit::Edit, segment::RowReader, segment_builder::SegmentBuilder};

/// Numbers of rows below which segments are of the same class. Segments of the
/// last class are not combined.
const CLASSES: [usize; 3] = [128, 1_024, 8_192];

/// Number of segments of one class that are combined.
const FAN_OUT: usize = 8;

impl StoredList {
    /// Returns the list after at most one compaction. Its memory exceeds that of
    /// the list by one segment meanwhile.
    pub(super) fn into_compacted(self) -> Self {
        self.compacted().unwrap_or(self)
    }

    /// Writes the rows of some segments as one segment. Returns `None` if the
    /// segments are good.
    pub(super) fn compacted(&self) -> Option<Self> {
        let chosen = self.compactable()?;
        let slot = self.free_slot()?;
        let live = |index: usize| self.slots[index].live_rows();
        let rows =
            chosen.iter().flat_map(|index| live(*index).iter().map(|row| RowRef::new(*index, row)).collect::<Vec<_>>());
        let mut rows: Vec<_> = rows.collect();
        rows.sort_unstable_by_key(|row| self.rank(*row));
        let (mut builder, mut reader) = (SegmentBuilder::new(), RowReader::default());
        let mut replaced = Vec::with_capacity(rows.len());
        for old in rows {
            let row = reader.read(&self.slots[old.segment()].segment, old.row())?;
            replaced.push((old, RowRef::new(slot, builder.len())));
            builder.push(&row)?;
        }
        let segment: Arc<Segment> = Arc::new(builder.finish()?);
        Some(self.edited(Some((slot, segment)), &Edit { replaced, ..Edit::default() }))
    }

    /// Returns the slots to compact next.
    fn compactable(&self) -> Option<Vec<usize>> {
        let mut lower = 0;
        for upper in CLASSES {
            let of_class = self.slots.iter().enumerate().filter(|(_, slot)| (lower..upper).contains(&slot.live));
            let of_class = of_class.filter(|(_, slot)| !slot.is_free()).map(|(index, _)| index);
            let chosen: Vec<_> = of_class.take(FAN_OUT).collect();
            if chosen.len() == FAN_OUT {
                return Some(chosen);
            }
            lower = upper;
        }
        let is_sparse = |index: &usize| {
            let slot = &self.slots[*index];
            !slot.is_free() && slot.live < slot.segment.len() / 2
        };
        (0..self.slots.len()).find(is_sparse).map(|index| vec![index])
    }
}
