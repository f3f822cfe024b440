//! One HTTP endpoint for customers, whichever vendor holds them.

pub mod sandbox;
