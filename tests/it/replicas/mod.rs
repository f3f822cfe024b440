//! Several replicas that share a real Redis server.

mod cluster;
mod connection;
mod fetches;
mod pages;
mod purges;
mod scripts;
mod versions;
