//! Shared parts of the fuzz targets: a gateway in process, and an independent
//! reader of vendor responses.

pub mod bodies;
pub mod damage;
pub mod fields;
pub mod json;
pub mod rows;
pub mod scenario;
pub mod stage;
pub mod vendor;
pub mod walk;
