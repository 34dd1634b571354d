//! Which demolitions count: one test for a certificate (V(1)), the public list (VI(1)) and what remains of a target (VI(2)).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Equipment, Scope, Source, Surveyed, after_midnight,
    survey::{Told, claimed},
};
use crate::{
    evidence::{Body, PublicKey, lineage::Says, record::Unverified},
    host::exit::Failure,
    judge::{Finding, Rung, State, Verdict},
    regulator::{
        orders,
        store::{Answered, Asked, KeptRecord, Store},
    },
    terms::{
        AssetId, Digest, GatewayId, OrderId, WattHours,
        place::Division,
        words::{self, Words},
    },
};

/// Demolition that a log says was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Under which order.
    pub order: OrderId,
    /// When: by the gateway's clock, and never later than that arrived. Unix milliseconds.
    pub at_unix_ms: i64,
    /// The step that says so.
    pub source: Source,
    /// The order's hash, where the log bears its end out and whoever signed it is believed.
    pub order_sha256: Option<Digest>,
    /// Whether another unit that is gone, as borne out as this one, bears the same nameplate, wherever it stood.
    pub is_twice: bool,
    /// The verdict by which something was drawn since, in whatever log of its gateway.
    pub drew: Option<Source>,
}

impl Closed {
    /// What a log claims, and nobody has weighed.
    pub const fn claimed(order: OrderId, at_unix_ms: i64, source: Source) -> Closed {
        Closed { order, at_unix_ms, source, order_sha256: None, is_twice: false, drew: None }
    }

    /// Why the demolition of a unit with this newest verdict does not count; none where it does.
    pub fn refusal(&self, newest: Option<&Told>) -> Option<Words> {
        let after = newest.filter(|told| told.at_unix_ms > self.at_unix_ms);
        if self.order_sha256.is_none() {
            Some(words::NOT_BORNE_OUT)
        } else if self.is_twice {
            Some(words::SAME_PLATE)
        } else if self.drew.is_some() || after.is_some_and(|told| told.verdict.state == State::Drawing) {
            Some(words::DRAWS_SINCE)
        } else {
            None
        }
    }
}

impl Equipment {
    /// Its demolition, where that counts.
    pub fn gone(&self) -> Option<Closed> {
        self.closed.filter(|closed| closed.refusal(self.newest.as_ref()).is_none())
    }

    /// Fingerprint of its nameplate, where one is known.
    pub fn plate(&self) -> Option<Digest> {
        self.newest.as_ref().and_then(|told| told.verdict.plate)
    }
}

/// Weighs every demolition that is claimed, by the authority's keys: the logs of its gateways alone are replayed, each once, and
/// of the rest of the store no more is looked at than whether a nameplate is gone there, too.
///
/// # Errors
/// The store cannot be read.
pub(super) fn weighed(
    store: &mut dyn Store,
    mut surveyed: Surveyed,
    scope: &Scope,
    trusted: &[PublicKey],
) -> Result<Surveyed, Failure> {
    let plates: BTreeSet<Digest> = closed(&surveyed).filter_map(Equipment::plate).collect();
    bear_out(store, &mut surveyed, trusted)?;
    for one in surveyed.values_mut() {
        if let Some(closed) = &mut one.closed {
            closed.drew = drew_since(store, (one.gateway, one.asset), closed, scope)?;
        }
    }
    if plates.is_empty() {
        return Ok(surveyed);
    }
    let twice = if scope.within == Division::NATION {
        twice(&surveyed)
    } else {
        let mut all = claimed(store, &Scope { within: Division::NATION, ..*scope }, trusted)?;
        all.retain(|_, one| one.closed.is_some() && one.plate().is_some_and(|plate| plates.contains(&plate)));
        bear_out(store, &mut all, trusted)?;
        twice(&all)
    };
    for one in surveyed.values_mut() {
        let (gateway, asset, plate) = (one.gateway, one.asset, one.plate());
        let Some(closed) = one.closed.as_mut().filter(|_| plate.is_some_and(|plate| twice.contains(&plate)))
        else {
            continue;
        };
        // What a maker leaves off, or a factory puts on each, names no machine.
        closed.is_twice = names_a_machine(store, gateway, asset)?;
    }
    Ok(surveyed)
}

fn closed(surveyed: &Surveyed) -> impl Iterator<Item = &Equipment> {
    surveyed.values().filter(|one| one.closed.is_some())
}

