//! HTTP server: HTTP/1.1 and HTTP/2 on one port, with or without TLS, and
//! graceful shutdown.
//!
//! The served state can be replaced while connections are open ([`Live`]). Each
//! request is answered by the state that is current when the request arrives.

mod accept;
mod activity;
mod body;
mod connection;
mod descriptors;
mod limits;
mod live;
mod readiness;
mod service;
mod tls;

pub use accept::serve;
pub use descriptors::raise_descriptor_limit;
pub use limits::Limits;
pub use live::{Live, Served};
pub use readiness::Readiness;
pub use service::{HttpService, Responding, ResponseBody};
pub use tls::{Tls, TlsError};
