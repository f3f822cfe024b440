//! Arbitrary bodies as the corporation vendor's responses, compared with the
//! independent reader.

#![no_main]

use customer_gateway_fuzz::{bodies::Bodies, rows::CORPORATION};
use libfuzzer_sys::fuzz_target;

thread_local!(static BODIES: Bodies = Bodies::new(CORPORATION));

fuzz_target!(|body: &[u8]| BODIES.with(|bodies| bodies.check(body)));
