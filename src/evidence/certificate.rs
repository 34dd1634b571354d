//! A cut-off order's certificate: what its gateway's log says of it, as one signed object that anybody who has the log
//! makes again, by replay, to the byte.
//!
//! Nothing in it is anybody's opinion. [`Witnessed`] takes the records of a log in their order and tells the facts at a
//! place; the authority signs them with the moment of its signature; whoever checks takes the records up to that place,
//! and the facts must be the same. Lists are cut to the newest, and say how many they leave out, since it all stands on
//! one page.

mod facts;
mod page;

use serde_json::{Map, Value};

use super::{
    act::Act,
    body::Body,
    canonical::Unwritable,
    commissioning::Commissioning,
    of_orders::OfOrders,
    order_log::OrderLog,
    record::{LogId, Record, Refusal},
    seal::Sealer,
    signed::Signed,
    suite::{KeyId, PublicKey, Signer},
};
use crate::{
    judge::{
        DarkMeter,
        cutoff::{
            Claim, Cue, Deed, Hold, Impossible, Lack, OrderAct, Reconciliation, Rung, Stand, Transition,
            UtilityReading,
        },
    },
    terms::{Digest, GatewayId, MeterId, OrderId},
};

/// Most steps, of the newest, that one certificate tells.
pub const MAX_STEPS: usize = 24;
/// Most readings of the supplier, of the newest, that it names.
pub const MAX_READINGS: usize = 12;
/// Most gaps of the hold, of the newest, that it tells.
pub const MAX_GAPS: usize = 8;
/// Most days on which the two witnesses differ, of the newest, that it tells.
pub const MAX_DAYS: usize = 8;
/// Most dark times of the witness, of the newest and of each meter, that it tells.
pub const MAX_DARKS: usize = 8;
/// The word of its `type`.
const WORD: &str = "certificate";
/// Members that are the signature's, and no facts.
const ENVELOPE: [&str; 6] = ["type", "fmt", "alg", "kid", "sig", "issued_unix_ms"];

/// Why there is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncertified {
    /// The log has no such order.
    UnknownOrder,
    /// The log cannot be the machine's work, from this place on.
    Impossible(u64, Impossible),
    /// The act at this place, which it would rest on, no key that is trusted here has signed.
    Unsigned(u64),
    /// The act at this place is signed by a key that signs the log's own records: whoever has the log's key is no authority.
    OwnHand(u64),
    /// The key that the order at this place names as the supplier's is trusted here as another's: it is no second party.
    OneParty(u64),
    /// The order does not stand where a cut is proven.
    NotProven(Rung),
    /// It was proven, and by now the hold lacks this: nothing of it may be certified as of now.
    NotHeld(Lack),
}

impl Uncertified {
    /// Why there is no certificate, for a person.
    pub fn told(self) -> String {
        match self {
            Uncertified::UnknownOrder => "no log that is kept has such an order".to_owned(),
            Uncertified::Impossible(seq, why) => {
                let what = match why {
                    Impossible::Hold(lack) => format!("{lack:?} is lacking"),
                    Impossible::UnknownOrder
                    | Impossible::From
                    | Impossible::Why
                    | Impossible::Way
                    | Impossible::Actor
                    | Impossible::NoHold
                    | Impossible::Stand
                    | Impossible::NotYet
                    | Impossible::Agreed
                    | Impossible::NotTheSupplier
                    | Impossible::Dark => format!("{why:?}"),
                };
                format!("the log has an impossible step at #{seq} ({what})")
            }
            Uncertified::Unsigned(seq) => {
                format!("the act at #{seq} is signed by no key that is trusted here; name it with --trust")
            }
            Uncertified::OwnHand(seq) => format!(
                "the act at #{seq} is signed by a key that signs the log itself, which is no authority's; whatever --trust \
                 names it, the gateway cannot order, claim or confirm in the authority's name"
            ),
            Uncertified::OneParty(seq) => format!(
                "the supplier's key that the order at #{seq} names is one that --trust names as another's; name the \
                 authority's and the gateway's only"
            ),
            Uncertified::NotHeld(lack) => {
                format!(
                    "it was verified, and by now the hold lacks {lack:?}: send the supplier's readings, and see what the gateway's log tells of its gaps"
                )
            }
            Uncertified::NotProven(rung) => {
                format!("it stands at {}; one is given where it is verified or maintained", rung.word())
            }
        }
    }
}

