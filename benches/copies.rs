//! Stored lists: memory, build, questions and changes.
//!
//! `ROWS=1000000 cargo bench --bench copies` sets the number of customers. With
//! `COUNT=20`, it only asks 20 questions of each kind, for callgrind.
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]
#![expect(clippy::print_stdout, reason = "criterion measures no memory")]

use std::{fmt::Write, hint::black_box, sync::Arc};

use criterion::{BenchmarkGroup, Criterion, measurement::WallTime};
use customer_gateway::{
    clock::SystemClock,
    copies::{Question, Recorder, RowRef, Segment, Selection, StoredList},
    domain::{
        anchor::Anchor,
        filter::{Filter, InstantRange},
        page::{Fields, PageInfo, RecordPage, RecordPageBuilder},
        position::Side,
        query::{ListQuery, Order, Resource, Shape},
    },
};

/// Creation of the newest customer, in seconds since the Unix epoch.
const FIRST_CREATED: i64 = 1_750_000_000;

/// Number of rows of a page.
const PAGE: usize = 100;

fn main() {
    let rows = std::env::var("ROWS").map_or(12_500, |rows| rows.parse().unwrap());
    if let Ok(count) = std::env::var("COUNT") {
        let list = Arc::new(walk(rows, None));
        let count: usize = count.parse().unwrap();
        for _ in 0..count {
            for (_, filter, order) in &questions() {
                drop(black_box(select(&list, filter, *order)));
            }
        }
        return;
    }
    let list = report(rows);
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group(format!("copies/{rows}"));
    group.sample_size(20);
    bench_questions(&mut group, &list);
    bench_pages(&mut group, &list);
    bench_changes(&mut group, &list, rows);
    group.finish();
    criterion.final_summary();
}

/// Prints the figures of a walk that criterion does not measure.
fn report(rows: usize) -> Arc<StoredList> {
    let clock = SystemClock::shared();
    let before = resident();
    let start = clock.elapsed();
    let list = Arc::new(walk(rows, None));
    let built = clock.elapsed().saturating_sub(start);
    let bytes = list.bytes();
    println!("{rows} rows: {bytes} bytes, {} a row, {} KiB resident", bytes / rows as u64, resident() - before);
    println!("{} segments, built in {built:?}", list.segments().count());

    let before = resident();
    let start = clock.elapsed();
    let again = walk(rows, Some(Arc::clone(&list)));
    let walked = clock.elapsed().saturating_sub(start);
    println!("walk without changes in {walked:?}, {} KiB more resident", resident() - before);
    drop(again);

    let start = clock.elapsed();
    let encoded: Vec<_> = list.segments().map(|segment| segment.to_bytes()).collect();
    let manifest = list.manifest_to_bytes();
    let written = clock.elapsed().saturating_sub(start);
    let start = clock.elapsed();
    let segments: Vec<_> = encoded.iter().map(|bytes| Arc::new(Segment::from_bytes(bytes).unwrap())).collect();
    let find = |id| segments.iter().find(|segment| segment.id() == id).cloned();
    let decoded = StoredList::from_parts(&manifest, find).unwrap();
    let read = clock.elapsed().saturating_sub(start);
    assert_eq!(decoded.len(), rows);
    let bytes: usize = encoded.iter().map(Vec::len).sum();
    println!("encoded in {written:?}, {bytes} bytes and a manifest of {}, decoded in {read:?}", manifest.len());
    list
}

