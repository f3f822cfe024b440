//! Several replicas that share a real Redis server.

mod connection;
mod limits;
