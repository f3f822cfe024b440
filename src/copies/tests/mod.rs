//! Tests of stored lists against lists of rows without columns.

mod changes;
mod encoding;
mod model;
mod questions;
mod walks;