/// An act that the facts rest on, and where it stands.
#[derive(Clone, Debug)]
struct ActTold {
    seq: u64,
    hash: Digest,
    key: KeyId,
    is_the_suppliers: bool,
    members: Map<String, Value>,
}

/// A place of the log.
#[derive(Clone, Copy, Debug)]
struct PlaceTold {
    gateway: GatewayId,
    log: LogId,
    seq: u64,
    hash: Digest,
    unix_ms: i64,
    key: KeyId,
    key_epoch: u32,
}

/// A gap of the hold that runs: from when to when, Unix milliseconds, and how much of that was not seen, in milliseconds.
type GapTold = (i64, i64, i64);

/// What one log says of one order, as far as it was given.
#[derive(Clone, Debug)]
pub struct Witnessed {
    order: OrderId,
    log: OrderLog,
    place: Option<PlaceTold>,
    impossible: Option<(u64, Impossible)>,
    /// Every act about the order.
    acts: Vec<ActTold>,
    given: Option<ActTold>,
    claim: Option<(Digest, Claim)>,
    seal: Option<String>,
    readings: Newest<(u64, KeyId, Digest, UtilityReading), MAX_READINGS>,
    steps: Newest<(u64, i64, Digest, Transition), MAX_STEPS>,
    gaps: Newest<GapTold, MAX_GAPS>,
    differing: Newest<Reconciliation, MAX_DAYS>,
    days_agree: u32,
    /// What meters show of times in which the witness was dark, with the places of the records.
    darks: Newest<(u64, DarkMeter), MAX_DARKS>,
    hold: Option<Hold>,
    commissioned: Vec<Commissioning>,
    /// The keys that sign the log's own records.
    own_keys: Vec<KeyId>,
}

/// The newest of a kind, and how many were left out.
#[derive(Clone, Debug)]
struct Newest<T, const MOST: usize> {
    kept: Vec<T>,
    left_out: u32,
}

impl<T, const MOST: usize> Default for Newest<T, MOST> {
    fn default() -> Newest<T, MOST> {
        Newest { kept: Vec::new(), left_out: 0 }
    }
}

impl<T, const MOST: usize> Newest<T, MOST> {
    fn push(&mut self, item: T) {
        if self.kept.len() >= MOST {
            self.kept.remove(0);
            self.left_out = self.left_out.saturating_add(1);
        }
        self.kept.push(item);
    }
}

impl Witnessed {
    /// Of this order, before the first record.
    pub fn of(order: OrderId) -> Witnessed {
        Witnessed {
            order,
            log: OrderLog::default(),
            place: None,
            impossible: None,
            acts: Vec::new(),
            given: None,
            claim: None,
            seal: None,
            readings: Newest::default(),
            steps: Newest::default(),
            gaps: Newest::default(),
            differing: Newest::default(),
            days_agree: 0,
            darks: Newest::default(),
            hold: None,
            commissioned: Vec::new(),
            own_keys: Vec::new(),
        }
    }

    /// Takes the next record of the log; what is not about orders is nothing.
    pub fn on(&mut self, record: &Record) {
        if !self.is_own(record.header.key_id) {
            self.own_keys.push(record.header.key_id);
        }
        if let Body::Commissioned(point) = &record.body {
            self.commissioned.retain(|known| known.meter != point.meter);
            self.commissioned.push(point.clone());
        }
        let Some(said) = record.body.of_orders().filter(|_| self.impossible.is_none()) else { return };
        let header = &record.header;
        if let Err(why) = self.log.on(record) {
            self.impossible = Some((header.seq, why));
            return;
        }
        self.place = Some(PlaceTold {
            gateway: header.gateway,
            log: header.log,
            seq: header.seq,
            hash: record.hash,
            unix_ms: header.at.wall_unix_ms,
            key: header.key_id,
            key_epoch: header.key_epoch,
        });
        match said {
            OfOrders::Act(about, act) if self.is_meant(&about) => {
                let (seq, hash, key) = (header.seq, act.hash, act.key);
                let (is_the_suppliers, members) = (about.deed.is_the_suppliers(), act.members.clone());
                self.on_act(&about, ActTold { seq, hash, key, is_the_suppliers, members });
            }
            OfOrders::Step(step) if step.order == self.order => {
                if step.to == Rung::CutClaimed || step.to.is_before_the_cut() {
                    // What was done for a cut that is none any more is told of no later one.
                    self.seal = None;
                    if step.why.as_str() != Cue::Claim.word() {
                        self.claim = None;
                    }
                }
                self.steps.push((header.seq, header.at.wall_unix_ms, record.hash, step.clone()));
                self.on_stand(step.stand.as_ref());
            }
            OfOrders::Note(note) if note.order == self.order => self.on_stand(Some(&note.stand)),
            OfOrders::Day(day) if day.order == self.order => {
                if day.agrees() {
                    self.days_agree = self.days_agree.saturating_add(1);
                } else {
                    self.differing.push(*day);
                }
            }
            OfOrders::Dark(told) if self.looks_at(told.meter) => self.darks.push((header.seq, *told)),
            OfOrders::Begins(_)
            | OfOrders::Act(..)
            | OfOrders::Step(_)
            | OfOrders::Note(_)
            | OfOrders::Day(_)
            | OfOrders::Dark(_) => {}
        }
    }

