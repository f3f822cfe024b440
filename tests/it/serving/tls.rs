//! TLS on the listening side.
