//! One HTTP endpoint for customers, whichever vendor holds them.
//!
//! A request goes one way, and its answer straight back: [`api`] → [`directory`] →
//! [`cache`] → [`upstream`]. [`vendors`] translate and do no I/O; [`domain`] is
//! the vocabulary they all share. `docs/ARCHITECTURE.md` is the map.

pub mod api;
pub mod app;
pub mod cache;
pub mod callers;
pub mod cli;
pub mod clock;
pub mod config;
pub mod directory;
pub mod domain;
pub mod http_client;
pub mod identity;
pub mod rate;
pub mod sandbox;
pub mod server;
pub mod telemetry;
pub mod upstream;
pub mod vendors;
mod web;