    /// The facts at the place the log was given up to. `trusted` are the authority's keys: the acts they rest on must be
    /// signed by one of them.
    ///
    /// # Errors
    /// Why there are none that could be certified.
    pub fn facts(&self, trusted: &[PublicKey]) -> Result<Map<String, Value>, Uncertified> {
        if let Some((seq, why)) = self.impossible {
            return Err(Uncertified::Impossible(seq, why));
        }
        let (Some(cut), Some(place), Some(given)) = (self.log.get(self.order), &self.place, &self.given)
        else {
            return Err(Uncertified::UnknownOrder);
        };
        self.check_signatures(trusted)?;
        match (cut.stand().rung, &cut.stand().hold) {
            (Rung::Verified | Rung::Maintained, Some(hold)) => {
                cut.holds_now().map_err(Uncertified::NotHeld)?;
                Ok(self.told(cut, place, given, hold))
            }
            (rung, _) => Err(Uncertified::NotProven(rung)),
        }
    }

    /// What the log says by now that no certificate of before may be read without; none while the cut holds, or was ended
    /// by whoever may.
    pub fn speaks_against(&self) -> Option<String> {
        if let Some((seq, why)) = self.impossible {
            return Some(Uncertified::Impossible(seq, why).told());
        }
        let rung = self.log.get(self.order)?.stand().rung;
        let has_fallen = match rung {
            Rung::Violated | Rung::Indeterminate | Rung::CutClaimed | Rung::Observing | Rung::Provisional => {
                true
            }
            Rung::Issued
            | Rung::Acknowledged
            | Rung::Scheduled
            | Rung::Verified
            | Rung::Maintained
            | Rung::Suspended
            | Rung::Closed
            | Rung::Cancelled
            | Rung::Restored => false,
        };
        let (seq, ..) = self.steps.kept.last().filter(|_| has_fallen)?;
        Some(format!("it held then; since #{seq} the order stands at {}", rung.word()))
    }

    /// Whether a key signs the log's own records: it speaks for the gateway, and for nobody else.
    pub fn is_own(&self, key: KeyId) -> bool {
        self.own_keys.contains(&key)
    }

    /// Every act is signed by a key that is trusted, and by none of the log's own; of the supplier's own, by that or the key which the order names.
    fn check_signatures(&self, trusted: &[PublicKey]) -> Result<(), Uncertified> {
        let mut supplier = None;
        for told in &self.acts {
            if self.is_own(told.key) {
                return Err(Uncertified::OwnHand(told.seq));
            }
            let unsigned = Uncertified::Unsigned(told.seq);
            let signed = Signed::of(told.members.clone()).map_err(|_| unsigned)?;
            let is_by = |key: &PublicKey| signed.check(key).is_ok();
            let is_supplied = told.is_the_suppliers && supplier.as_ref().is_some_and(is_by);
            if !is_supplied && !trusted.iter().any(is_by) {
                return Err(unsigned);
            }
            if let Some((_, named)) = Act::read(signed).ok().and_then(|act| act.names_supplier()) {
                if named.is_some_and(|named| trusted.contains(&named)) {
                    return Err(Uncertified::OneParty(told.seq));
                }
                supplier = named;
            }
        }
        Ok(())
    }

    fn is_meant(&self, about: &OrderAct) -> bool {
        let is_new = matches!(about.deed, Deed::Order(_)) && about.order == Some(self.order);
        let known = self.log.get(self.order).is_some_and(|cut| cut.order().asset == about.asset);
        is_new || known && about.order.is_none_or(|named| named == self.order)
    }

