//! Requests to vendors: content, rate limits and caching.

mod budget;
mod cache;
mod codings;
mod requests;
