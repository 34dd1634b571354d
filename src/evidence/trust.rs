//! Whom a gateway believes: the one door through which receipts and acts come in.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    act::{Act, ActRefusal, Meaning},
    receipt::Receipt,
    record::Refusal,
    signed::Signed,
    suite::{KeyId, PublicKey},
};
use crate::{
    judge::OrderAct,
    terms::{ClockQuality, Digest, GatewayId, Name, OrderId, Stamp},
};

/// Acts remembered at most, so that none is taken twice. None is ever forgotten: with the clock set back, an old one
/// would be in time again.
pub const MAX_ACTS: usize = 16_384;

/// A receipt that is believed, and its hash: what records name from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What it says.
    pub receipt: Receipt,
    /// Hash of its signed bytes.
    pub hash: Digest,
}

/// A refused act: which one, where that could be read, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedAct {
    /// Identifier and version.
    pub act: Option<(Name, u32)>,
    /// Why.
    pub why: ActRefusal,
}

/// The authority's keys as pinned at this gateway, the suppliers' keys as its orders name them, and every act taken before.
#[derive(Debug)]
pub struct Trust {
    gateway: GatewayId,
    /// The first may revoke the others.
    authority: Vec<PublicKey>,
    /// By the order that names it. It may say what is the supplier's to say, of that order, and nothing else.
    suppliers: BTreeMap<OrderId, PublicKey>,
    revoked: BTreeSet<KeyId>,
    /// The newest version of each act, and its hash.
    taken: BTreeMap<Name, (u32, Digest)>,
    /// The version of the roster in force; 0 before the first. There is one, whatever identifier its act has.
    roster: u32,
    /// The authority's own time as of its latest receipt: it cannot be earlier now.
    latest_unix_ms: i64,
}

impl Trust {
    /// A gateway that believes these keys of its authority; without any it believes nobody.
    pub fn new(gateway: GatewayId, authority: Vec<PublicKey>) -> Trust {
        Trust {
            gateway,
            authority,
            suppliers: BTreeMap::new(),
            revoked: BTreeSet::new(),
            taken: BTreeMap::new(),
            roster: 0,
            latest_unix_ms: i64::MIN,
        }
    }

    /// Whether anybody at all is believed.
    pub fn is_empty(&self) -> bool {
        self.authority.is_empty()
    }

    /// Remembers an act the log tells of: it was accepted before.
    pub fn recall(&mut self, act: &Act) {
        match &act.meaning {
            Meaning::RevokeKey(key) => drop(self.revoked.insert(*key)),
            Meaning::Roster(roster) => self.roster = self.roster.max(roster.version),
            Meaning::Permit(_)
            | Meaning::Reset(_)
            | Meaning::Ask(_)
            | Meaning::CutOff(_)
            | Meaning::NotExecuted => {}
        }
        match act.names_supplier() {
            Some((order, Some(key))) => drop(self.suppliers.insert(order, key)),
            Some((order, None)) => drop(self.suppliers.remove(&order)),
            None => {}
        }
        self.taken.insert(act.id, (act.version, act.hash));
    }

    /// Opens what stands on the receipt's topic.
    ///
    /// # Errors
    /// It is no receipt of the authority, or for another gateway.
    pub fn open_receipt(&mut self, bytes: &[u8]) -> Result<Received, Refusal> {
        let signed = Signed::read(bytes)?;
        let receipt = Receipt::open(&signed, self.authoritys(signed.key_id())?)?;
        if receipt.gateway != self.gateway {
            return Err(Refusal::Member("gateway_id"));
        }
        self.latest_unix_ms = self.latest_unix_ms.max(receipt.received_unix_ms);
        Ok(Received { receipt, hash: signed.hash() })
    }

