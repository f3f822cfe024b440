//! The gateway, tested over real sockets.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod command_line;
mod configuration;
mod hostile;
mod problems;
mod support;
mod upstream;
mod vendor_errors;
mod walks;
