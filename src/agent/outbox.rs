//! PURE file: what to send next, what was accepted. No client, no socket, no clock.
//!
//! Two cursors over one journal. An alert that overtakes the backlog goes twice: at once, and again in its place, so
//! that whoever follows the chain may forget it meanwhile and stays bounded.

use crate::evidence::Class;

/// Most records that may await acceptance.
pub const MAX_IN_FLIGHT: usize = 63;
/// So many records behind, alerts no longer wait for their turn.
pub const OVERTAKE_BEHIND: u64 = 64;

/// A place to read from, and how urgent a record must be to be wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// First place that is of interest.
    pub from: u64,
    /// The least urgent class that is of interest.
    pub least: Class,
}

/// What leaves next, and what of it has arrived at the broker.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Records that are durable.
    durable: u64,
    /// Every record before this place was accepted.
    accepted: u64,
    /// Next place for alerts that overtake.
    alerts: u64,
    /// Next place in order.
    backlog: u64,
    window: usize,
    /// Nobody wanted the last record in its place: one at a time until somebody does.
    unwanted: bool,
    /// Places on their way in order, oldest first, and whether each was accepted.
    in_flight: heapless::Deque<(u64, bool), MAX_IN_FLIGHT>,
    overtaking: usize,
}

impl Outbox {
    /// Begins where the journal says the broker has accepted everything.
    pub fn resuming(accepted: u64) -> Outbox {
        Outbox { accepted, alerts: accepted, backlog: accepted, ..Outbox::default() }
    }

    /// The log has this many durable records.
    pub fn on_durable(&mut self, records: u64) {
        self.durable = records;
    }

    /// A broker is there and lets so many records await their acceptance.
    pub fn on_connected(&mut self, window: usize) {
        self.on_lost();
        self.window = window.clamp(1, MAX_IN_FLIGHT);
    }

    /// The broker is gone: nothing is believed sent that was not accepted.
    pub fn on_lost(&mut self) {
        self.window = 0;
        self.alerts = self.accepted;
        self.return_to_accepted();
        self.overtaking = 0;
        self.unwanted = false;
    }

    /// The broker kept nothing of a record in its place. It is offered again, one at a time; alerts go ahead, since
    /// their retained copies reach whoever comes later.
    pub fn on_unwanted(&mut self) {
        self.return_to_accepted();
        self.unwanted = true;
    }

    /// What is to be read from the journal next; `None` while nothing may leave. `offer` says whether an unwanted
    /// record may be offered once more.
    pub fn want(&self, offer: bool) -> Option<Want> {
        if self.in_flight.len() + self.overtaking >= self.window {
            return None;
        }
        let behind = self.unwanted || self.durable.saturating_sub(self.backlog) > OVERTAKE_BEHIND;
        if behind && self.alerts < self.durable {
            return Some(Want { from: self.alerts, least: Class::Alert });
        }
        let may = !self.unwanted || (offer && self.in_flight.is_empty());
        (may && self.backlog < self.durable).then_some(Want { from: self.backlog, least: Class::Routine })
    }

    /// The journal's answer to [`Outbox::want`]: the record that now leaves, if there was one.
    pub fn on_found(&mut self, want: Want, found: Option<u64>) {
        let next = found.map_or(self.durable, |seq| seq + 1);
        match want.least {
            Class::Alert => {
                self.alerts = next;
                self.overtaking += usize::from(found.is_some());
            }
            Class::Verdict | Class::Routine => {
                self.backlog = next;
                self.alerts = self.alerts.max(next);
                if let Some(seq) = found {
                    // `want` has left room.
                    let _room = self.in_flight.push_back((seq, false));
                }
            }
        }
    }

    /// A record that overtook has reached the broker, or nobody wanted it there.
    pub fn on_overtaken(&mut self) {
        self.overtaking = self.overtaking.saturating_sub(1);
    }

