//! Vendors that misbehave. A walk over their lists ends with the rows or with a
//! problem, at a bounded cost.

mod bodies;
mod cycles;
mod damage;
mod ends;
mod ids;
mod long_cursors;
mod places;
mod repeats;
mod tenants;
mod values;
