//! The `customer-gateway` command.

fn main() {}