    fn on_act(&mut self, about: &OrderAct, act: ActTold) {
        match &about.deed {
            Deed::Order(_) => self.given = Some(act.clone()),
            Deed::Claim(claim) => self.claim = Some((act.hash, claim.clone())),
            Deed::Seal { number } => self.seal = Some(number.clone()),
            Deed::Reading(reading) => self.readings.push((act.seq, act.key, act.hash, reading.clone())),
            Deed::Acknowledge
            | Deed::Plan { .. }
            | Deed::Suspend { .. }
            | Deed::Resume
            | Deed::Close { .. }
            | Deed::Revoke
            | Deed::Restore
            | Deed::Reset => {}
        }
        self.acts.push(act);
    }

    /// Whether the order looks at this meter.
    fn looks_at(&self, meter: MeterId) -> bool {
        let points = self.log.get(self.order).map_or(&[][..], |cut| &cut.order().points);
        points.iter().any(|point| point.meter == meter || point.upstream == Some(meter))
    }

    /// Between two words of the log about one hold lies the gap it counted meanwhile.
    fn on_stand(&mut self, stand: Option<&Stand>) {
        let hold = stand.and_then(|stand| stand.hold);
        match (self.hold, hold) {
            (Some(before), Some(now)) if now.restarted_from(&before) => self.gaps = Newest::default(),
            (Some(before), Some(now)) if now.gaps > before.gaps => {
                let paused_ms = now.paused_ms.saturating_sub(before.paused_ms);
                self.gaps.push((before.until.wall_unix_ms, now.until.wall_unix_ms, paused_ms));
            }
            (_, None) => self.gaps = Newest::default(),
            (None | Some(_), Some(_)) => {}
        }
        self.hold = hold;
    }
}

/// A certificate whose signature has been looked at.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// When it was signed, Unix milliseconds.
    pub issued_unix_ms: i64,
    /// Of which gateway's log.
    pub gateway: GatewayId,
    /// Of which log.
    pub log: LogId,
    /// At which place of it.
    pub seq: u64,
    /// Of which order.
    pub order: OrderId,
    /// The key that signed it.
    pub key: KeyId,
    /// SHA-256 of the signed bytes.
    pub hash: Digest,
    /// What it says.
    pub facts: Map<String, Value>,
}

impl Certificate {
    /// Signs facts; the bytes are left in the sealer.
    ///
    /// # Errors
    /// They cannot be written canonically.
    pub fn seal(
        facts: &Map<String, Value>,
        issued_unix_ms: i64,
        sealer: &mut Sealer,
        signer: &dyn Signer,
    ) -> Result<Digest, Unwritable> {
        sealer.seal(signer, |object| {
            object.text("type", WORD).whole("issued_unix_ms", issued_unix_ms).members(facts, &ENVELOPE);
        })
    }

    /// Believes a certificate if one of these keys signed it.
    ///
    /// # Errors
    /// It is none, or none of them did.
    pub fn open(bytes: &[u8], trusted: &[PublicKey]) -> Result<Certificate, Refusal> {
        let signed = Signed::read(bytes)?;
        let key = signed.key_id();
        let known = trusted.iter().find(|known| known.id() == key).ok_or(Refusal::UnknownKey(key))?;
        signed.check(known)?;
        let m = signed.members();
        m.parsed("type", |word| (word == WORD).then_some(()))?;
        Ok(Certificate {
            issued_unix_ms: m.whole("issued_unix_ms")?,
            gateway: m.parsed("gateway_id", GatewayId::new)?,
            log: m.parsed("log_id", LogId::from_hex)?,
            seq: m.fitting("as_of_seq")?,
            order: m.parsed("order_id", OrderId::new)?,
            key,
            hash: signed.hash(),
            facts: {
                let mut facts = signed.into_map();
                facts.retain(|name, _| !ENVELOPE.contains(&name.as_str()));
                facts
            },
        })
    }

    /// The first fact that the log does not bear out, by its name; none when it bears out all of them.
    pub fn differs_from(&self, told: &Map<String, Value>) -> Option<String> {
        let names = self.facts.keys().chain(told.keys());
        names.into_iter().find(|name| self.facts.get(*name) != told.get(*name)).cloned()
    }
}

#[cfg(test)]
mod tests;
