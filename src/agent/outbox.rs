//! PURE file: what to send next, what was accepted, what was receipted. No client, no socket, no clock.
//!
//! Two cursors over one journal. An alert that overtakes the backlog goes twice: at once, and again in its place, so
//! that whoever follows the chain may forget it meanwhile and stays bounded. The broker's word moves the cursors; only a
//! receipt makes a record delivered, and what a receipt misses is sent again.

use std::collections::VecDeque;

use crate::evidence::Class;

/// Most records that may await acceptance.
pub const MAX_IN_FLIGHT: usize = 63;
/// So many records behind, alerts no longer wait for their turn.
pub const OVERTAKE_BEHIND: u64 = 64;

/// What is read from the journal next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// First place that is of interest.
    pub from: u64,
    /// The least urgent class that is of interest.
    pub least: Class,
    /// Why.
    pub turn: Turn,
}

/// Why a record is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is its turn in the log.
    InPlace,
    /// It is urgent and overtakes.
    Overtaking,
    /// A receipt misses it.
    Again,
}

/// What leaves next, and what of it has arrived.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Places that are durable.
    durable: u64,
    /// Every record before this place was accepted by the broker.
    accepted: u64,
    /// Every record before this place was receipted by the authority.
    receipted: u64,
    /// Whether the authority has ever sent a receipt: then nothing else counts as delivered.
    is_receipted: bool,
    /// Next place for alerts that overtake.
    alerts: u64,
    /// Next place in order.
    backlog: u64,
    window: usize,
    /// Nobody wanted the last record in its place: one at a time until somebody does.
    unwanted: bool,
    /// Places on their way in order, oldest first, and whether each was accepted.
    in_flight: heapless::Deque<(u64, bool), MAX_IN_FLIGHT>,
    /// Records on their way besides.
    aside: usize,
    /// Places a receipt misses, both ends included.
    again: VecDeque<(u64, u64)>,
}

impl Outbox {
    /// Begins where the journal says the broker has accepted everything, or the authority has receipted it.
    pub fn resuming(accepted: u64, receipted: Option<u64>) -> Outbox {
        let start = receipted.unwrap_or(accepted);
        Outbox {
            accepted: start,
            receipted: receipted.unwrap_or(0),
            is_receipted: receipted.is_some(),
            alerts: start,
            backlog: start,
            ..Outbox::default()
        }
    }

    /// The log has this many durable places.
    pub fn on_durable(&mut self, places: u64) {
        self.durable = places;
    }

    /// A broker is there and lets so many records await their acceptance.
    pub fn on_connected(&mut self, window: usize) {
        self.on_lost();
        self.window = window.clamp(1, MAX_IN_FLIGHT);
    }

    /// The broker is gone: nothing is believed sent that was not accepted, and where the authority gives receipts,
    /// nothing that was not receipted, since the broker may have lost what it accepted.
    pub fn on_lost(&mut self) {
        self.window = 0;
        if self.is_receipted {
            self.accepted = self.receipted;
        }
        self.alerts = self.accepted;
        self.return_to_accepted();
        self.aside = 0;
        self.again.clear();
        self.unwanted = false;
    }

    /// The authority has receipted every place before this one, and misses these, both ends included. Of those only
    /// what the broker has accepted is sent again: the rest is on its way.
    pub fn on_receipt(&mut self, receipted: u64, missing: &[(u64, u64)]) {
        self.is_receipted = true;
        self.receipted = self.receipted.max(receipted);
        if self.accepted < self.receipted {
            self.accepted = self.receipted;
            self.backlog = self.backlog.max(self.accepted);
            self.alerts = self.alerts.max(self.accepted);
            while self.in_flight.front().is_some_and(|(place, _)| *place < self.accepted) {
                self.in_flight.pop_front();
            }
        }
        if self.again.is_empty() {
            let sent = |(from, to): &(u64, u64)| {
                let to = (*to).min(self.accepted.checked_sub(1)?);
                (*from <= to).then_some((*from, to))
            };
            self.again = missing.iter().filter_map(sent).collect();
        }
    }

    /// Every record before this place was accepted by the broker.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Every record before this place was receipted by the authority.
    pub fn receipted(&self) -> u64 {
        self.receipted
    }

