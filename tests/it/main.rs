//! The gateway, tested over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

mod command_line;
mod configuration;
mod hostile;
mod problems;
#[allow(dead_code, reason = "each module of tests uses its part")]
mod support;
mod upstream;
mod vendor_errors;
mod walks;
