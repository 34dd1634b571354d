//! What the orders of a log rest on: the records by which anybody can tell again how an order stands, or certify it. While
//! one is open all stays that a replayer reads of the time since it was given: a hold is believed from one note to the next,
//! and of no stretch that no note tells.

use std::collections::{BTreeMap, BTreeSet};

use super::{body::Body, of_orders::OfOrders, order_log::OrderLog, record::Record};
use crate::{judge::cutoff::Order, terms::OrderId};

/// What the orders of one log rest on. Takes its records in their order.
#[derive(Debug, Default)]
pub struct Rests {
    log: OrderLog,
    /// The log has a step that cannot be: whoever wants to see that needs all of it.
    is_impossible: bool,
    /// Where each order was given, or first told of, and where it was told of last.
    told: BTreeMap<OrderId, (u64, u64)>,
    /// Acts, and what was declared of meters, of any time.
    lasting: Vec<u64>,
    /// All else that a replayer reads.
    read: Vec<u64>,
}

impl Rests {
    /// Whether a record of this kind can be any of it, by the word of its type.
    pub fn may_rest_on(kind: &str) -> bool {
        ["genesis", "boot", "act", "answer", "transition", "event", "state", "verdict"].contains(&kind)
    }

    /// Takes the next record of the log.
    pub fn on(&mut self, record: &Record) {
        let (seq, of_orders) = (record.header.seq, record.body.of_orders());
        if of_orders.is_none() && record.body.beside_orders().is_none() {
            return;
        }
        self.is_impossible |= self.log.on(record).is_err();
        let is_lasting = matches!(record.body, Body::Act(_) | Body::Commissioned(_));
        if is_lasting { &mut self.lasting } else { &mut self.read }.push(seq);
        match of_orders {
            Some(OfOrders::Act(about, _)) => {
                let meant = self.log.iter().filter(|cut| about.is_about(cut.order()));
                let meant: Vec<OrderId> = meant.map(|cut| cut.order().id).collect();
                meant.into_iter().for_each(|order| self.tell(order, seq));
            }
            Some(OfOrders::Step(step)) => self.tell(step.order, seq),
            Some(OfOrders::Note(note)) => self.tell(note.order, seq),
            Some(OfOrders::Begins(_) | OfOrders::Day(_) | OfOrders::Dark(_)) | None => {}
        }
    }

    fn tell(&mut self, order: OrderId, seq: u64) {
        self.told.entry(order).or_insert((seq, seq)).1 = seq;
    }

    /// The places up to this one that must stay when all others go: of every order that is open, and of one that is over as
    /// long as any word of it stays behind.
    pub fn up_to(&self, last: u64) -> BTreeSet<u64> {
        let is_needed = |order: &Order, is_over: bool| {
            !is_over || self.told.get(&order.id).is_some_and(|(_, newest)| *newest > last)
        };
        let needed = self.log.iter().filter(|cut| is_needed(cut.order(), cut.stand().rung.is_over()));
        let given = needed.map(|cut| self.told.get(&cut.order().id).map_or(0, |(given, _)| *given));
        let Some(from) = given.chain(self.is_impossible.then_some(0)).min() else { return BTreeSet::new() };
        let read = self.read.iter().filter(|seq| **seq >= from);
        read.chain(&self.lasting).copied().filter(|seq| *seq <= last).collect()
    }
}
