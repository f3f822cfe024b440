//! What adapters make of questions and of vendors' answers.
//!
//! Golden tests: `tests/fixtures/<vendor>/<case>.json` is what a vendor
//! answers, the `.snap` beside it what the gateway asked and made of it. Files
//! named `page_…` are the examples on the vendors' own pages, byte for byte.
//! The numbers in names are those of the cases in FACTS.md, kept with the
//! copies of the vendors' pages.

mod asked;
mod corporation;
mod outcome;
mod robustness;
mod same_id;
mod tolt;
