//! One HTTP API for customers held by several vendors.
//!
//! A request passes [`api`], [`directory`], [`cache`] and [`upstream`], and its
//! response returns the same way. [`vendors`] translate without I/O, and
//! [`domain`] holds the types that all modules share. `docs/ARCHITECTURE.md`
//! describes the modules.

pub mod api;
pub mod app;
pub mod cache;
pub mod callers;
pub mod cli;
pub mod clock;
pub mod config;
pub mod copies;
pub mod directory;
pub mod domain;
pub mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod http_client;
pub mod identity;
pub mod rate;
pub mod sandbox;
pub mod server;
pub mod shared;
pub mod sync;
pub mod telemetry;
pub mod upstream;
pub mod vendors;
mod web;
