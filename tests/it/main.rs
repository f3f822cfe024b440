//! The gateway from outside: everything here uses its public interface only,
//! over real sockets where there is any I/O, and shares this one binary, so
//! that it is linked once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

mod caching;
mod clients;
mod command_line;
mod configuration;
mod contract;
mod deployment;
mod docs_page;
mod drift;
mod explain;
mod export;
mod hostile;
mod identity;
mod problems;
mod serving;
mod several;
#[allow(dead_code, reason = "each module of tests uses its part")]
mod support;
mod traces;
mod translation;
mod upstream;
mod vendor_contracts;
mod vendor_errors;
mod walks;
