//! Whose hand signed the acts that a log's orders rest on. Nothing is believed of an act but by a key that is trusted, or,
//! of what is the supplier's to say, by the key which the order names; and by no key that signs the log itself.

use serde_json::{Map, Value};

use super::{
    act::Act,
    signed::Signed,
    suite::{KeyId, PublicKey},
};
use crate::{
    judge::{
        cutoff::{Deed, Order, OrderAct},
        edge::RTC_ERROR_MS,
    },
    terms::Stamp,
};

/// Why an act is not believed, each with its place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disbelief {
    /// No key that is trusted here has signed it.
    Unsigned(u64),
    /// It is signed by a key that signs the log's own records: whoever has the log's key is no authority.
    OwnHand(u64),
    /// The key that this order names as the supplier's is trusted here as another's: it is no second party.
    OneParty(u64),
    /// The log took it before it was issued: the gateway's clock was wrong, or the log is of another time than it says.
    TooEarly(u64),
}

impl Disbelief {
    /// Why, for a person.
    pub fn told(self) -> String {
        match self {
            Disbelief::Unsigned(seq) => {
                format!("the act at #{seq} is signed by no key that is trusted here; name it with --trust")
            }
            Disbelief::OwnHand(seq) => format!(
                "the act at #{seq} is signed by a key that signs the log itself, which is no authority's; whatever --trust \
                 names it, the gateway cannot order, claim or confirm in the authority's name"
            ),
            Disbelief::TooEarly(seq) => format!(
                "the log says that it took the act at #{seq} before that was issued, by more than any clock that may prove \
                 anything errs; set the gateway's clock, and have the authority give the order anew"
            ),
            Disbelief::OneParty(seq) => format!(
                "the supplier's key that the order at #{seq} names is one that --trust names as another's; name the \
                 authority's and the gateway's only"
            ),
        }
    }
}

/// The acts of one log about orders, in their order, and the keys that sign the log itself.
#[derive(Clone, Debug, Default)]
pub struct Hands {
    acts: Vec<Hand>,
    own_keys: Vec<KeyId>,
}

#[derive(Clone, Debug)]
struct Hand {
    seq: u64,
    recorded_unix_ms: i64,
    issued_unix_ms: i64,
    key: KeyId,
    about: OrderAct,
    members: Map<String, Value>,
}

impl Hands {
    /// This key signs records of the log.
    pub fn signs_the_log(&mut self, key: KeyId) {
        if !self.is_own(key) {
            self.own_keys.push(key);
        }
    }

    /// Whether a key signs the log's own records: it speaks for the gateway, and for nobody else.
    pub fn is_own(&self, key: KeyId) -> bool {
        self.own_keys.contains(&key)
    }

    /// Takes the next act of the log, recorded at a moment.
    pub fn on(&mut self, (seq, at): (u64, &Stamp), about: &OrderAct, act: &Act) {
        self.acts.push(Hand {
            seq,
            recorded_unix_ms: at.wall_unix_ms,
            issued_unix_ms: act.issued_unix_ms,
            key: act.key,
            about: about.clone(),
            members: act.members.clone(),
        });
    }

    /// Whether every act about an order is signed by whoever may, before the log took it. `trusted` are the authority's keys.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self, order: &Order, trusted: &[PublicKey]) -> Result<(), Disbelief> {
        let mut supplier = None;
        let gives = |hand: &Hand| matches!(hand.about.deed, Deed::Order(_)) && hand.about.is_about(order);
        let given = self.acts.iter().position(gives).unwrap_or(self.acts.len());
        for hand in self.acts.iter().skip(given).filter(|hand| hand.about.is_about(order)) {
            if self.is_own(hand.key) {
                return Err(Disbelief::OwnHand(hand.seq));
            }
            // A reading says of which time it tells, and that is held against the record's.
            let is_reading = matches!(hand.about.deed, Deed::Reading(_));
            if !is_reading && hand.issued_unix_ms > hand.recorded_unix_ms.saturating_add(RTC_ERROR_MS) {
                return Err(Disbelief::TooEarly(hand.seq));
            }
            let unsigned = Disbelief::Unsigned(hand.seq);
            let signed = Signed::of(hand.members.clone()).map_err(|_| unsigned)?;
            let is_by = |key: &PublicKey| signed.check(key).is_ok();
            let is_supplied = hand.about.deed.is_the_suppliers() && supplier.as_ref().is_some_and(is_by);
            if !is_supplied && !trusted.iter().any(is_by) {
                return Err(unsigned);
            }
            if let Some((_, named)) = Act::read(signed).ok().and_then(|act| act.names_supplier()) {
                if named.is_some_and(|named| trusted.contains(&named)) {
                    return Err(Disbelief::OneParty(hand.seq));
                }
                supplier = named;
            }
        }
        Ok(())
    }
}
