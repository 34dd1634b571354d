//! The orders of a log, replayed: what every reader of a log knows of them, and why a log cannot be the machine's work.

use super::{body::Body, record::Record};
use crate::{
    judge::{
        Event, Finding,
        cutoff::{CutOff, Deed, HoldNote, Impossible, OrderAct, Transition},
    },
    terms::{AssetId, OrderId, Stamp},
};

/// The orders of one log, in the order they were given. Takes the log's records in their order.
#[derive(Clone, Debug, Default)]
pub struct OrderLog {
    orders: Vec<Followed>,
    /// The log goes on after another: how its orders stood is told once and believed.
    continues: bool,
}

#[derive(Clone, Debug)]
struct Followed {
    cut: CutOff,
    /// Nothing was told of it yet in a log that goes on after another.
    is_open: bool,
}

impl OrderLog {
    /// Whether a record of this body is about orders, or begins a log.
    pub fn takes(body: &Body) -> bool {
        match body {
            Body::Genesis(_) | Body::Act(_) | Body::Finding(Finding::Transition(_)) => true,
            Body::Finding(Finding::Event(event)) => matches!(event, Event::Hold(_) | Event::Reconcile(_)),
            Body::Boot(_)
            | Body::Checkpoint(_)
            | Body::Rotation(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Answer(_)
            | Body::Notice(_)
            | Body::Commissioned(_)
            | Body::Finding(_) => false,
        }
    }

    /// Takes the next record. A transition of the time before orders were executed, and what is not about orders, is
    /// nothing.
    ///
    /// # Errors
    /// Why the record cannot follow from those before; it has changed nothing.
    pub fn on(&mut self, record: &Record) -> Result<(), Impossible> {
        let at = &record.header.at;
        match &record.body {
            Body::Genesis(genesis) => {
                *self = OrderLog { orders: Vec::new(), continues: genesis.continues.is_some() };
                Ok(())
            }
            Body::Act(act) => act.about_orders().map_or(Ok(()), |act| self.on_act(at, &act)),
            Body::Finding(Finding::Transition(step)) if step.stand.is_some() => self.on_step(at, step),
            Body::Finding(Finding::Event(Event::Hold(note))) => self.on_note(at, note),
            Body::Boot(_)
            | Body::Checkpoint(_)
            | Body::Rotation(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Answer(_)
            | Body::Notice(_)
            | Body::Commissioned(_)
            | Body::Finding(_) => Ok(()),
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

    fn on_act(&mut self, at: &Stamp, act: &OrderAct) -> Result<(), Impossible> {
        let mut is_new = true;
        for followed in &mut self.orders {
            let order = followed.cut.order();
            if act.order.is_none_or(|named| named == order.id) && act.asset == order.asset {
                is_new = false;
                followed.cut.replay_act(at, act)?;
            }
        }
        if let (true, Deed::Order(order)) = (is_new, &act.deed) {
            self.orders.push(Followed { cut: CutOff::given(order.clone(), at), is_open: self.continues });
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
