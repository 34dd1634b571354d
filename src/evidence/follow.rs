//! Follows every log that is heard of: keys, signatures, places. Whoever listens, live or to a file, asks it.

use std::collections::{BTreeMap, BTreeSet};

pub use super::waiting::{MAX_HELD_BYTES, MAX_HELD_BYTES_OF_ONE};
use super::{
    body::Body,
    head::{Arrival, Head, Link},
    keyring::Keyring,
    receipt::Receipt,
    record::{LogId, Record, Refusal, Unverified},
    signed::Signed,
    suite::{KeyId, PublicKey},
    waiting::Waiting,
};
use crate::terms::{Digest, GatewayId};

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Whether it came where records travel in the order of their log, rather than as a copy.
    pub in_chain: bool,
    /// The listener's own number for it: a line, a count.
    pub number: u64,
}

/// Whether a record's place in its log is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It follows what is known.
    Proven,
    /// It follows what is known, but skips places the gateway has lost and we hold, both ends included.
    Amnesia(u64, u64),
    /// Its predecessors are not here yet; first and last missing place.
    Pending(u64, u64),
    /// Too many wait already: it must come again.
    TooFarAhead,
    /// Behind everything remembered: neither proven nor refuted.
    Forgotten,
    /// A copy, or of a place that was skipped.
    Aside,
}

/// What a message turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "passed once from hand to hand")]
pub enum Seen {
    /// A record whose signature holds.
    Record(Record, Place),
    /// A receipt of an authority that is trusted.
    Receipt(Receipt),
    /// A receipt of somebody nobody vouches for; it changes nothing.
    StrangeReceipt,
    /// The same record once more.
    Again,
    /// Two signed histories.
    Fork {
        /// Whose.
        gateway: GatewayId,
        /// Which log.
        log: LogId,
        /// The fork itself.
        fork: Arrival,
    },
    /// Bytes that are not believed.
    Refused(Refusal),
    /// A record of a log whose key is not known; it is kept until the key is.
    Held {
        /// Whose it claims to be.
        gateway: GatewayId,
        /// The key it names.
        key: KeyId,
    },
    /// A record of a log whose key is not known, let go after it had waited: too many of its gateway do, or of all.
    NotHeld {
        /// Whose it claims to be.
        gateway: GatewayId,
        /// The key it names.
        key: KeyId,
    },
}

/// Told what each message turned out to be, with the bytes it came in.
pub type Tell<'a> = &'a mut dyn FnMut(Seen, &[u8], Origin);

/// Everybody who is heard of.
#[derive(Debug, Default)]
pub struct Follower {
    keyring: Keyring,
    heads: BTreeMap<(GatewayId, LogId), Head>,
    /// Messages whose key is not known yet.
    held: Waiting,
    /// Whether a log heard of in its middle is followed from there, rather than missed from its beginning.
    joins: bool,
}

impl Follower {
    /// A listener who may come late: what was before the first record heard of is not missed.
    pub fn joining(trusted: &[PublicKey]) -> Follower {
        Follower { joins: true, ..Follower::from_the_beginning(trusted) }
    }

    /// A listener to whom every log is shown from its genesis on.
    pub fn from_the_beginning(trusted: &[PublicKey]) -> Follower {
        Follower { keyring: Keyring::new(trusted), ..Follower::default() }
    }

    /// A listener who believes only whom it admits, and goes on where a store has kept it.
    pub fn admitting() -> Follower {
        let held = Waiting::sharing(MAX_HELD_BYTES_OF_ONE);
        Follower { keyring: Keyring::admitting(), held, ..Follower::default() }
    }

    /// Whom it believes, to admit and revoke.
    pub fn keyring_mut(&mut self) -> &mut Keyring {
        &mut self.keyring
    }

    /// Goes on with a log from a place that was kept.
    pub fn resume(&mut self, gateway: GatewayId, log: LogId, head: Head) {
        self.heads.insert((gateway, log), head);
    }

