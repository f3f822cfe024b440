//! Reservation of a walk, shared with the list that can end the walk.

use std::sync::{Arc, OnceLock};

use crate::upstream::Reservation;

/// Reservation of the calls of a walk, after the first call. Clones share the
/// reservation.
#[derive(Debug, Clone, Default)]
pub(in crate::directory) struct SharedReservation(Arc<OnceLock<Arc<Reservation>>>);

impl SharedReservation {
    /// Returns the reservation.
    pub(super) fn get(&self) -> Option<&Arc<Reservation>> {
        self.0.get()
    }

    /// Returns the reservation, and creates it before the first call.
    pub(super) fn get_or_init(&self, create: impl FnOnce() -> Arc<Reservation>) -> &Arc<Reservation> {
        self.0.get_or_init(create)
    }

    /// Ends the reservation, because the list needs no more calls.
    pub(in crate::directory) fn withdraw(&self) {
        if let Some(reservation) = self.get() {
            reservation.withdraw();
        }
    }
}
