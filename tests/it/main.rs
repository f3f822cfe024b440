//! The gateway, tested over real sockets.

mod support;
mod walks;