    /// Whether everything is on the broker's word only, so that nothing but a receipt can tell whether it arrived.
    pub fn lacks_receipt(&self) -> bool {
        self.is_receipted
            && self.window > 0
            && self.receipted < self.accepted
            && self.accepted == self.durable
            && self.again.is_empty()
    }

    /// No receipt came for long: the newest record goes once more. Whoever holds it answers, and asks for what came before
    /// it and was lost with a collector that was killed.
    pub fn remind(&mut self) {
        if let Some(newest) = self.accepted.checked_sub(1).filter(|_| self.lacks_receipt()) {
            self.again.push_back((newest, newest));
        }
    }

    /// Whether there is so much to send that it must be done slowly.
    pub fn is_behind(&self) -> bool {
        self.durable.saturating_sub(self.backlog) > OVERTAKE_BEHIND || !self.again.is_empty()
    }

    /// The broker kept nothing of a record in its place. It is offered again, one at a time; alerts go ahead, since
    /// their retained copies reach whoever comes later.
    pub fn on_unwanted(&mut self) {
        self.return_to_accepted();
        self.unwanted = true;
    }

    /// What is to be read from the journal next; `None` while nothing may leave. `offer` says whether an unwanted
    /// record may be offered once more, `pace` whether the backlog may move on.
    pub fn want(&self, offer: bool, pace: bool) -> Option<Want> {
        if self.in_flight.len() + self.aside >= self.window {
            return None;
        }
        let behind = self.unwanted || self.durable.saturating_sub(self.backlog) > OVERTAKE_BEHIND;
        if behind && self.alerts < self.durable {
            return Some(Want { from: self.alerts, least: Class::Alert, turn: Turn::Overtaking });
        }
        if !pace && self.is_behind() {
            return None;
        }
        if let Some((from, _)) = self.again.front() {
            return Some(Want { from: *from, least: Class::Routine, turn: Turn::Again });
        }
        let may = !self.unwanted || (offer && self.in_flight.is_empty());
        let next = Want { from: self.backlog, least: Class::Routine, turn: Turn::InPlace };
        (may && self.backlog < self.durable).then_some(next)
    }

    /// The journal's answer to [`Outbox::want`]: the record that now leaves, if there was one. False when that record
    /// is not to leave after all.
    pub fn on_found(&mut self, want: Want, found: Option<u64>) -> bool {
        let next = found.map_or(self.durable, |seq| seq + 1);
        match want.turn {
            Turn::Overtaking => {
                self.alerts = next;
                self.aside += usize::from(found.is_some());
                found.is_some()
            }
            Turn::InPlace => {
                self.backlog = next;
                self.alerts = self.alerts.max(next);
                if let Some(seq) = found {
                    // `want` has left room.
                    let _room = self.in_flight.push_back((seq, false));
                }
                found.is_some()
            }
            Turn::Again => {
                let Some((_, to)) = self.again.pop_front() else { return false };
                let leaves = found.is_some_and(|seq| seq <= to);
                if leaves && next <= to {
                    self.again.push_front((next, to));
                }
                self.aside += usize::from(leaves);
                leaves
            }
        }
    }

    /// A record that left out of its turn has reached the broker, or nobody wanted it there.
    pub fn on_aside(&mut self) {
        self.aside = self.aside.saturating_sub(1);
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
        while let Some(want) = outbox.want(false, true) {
            let seq = found(want);
            outbox.on_found(want, seq);
            order.extend(seq);
        }
        order
    }

