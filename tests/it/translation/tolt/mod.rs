//! Tolt.

mod pages;
mod paging;
mod refusals;
mod requests;
mod shape;
mod tenancy;