fn questions() -> Vec<(&'static str, Filter, Option<Order>)> {
    let text = |text: &str| Some(text.to_owned());
    let instant = |text: &str| Some(text.parse().unwrap());
    let range = InstantRange { gte: instant("2024-06-01T00:00:00Z"), lte: instant("2024-06-02T00:00:00Z") };
    let status = || vec!["active".to_owned()];
    vec![
        ("unfiltered", Filter::default(), None),
        ("email", Filter { email: text("holly.flax@nowhere.example"), ..Filter::default() }, None),
        ("external_id", Filter { external_id: text("holly_flax"), ..Filter::default() }, None),
        ("name", Filter { name: text("Holly Flax 17"), ..Filter::default() }, None),
        ("status", Filter { status: status(), ..Filter::default() }, None),
        ("status_sorted", Filter { status: status(), ..Filter::default() }, Some(Order::Desc)),
        ("partner", Filter { partner_id: vec![partner(77)], ..Filter::default() }, None),
        ("search_none", Filter { search: text("nobody"), ..Filter::default() }, None),
        ("search_email", Filter { search: text("nobody@"), ..Filter::default() }, None),
        ("search_some", Filter { search: text("holly"), ..Filter::default() }, None),
        ("search_all", Filter { search: text("example"), ..Filter::default() }, None),
        ("search_short", Filter { search: text("a"), ..Filter::default() }, None),
        ("created", Filter { created: range, ..Filter::default() }, None),
        ("created_sorted", Filter { created: range, ..Filter::default() }, Some(Order::Asc)),
        ("updated", Filter { updated: range, ..Filter::default() }, None),
        ("created_status", Filter { created: range, status: status(), ..Filter::default() }, None),
    ]
}

fn select(list: &Arc<StoredList>, filter: &Filter, order: Option<Order>) -> Selection {
    let query = ListQuery { resource: Resource::Customers, filter: filter.clone(), order, shape: Shape::default() };
    list.select(&Question::new(&query, None).unwrap())
}

fn bench_questions(group: &mut BenchmarkGroup<'_, WallTime>, list: &Arc<StoredList>) {
    for (name, filter, order) in questions() {
        group.bench_function(format!("select/{name}"), |bencher| {
            bencher.iter(|| black_box(select(list, &filter, order).len()));
        });
    }
}

fn rows_of(selection: &Selection, start: usize) -> impl Iterator<Item = RowRef> {
    (start..start + PAGE).filter_map(|index| selection.row(index))
}

fn bench_pages(group: &mut BenchmarkGroup<'_, WallTime>, list: &Arc<StoredList>) {
    let id = list.id(list_row(list, list.len() / 2)).to_owned();
    group.bench_function("find", |bencher| bencher.iter(|| black_box(list.find(&id))));
    group.bench_function("find_none", |bencher| bencher.iter(|| black_box(list.find("cust_nobody"))));
    let all = select(list, &Filter::default(), None);
    group.bench_function("page/list", |bencher| {
        bencher.iter(|| black_box(list.page(rows_of(&all, list.len() / 2))));
    });
    let filter = Filter { status: vec!["active".to_owned()], ..Filter::default() };
    let active = select(list, &filter, Some(Order::Desc));
    group.bench_function("page/status_sorted", |bencher| {
        bencher.iter(|| black_box(list.page(rows_of(&active, active.len() / 2))));
    });
    let key = list.key(active.row(active.len() / 2).unwrap(), Side::After);
    group.bench_function("locate", |bencher| bencher.iter(|| black_box(active.locate(&key))));
}

fn list_row(list: &Arc<StoredList>, index: usize) -> RowRef {
    select(list, &Filter::default(), None).row(index).unwrap()
}

fn bench_changes(group: &mut BenchmarkGroup<'_, WallTime>, list: &Arc<StoredList>, rows: usize) {
    let changed = page(rows / 2..rows / 2 + 1, "changed");
    group.bench_function("with_rows/1", |bencher| bencher.iter(|| black_box(list.with_rows(&changed))));
    let changed = page(rows / 2..rows / 2 + PAGE, "changed");
    group.bench_function("with_rows/100", |bencher| bencher.iter(|| black_box(list.with_rows(&changed))));
    let equal = page(rows / 2..rows / 2 + PAGE, "active");
    group.bench_function("with_rows/equal", |bencher| bencher.iter(|| black_box(list.with_rows(&equal))));
    let newest = newest();
    group.bench_function("with_newest/10", |bencher| {
        bencher.iter(|| black_box(list.with_newest(&newest, 0..10)));
    });
}

