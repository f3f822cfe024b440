//! Vendors that misbehave: a walk over their lists ends, with the rows or with
//! a problem, and nothing of theirs costs more than it should.

mod bodies;
mod cycles;
mod oddities;
mod tenants;
