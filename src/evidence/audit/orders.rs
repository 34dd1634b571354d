//! What the records say of cut-off orders: each replayed, in the order of its log.

use std::collections::BTreeMap;

use crate::{
    evidence::{
        Act, OrderLog, PublicKey, Signed,
        record::{LogId, Record},
    },
    judge::cutoff::{CutOff, Impossible},
    terms::{GatewayId, OrderId},
};

/// Records about orders that may wait for those before them; beyond it they are taken as they come.
const MAX_WAITING: usize = 4_096;

/// An order as the records leave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSeen {
    /// Whose log.
    pub gateway: GatewayId,
    /// Which log.
    pub log: LogId,
    /// The order, and how it stands.
    pub cut: CutOff,
    /// The first record of that log that cannot follow from those before it, where there is one: nothing about orders
    /// from there on is taken. Of a log that is not complete it may be the fault of what is missing.
    pub impossible: Option<(u64, Impossible)>,
}

/// A record about an order that its log never took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepAlone {
    /// Whose log.
    pub gateway: GatewayId,
    /// Which log.
    pub log: LogId,
    /// The place.
    pub seq: u64,
    /// Why it cannot be.
    pub why: Impossible,
}

/// The suppliers' keys, as orders name them that a trusted key has signed.
#[derive(Debug, Default)]
pub(super) struct Suppliers(Vec<(OrderId, PublicKey)>);

impl Suppliers {
    /// Takes an act that a trusted key has signed. A later version of an order may name another key: the log tells by its
    /// steps whether what was said was in time.
    pub(super) fn learn(&mut self, act: Signed) {
        if let Some((order, Some(key))) = Act::read(act).ok().and_then(|act| act.names_supplier()) {
            self.0.push((order, key));
        }
    }

    /// How many of these no supplier signed of the order that names its key.
    pub(super) fn strange(&self, acts: &[Signed]) -> u64 {
        let is_strange = |act: &&Signed| {
            let order = Act::read((*act).clone()).ok().and_then(|act| act.about_orders()?.order);
            !self.0.iter().any(|(of, key)| Some(*of) == order && act.check(key).is_ok())
        };
        acts.iter().filter(is_strange).count() as u64
    }
}

/// Whether it is the supplier's to say.
pub(super) fn is_the_suppliers(act: &Signed) -> bool {
    let about = Act::read(act.clone()).ok().and_then(|act| act.about_orders());
    about.is_some_and(|about| about.deed.is_the_suppliers())
}

/// The orders of all logs.
#[derive(Debug, Default)]
pub(super) struct OrderFold {
    logs: BTreeMap<(GatewayId, LogId), Followed>,
}

#[derive(Debug, Default)]
struct Followed {
    log: OrderLog,
    waiting: BTreeMap<u64, Record>,
    impossible: Option<(u64, Impossible)>,
}

impl OrderFold {
    /// Takes a record; `is_proven` says that all before it have come.
    pub(super) fn on(&mut self, record: &Record, is_proven: bool) {
        let key = (record.header.gateway, record.header.log);
        if record.body.of_orders().is_some() || record.body.beside_orders().is_some() {
            let followed = self.logs.entry(key).or_default();
            if is_proven && followed.waiting.is_empty() {
                return followed.take(record);
            }
            followed.waiting.insert(record.header.seq, record.clone());
        }
        // What waits may go on with any record whose place is proven; few logs have anything that waits.
        if let Some(followed) = self.logs.get_mut(&key).filter(|followed| !followed.waiting.is_empty()) {
            if is_proven {
                followed.go_on(record.header.seq);
            } else if followed.waiting.len() > MAX_WAITING {
                followed.go_on(u64::MAX);
            }
        }
    }

    /// Every order of every log, and the logs that tell of an order which they never took.
    pub(super) fn finish(mut self) -> (Vec<OrderSeen>, Vec<StepAlone>) {
        self.logs.values_mut().for_each(|followed| followed.go_on(u64::MAX));
        let (mut all, mut alone) = (Vec::new(), Vec::new());
        for ((gateway, log), followed) in &self.logs {
            let impossible = followed.impossible.or_else(|| self.discord(*gateway, followed));
            let seen =
                |cut: &CutOff| OrderSeen { gateway: *gateway, log: *log, cut: cut.clone(), impossible };
            all.extend(followed.log.iter().map(seen));
            if let (None, Some((seq, why))) = (followed.log.iter().next(), impossible) {
                alone.push(StepAlone { gateway: *gateway, log: *log, seq, why });
            }
        }
        (all, alone)
    }

    /// Whether a log goes on after one that is at hand otherwise than that one ended.
    fn discord(&self, gateway: GatewayId, followed: &Followed) -> Option<(u64, Impossible)> {
        let former = self.logs.get(&(gateway, followed.log.continues()?.log))?;
        let why = followed.log.agrees_with(&former.log).err()?;
        // It says so from its beginning.
        Some((0, why))
    }
}

impl Followed {
    fn go_on(&mut self, upto: u64) {
        while let Some(first) = self.waiting.first_entry().filter(|first| *first.key() <= upto) {
            let record = first.remove();
            self.take(&record);
        }
    }

    fn take(&mut self, record: &Record) {
        if self.impossible.is_none() {
            self.impossible = self.log.on(record).err().map(|why| (record.header.seq, why));
        }
    }
}
