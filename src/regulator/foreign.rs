//! Acts that a gateway has taken and that the authority did not sign.
//!
//! Whom a gateway believes stands in a file of the plant's. The desk asks for itself whose hand an act bears: a key of the
//! authority's, or, of what is the supplier's to say, the key that the order names. An act of anybody else's lifts
//! nothing, frees nothing and closes nothing; that it was taken at all is an alarm. What had arrived before any key was named
//! here is not asked about.

use std::collections::BTreeMap;

use super::{
    conviction::is_signed_by,
    store::{Answered, Batch, KeptRecord, Log, Store},
};
use crate::{
    evidence::{Act, Body, LogId, PublicKey, Signed, record::Unverified},
    judge::cutoff::OrderAct,
    terms::{AssetId, GatewayId, OrderId},
};

/// Papers read at once.
const PAGE: u32 = 256;
/// Orders whose suppliers are remembered; beyond it all are forgotten and looked up again.
pub const MAX_SUPPLIERS: usize = 10_000;

/// An act that the authority did not sign, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignAct {
    /// In whose log.
    pub gateway: GatewayId,
    /// In which.
    pub log: LogId,
    /// At which place.
    pub seq: u64,
    /// On which equipment, where it is about one.
    pub asset: Option<AssetId>,
    /// About which order, where it is about one.
    pub order: Option<OrderId>,
}

impl ForeignAct {
    /// Whether it says something of a piece of equipment.
    pub fn is_about(&self, asset: AssetId) -> bool {
        self.asset.is_none_or(|about| about == asset)
    }

    /// Whether it is at this place.
    pub fn is_at(&self, log: LogId, seq: u64) -> bool {
        (self.log, self.seq) == (log, seq)
    }

    /// Whether what a log says there of an order comes after it, and so rests on it.
    pub fn moves(&self, order: OrderId, log: LogId, seq: u64) -> bool {
        self.order == Some(order) && self.log == log && self.seq < seq
    }
}

/// The suppliers' keys, as orders name them, whoever gave those.
#[derive(Debug, Default)]
pub struct Suppliers(BTreeMap<(GatewayId, OrderId), Vec<PublicKey>>);

impl Suppliers {
    /// An act in a log that is neither the authority's nor the supplier's; `None` of every other and of what is no act. What
    /// the batch brings is known, too. `authority` are the authority's keys.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn disowns(
        &mut self,
        store: &mut dyn Store,
        batch: &Batch,
        ((gateway, log), seq): (Log, u64),
        body: &Body,
        authority: &[PublicKey],
    ) -> Answered<Option<ForeignAct>> {
        let Body::Act(act) = body else { return Ok(None) };
        let about = act.about_orders();
        if is_signed_by(act, authority) {
            return Ok(None);
        }
        if let Ok(signed) = Signed::of(act.members.clone())
            && self.has_signed(store, batch, gateway, about.as_ref(), &signed)?
        {
            return Ok(None);
        }
        let order = about.as_ref().and_then(|about| about.order);
        let asset = about.map(|about| about.asset).or(act.asset);
        Ok(Some(ForeignAct { gateway, log, seq, asset, order }))
    }

    /// Whether it is the supplier's to say, and the supplier said it. Of an order that has not come nothing is known, and nothing
    /// can be done by it.
    fn has_signed(
        &mut self,
        store: &mut dyn Store,
        batch: &Batch,
        gateway: GatewayId,
        about: Option<&OrderAct>,
        signed: &Signed,
    ) -> Answered<bool> {
        let about = about.filter(|about| about.deed.is_the_suppliers());
        let Some(order) = about.and_then(|about| about.order) else { return Ok(false) };
        let of = (gateway, order);
        let signs = |keys: &Vec<PublicKey>| keys.iter().any(|key| signed.check(key).is_ok());
        if self.0.get(&of).is_some_and(signs) {
            return Ok(true);
        }
        self.learn(store, batch, of)?;
        Ok(self.0.get(&of).is_none_or(signs))
    }

    /// Reads which suppliers' keys an order names, in any log of its gateway.
    fn learn(&mut self, store: &mut dyn Store, batch: &Batch, of: (GatewayId, OrderId)) -> Answered<()> {
        if self.0.len() >= MAX_SUPPLIERS {
            self.0.clear();
        }
        let (gateway, order) = of;
        let mut logs: Vec<LogId> =
            store.heads(Some(&[gateway].into()))?.into_iter().map(|kept| kept.log).collect();
        logs.extend(batch.records.keys().filter(|(of, ..)| *of == gateway).map(|(_, log, _)| *log));
        logs.sort_unstable();
        logs.dedup();
        for log in logs {
            let mut from = Some(0);
            while let Some(first) = from.take() {
                for (seq, record) in store.papers((gateway, log), first, PAGE)? {
                    from = seq.checked_add(1);
                    self.hear_order(of, &record);
                }
            }
        }
        let brought = batch.records.iter().filter(|((of, ..), _)| *of == gateway);
        brought.for_each(|(_, record)| self.hear_order((gateway, order), record));
        Ok(())
    }

    fn hear_order(&mut self, of: (GatewayId, OrderId), record: &KeptRecord) {
        let Some((order, key)) = act(record).and_then(|act| act.names_supplier()) else { return };
        if order == of.1 {
            let keys = self.0.entry(of).or_default();
            keys.extend(key.filter(|key| !keys.contains(key)));
        }
    }
}

/// The act in a record. What is kept was verified when it came.
fn act(record: &KeptRecord) -> Option<Act> {
    if record.kind != "act" {
        return None;
    }
    let opened = Unverified::read(&record.bytes).and_then(Unverified::own).ok()?;
    let Body::Act(act) = opened.body else { return None };
    Some(act)
}

/// Looks again at acts that were foreign: one that a key signed which was named since is so no longer.
///
/// # Errors
/// The store failed.
pub fn look_again(store: &mut dyn Store, authority: &[PublicKey]) -> Answered<()> {
    for foreign in store.foreign_acts(None)? {
        let ForeignAct { gateway, log, seq, .. } = foreign;
        let kept = store.records_from((gateway, log), seq, 1)?;
        let signed = kept.first().filter(|(at, _)| *at == seq).and_then(|(_, record)| act(record));
        if signed.is_some_and(|act| is_signed_by(&act, authority)) {
            store.own_act(&foreign)?;
        }
    }
    Ok(())
}