    /// The broker has a record in its place. Tells the new place up to which everything is accepted, when that moved.
    pub fn on_accepted(&mut self, seq: u64) -> Option<u64> {
        self.unwanted = false;
        for (place, accepted) in &mut self.in_flight {
            *accepted |= *place == seq;
        }
        let before = self.accepted;
        while let Some((place, true)) = self.in_flight.front().copied() {
            self.in_flight.pop_front();
            self.accepted = place + 1;
        }
        (self.accepted != before).then_some(self.accepted)
    }

    fn return_to_accepted(&mut self) {
        self.backlog = self.accepted;
        self.in_flight.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALERTS: [u64; 2] = [82, 84];

    fn found(want: Want) -> Option<u64> {
        (want.from..100).find(|seq| want.least == Class::Routine || ALERTS.contains(seq))
    }

    /// Sends everything the outbox wants; tells the order.
    fn drain(outbox: &mut Outbox) -> Vec<u64> {
        let mut order = Vec::new();
        while let Some(want) = outbox.want(false) {
            let seq = found(want);
            outbox.on_found(want, seq);
            order.extend(seq);
        }
        order
    }

    #[test]
    fn records_leave_in_order_and_acceptance_moves_only_without_holes() {
        let mut outbox = Outbox::resuming(0);
        outbox.on_durable(5);
        assert_eq!(outbox.want(true), None, "nothing leaves without a broker");
        outbox.on_connected(10);
        assert_eq!(drain(&mut outbox), [0, 1, 2, 3, 4]);
        assert_eq!(outbox.on_accepted(1), None);
        assert_eq!(outbox.on_accepted(0), Some(2));
        assert_eq!(outbox.on_accepted(0), None, "a stale acceptance changes nothing");
        outbox.on_lost();
        outbox.on_connected(10);
        assert_eq!(drain(&mut outbox), [2, 3, 4], "what was not accepted is sent again");
    }

    #[test]
    fn alerts_overtake_a_backlog_and_still_take_their_place() {
        let mut outbox = Outbox::resuming(0);
        outbox.on_durable(100);
        outbox.on_connected(4);
        let mut order = Vec::new();
        for _ in 0..60 {
            for seq in drain(&mut outbox) {
                order.push(seq);
                let overtook = ALERTS.contains(&seq) && order.len() <= 2;
                if overtook {
                    outbox.on_overtaken();
                } else {
                    outbox.on_accepted(seq);
                }
            }
        }
        assert_eq!(order.iter().take(4).collect::<Vec<_>>(), [&82, &84, &0, &1]);
        assert_eq!(order.len(), 102);
        assert!(order.iter().skip(2).copied().eq(0..100));
    }

    #[test]
    fn the_window_bounds_what_is_on_its_way() {
        let mut outbox = Outbox::resuming(0);
        outbox.on_durable(5);
        outbox.on_connected(2);
        assert_eq!(drain(&mut outbox), [0, 1]);
        outbox.on_accepted(0);
        assert_eq!(drain(&mut outbox), [2]);
    }

    #[test]
    fn an_unwanted_record_is_offered_again_and_alerts_go_ahead_once() {
        let mut outbox = Outbox::resuming(80);
        outbox.on_durable(90);
        outbox.on_connected(3);
        assert_eq!(drain(&mut outbox), [80, 81, 82]);
        outbox.on_unwanted();
        assert_eq!(drain(&mut outbox), [84], "82 has just left, its copies with it");
        outbox.on_overtaken();
        assert_eq!(outbox.want(false), None);
        let offer = outbox.want(true).unwrap();
        assert_eq!(offer, Want { from: 80, least: Class::Routine });
        outbox.on_found(offer, Some(80));
        assert_eq!(outbox.want(true), None, "one at a time");
        assert_eq!(outbox.on_accepted(80), Some(81));
        assert_eq!(drain(&mut outbox), [81, 82, 83]);
    }
}
