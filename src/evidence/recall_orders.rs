//! Orders as a log tells of them: what the witness goes on with after any stop.

use crate::{
    judge::cutoff::{Deed, HoldNote, OrderAct, OrderMemory, Stand},
    terms::{AssetId, OrderId, Stamp},
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
            });
        }
    }

    /// How an order stood: everything before is settled with it.
    pub(super) fn on_stand(&mut self, order: OrderId, asset: AssetId, stand: Stand) {
        let told = |known: &&mut OrderMemory| known.order.id == order && known.order.asset == asset;
        if let Some(known) = self.orders.iter_mut().find(told) {
            for act in known.after.drain(..) {
                if let Deed::Order(newer) = act.deed {
                    known.order = newer;
                }
            }
            known.stand = Some(stand);
        }
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
