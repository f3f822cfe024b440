//! Columns: one field of all rows of a segment.

mod coded;
mod index;
mod instant;
mod text;

pub(super) use coded::{CodedColumn, CodedColumnBuilder, CodedParts};
pub(super) use index::{IndexedColumn, IndexedParts};
pub(super) use instant::{InstantColumn, InstantParts};
pub(super) use text::TextColumnBuilder;
