//! Calls of this replica in a limit that the replicas share.
//!
//! The server counts a call from its recorded send time on. A call that starts late,
//! or that is slow on its way to the vendor, counts later. A call in flight for long
//! holds its slot.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::shared::{ServerTime, SharedLimit};

use super::send_log::SendId;

/// Part of the margin for the time from the slot to the send. A later call counts
/// later.
pub(super) const LATENESS: Duration = Duration::from_millis(5);
/// Part of the margin for the delay on the way to the vendor. A slower call counts
/// later. The rest of the margin is for the error of the delay.
const DELAY: Duration = Duration::from_micros(7_500);
/// Time for which a call in flight holds its slot. Renewed twice in this time.
const HOLD: Duration = Duration::from_secs(10);

/// Slot that the server has granted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grant {
    /// Time at which the call is sent.
    pub(super) at: Duration,
    /// Earliest time of the slot.
    pub(super) due: Duration,
    /// Time at which the replica asked.
    pub(super) asked: Duration,
    /// Lateness that the request announced.
    pub(super) announced: Duration,
    /// Recorded send time.
    pub(super) recorded: ServerTime,
}

/// Calls in flight, and the send times of recent calls.
pub(super) struct SharedCalls {
    limit: Arc<dyn SharedLimit>,
    /// Number of the next call.
    entry: u64,
    in_flight: BTreeMap<SendId, Call>,
    /// Send time of each call in the longest window, with its delay.
    sent: BTreeMap<u64, Duration>,
}

struct Call {
    entry: u64,
    /// `None` for a call in the part of this replica.
    grant: Option<Grant>,
    /// Call in the log of the part.
    divided: Option<SendId>,
    sent: Duration,
    is_held: bool,
}

impl SharedCalls {
    pub(super) fn new(limit: Arc<dyn SharedLimit>) -> Self {
        Self { limit, entry: 0, in_flight: BTreeMap::new(), sent: BTreeMap::new() }
    }

    /// Returns the number of the next call.
    pub(super) fn next_entry(&self) -> u64 {
        self.entry
    }

    /// Records a call that is sent now.
    pub(super) fn record(&mut self, id: SendId, grant: Option<Grant>, divided: Option<SendId>, now: Duration) {
        self.in_flight.insert(id, Call { entry: self.entry, grant, divided, sent: now, is_held: false });
        self.sent.insert(self.entry, now);
        self.entry += 1;
    }

    /// Gives back the slot of the next call.
    pub(super) fn skip(&mut self) {
        self.limit.give_back(self.entry);
        self.entry += 1;
    }

    /// Records the start of a call. Returns the call in the log of the part.
    pub(super) fn start(&mut self, id: SendId, now: Duration) -> Option<SendId> {
        let call = self.in_flight.get_mut(&id)?;
        call.sent = call.sent.max(now);
        self.sent.insert(call.entry, call.sent);
        if let Some(grant) = &mut call.grant {
            let late = now.saturating_sub(grant.due).saturating_sub(grant.announced.saturating_add(LATENESS));
            if !late.is_zero() {
                grant.recorded = grant.recorded.after(late);
                self.limit.correct(call.entry, grant.recorded, false);
            }
        }
        call.divided
    }

    /// Ends a call. Returns the call in the log of the part.
    pub(super) fn end(&mut self, id: SendId, delay: Duration) -> Option<SendId> {
        let call = self.in_flight.remove(&id)?;
        let late = delay.saturating_sub(DELAY);
        self.sent.insert(call.entry, call.sent.saturating_add(late));
        if let Some(grant) = call.grant
            && (call.is_held || !late.is_zero())
        {
            self.limit.correct(call.entry, grant.recorded.after(late), true);
        }
        call.divided
    }

    /// Removes a call that is not sent. Returns the call in the log of the part.
    pub(super) fn cancel(&mut self, id: SendId) -> Option<SendId> {
        let call = self.in_flight.remove(&id)?;
        self.sent.remove(&call.entry);
        if call.grant.is_some() {
            self.limit.give_back(call.entry);
        }
        call.divided
    }

    /// Lets a call in flight hold its slot. Returns the time after which the hold is
    /// renewed, or `None` if the call has ended.
    pub(super) fn hold(&mut self, id: SendId, now: Duration) -> Option<Duration> {
        let call = self.in_flight.get_mut(&id)?;
        let grant = call.grant?;
        call.is_held = true;
        let at = grant.recorded.after(now.saturating_sub(call.sent).saturating_add(HOLD));
        self.limit.correct(call.entry, at, false);
        Some(HOLD / 2)
    }

    /// Returns the recent calls, each with its age.
    pub(super) fn recent(&self, now: Duration) -> Vec<(u64, Duration)> {
        self.sent.iter().map(|(entry, sent)| (*entry, now.saturating_sub(*sent))).collect()
    }

    /// Forgets the calls that were sent before an instant.
    pub(super) fn forget(&mut self, before: Duration) {
        while let Some(first) = self.sent.first_entry()
            && *first.get() < before
        {
            first.remove();
        }
    }
}
