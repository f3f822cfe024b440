//! Tests of selections against the filters of pages.

use std::sync::Arc;

use proptest::{collection::vec, option, prelude::*};

use super::model::{ModelRow, instant, page, row, rows, walk};
use crate::{
    copies::{Question, StoredList},
    domain::{
        filter::{Filter, InstantRange},
        position::{RowKey, Side},
        query::{Expansion, ListQuery, Order, Resource, Shape},
        residual::{Match, Residual},
    },
};

fn filter() -> impl Strategy<Value = Filter> {
    let range = || {
        (option::weighted(0.2, instant()), option::weighted(0.2, instant()))
            .prop_map(|(gte, lte)| InstantRange { gte: gte.flatten(), lte: lte.flatten() })
    };
    let text = |pattern: &'static str| option::weighted(0.1, pattern);
    let values = |pattern: &'static str| prop_oneof![6 => Just(Vec::new()), 1 => vec(pattern, 1..3)];
    let texts = (text("[aAéB]{0,2}"), text("[abé@]{0,2}"), text("[abA]{1,2}@x"), text("[xy]{1,2}"), text("cu[1-3].x"));
    let lists = (values("active|lead|x"), values("p[1-9]"), values("stripe|shopify"), values("[pq]{1,2}"));
    (range(), range(), texts, lists).prop_map(|(created, updated, texts, lists)| {
        let (name, search, email, external_id, customer_id) = texts;
        let (status, partner_id, source_platform, source_platform_id) = lists;
        Filter {
            status,
            partner_id,
            customer_id,
            created,
            updated,
            name,
            search,
            email,
            external_id,
            source_platform,
            source_platform_id,
            ..Filter::default()
        }
    })
}

fn order() -> impl Strategy<Value = Option<Order>> {
    prop_oneof![Just(None), Just(Some(Order::Asc)), Just(Some(Order::Desc))]
}

fn query(filter: Filter, order: Option<Order>) -> ListQuery {
    ListQuery { resource: Resource::Customers, filter, order, shape: Shape::default() }
}

/// Applies a filter to a row, as the gateway filters pages.
fn expected(filter: &Filter, row: &ModelRow) -> Match {
    let fold = |text: &Option<String>| text.as_deref().map(|text| crate::domain::fold::fold(text).into_owned());
    let residual = Residual {
        created: filter.created,
        updated: filter.updated,
        name: filter.name.clone(),
        search: fold(&filter.search),
        email: fold(&filter.email),
        external_id: filter.external_id.clone(),
    };
    let accepts = |accepted: &[String], value: &Option<String>| {
        Match::from(accepted.is_empty() || value.as_ref().is_some_and(|value| accepted.contains(value)))
    };
    residual
        .prepare()
        .apply(&page(std::slice::from_ref(row)), 0)
        .and(accepts(&filter.status, &row.status))
        .and(accepts(&filter.partner_id, &row.partner_id))
        .and(accepts(&filter.source_platform, &row.platform))
        .and(accepts(&filter.source_platform_id, &row.platform_id))
        .and(accepts(&filter.customer_id.iter().cloned().collect::<Vec<_>>(), &row.customer_id))
}

/// Returns the rows in the order of a query.
fn ordered(rows: &[ModelRow], order: Option<Order>, default: Option<Order>) -> Vec<ModelRow> {
    let mut rows = rows.to_vec();
    match (order, default) {
        (None, _) => {}
        (Some(order), Some(default)) if order == default => {}
        (Some(_), Some(_)) => rows.reverse(),
        (Some(order), None) => {
            rows.sort_by(ModelRow::cmp_created);
            if order == Order::Desc {
                rows.reverse();
            }
        }
    }
    rows
}

/// Returns a list with some segments and hidden rows.
fn list(rows: &[ModelRow], before: &[ModelRow]) -> Arc<StoredList> {
    let (previous, _) = walk(before, 5, None);
    Arc::new(walk(rows, 5, Some(Arc::new(previous))).0)
}

fn key(row: &ModelRow, side: Side) -> RowKey {
    RowKey { id: (*row.id).into(), created_at: row.created_at.map(Into::into), side }
}

