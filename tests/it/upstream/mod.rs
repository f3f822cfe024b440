//! How vendors are asked: what is sent, how often, and what is not asked
//! again.

mod budget;
mod cache;
mod requests;