/// Adds the orders of which the logs bear out that they ended in demolition, and whose signatures are believed.
fn bear_out(store: &mut dyn Store, surveyed: &mut Surveyed, trusted: &[PublicKey]) -> Result<(), Failure> {
    let gateways: BTreeSet<GatewayId> = closed(surveyed).map(|one| one.gateway).collect();
    let mut orders: BTreeMap<(GatewayId, OrderId, AssetId), Digest> = BTreeMap::new();
    for gateway in gateways {
        for standing in orders::standing(store, Some(gateway), trusted)? {
            if !standing.is_bad() && standing.cut.stand().rung == Rung::Closed {
                let order = standing.cut.order();
                orders.insert((gateway, order.id, order.asset), order.hash);
            }
        }
    }
    for one in surveyed.values_mut() {
        let (gateway, asset) = (one.gateway, one.asset);
        if let Some(closed) = &mut one.closed {
            closed.order_sha256 = orders.get(&(gateway, closed.order, asset)).copied();
        }
    }
    Ok(())
}

/// The nameplates that more than one unit bears of all that are gone as their logs bear out.
pub(super) fn twice(surveyed: &Surveyed) -> BTreeSet<Digest> {
    let (mut once, mut twice) = (BTreeSet::new(), BTreeSet::new());
    let is_borne_out = |one: &&Equipment| one.closed.is_some_and(|closed| closed.order_sha256.is_some());
    for one in surveyed.values().filter(is_borne_out) {
        if let Some(plate) = one.plate().filter(|plate| !once.insert(*plate)) {
            twice.insert(plate);
        }
    }
    twice
}

/// Whether a nameplate of it has named a machine by its maker and number.
fn names_a_machine(store: &mut dyn Store, gateway: GatewayId, asset: AssetId) -> Answered<bool> {
    let subjects = BTreeSet::from([(gateway, asset.0)]);
    let mentions = store.mentions(Asked::Subjects(&subjects))?;
    Ok(mentions.iter().any(|at| matches!(at.mention.says, Says::Machine { .. })))
}

/// The newest verdict before the time ends, in whichever log of the gateway, by which something was drawn since a demolition: in
/// the log that tells of that by their places, in others by the time.
fn drew_since(
    store: &mut dyn Store,
    (gateway, asset): (GatewayId, AssetId),
    closed: &Closed,
    scope: &Scope,
) -> Answered<Option<Source>> {
    let since_unix_ms = closed.at_unix_ms;
    for kept in store.heads(Some(&[gateway].into()))? {
        let of = ((gateway, kept.log), asset);
        let is_own = kept.log == closed.source.log;
        let is_after = |seq: u64, record: &KeptRecord| {
            if is_own { seq > closed.source.seq } else { record.moment_unix_ms() > since_unix_ms }
        };
        let last = store.verdict_before(of, after_midnight(scope.to), kept.seq)?;
        let Some((seq, last)) = last.filter(|(seq, last)| is_after(*seq, last)) else { continue };
        let before = if is_own {
            store.verdict_to(of, closed.source.seq)?
        } else {
            store.verdict_before(of, since_unix_ms.saturating_add(1), kept.seq)?
        };
        let before = before.and_then(|(_, record)| verdict(&record));
        if verdict(&last).is_some_and(|last| has_drawn(before.as_ref(), &last, since_unix_ms)) {
            return Ok(Some(Source { gateway, log: kept.log, seq, hash: last.hash }));
        }
    }
    Ok(None)
}

/// Whether something was drawn between two verdicts, by more than a register may turn of itself. A log that begins later counts
/// from nothing.
fn has_drawn(before: Option<&Verdict>, last: &Verdict, since_unix_ms: i64) -> bool {
    let known = before.map_or(WattHours(0), |before| before.energy_overdue);
    let floor = last.grounds.as_ref().map_or(WattHours(0), |grounds| grounds.register_floor);
    let is_convicted = last.violation_since_unix_ms.is_some_and(|latched| latched > since_unix_ms);
    let rose_wh = last.energy_overdue.0.saturating_sub(known.0);
    last.state == State::Drawing || is_convicted || rose_wh > floor.0
}

/// What is kept was verified when it came.
fn verdict(record: &KeptRecord) -> Option<Verdict> {
    let read = Unverified::read(&record.bytes).and_then(Unverified::own).ok()?;
    if let Body::Finding(Finding::Verdict(verdict)) = read.body { Some(verdict) } else { None }
}