proptest! {
    #[test]
    fn selection_equals_filtered_pages(
        rows in rows(60), before in rows(30), filter in filter(), order in order(), default in order(),
    ) {
        let list = list(&rows, &before);
        let question = Question::new(&query(filter.clone(), order), default).unwrap();
        let selection = list.select(&question);
        let all = ordered(&rows, order, default);
        let matching: Vec<_> = all.iter().filter(|row| expected(&filter, row) == Match::Yes).collect();
        let ids: Vec<_> = matching.iter().map(|row| &*row.id).collect();
        let selected: Vec<_> = (0..selection.len()).map(|index| list.id(selection.row(index).unwrap())).collect();
        prop_assert_eq!(selected, ids);
        prop_assert_eq!(selection.row(selection.len()), None);
        let undecided = all.iter().filter(|row| expected(&filter, row) == Match::Undecided).count();
        prop_assert_eq!(selection.undecided() as usize, undecided);

        // Each gap of the list, as its two neighbours describe it.
        let mut count = 0;
        for row in &all {
            prop_assert_eq!(selection.locate(&key(row, Side::Before)), Some(count));
            count += usize::from(expected(&filter, row) == Match::Yes);
            prop_assert_eq!(selection.locate(&key(row, Side::After)), Some(count));
        }
        let _ = list.work(&question);
    }

    #[test]
    fn deleted_row_is_placed_by_creation(rows in rows(40), gone in row(), direction in order(), filter in filter()) {
        let mut rows = rows;
        rows.retain(|row| row.id != gone.id);
        let list = list(&rows, &[]);
        let order = direction.unwrap_or(Order::Asc);
        let selection = list.select(&Question::new(&query(filter.clone(), Some(order)), None).unwrap());
        let precedes = |row: &&ModelRow| match order {
            Order::Asc => row.cmp_created(&gone).is_lt(),
            Order::Desc => row.cmp_created(&gone).is_gt(),
        };
        let before = rows.iter().filter(precedes).filter(|row| expected(&filter, row) == Match::Yes).count();
        prop_assert_eq!(selection.locate(&key(&gone, Side::After)), Some(before));
        prop_assert_eq!(selection.locate(&key(&gone, Side::Before)), Some(before));
    }

    #[test]
    fn deleted_row_is_placed_in_an_ordered_list(rows in rows(40), gone in row(), default in order(), reverses: bool) {
        let mut rows = rows;
        rows.retain(|row| row.id != gone.id);
        rows.sort_by_key(|row| row.created_at);
        if default == Some(Order::Desc) {
            rows.reverse();
        }
        let list = list(&rows, &[]);
        let order = default.filter(|_| reverses).map(Order::reversed);
        let selection = list.select(&Question::new(&query(Filter::default(), order), default).unwrap());
        let place = selection.locate(&key(&gone, Side::After));
        if default.is_none() || gone.created_at.is_none() {
            prop_assert_eq!(place, None);
        } else {
            let ordered = ordered(&rows, order, default);
            let (before, after) = ordered.split_at(place.unwrap());
            let descends = order.or(default) == Some(Order::Desc);
            let is_at = |row: &ModelRow, later: bool| if later { row.created_at >= gone.created_at } else { row.created_at <= gone.created_at };
            prop_assert!(before.iter().all(|row| is_at(row, descends)));
            prop_assert!(after.iter().all(|row| is_at(row, !descends)));
        }
    }
}

#[test]
fn undecidable_queries_have_no_question() {
    let one = || vec!["x".to_owned()];
    let filters = [
        Filter { certificate_type: one(), ..Filter::default() },
        Filter { exemption_jurisdiction: one(), ..Filter::default() },
        Filter { exemption_status: Some("x".to_owned()), ..Filter::default() },
        Filter { expiration_status: Some("x".to_owned()), ..Filter::default() },
        Filter { has_exemption: Some(false), ..Filter::default() },
    ];
    for filter in filters {
        assert_eq!(Question::new(&query(filter, None), None), None);
    }
    let shapes = [Shape { expand: vec![Expansion::Stats], raw: false }, Shape { expand: Vec::new(), raw: true }];
    for shape in shapes {
        assert_eq!(Question::new(&ListQuery { shape, ..query(Filter::default(), None) }, None), None);
    }
}

#[test]
fn equal_filters_are_one_question() {
    let status =
        |values: &[&str]| Filter { status: values.iter().map(ToString::to_string).collect(), ..Filter::default() };
    let question = |filter| Question::new(&query(filter, None), None);
    assert_eq!(question(status(&["a", "b", "a"])), question(status(&["b", "a"])));
}
