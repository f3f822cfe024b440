//! Observability: log lines on standard error, metrics and traces.

mod families;
mod histogram;
mod known;
pub mod log;
pub mod metrics;
mod process;
pub mod reloads;
pub mod request;
pub mod trace;