    /// Opens an act. Accepted, it is to be written down before it takes effect. `fits` tells whether everything the act
    /// names is configured here, and whether it has a place where its order stands.
    ///
    /// # Errors
    /// Why it is refused; the answer to be given.
    pub fn open_act(
        &mut self,
        bytes: &[u8],
        now: &Stamp,
        fits: impl FnOnce(&Act) -> Result<(), ActRefusal>,
    ) -> Result<Act, RefusedAct> {
        let nameless = |why| RefusedAct { act: None, why };
        let signed = Signed::read(bytes).map_err(|refusal| nameless(ActRefusal::of(refusal)))?;
        let key = *self.anybodys(signed.key_id()).map_err(|refusal| nameless(ActRefusal::of(refusal)))?;
        signed.check(&key).map_err(|refusal| nameless(ActRefusal::of(refusal)))?;
        let act = Act::read(signed).map_err(|refusal| nameless(ActRefusal::of(refusal)))?;
        match self.refusal(&act, &key, now, fits) {
            Some(why) => Err(RefusedAct { act: Some((act.id, act.version)), why }),
            None => {
                self.recall(&act);
                Ok(act)
            }
        }
    }

    fn refusal(
        &self,
        act: &Act,
        key: &PublicKey,
        now: &Stamp,
        fits: impl FnOnce(&Act) -> Result<(), ActRefusal>,
    ) -> Option<ActRefusal> {
        if act.gateway != self.gateway {
            return Some(ActRefusal::WrongGateway);
        }
        if !self.may_say(act, key) {
            return Some(ActRefusal::WrongKey);
        }
        match self.taken.get(&act.id) {
            Some((version, hash)) if act.version == *version && act.hash == *hash => {
                return Some(ActRefusal::Replayed);
            }
            Some((version, ..)) if act.version <= *version => return Some(ActRefusal::OlderVersion),
            Some(_) | None => {}
        }
        if now.clock == ClockQuality::Unset {
            return Some(ActRefusal::ClockUnset);
        }
        if act.expires_unix_ms < now.wall_unix_ms.max(self.latest_unix_ms) {
            return Some(ActRefusal::Expired);
        }
        if let Err(why) = fits(act) {
            return Some(why);
        }
        match &act.meaning {
            Meaning::NotExecuted => return Some(ActRefusal::NotExecuted),
            Meaning::Roster(roster) if roster.version <= self.roster => {
                return Some(ActRefusal::OlderVersion);
            }
            // A stolen key must not silence the others: only the first may, and nobody the first.
            Meaning::RevokeKey(revoked) => {
                let first = self.authority.first();
                if first != Some(key) || first.is_some_and(|first| first.id() == *revoked) {
                    return Some(ActRefusal::WrongKey);
                }
            }
            Meaning::Permit(_)
            | Meaning::Reset(_)
            | Meaning::Ask(_)
            | Meaning::CutOff(_)
            | Meaning::Roster(_) => {}
        }
        (self.taken.len() >= MAX_ACTS && !self.taken.contains_key(&act.id)).then_some(ActRefusal::TooMany)
    }

    /// Whether this key may say this: the authority's anything but that it is its own supplier, a supplier's what is the
    /// supplier's to say of the order that names it.
    fn may_say(&self, act: &Act, key: &PublicKey) -> bool {
        if self.authoritys(key.id()).is_ok() {
            let supplier = act.names_supplier().and_then(|(_, supplier)| supplier);
            return supplier.is_none_or(|supplier| !self.authority.contains(&supplier));
        }
        let names_it = |about: OrderAct| {
            let order = about.order.filter(|_| about.deed.is_the_suppliers());
            order.and_then(|order| self.suppliers.get(&order)) == Some(key)
        };
        act.about_orders().is_some_and(names_it)
    }

    fn authoritys(&self, id: KeyId) -> Result<&PublicKey, Refusal> {
        let key = self.authority.iter().find(|key| key.id() == id && !self.revoked.contains(&id));
        key.ok_or(Refusal::UnknownKey(id))
    }

    /// A key of the authority, or of a supplier that an order names.
    fn anybodys(&self, id: KeyId) -> Result<&PublicKey, Refusal> {
        let supplier = || self.suppliers.values().find(|key| key.id() == id && !self.revoked.contains(&id));
        self.authoritys(id).or_else(|unknown| supplier().ok_or(unknown))
    }
}
