//! Slot of a call in flight.

use std::time::Duration;

use super::{Queue, SendId};

/// Slot of a call. The slot is taken when the call is sent, and the call ends
/// when the slot is dropped.
#[must_use]
pub(in crate::upstream) struct SendSlot {
    queue: Queue,
    id: SendId,
    sent: Duration,
    is_sent: bool,
    has_response: bool,
}

impl SendSlot {
    /// Returns the slot of a call that is sent now.
    pub(super) fn new(queue: Queue, id: SendId, sent: Duration) -> Self {
        Self { queue, id, sent, is_sent: true, has_response: false }
    }

    /// Returns the send time of the call.
    pub(in crate::upstream) fn sent(&self) -> Duration {
        self.sent
    }

    /// Ends the call with a response.
    pub(in crate::upstream) fn answered(mut self) {
        self.has_response = true;
    }

    /// Gives the slot back, because the call is not sent.
    pub(in crate::upstream) fn cancel(mut self) {
        self.is_sent = false;
    }
}

impl Drop for SendSlot {
    fn drop(&mut self) {
        let now = self.queue.0.clock.elapsed();
        self.queue.finish(|state| {
            if self.is_sent {
                state.slots.end(&mut state.schedule, self.id, self.has_response, now);
            } else {
                state.cancel(self.id);
            }
        });
    }
}
