//! Adapter tests: requests to vendors and the reading of their responses.
//!
//! Golden tests: `tests/fixtures/<vendor>/<case>.json` is a vendor's response.
//! The `.snap` file next to it holds the request and the adapter's result.
//! Fixtures named `page_…` are the examples of the vendors' documentation, byte
//! for byte. Numbers in fixture names are cases of `docs/FACTS.md`.

mod corporation;
mod harness;
mod outcome;
mod robustness;
mod same_id;
mod tolt;
mod values;
