//! The gateway from outside: everything here uses its public interface only,
//! over real sockets where there is any I/O, and shares this one binary, so
//! that it is linked once.

#![expect(clippy::unwrap_used, reason = "clippy.toml's leave for tests does not reach their helper functions")]

mod caching;
mod support;
mod translation;
mod walks;
