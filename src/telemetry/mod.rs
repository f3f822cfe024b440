//! Observability: log lines on standard error, metrics and traces.

mod families;
mod histogram;
pub mod log;
mod metric_cache;
pub mod metrics;
mod process;
pub mod reloads;
pub mod request;
pub mod trace;
