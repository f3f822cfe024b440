//! Sealing and opening a cursor.
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

#[expect(dead_code, reason = "each bench uses its part")]
mod pages;

use criterion::Criterion;
use customer_gateway::domain::{
    anchor::{Anchor, Direction},
    connection::ConnectionName,
    cursor::{Cursor, CursorKey, Fingerprint},
    position::{Position, SourcePosition},
};
use pages::{Page, question};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let connection: ConnectionName = "bench".parse().unwrap();
    let question = question();
    let fingerprint = Fingerprint::new(&question, [&connection]);
    let position = Position::within(&Page::of("tolt", 100).read(), &Anchor::Start, 10, Direction::Forward);
    let cursor =
        Cursor { query: fingerprint, direction: Direction::Forward, sources: vec![SourcePosition::At(position)] };
    let key = CursorKey::derive(b"bench");
    let sealed = key.seal(&cursor);

    criterion.bench_function("cursor/fingerprint", |bencher| {
        bencher.iter(|| Fingerprint::new(&question, [&connection]));
    });
    criterion.bench_function("cursor/seal", |bencher| bencher.iter(|| key.seal(&cursor)));
    criterion.bench_function("cursor/open", |bencher| bencher.iter(|| key.open(&sealed, fingerprint).unwrap()));
    criterion.final_summary();
}
