//! Tests of recorded walks.

use std::sync::Arc;

use proptest::prelude::*;

use super::model::{ModelRow, assert_rows, page, rows, walk};
use crate::{
    copies::{Changes, DroppedRows, RecordError, Recorder},
    domain::{
        anchor::Anchor,
        page::{Anomalies, PageInfo, RecordPageBuilder},
    },
};

proptest! {
    #[test]
    fn list_has_the_rows_of_its_walk(first in rows(40), second in rows(40), page_size in 1..9_usize) {
        let (list, changes) = walk(&first, page_size, None);
        assert_rows(&list, &first);
        prop_assert_eq!(changes, Changes { created: first.len() as u64, ..Changes::default() });

        let (list, changes) = walk(&second, page_size, Some(Arc::new(list)));
        assert_rows(&list, &second);
        let before = |row: &ModelRow| first.iter().find(|other| other.id == row.id);
        let count = |is_counted: &dyn Fn(&ModelRow) -> bool| second.iter().filter(|row| is_counted(row)).count() as u64;
        let kept = count(&|row| before(row).is_some());
        prop_assert_eq!(changes, Changes {
            created: count(&|row| before(row).is_none()),
            updated: count(&|row| before(row).is_some_and(|other| page(std::slice::from_ref(other)) != page(std::slice::from_ref(row)))),
            deleted: first.len() as u64 - kept,
        });
    }
}

fn numbered(count: usize) -> Vec<ModelRow> {
    (0..count)
        .map(|number| ModelRow {
            name: Some(format!("Name {}", number % 7)),
            email: Some(format!("{number}@x.example")),
            created_at: Some(jiff::Timestamp::from_second(i64::try_from(number).unwrap()).unwrap()),
            partner_id: Some(format!("partner_{}", number % 300)),
            ..ModelRow::new(&format!("customer_{number:06}"))
        })
        .collect()
}

#[test]
fn many_rows_are_compressed_and_readable() {
    let rows = numbered(2_500);
    let (list, _) = walk(&rows, 100, None);
    assert_rows(&list, &rows);
    let json: usize = rows.iter().map(|row| row.json().to_string().len()).sum();
    let bytes = usize::try_from(list.bytes()).unwrap();
    assert!(bytes < json, "{bytes} {json}");
}

#[test]
fn walk_without_changes_shares_all_rows() {
    let rows = numbered(2_500);
    let (first, _) = walk(&rows, 100, None);
    let first = Arc::new(first);
    let (second, changes) = walk(&rows, 100, Some(Arc::clone(&first)));
    assert_eq!(changes, Changes::default());
    let mut segments = first.segments().zip(second.segments());
    assert!(segments.all(|(a, b)| Arc::ptr_eq(a, b)));
}

#[test]
fn repeated_row_is_rejected() {
    let rows = numbered(3);
    let repeated = RecordError::Repeated("customer_000001".to_owned());
    let mut recorder = Recorder::new(None, u64::MAX);
    recorder.push_page(&Anchor::Start, &page(&rows)).unwrap();
    assert_eq!(recorder.push_page(&Anchor::Start, &page(&rows[1..])), Err(repeated.clone()));

    let (previous, _) = walk(&rows, 3, None);
    let mut recorder = Recorder::new(Some(Arc::new(previous)), u64::MAX);
    let changed = ModelRow { status: Some("lead".to_owned()), ..rows[1].clone() };
    recorder.push_page(&Anchor::Start, &page(&[changed])).unwrap();
    assert_eq!(recorder.push_page(&Anchor::Start, &page(&rows[1..])), Err(repeated));
}

#[test]
fn list_beyond_its_memory_is_rejected() {
    let rows = numbered(2_000);
    let (list, _) = walk(&rows, 100, None);
    let bytes = list.bytes();
    let record = |max_bytes| {
        let mut recorder = Recorder::new(None, max_bytes);
        rows.chunks(100).try_for_each(|rows| recorder.push_page(&Anchor::Start, &page(rows)))?;
        recorder.finish()
    };
    assert_eq!(record(bytes / 2).unwrap_err(), RecordError::TooLarge);
    assert!(record(bytes * 2).is_ok());
}

#[test]
fn rows_have_the_anchors_of_their_pages() {
    let rows = numbered(10);
    let (list, _) = walk(&rows, 4, None);
    let token = |number: u32| Anchor::Token(format!("t{number}").into());
    assert_eq!(list.anchor_at(3), Some((Anchor::Start, 3)));
    assert_eq!(list.anchor_at(4), Some((token(1), 0)));
    assert_eq!(list.anchor_at(9), Some((token(2), 1)));

    let newer = [ModelRow::new("new_1"), ModelRow::new("new_2")];
    let (list, _) = list.with_newest(&page(&newer), 0..2).unwrap();
    assert_eq!(list.anchor_at(6), Some((token(1), 0)));
    let list = list.without("customer_000001").unwrap();
    assert_eq!(list.anchor_at(5), Some((token(1), 0)));

    let mut recorder = Recorder::new(None, u64::MAX);
    recorder.push_page(&Anchor::Start, &page(&rows[..4])).unwrap();
    recorder.push_page(&Anchor::After("customer_000003".into()), &page(&rows[4..])).unwrap();
    let (list, _) = recorder.finish().unwrap();
    assert_eq!((list.anchor_at(1), list.anchor_at(5)), (Some((Anchor::Start, 1)), None));
}

#[test]
fn dropped_rows_are_summed() {
    let anomalies = Anomalies { foreign_rows: 1, null_rows: 2, unreadable_rows: 3, ..Anomalies::default() };
    let info = PageInfo { anomalies, ..PageInfo::default() };
    let mut recorder = Recorder::new(None, u64::MAX);
    for _ in 0..2 {
        recorder.push_page(&Anchor::Start, &RecordPageBuilder::default().finish(info.clone())).unwrap();
    }
    let (list, _) = recorder.finish().unwrap();
    assert_eq!(list.dropped_rows(), DroppedRows { foreign: 2, null: 4, unreadable: 6 });
}