/// Records a walk.
fn walk(rows: usize, previous: Option<Arc<StoredList>>) -> StoredList {
    let mut recorder = Recorder::new(previous, u64::MAX);
    for start in (0..rows).step_by(PAGE) {
        let anchor = Anchor::After(format!("{start}").into());
        recorder.push_page(&anchor, &page(start..rows.min(start + PAGE), "active")).unwrap();
    }
    recorder.finish().unwrap().0
}

/// Returns a page of customers, newest first, about 410 bytes each.
fn page(rows: std::ops::Range<usize>, status: &str) -> RecordPage {
    const FIRST: [&str; 16] = [
        "Michael", "Dwight", "Jim", "Pam", "Ryan", "Andy", "Robert", "Stanley", "Kevin", "Meredith", "Angela", "Oscar",
        "Phyllis", "Kelly", "Toby", "Creed",
    ];
    const LAST: [&str; 16] = [
        "Scott",
        "Schrute",
        "Halpert",
        "Beesly",
        "Howard",
        "Bernard",
        "California",
        "Hudson",
        "Malone",
        "Palmer",
        "Martin",
        "Martinez",
        "Vance",
        "Kapoor",
        "Flenderson",
        "Bratton",
    ];
    let mut builder = RecordPageBuilder::default();
    for n in rows {
        let random = mix(n as u64);
        let (first, last) =
            (FIRST[usize::try_from(random % 16).unwrap()], LAST[usize::try_from((random >> 8) % 16).unwrap()]);
        let id = format!("cust_{}", token(random, 24));
        let name = format!("{first} {last} {}", n % 1000);
        let email = format!("{first}.{last}{n}@dundermifflin.example").to_lowercase();
        let external_id = format!("{first}_{last}_{n}").to_lowercase();
        let seconds = FIRST_CREATED - i64::try_from(n).unwrap() * 60;
        let created_at = jiff::Timestamp::from_millisecond(seconds * 1000 + (random % 1000).cast_signed()).unwrap();
        let updated_at =
            jiff::Timestamp::from_millisecond(seconds * 1000 + (random % 86_400_000).cast_signed()).unwrap();
        let status = if n % 3 == 0 { "trialing" } else { status };
        let mut json = String::new();
        write!(
            json,
            r#"{{"id":"affiliates.{id}","source":{{"connection":"affiliates","vendor":"tolt","id":"{id}"}},"external_id":"{external_id}","name":"{name}","email":"{email}","status":"{status}","created_at":"{created_at:.3}","updated_at":"{updated_at:.3}","referral":{{"partner_id":"{}","program_id":"prg_YRsbPDAKhWfdqJbFACheh","organization_id":"org_JE3mfYNL9ci7sFaJazAv2"}}}}"#,
            partner(random % 5000),
        )
        .unwrap();
        let fields = Fields {
            id: &id,
            created_at: Some(created_at),
            name: Some(&name),
            email: Some(&email),
            external_id: Some(&external_id),
        };
        builder.push_json(&fields, json.as_bytes()).unwrap();
    }
    builder.finish(PageInfo::default())
}

/// Returns customers that are newer than all others.
fn newest() -> RecordPage {
    let mut builder = RecordPageBuilder::default();
    for n in 0..10 {
        let id = format!("cust_new_{n}");
        let created_at = jiff::Timestamp::from_second(FIRST_CREATED + 100 - n).ok();
        builder.push(&Fields { id: &id, created_at, ..Fields::default() }, &id.as_str()).unwrap();
    }
    builder.finish(PageInfo::default())
}

fn partner(number: u64) -> String {
    format!("part_{}", token(mix(number + (1 << 40)), 24))
}

/// Returns random letters and digits.
fn token(seed: u64, length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = seed;
    let letter = |_| {
        state = mix(state);
        LETTERS[(state % 62) as usize] as char
    };
    (0..length).map(letter).collect()
}

/// Mixes the bits of a number (splitmix64).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Returns the resident memory of the process, in KiB.
fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or_default()
}
