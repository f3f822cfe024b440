//! Tests of changes of single rows.

use std::sync::Arc;

use proptest::{collection::vec, prelude::*};

use super::model::{ModelRow, assert_rows, page, row, rows, walk};
use crate::{
    copies::{Changes, Question, StoredList},
    domain::{
        filter::Filter,
        query::{ListQuery, Order, Resource, Shape},
    },
};

#[derive(Debug, Clone)]
enum Change {
    Rows(Vec<ModelRow>),
    Newest(Vec<ModelRow>),
    Without(String),
    Walk,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => rows(4).prop_map(Change::Rows),
        3 => rows(4).prop_map(Change::Newest),
        1 => row().prop_map(|row| Change::Without(row.id)),
        1 => Just(Change::Walk),
    ]
}

/// Applies a change to rows, and returns the numbers of changed rows.
fn apply(change: &Change, rows: &mut Vec<ModelRow>) -> Changes {
    let mut changes = Changes::default();
    match change {
        Change::Walk => {}
        Change::Without(id) => rows.retain(|row| row.id != *id),
        Change::Rows(current) | Change::Newest(current) => {
            let mut newest = Vec::new();
            for row in current {
                match rows.iter_mut().find(|old| old.id == row.id) {
                    Some(old) if page(std::slice::from_ref(old)) == page(std::slice::from_ref(row)) => {}
                    Some(old) => {
                        *old = row.clone();
                        changes.updated += 1;
                    }
                    None => newest.push(row.clone()),
                }
            }
            if matches!(change, Change::Newest(_)) {
                changes.created += newest.len() as u64;
                rows.splice(0..0, newest);
            }
        }
    }
    changes
}

fn sorted(list: &Arc<StoredList>, order: Order) -> Vec<String> {
    let (filter, shape) = (Filter::default(), Shape::default());
    let query = ListQuery { resource: Resource::Customers, filter, order: Some(order), shape };
    let selection = list.select(&Question::new(&query, None).unwrap());
    (0..selection.len()).map(|index| list.id(selection.row(index).unwrap()).to_owned()).collect()
}

proptest! {
    #[test]
    fn changed_list_has_the_changed_rows(first in rows(20), changes in vec(change(), 0..25)) {
        let mut rows = first;
        let mut list = Arc::new(walk(&rows, 7, None).0);
        for change in &changes {
            let expected = apply(change, &mut rows);
            let changed = match change {
                Change::Rows(changed) => list.with_rows(&page(changed)),
                Change::Newest(changed) => list.with_newest(&page(changed), 0..changed.len()),
                Change::Without(id) => list.without(id).map(|list| (list, Changes::default())),
                Change::Walk => Some(walk(&rows, 7, Some(Arc::clone(&list)))),
            };
            let (changed, counted) = changed.map_or_else(|| (Arc::clone(&list), Changes::default()), |(list, changes)| (Arc::new(list), changes));
            prop_assert_eq!(counted, expected);
            list = changed;
            assert_rows(&list, &rows);
            let mut by_creation = rows.clone();
            by_creation.sort_by(ModelRow::cmp_created);
            let mut ids: Vec<_> = by_creation.into_iter().map(|row| row.id).collect();
            prop_assert_eq!(sorted(&list, Order::Asc), ids.clone());
            ids.reverse();
            prop_assert_eq!(sorted(&list, Order::Desc), ids);
            prop_assert!(list.segments().count() < 30);
        }
    }
}

#[test]
fn equal_and_unknown_rows_change_nothing() {
    let rows = [ModelRow::new("a"), ModelRow::new("b")];
    let (list, _) = walk(&rows, 2, None);
    assert!(list.with_rows(&page(&rows)).is_none());
    assert!(list.with_rows(&page(&[ModelRow::new("c")])).is_none());
    assert!(list.without("c").is_none());
    assert!(list.with_newest(&page(&[ModelRow::new("c")]), 0..0).is_none());
}

#[test]
fn many_small_changes_are_combined() {
    let rows: Vec<_> = (0..300).map(|number| ModelRow::new(&format!("row_{number}"))).collect();
    let mut list = walk(&rows, 100, None).0;
    for (number, row) in rows.iter().enumerate() {
        let changed = ModelRow { name: Some(format!("Name {number}")), ..row.clone() };
        list = list.with_rows(&page(&[changed])).unwrap().0;
    }
    assert!(list.segments().count() < 20, "{}", list.segments().count());
    assert_eq!(list.len(), 300);
}
