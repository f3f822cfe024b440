//! Integration tests of the gateway's public interface, over real sockets where
//! there is I/O. The tests share one binary, so the crate is linked once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed test panics")]

mod batches;
mod caching;
mod clients;
mod codings;
mod command_line;
mod configuration;
mod contract;
mod cors;
mod counts;
mod deployment;
mod docs_page;
mod documents;
mod drift;
mod explain;
mod export;
mod federation;
mod fields;
mod freshness;
mod hostile;
mod identity;
mod layers;
mod links;
mod problems;
mod replicas;
mod serving;
mod support;
mod sync;
mod traces;
mod translation;
mod upstream;
mod vendor_contracts;
mod vendor_errors;
mod walks;
