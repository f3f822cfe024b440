//! The gateway from outside: everything here uses its public interface only,
//! and shares this one binary, so that it is linked once.

mod translation;
