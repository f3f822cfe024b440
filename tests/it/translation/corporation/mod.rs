//! The corporation-style vendor.

mod pages;
mod paging;
mod refusals;
mod requests;
mod shape;
mod tenancy;
