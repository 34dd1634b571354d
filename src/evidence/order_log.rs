//! The orders of a log, replayed: what every reader of a log knows of them, and why a log cannot be the machine's work.

use super::{continuity::LogHead, of_orders::OfOrders, record::Record};
use crate::{
    judge::cutoff::{CutOff, Deed, HoldNote, Impossible, OrderAct, Transition},
    terms::{AssetId, OrderId, Stamp},
};

/// The orders of one log, in the order they were given. Takes the log's records in their order.
#[derive(Clone, Debug, Default)]
pub struct OrderLog {
    orders: Vec<Followed>,
    /// The log that this one goes on after: how its orders stood is told once and believed.
    continues: Option<LogHead>,
}

#[derive(Clone, Debug)]
struct Followed {
    cut: CutOff,
    /// How it stood where this log began was told, and is the gateway's word alone.
    is_adopted: bool,
    /// Nothing was told of it yet in a log that goes on after another.
    is_open: bool,
}

impl OrderLog {
    /// Takes the next record; what is not about orders is nothing.
    ///
    /// # Errors
    /// Why the record cannot follow from those before; it has changed nothing.
    pub fn on(&mut self, record: &Record) -> Result<(), Impossible> {
        let at = &record.header.at;
        match record.body.of_orders() {
            Some(OfOrders::Begins(genesis)) => {
                *self = OrderLog { orders: Vec::new(), continues: genesis.continues };
                Ok(())
            }
            Some(OfOrders::Act(about, _)) => self.on_act(at, &about),
            Some(OfOrders::Step(step)) => self.on_step(at, step),
            Some(OfOrders::Note(note)) => self.on_note(at, note),
            Some(OfOrders::Dark(told)) => self.iter().try_for_each(|cut| cut.replay_dark(told)),
            Some(OfOrders::Day(_)) | None => Ok(()),
        }
    }

    /// Each order as it stands.
    pub fn iter(&self) -> impl Iterator<Item = &CutOff> {
        self.orders.iter().map(|followed| &followed.cut)
    }

    /// One of them.
    pub fn get(&self, order: OrderId) -> Option<&CutOff> {
        self.iter().find(|cut| cut.order().id == order)
    }

    /// The log in which an order stood before, where this one took over how it stood there without its proof.
    pub fn adopted_from(&self, order: OrderId) -> Option<LogHead> {
        let known = self.orders.iter().find(|followed| followed.cut.order().id == order);
        self.continues.filter(|_| known.is_some_and(|followed| followed.is_adopted))
    }

    fn on_act(&mut self, at: &Stamp, act: &OrderAct) -> Result<(), Impossible> {
        let mut is_new = true;
        for followed in &mut self.orders {
            if act.is_about(followed.cut.order()) {
                is_new = false;
                followed.cut.replay_act(at, act)?;
            }
        }
        if let (true, Deed::Order(order)) = (is_new, &act.deed) {
            self.orders.push(Followed {
                cut: CutOff::given(order.clone(), at),
                is_adopted: false,
                is_open: self.continues.is_some(),
            });
        }
        Ok(())
    }

    fn on_step(&mut self, at: &Stamp, step: &Transition) -> Result<(), Impossible> {
        let known = self.find(step.order, step.asset)?;
        // An order of before is told how it stood; the first that is told otherwise begins here.
        known.is_open = false;
        known.cut.replay(at, step)
    }

    fn on_note(&mut self, at: &Stamp, note: &HoldNote) -> Result<(), Impossible> {
        let known = self.find(note.order, note.asset)?;
        if std::mem::take(&mut known.is_open) {
            known.cut.adopt(note.stand);
            known.is_adopted = true;
            return Ok(());
        }
        known.cut.replay_note(at, note)
    }

    fn find(&mut self, order: OrderId, asset: AssetId) -> Result<&mut Followed, Impossible> {
        let is_meant = |followed: &&mut Followed| {
            let known = followed.cut.order();
            known.id == order && known.asset == asset
        };
        self.orders.iter_mut().find(is_meant).ok_or(Impossible::UnknownOrder)
    }
}
