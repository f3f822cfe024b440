//! Random changes of the rows while a vendor runs.

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use fastrand::Rng;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Options,
    lock::write,
    vendor::{Store, Vendor},
};

/// Minute in milliseconds.
const MINUTE: u64 = 60_000;

/// Change of one row in each list of a vendor.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Number of earlier changes.
    number: u64,
    /// Time of the change in epoch milliseconds.
    pub(crate) at: i64,
}

impl Change {
    /// Current day of the sandbox in epoch seconds, 2025-11-01. No generated row is younger. Changes
    /// count time from this day, so the same seed always makes the same changes.
    pub(crate) const TODAY: i64 = 1_761_955_200;

    /// Returns the change with this number, counted from zero.
    pub(crate) fn new(number: u64, per_minute: u32) -> Self {
        let elapsed = number.saturating_add(1).saturating_mul(MINUTE) / u64::from(per_minute.max(1));
        Self { number, at: (Self::TODAY * 1_000).saturating_add_unsigned(elapsed) }
    }

    /// Inserts a row, changes a random row and deletes a random row in turn. `create` receives a
    /// number that no earlier row has.
    pub(crate) fn apply<T>(
        self,
        rng: &mut Rng,
        table: &RwLock<impl Store<T>>,
        create: impl FnOnce(&mut Rng, usize) -> T,
        modify: impl FnOnce(&mut Rng, &mut T),
    ) {
        let mut table = write(table);
        if self.number.is_multiple_of(3) {
            let number = table.len().saturating_add(usize::try_from(self.number).unwrap_or_default());
            table.insert(create(rng, number));
        } else if let Some(id) = random_id(rng, &*table) {
            if self.number % 3 == 1 {
                table.update(&id, |row| modify(rng, row));
            } else {
                table.remove(&id);
            }
        }
    }
}

/// Returns the id of a random row, unless the table is empty.
pub(crate) fn random_id<T>(rng: &mut Rng, table: &impl Store<T>) -> Option<String> {
    let rows = table.len();
    if rows == 0 { None } else { table.id_at(rng.usize(..rows)) }
}

/// Changes a vendor's rows until the handle is dropped.
pub(crate) fn start(vendor: Arc<impl Vendor>, options: &Options) -> Option<AbortOnDropHandle<()>> {
    let per_minute = options.changes_per_minute;
    let period = Duration::from_mins(1).checked_div(per_minute)?;
    let mut rng = Rng::with_seed(options.seed);
    Some(AbortOnDropHandle::new(tokio::spawn(async move {
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0.. {
            ticks.tick().await;
            vendor.change(&mut rng, Change::new(number, per_minute));
        }
    })))
}
