//! Lists that contradict themselves (FACTS, cases 252 to 254).

use std::collections::HashSet;

use serde_json::Value;

use super::super::{Direction, Handle, Lie, Sandbox, vendor::Vendor};
use super::{ids, small};

/// Pages of a walk: their ids and totals.
#[derive(Debug, Default)]
struct Walk {
    pages: Vec<Vec<String>>,
    totals: Vec<i64>,
}

impl Walk {
    fn rows(&self) -> Vec<&String> {
        self.pages.iter().flatten().collect()
    }

    fn distinct(&self) -> HashSet<&String> {
        self.rows().into_iter().collect()
    }
}

/// Walks a list of customers with 23 rows a page, over at most 12 pages.
async fn walk<S: Vendor>(
    vendor: &Handle<S>,
    first: &str,
    read: fn(&Value) -> (&Value, &Value, Option<String>),
) -> Walk {
    let mut walk = Walk::default();
    let mut cursor = String::new();
    while walk.pages.len() < 12 {
        let (status, body) = vendor.get(&format!("{first}&limit=23{cursor}")).await;
        assert_eq!(status, 200, "{body}");
        let (rows, total, next) = read(&body);
        walk.pages.push(ids(rows));
        walk.totals.push(total.as_i64().unwrap());
        let Some(next) = next else { break };
        cursor = next;
    }
    walk
}

async fn walk_tolt(sandbox: &Sandbox) -> Walk {
    let first = format!("/v1/customers?program_id={}", sandbox.tolt().program_id());
    walk(sandbox.tolt(), &first, |body| {
        let rows = &body["data"]["data"];
        let last = ids(rows).pop().filter(|_| body["has_more"] == true);
        (rows, &body["total_count"], last.map(|id| format!("&starting_after={id}")))
    })
    .await
}

async fn walk_corporation(sandbox: &Sandbox) -> Walk {
    let first = format!("/customers?corporation_id={}", sandbox.corporation().corporation_id());
    walk(sandbox.corporation(), &first, |body| {
        let list = &body["data"];
        (&list["customers"], &list["total_customers"], list["cursor"].as_str().map(|next| format!("&cursor={next}")))
    })
    .await
}

/// Walks the customers of both vendors under these lies.
async fn walks(lies: &[Lie]) -> [Walk; 2] {
    let sandbox = Sandbox::start(small()).await.unwrap();
    sandbox.tolt().set_lies(lies);
    sandbox.corporation().set_lies(lies);
    [walk_tolt(&sandbox).await, walk_corporation(&sandbox).await]
}

#[tokio::test]
async fn truth_lists_every_row_once() {
    for walk in walks(&[]).await {
        assert_eq!((walk.rows().len(), walk.distinct().len()), (230, 230));
        assert_eq!(walk.totals, [230; 10]);
    }
}

#[tokio::test]
async fn totals_are_wrong_or_drift() {
    for (lie, totals) in [
        (Lie::Total(7), [237; 10]),
        (Lie::Total(-7), [223; 10]),
        (Lie::Total(-1_000), [0; 10]),
        (Lie::DriftingTotal(1), [230, 231, 232, 233, 234, 235, 236, 237, 238, 239]),
        (Lie::DriftingTotal(-2), [230, 228, 226, 224, 222, 220, 218, 216, 214, 212]),
    ] {
        for walk in walks(&[lie]).await {
            assert_eq!(walk.totals, totals, "{lie:?}");
            assert_eq!(walk.distinct().len(), 230, "{lie:?}");
        }
    }
}

#[tokio::test]
async fn repeated_cursor_makes_the_list_endless() {
    let [tolt, corporation] = walks(&[Lie::RepeatedCursor]).await;
    assert_eq!((tolt.pages.len(), tolt.distinct().len()), (12, 23));
    assert_eq!((corporation.pages.len(), corporation.distinct().len()), (12, 46));
    assert_eq!(corporation.pages[1], corporation.pages[11]);
}

#[tokio::test]
async fn shrinking_list_loses_its_last_rows() {
    for walk in walks(&[Lie::ShrinkingList]).await {
        assert_eq!(walk.totals, [230, 229, 228, 227, 226, 225, 224, 223, 222, 221]);
        assert_eq!(walk.distinct().len(), 221);
    }
}

#[tokio::test]
async fn rows_that_move_are_missed_or_repeated() {
    for walk in walks(&[Lie::MovingRow(Direction::Up)]).await {
        assert_eq!((walk.rows().len(), walk.distinct().len()), (221, 221));
        assert!(walk.totals.iter().all(|total| *total == 230));
    }
    for walk in walks(&[Lie::MovingRow(Direction::Down)]).await {
        let repeated = walk.rows().len() - walk.distinct().len();
        assert!(repeated >= 10, "{repeated}");
        assert_eq!(walk.distinct().len(), 230);
        assert!(walk.totals.iter().all(|total| *total == 230));
    }
}

#[tokio::test]
async fn lies_end_when_they_are_replaced() {
    let sandbox = Sandbox::start(small()).await.unwrap();
    let tolt = sandbox.tolt();
    tolt.set_lies(&[Lie::Total(1), Lie::DriftingTotal(1)]);
    assert_eq!(tolt.list("customers", "").await["total_count"], 231);
    assert_eq!(tolt.list("transactions", "").await["total_count"], 302);
    tolt.set_lies(&[]);
    assert_eq!(tolt.list("customers", "").await["total_count"], 230);
}
