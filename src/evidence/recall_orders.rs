//! Orders as a log tells of them: what the witness goes on with after any stop.

use crate::{
    judge::{
        State,
        cutoff::{Deed, HoldNote, OrderAct, OrderMemory, Stand},
    },
    terms::{AssetId, Digest, MeterId, OrderId, Stamp},
};

/// Gathers orders from acts, transitions and notes, in the order of the log. Of transitions and notes the newest of each
/// order suffices.
#[derive(Clone, Debug, Default)]
pub(super) struct RecalledOrders {
    orders: Vec<OrderMemory>,
}

impl RecalledOrders {
    /// An act that was accepted.
    pub(super) fn on_act(&mut self, at: &Stamp, act: &OrderAct) {
        let mut is_new = true;
        for known in &mut self.orders {
            let is_meant = act.order.is_none_or(|named| named == known.order.id);
            if is_meant && act.asset == known.order.asset {
                known.after.push(act.clone());
                is_new = false;
            }
        }
        if let (true, Deed::Order(order)) = (is_new, &act.deed) {
            self.orders.push(OrderMemory {
                order: order.clone(),
                given: *at,
                stand: None,
                after: Vec::new(),
                power: None,
            });
        }
    }

    /// How an order stood. A step settles the acts that it names; a note may come before the step of one, and settles none.
    pub(super) fn on_stand(&mut self, order: OrderId, asset: AssetId, stand: Stand, names: &[Digest]) {
        let told = |known: &&mut OrderMemory| known.order.id == order && known.order.asset == asset;
        if let Some(known) = self.orders.iter_mut().find(told) {
            known.on_stand(stand);
            names.iter().for_each(|act| settle(known, *act));
        }
    }

    /// The state of a meter.
    pub(super) fn on_state(&mut self, meter: MeterId, state: State) {
        self.orders.iter_mut().for_each(|known| known.on_state(meter, state));
    }

    /// An act was answered: all that follows from it stands before.
    pub(super) fn on_answered(&mut self, act: Digest) {
        self.orders.iter_mut().for_each(|known| settle(known, act));
    }

    /// The meters that orders look at which are not over.
    pub(super) fn meters(&self) -> impl Iterator<Item = MeterId> {
        let is_open = |known: &&OrderMemory| !known.stand.is_some_and(|stand| stand.rung.is_over());
        self.orders
            .iter()
            .filter(is_open)
            .flat_map(|known| known.order.points.iter().map(|point| point.meter))
    }

    /// What a new log must say again of them.
    pub(super) fn notes(&self) -> impl Iterator<Item = HoldNote> {
        self.orders.iter().filter_map(|known| {
            let stand = known.stand?;
            Some(HoldNote { order: known.order.id, asset: known.order.asset, stand })
        })
    }

    pub(super) fn into_memory(self) -> Vec<OrderMemory> {
        self.orders
    }
}

/// All that follows from an act has been told; of another version of the order, that it is the one in force; of a reading,
/// which of the supplier's meters it was.
fn settle(known: &mut OrderMemory, act: Digest) {
    let Some(place) = known.after.iter().position(|after| after.hash == act) else { return };
    match known.after.remove(place).deed {
        Deed::Order(newer) => known.order = newer,
        Deed::Reading(reading) => known.order.bind(&reading),
        Deed::Acknowledge
        | Deed::Plan { .. }
        | Deed::Claim(_)
        | Deed::Suspend { .. }
        | Deed::Resume
        | Deed::Seal { .. }
        | Deed::Close { .. }
        | Deed::Revoke
        | Deed::Restore
        | Deed::Reset => {}
    }
}