    /// Remembers a place behind a log's head that was kept.
    pub fn recall(&mut self, gateway: GatewayId, log: LogId, seq: u64, hash: Digest) {
        if let Some(head) = self.heads.get_mut(&(gateway, log)) {
            head.recall(seq, hash);
        }
    }

    /// Nobody speaks for this gateway any longer: what waits in its name waits for nothing.
    pub fn turn_away(&mut self, gateway: GatewayId) {
        self.keyring.turn_away(gateway);
        self.held.ready(|held| held.header.gateway == gateway);
    }

    /// Keeps nothing more of a log in memory: whoever has stored it resumes it when it speaks again.
    pub fn forget(&mut self, gateway: GatewayId, log: LogId) {
        self.heads.remove(&(gateway, log));
        self.keyring.forget(gateway, log);
    }

    /// Looks again at what waits: somebody was admitted.
    pub fn look_again(&mut self, tell: Tell<'_>) {
        self.release(tell);
    }

    /// The keys and what they answer for.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// How far each log is known.
    pub fn heads(&self) -> &BTreeMap<(GatewayId, LogId), Head> {
        &self.heads
    }

    /// Messages that wait for a key, and where they came from.
    pub fn held(&self) -> impl Iterator<Item = (&[u8], Origin)> {
        self.held.iter().map(|held| (held.bytes.as_slice(), held.origin))
    }

    /// Bytes of messages that wait for a key.
    pub fn held_bytes(&self) -> usize {
        self.held.bytes()
    }

    /// Logs of which something waits for a key, and those that what waits says to continue.
    pub fn held_logs(&self) -> BTreeSet<(GatewayId, LogId)> {
        let geneses = self.held.iter().filter(|held| held.is_genesis);
        let continued = geneses.filter_map(|held| {
            let unverified = Unverified::read(&held.bytes).ok()?;
            Some((held.header.gateway, unverified.continues()?.log))
        });
        self.held.logs().chain(continued).collect()
    }

    /// Whether something of a log waits for a key behind this place. Of what it says nothing is believed.
    pub fn waits_behind(&self, gateway: GatewayId, log: LogId, seq: u64) -> bool {
        self.held.waits_behind((gateway, log), seq)
    }

    /// Whether this record would have to wait for its key.
    pub fn must_wait(&self, unverified: &Unverified) -> bool {
        !self.keyring.knows(unverified) && self.may_wait(unverified)
    }

    /// Takes a message. One message may release others that waited for its key.
    pub fn on_message(&mut self, bytes: &[u8], origin: Origin, tell: Tell<'_>) {
        let signed = match Signed::read(bytes) {
            Ok(signed) => signed,
            Err(refusal) => return tell(Seen::Refused(refusal), bytes, origin),
        };
        if Receipt::is_claimed_by(&signed) {
            return self.on_receipt(&signed, bytes, origin, tell);
        }
        let unverified = match Unverified::of(signed) {
            Ok(unverified) => unverified,
            Err(refusal) => return tell(Seen::Refused(refusal), bytes, origin),
        };
        let learnt = self.keyring.learn(&unverified);
        if self.must_wait(&unverified) {
            let (gateway, key) = (unverified.header().gateway, unverified.header().key_id);
            for gone in self.held.hold(&unverified, bytes, origin) {
                let (gateway, key) = (gone.header.gateway, gone.header.key_id);
                tell(Seen::NotHeld { gateway, key }, &gone.bytes, gone.origin);
            }
            tell(Seen::Held { gateway, key }, bytes, origin);
        } else {
            let (seen, rotated) = self.opened(unverified, origin.in_chain);
            tell(seen, bytes, origin);
            if rotated {
                return self.release(tell);
            }
        }
        if learnt {
            self.release(tell);
        }
    }

    /// There will be no more messages: what waits for a genesis that never came is taken on the trusted keys' word.
    pub fn finish(&mut self, tell: Tell<'_>) {
        self.keyring.do_without_genesis();
        self.release(tell);
    }

