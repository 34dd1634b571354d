//! Messages that wait for a key: found by their log, and so bounded that whoever fills the room pays with his own.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    follow::Origin,
    record::{Header, LogId, Unverified},
};
use crate::terms::GatewayId;

/// Bytes of messages kept while the key of their log is not known yet.
pub const MAX_HELD_BYTES: usize = 4 * 1024 * 1024;
/// Of these, bytes in the name of one gateway, where many are listened to.
pub const MAX_HELD_BYTES_OF_ONE: usize = 512 * 1024;

/// A message that waits for its key.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) header: Header,
    pub(super) is_genesis: bool,
    pub(super) bytes: Vec<u8>,
    pub(super) origin: Origin,
}

/// What waits in one gateway's name.
#[derive(Debug, Default)]
struct Share {
    bytes: usize,
    arrivals: BTreeSet<u64>,
}

/// All that wait, by their arrival.
#[derive(Debug)]
pub(super) struct Waiting {
    most_of_one: usize,
    arrivals: u64,
    bytes: usize,
    messages: BTreeMap<u64, Held>,
    shares: BTreeMap<GatewayId, Share>,
    /// Places and arrivals of each log.
    logs: BTreeMap<(GatewayId, LogId), BTreeSet<(u64, u64)>>,
}

impl Default for Waiting {
    fn default() -> Waiting {
        Waiting::sharing(MAX_HELD_BYTES)
    }
}

impl Waiting {
    /// Nothing waits; of each gateway at most so many bytes will.
    pub(super) fn sharing(most_of_one: usize) -> Waiting {
        Waiting {
            most_of_one,
            arrivals: 0,
            bytes: 0,
            messages: BTreeMap::new(),
            shares: BTreeMap::new(),
            logs: BTreeMap::new(),
        }
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Everything that waits, in the order it came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.messages.values()
    }

    /// Logs of which something waits.
    pub(super) fn logs(&self) -> impl Iterator<Item = (GatewayId, LogId)> {
        self.logs.keys().copied()
    }

    /// Whether something of a log waits behind this place.
    pub(super) fn waits_behind(&self, log: (GatewayId, LogId), seq: u64) -> bool {
        self.logs.get(&log).and_then(BTreeSet::last).is_some_and(|(last, _)| *last > seq)
    }

    /// Keeps a message. What is let go for its sake is the oldest of its own gateway's, or of the gateway that has most.
    pub(super) fn hold(&mut self, unverified: &Unverified, bytes: &[u8], origin: Origin) -> Vec<Held> {
        let (header, is_genesis) = (*unverified.header(), unverified.is_genesis());
        let mut gone = Vec::new();
        while self.share(header.gateway) + bytes.len() > self.most_of_one
            && let Some(oldest) = self.oldest_of(header.gateway)
        {
            gone.extend(self.take(oldest));
        }
        while self.bytes + bytes.len() > MAX_HELD_BYTES
            && let Some(oldest) = self.greediest().and_then(|gateway| self.oldest_of(gateway))
        {
            gone.extend(self.take(oldest));
        }
        self.arrivals += 1;
        self.put(self.arrivals, Held { header, is_genesis, bytes: bytes.to_vec(), origin });
        gone
    }

    /// Takes out, in the order they came, those that may be opened now, judged by their headers.
    pub(super) fn ready(&mut self, may_know: impl Fn(&Held) -> bool) -> Vec<(u64, Held)> {
        let ready = |(arrival, held): (&u64, &Held)| may_know(held).then_some(*arrival);
        let ready: Vec<u64> = self.messages.iter().filter_map(ready).collect();
        ready.into_iter().filter_map(|arrival| Some((arrival, self.take(arrival)?))).collect()
    }

    /// Puts a message where it was.
    pub(super) fn put(&mut self, arrival: u64, held: Held) {
        let Header { gateway, log, seq, .. } = held.header;
        let share = self.shares.entry(gateway).or_default();
        share.bytes += held.bytes.len();
        share.arrivals.insert(arrival);
        self.bytes += held.bytes.len();
        self.logs.entry((gateway, log)).or_default().insert((seq, arrival));
        self.messages.insert(arrival, held);
    }

