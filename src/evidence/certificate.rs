//! A cut-off order's certificate: what its gateway's log says of it, as one signed object that anybody who has the log
//! makes again, by replay, to the byte.
//!
//! Nothing in it is anybody's opinion. [`Witnessed`] takes the records of a log in their order and tells the facts at a
//! place; the authority signs them with the moment of its signature; whoever checks takes the records up to that place,
//! and the facts must be the same. Lists are cut to the newest, and say how many they leave out, since it all stands on
//! one page.

mod bearings;
pub mod beside;
mod draws;
mod facts;
mod page;
mod uncertified;

use serde_json::{Map, Value};

use self::{bearings::Bearings, draws::Draws};
pub use self::{bearings::Figure, uncertified::Uncertified};
use super::{
    body::Body,
    canonical::Unwritable,
    commissioning::Commissioning,
    hands::Hands,
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
            Claim, Cue, CutOff, Deed, Hold, Impossible, OrderAct, Reconciliation, Rung, Stand, Transition,
            UtilityReading, reading::AHEAD_MS,
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

/// The act that gave an order, and where it stands.
#[derive(Clone, Copy, Debug)]
struct Given {
    seq: u64,
    key: KeyId,
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
    /// Whose log it is, and which.
    own: Option<(GatewayId, LogId)>,
    log: OrderLog,
    place: Option<PlaceTold>,
    impossible: Option<(u64, Impossible)>,
    hands: Hands,
    bearings: Bearings,
    draws: Draws,
    given: Option<Given>,
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
    /// Where the hold that runs was first told.
    held_from: Option<u64>,
    commissioned: Vec<Commissioning>,
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
            own: None,
            log: OrderLog::default(),
            place: None,
            impossible: None,
            hands: Hands::default(),
            bearings: Bearings::default(),
            draws: Draws::default(),
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
            held_from: None,
            commissioned: Vec::new(),
        }
    }

    /// Takes the next record of the log; what is not about orders is nothing.
    pub fn on(&mut self, record: &Record) {
        self.own.get_or_insert((record.header.gateway, record.header.log));
        self.hands.signs_the_log(record.header.key_id);
        self.bearings.on(record);
        self.draws.on(record);
        if let Body::Commissioned(point) = &record.body {
            self.commissioned.retain(|known| known.meter != point.meter);
            self.commissioned.push(point.clone());
        }
        if self.impossible.is_some() {
            return;
        }
        let header = &record.header;
        if let Err(why) = self.log.on(record) {
            self.impossible = Some((header.seq, why));
            return;
        }
        let Some(said) = record.body.of_orders() else { return };
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
                self.hands.on((header.seq, &header.at), &about, act);
                self.on_act(header.seq, &about);
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
                self.on_stand(record, step.stand.as_ref());
            }
            OfOrders::Note(note) if note.order == self.order => self.on_stand(record, Some(&note.stand)),
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
        let cut = self.is_sound(trusted)?;
        let (Some(place), Some(given)) = (&self.place, self.given) else {
            return Err(Uncertified::UnknownOrder);
        };
        match (cut.stand().rung, &cut.stand().hold) {
            (Rung::Verified | Rung::Maintained, Some(hold)) => {
                cut.holds_now().map_err(Uncertified::NotHeld)?;
                Ok(self.told(cut, place, given, hold))
            }
            (rung, _) => Err(Uncertified::NotProven(rung)),
        }
    }

    /// Whether what the log says of the order can be, is signed by whoever may, and is borne out by its other records.
    ///
    /// # Errors
    /// Why not.
    pub fn is_sound(&self, trusted: &[PublicKey]) -> Result<&CutOff, Uncertified> {
        if let Some((seq, why)) = self.impossible {
            return Err(Uncertified::Impossible(seq, why));
        }
        let cut = self.log.get(self.order).ok_or(Uncertified::UnknownOrder)?;
        self.hands.check(cut.order(), trusted).map_err(Uncertified::Disbelieved)?;
        self.bearings.check().map_err(|(seq, figure)| Uncertified::NotBorneOut(seq, figure))?;
        Ok(cut)
    }

    /// The places of the log that its hold rests on, from where it was first told to the last word of the order.
    pub fn held_at(&self) -> Option<((GatewayId, LogId), (u64, u64))> {
        let place = self.place.as_ref()?;
        Some(((place.gateway, place.log), (self.held_from?, place.seq)))
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

    /// These keys sign records, of this log or of any other: no act is theirs.
    pub fn keys_of_logs(&mut self, keys: &[KeyId]) {
        keys.iter().for_each(|key| self.hands.signs_the_log(*key));
    }

    fn is_meant(&self, about: &OrderAct) -> bool {
        self.log.get(self.order).is_some_and(|cut| about.is_about(cut.order()))
    }

    fn on_act(&mut self, seq: u64, about: &OrderAct) {
        let (hash, key) = (about.hash, about.key);
        match &about.deed {
            Deed::Order(_) => self.given = Some(Given { seq, key }),
            Deed::Claim(claim) => self.claim = Some((hash, claim.clone())),
            Deed::Seal { number } => self.seal = Some(number.clone()),
            Deed::Reading(reading) => self.readings.push((seq, key, hash, reading.clone())),
            Deed::Acknowledge
            | Deed::Plan { .. }
            | Deed::Suspend { .. }
            | Deed::Resume
            | Deed::Close { .. }
            | Deed::Revoke
            | Deed::Restore
            | Deed::Reset => {}
        }
    }

    /// Whether the order looks at this meter.
    fn looks_at(&self, meter: MeterId) -> bool {
        self.log.get(self.order).is_some_and(|cut| cut.order().looks_at(meter))
    }

    /// Between two words of the log about one hold lies the gap it counted meanwhile.
    fn on_stand(&mut self, record: &Record, stand: Option<&Stand>) {
        let hold = stand.and_then(|stand| stand.hold);
        if let Some(cut) = self.log.get(self.order) {
            self.bearings.say((record.header.seq, &record.header.at), cut.order(), hold);
        }
        let goes_on = self.hold.zip(hold).is_some_and(|(before, now)| !now.restarted_from(&before));
        self.held_from = hold.and(self.held_from.filter(|_| goes_on).or(Some(record.header.seq)));
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

    /// The first fact that the log does not bear out, by the way to it, `hold.moved_wh`; none when it bears out all of them.
    pub fn differs_from(&self, told: &Map<String, Value>) -> Option<String> {
        first_difference(&Value::Object(self.facts.clone()), &Value::Object(told.clone()), "")
    }

    /// Whether it says that it was signed before what it tells of had been; clocks differ by a minute at most.
    pub fn is_too_early(&self) -> bool {
        let as_of = self.facts.get("as_of_unix_ms").and_then(Value::as_i64);
        as_of.is_some_and(|as_of| self.issued_unix_ms < as_of.saturating_sub(AHEAD_MS))
    }
}

/// The way to the first member or item in which two values differ.
fn first_difference(one: &Value, other: &Value, way: &str) -> Option<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let dot = if way.is_empty() { "" } else { "." };
            let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let (one, other) =
                    (one.get(name).unwrap_or(&Value::Null), other.get(name).unwrap_or(&Value::Null));
                first_difference(one, other, &format!("{way}{dot}{name}"))
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs
                .into_iter()
                .find_map(|(place, (one, other))| first_difference(one, other, &format!("{way}[{place}]")))
        }
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            other,
        ) => (one != other).then(|| way.to_owned()),
    }
}

#[cfg(test)]
mod tests;