    /// What is missing before the first record of a log that waits is given up. Tells the places.
    pub fn concede(&mut self, gateway: GatewayId, log: LogId) -> Option<(u64, u64)> {
        self.heads.get_mut(&(gateway, log))?.concede()
    }

    fn on_receipt(&mut self, signed: &Signed, bytes: &[u8], origin: Origin, tell: Tell<'_>) {
        match self.keyring.open_receipt(signed) {
            Ok((receipt, vouches)) => {
                tell(Seen::Receipt(receipt), bytes, origin);
                if vouches {
                    self.release(tell);
                }
            }
            Err(Refusal::UnknownKey(_)) => tell(Seen::StrangeReceipt, bytes, origin),
            Err(refusal) => tell(Seen::Refused(refusal), bytes, origin),
        }
    }

    /// Whether the key of this record may still become known: by a rotation, a genesis or a receipt to come.
    fn may_wait(&self, unverified: &Unverified) -> bool {
        let header = unverified.header();
        !self.keyring.contradicts(unverified)
            && (self.keyring.is_self_anchored()
                || self.keyring.speaks_of(header.gateway)
                || self.keyring.trusts(header.key_id)
                || self.joins)
    }

    /// Looks again at what waits, as long as that makes further keys known. Only what the new key could open is read
    /// again, so that whoever fills this with rubbish costs little.
    fn release(&mut self, tell: Tell<'_>) {
        loop {
            let mut again = false;
            let ready = self.held.ready(|held| self.keyring.may_know(&held.header, held.is_genesis));
            for (arrival, held) in ready {
                match Unverified::read(&held.bytes).ok() {
                    Some(waiting) if self.keyring.knows(&waiting) || self.keyring.contradicts(&waiting) => {
                        let (seen, rotated) = self.opened(waiting, held.origin.in_chain);
                        tell(seen, &held.bytes, held.origin);
                        again |= rotated;
                    }
                    Some(_) | None => self.held.put(arrival, held),
                }
            }
            if !again {
                return;
            }
        }
    }

    /// Opens a record and finds its place; the flag says whether it made a key known.
    fn opened(&mut self, unverified: Unverified, in_chain: bool) -> (Seen, bool) {
        let (record, key) = match self.keyring.check(unverified) {
            Ok(believed) => believed,
            Err(refusal) => return (Seen::Refused(refusal), false),
        };
        let rotated = matches!(record.body, Body::Rotation(_) | Body::Genesis(_));
        if !in_chain {
            self.keyring.note(&record, key);
            return (Seen::Record(record, Place::Aside), rotated);
        }
        let (gateway, log) = (record.header.gateway, record.header.log);
        let joins = self.joins;
        let begin = || if joins { Head::joining(&Link::of(&record)) } else { Head::default() };
        let head = self.heads.entry((gateway, log)).or_insert_with(begin);
        let arrival = head.take(&record);
        // Whoever contradicts what is held is shown as doing so, but does not decide which keys are believed.
        if !matches!(arrival, Arrival::Fork { .. } | Arrival::WrongEpoch) {
            self.keyring.note(&record, key);
        }
        let place = match arrival {
            Arrival::Advanced => Place::Proven,
            Arrival::Amnesia { from, to } => Place::Amnesia(from, to),
            Arrival::Forgotten => Place::Forgotten,
            Arrival::Late => Place::Aside,
            Arrival::Duplicate => return (Seen::Again, rotated),
            Arrival::Fork { .. } => return (Seen::Fork { gateway, log, fork: arrival }, false),
            Arrival::WrongEpoch => {
                return (Seen::Refused(Refusal::WrongEpoch(record.header.key_epoch)), false);
            }
            Arrival::TooFarAhead => Place::TooFarAhead,
            Arrival::Orphan => {
                let (from, to) = head.missing().unwrap_or((record.header.seq, record.header.seq));
                Place::Pending(from, to)
            }
        };
        (Seen::Record(record, place), rotated)
    }
}