    fn take(&mut self, arrival: u64) -> Option<Held> {
        let held = self.messages.remove(&arrival)?;
        let Header { gateway, log, seq, .. } = held.header;
        self.bytes = self.bytes.saturating_sub(held.bytes.len());
        if let Some(share) = self.shares.get_mut(&gateway) {
            share.bytes = share.bytes.saturating_sub(held.bytes.len());
            share.arrivals.remove(&arrival);
            if share.arrivals.is_empty() {
                self.shares.remove(&gateway);
            }
        }
        if let Some(places) = self.logs.get_mut(&(gateway, log)) {
            places.remove(&(seq, arrival));
            if places.is_empty() {
                self.logs.remove(&(gateway, log));
            }
        }
        Some(held)
    }

    fn share(&self, gateway: GatewayId) -> usize {
        self.shares.get(&gateway).map_or(0, |share| share.bytes)
    }

    fn oldest_of(&self, gateway: GatewayId) -> Option<u64> {
        self.shares.get(&gateway)?.arrivals.first().copied()
    }

    fn greediest(&self) -> Option<GatewayId> {
        self.shares.iter().max_by_key(|(_, share)| share.bytes).map(|(gateway, _)| *gateway)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        evidence::{Body, Chain, Checkpoint, Ed25519},
        terms::{ClockQuality, Stamp},
    };

    fn gateway(n: u8) -> GatewayId {
        GatewayId::new(&format!("gw-{n}")).unwrap()
    }

    /// A record of a gateway, opened as far as anybody can.
    fn unverified(n: u8, log: u64) -> Unverified {
        let mut chain = Chain::begin(gateway(n), LogId(log), 0, Box::new(Ed25519::from_seed(&[n; 32])));
        let at = Stamp { wall_unix_ms: 0, uptime_ms: 0, boot: 1, clock: ClockQuality::Rtc, error_ms: 0 };
        let beat = Checkpoint { entries: 0, reads_ok: 1, reads_failed: 0, first_unreceipted_seq: 0 };
        let bytes = chain.seal(&at, &Body::Checkpoint(beat)).unwrap().bytes.to_vec();
        Unverified::read(&bytes).unwrap()
    }

    const ORIGIN: Origin = Origin { in_chain: true, number: 0 };

    #[test]
    fn whoever_fills_the_room_pays_with_his_own() {
        let mut waiting = Waiting::sharing(MAX_HELD_BYTES_OF_ONE);
        let (honest, flood) = (unverified(1, 1), unverified(2, 2));
        assert!(waiting.hold(&honest, &[1; 700], ORIGIN).is_empty());
        let gone: usize = (0..2_000).map(|_| waiting.hold(&flood, &[2; 700], ORIGIN).len()).sum();
        assert_eq!(gone, 2_000 - MAX_HELD_BYTES_OF_ONE / 700);
        // Twenty more of them fill everything there is, and still only they pay.
        for n in 10..30 {
            let flood = unverified(n, 3);
            (0..1_000).for_each(|_| {
                let gone = waiting.hold(&flood, &[3; 700], ORIGIN);
                assert!(gone.iter().all(|gone| gone.header.gateway != gateway(1)));
            });
        }
        assert!(waiting.bytes() <= MAX_HELD_BYTES && waiting.bytes() > MAX_HELD_BYTES - 1_000);
        let left: Vec<u8> = waiting.iter().next().unwrap().bytes.clone();
        assert_eq!(left, [1; 700], "what came first is still there");
    }

    proptest! {
        /// Sums and indexes are those of what is there, whatever came and went.
        #[test]
        fn sums_and_indexes_agree(steps in prop::collection::vec((0_u8..4, 0_u64..3, 1_usize..60_000, 0_u8..5), 1..120)) {
            let mut waiting = Waiting::sharing(100_000);
            for (n, log, bytes, release) in steps {
                waiting.hold(&unverified(n, log), &vec![0; bytes], ORIGIN);
                for (arrival, held) in waiting.ready(|held| held.header.gateway == gateway(release)) {
                    if arrival % 2 == 0 {
                        waiting.put(arrival, held);
                    }
                }
                let sum: usize = waiting.iter().map(|held| held.bytes.len()).sum();
                prop_assert_eq!(sum, waiting.bytes());
                let places: usize = waiting.logs.values().map(BTreeSet::len).sum();
                let arrivals: usize = waiting.shares.values().map(|share| share.arrivals.len()).sum();
                prop_assert_eq!((places, arrivals), (waiting.messages.len(), waiting.messages.len()));
                prop_assert!(waiting.shares.values().all(|share| share.bytes <= 100_000 && share.bytes > 0));
                prop_assert!(waiting.logs().all(|log| waiting.iter().any(|held| (held.header.gateway, held.header.log) == log)));
            }
        }
    }
}