    #[test]
    fn records_leave_in_order_and_acceptance_moves_only_without_holes() {
        let mut outbox = Outbox::resuming(0, None);
        outbox.on_durable(5);
        assert_eq!(outbox.want(true, true), None, "nothing leaves without a broker");
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
        let mut outbox = Outbox::resuming(0, None);
        outbox.on_durable(100);
        outbox.on_connected(4);
        let mut order = Vec::new();
        for _ in 0..60 {
            for seq in drain(&mut outbox) {
                order.push(seq);
                let overtook = ALERTS.contains(&seq) && order.len() <= 2;
                if overtook {
                    outbox.on_aside();
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
        let mut outbox = Outbox::resuming(0, None);
        outbox.on_durable(5);
        outbox.on_connected(2);
        assert_eq!(drain(&mut outbox), [0, 1]);
        outbox.on_accepted(0);
        assert_eq!(drain(&mut outbox), [2]);
    }

    #[test]
    fn an_unwanted_record_is_offered_again_and_alerts_go_ahead_once() {
        let mut outbox = Outbox::resuming(80, None);
        outbox.on_durable(90);
        outbox.on_connected(3);
        assert_eq!(drain(&mut outbox), [80, 81, 82]);
        outbox.on_unwanted();
        assert_eq!(drain(&mut outbox), [84], "82 has just left, its copies with it");
        outbox.on_aside();
        assert_eq!(outbox.want(false, true), None);
        let offer = outbox.want(true, true).unwrap();
        assert_eq!(offer, Want { from: 80, least: Class::Routine, turn: Turn::InPlace });
        outbox.on_found(offer, Some(80));
        assert_eq!(outbox.want(true, true), None, "one at a time");
        assert_eq!(outbox.on_accepted(80), Some(81));
        assert_eq!(drain(&mut outbox), [81, 82, 83]);
    }

    #[test]
    fn what_the_broker_lost_is_sent_again_and_only_a_receipt_ends_it() {
        let mut outbox = Outbox::resuming(0, Some(0));
        outbox.on_durable(10);
        outbox.on_connected(20);
        assert_eq!(drain(&mut outbox), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        (0..8).for_each(|seq| assert!(outbox.on_accepted(seq).is_some()));
        outbox.on_receipt(4, &[(5, 6), (8, 9)]);
        assert_eq!(drain(&mut outbox), [5, 6], "8 and 9 are still on their way");
        outbox.on_receipt(4, &[(5, 5)]);
        outbox.on_lost();
        outbox.on_connected(20);
        assert_eq!(drain(&mut outbox), [4, 5, 6, 7, 8, 9], "accepted is not delivered");
        outbox.on_receipt(10, &[]);
        outbox.on_lost();
        outbox.on_connected(20);
        assert_eq!(drain(&mut outbox), [] as [u64; 0]);
    }

    #[test]
    fn the_newest_record_goes_once_more_where_nothing_else_would_tell_that_it_was_lost() {
        let mut outbox = Outbox::resuming(0, Some(0));
        outbox.on_durable(3);
        outbox.on_connected(20);
        assert_eq!(drain(&mut outbox), [0, 1, 2]);
        assert!(!outbox.lacks_receipt(), "it is on its way");
        outbox.remind();
        assert_eq!(drain(&mut outbox), [] as [u64; 0]);
        (0..3).for_each(|seq| assert!(outbox.on_accepted(seq).is_some()));
        assert!(outbox.lacks_receipt());
        outbox.remind();
        assert!(!outbox.lacks_receipt(), "it is about to go");
        assert_eq!(drain(&mut outbox), [2]);
        outbox.on_receipt(1, &[(1, 1)]);
        assert_eq!(drain(&mut outbox), [1], "asked for by whoever holds the newest");
        outbox.on_receipt(3, &[]);
        assert!(!outbox.lacks_receipt());
        outbox.on_durable(4);
        assert_eq!(drain(&mut outbox), [3]);
        outbox.on_accepted(3);
        assert!(outbox.lacks_receipt());
        outbox.on_lost();
        assert!(!outbox.lacks_receipt(), "a new connection sends it all again anyhow");
    }

    #[test]
    fn a_backlog_waits_for_its_pace_and_alerts_do_not() {
        let mut outbox = Outbox::resuming(0, Some(0));
        outbox.on_durable(100);
        outbox.on_connected(10);
        let alert = outbox.want(true, false).unwrap();
        assert_eq!(alert.turn, Turn::Overtaking);
        assert!(outbox.on_found(alert, Some(82)));
        assert!(outbox.on_found(outbox.want(true, false).unwrap(), Some(84)));
        assert!(!outbox.on_found(outbox.want(true, false).unwrap(), None));
        assert_eq!(outbox.want(true, false), None);
        assert_eq!(outbox.want(true, true).unwrap().from, 0);
    }
}
