//! What a site does about cut-off orders: its feeders show them everything, and they tell which of them should be dead.

use super::Site;
use crate::{
    judge::{
        Finding,
        cutoff::{CutOff, Deed, OrderAct, Orders, Unfit, fitness},
        feeder::Feeder,
        memory::Memory,
        register::redated,
    },
    metering::Reading,
    terms::{AssetId, MeterId, Stamp},
};

impl Site {
    /// The orders it remembers.
    pub(super) fn recall_orders(mut self, memory: &Memory) -> Site {
        self.orders = Orders::recalling(&memory.orders, |asset| beside(&self.feeders, asset));
        for (meter, before, after) in &memory.ends {
            let feeder = self.meter(*meter).and_then(|place| self.feeders.get(place));
            if let Some(terms) = feeder.map(Feeder::terms) {
                self.orders.recall_interval(*meter, terms.error_ppm(), (before, after));
            }
        }
        self.isolate();
        self
    }

    /// Each cut-off order with how it stands.
    pub fn orders(&self) -> impl Iterator<Item = &CutOff> {
        self.orders.iter()
    }

    /// Whether an act about an order may be taken here, now.
    ///
    /// # Errors
    /// Why not.
    pub fn may(&self, at: &Stamp, act: &OrderAct) -> Result<(), Unfit> {
        if let Deed::Order(order) = &act.deed {
            fitness::check(order, |meter| Some(self.feeders.get(self.meter(meter)?)?.terms().into()))?;
        }
        self.orders.may(at, act)
    }

    pub(super) fn on_order(&mut self, act: &OrderAct, at: &Stamp, say: &mut dyn FnMut(Finding)) {
        self.orders.on_act(at, act, |asset| beside(&self.feeders, asset), say);
        self.isolate();
    }

    /// Acts of the log, and power behind a cut, of which the log does not tell what came of them, since the gateway's power
    /// went between the two: that is done now.
    pub fn finish_orders(&mut self, at: &Stamp, say: &mut dyn FnMut(Finding)) {
        if self.orders.has_unfinished() {
            for act in self.orders.unfinished() {
                self.on_order(&act, at, say);
            }
            self.orders.finish_power(at, say);
            self.isolate();
        }
    }

    /// Orders hear every fact about every meter of theirs, changed or not.
    pub(super) fn show_orders(
        &mut self,
        place: usize,
        at: &Stamp,
        reading: Option<&Reading>,
        say: &mut dyn FnMut(Finding),
    ) {
        let Some(feeder) = self.feeders.get(place).filter(|feeder| self.orders.watches(feeder.terms().meter))
        else {
            return;
        };
        // A clock that was set since dates a reading otherwise.
        let at = self.last.map_or(*at, |now| redated(at, &now));
        let seen = feeder.seen(&at, reading);
        let mut stepped = false;
        self.orders.on_seen(&seen, &mut |finding| {
            stepped |= matches!(finding, Finding::Transition(_));
            say(finding);
        });
        if stepped {
            self.isolate();
        }
    }

    pub(super) fn tick_orders(&mut self, at: &Stamp, is_awake: bool, say: &mut dyn FnMut(Finding)) {
        let mut stepped = false;
        self.orders.on_tick(at, is_awake, &mut |finding| {
            stepped |= matches!(finding, Finding::Transition(_));
            say(finding);
        });
        if stepped {
            self.isolate();
        }
    }

    /// Feeders behind a cut that was seen are told so.
    pub(super) fn isolate(&mut self) {
        for feeder in &mut self.feeders {
            let meter = feeder.terms().meter;
            if self.orders.watches(meter) {
                feeder.isolate(self.orders.isolates(meter));
            }
        }
    }
}

/// The process feeders that serve nothing but this equipment.
fn beside(feeders: &[Feeder], asset: AssetId) -> Vec<MeterId> {
    let feeds = |feeder: &&Feeder| feeder.terms().convicts() && feeder.terms().serves(asset);
    feeders.iter().filter(feeds).map(|feeder| feeder.terms().meter).collect()
}
