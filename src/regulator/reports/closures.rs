//! Which demolitions count: one test for a certificate (V(1)), the public list (VI(1)) and what remains of a target (VI(2)).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Equipment, Scope, Source, Surveyed,
    survey::{Told, claimed},
};
use crate::{
    evidence::PublicKey,
    host::exit::Failure,
    judge::{Rung, State},
    regulator::{orders, store::Store},
    terms::{
        AssetId, Digest, GatewayId, OrderId,
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
    /// Whether another unit that is said to be gone bears the same nameplate, wherever it stood.
    pub is_twice: bool,
}

impl Closed {
    /// What a log claims, and nobody has weighed.
    pub const fn claimed(order: OrderId, at_unix_ms: i64, source: Source) -> Closed {
        Closed { order, at_unix_ms, source, order_sha256: None, is_twice: false }
    }

    /// Why the demolition of a unit with this newest verdict does not count; none where it does.
    pub fn refusal(&self, newest: Option<&Told>) -> Option<Words> {
        let after = newest.filter(|told| told.at_unix_ms > self.at_unix_ms);
        if self.order_sha256.is_none() {
            Some(words::NOT_BORNE_OUT)
        } else if self.is_twice {
            Some(words::SAME_PLATE)
        } else if after.is_some_and(|told| told.verdict.state == State::Drawing) {
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

/// Weighs every demolition that is claimed: the logs of its gateways alone are replayed, each once, and of the rest of the
/// store no more is looked at than which nameplates are gone.
///
/// # Errors
/// The store cannot be read.
pub(super) fn weigh(
    store: &mut dyn Store,
    surveyed: &mut Surveyed,
    scope: &Scope,
    trusted: &[PublicKey],
) -> Result<(), Failure> {
    let claims = surveyed.values().filter(|one| one.closed.is_some());
    let gateways: BTreeSet<GatewayId> = claims.map(|one| one.gateway).collect();
    if gateways.is_empty() {
        return Ok(());
    }
    let mut orders: BTreeMap<(GatewayId, OrderId, AssetId), Digest> = BTreeMap::new();
    for gateway in gateways {
        for standing in orders::standing(store, Some(gateway), trusted)? {
            if !standing.is_bad() && standing.cut.stand().rung == Rung::Closed {
                let order = standing.cut.order();
                orders.insert((gateway, order.id, order.asset), order.hash);
            }
        }
    }
    let twice = if scope.within == Division::NATION {
        twice(surveyed)
    } else {
        twice(&claimed(store, &Scope { within: Division::NATION, ..*scope }, trusted)?)
    };
    for one in surveyed.values_mut() {
        let (gateway, asset, plate) = (one.gateway, one.asset, one.plate());
        if let Some(closed) = &mut one.closed {
            closed.order_sha256 = orders.get(&(gateway, closed.order, asset)).copied();
            closed.is_twice = plate.is_some_and(|plate| twice.contains(&plate));
        }
    }
    Ok(())
}

/// The nameplates that more than one unit bears of all that is said to be gone.
fn twice(surveyed: &Surveyed) -> BTreeSet<Digest> {
    let (mut once, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for one in surveyed.values().filter(|one| one.closed.is_some()) {
        if let Some(plate) = one.plate().filter(|plate| !once.insert(*plate)) {
            twice.insert(plate);
        }
    }
    twice
}
