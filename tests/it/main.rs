//! The gateway from outside: everything here uses its public interface only,
//! and shares this one binary, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "clippy.toml's leave for tests does not reach their helper functions")]

mod translation;
