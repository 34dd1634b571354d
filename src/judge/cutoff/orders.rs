//! All orders of one gateway, being executed.

use super::{
    CutOff, MAX_ORDERS, Said,
    deed::{Deed, OrderAct},
    execution::Execution,
    fitness::Unfit,
    order::Order,
    stand::Stand,
    table::Cue,
    watched::Seen,
};
use crate::{
    judge::{DarkMeter, Event, Finding, Mark, State},
    terms::{AssetId, MeterId, OrderId, Stamp, WattHours},
};

/// What the log tells of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderMemory {
    /// What it says.
    pub order: Order,
    /// When it was taken.
    pub given: Stamp,
    /// How it stood when that was told last; `None` before its first step.
    pub stand: Option<Stand>,
    /// Acts that were taken after that, in order.
    pub after: Vec<OrderAct>,
    /// Power that a meter of it showed after that, of whose step the log does not tell.
    pub power: Option<Cue>,
}

impl OrderMemory {
    /// Takes how it stood, as the log tells next.
    pub fn on_stand(&mut self, stand: Stand) {
        // What a hold came to is told once more before the step that ends it.
        let before = self.stand.replace(stand).and_then(|before| before.hold);
        let goes_on = before.zip(stand.hold).is_some_and(|(before, hold)| !hold.restarted_from(&before));
        self.power = self.power.filter(|_| goes_on);
    }

    /// Takes the state of a meter, as the log tells next: power ends a hold, and a step is to say so.
    pub fn on_state(&mut self, meter: MeterId, state: State) {
        let power = self.order.power_shown(meter, state);
        let holds = self.stand.is_some_and(|stand| stand.hold.is_some());
        self.power = self.power.or(power.filter(|_| holds));
    }
}

/// The orders of one gateway.
#[derive(Debug, Default)]
pub struct Orders {
    all: Vec<Execution>,
    /// Meters that any of them looks at, in order.
    watched: Vec<MeterId>,
    /// Acts of the log whose outcome the log does not tell: the power went between the two.
    unfinished: Vec<OrderAct>,
    /// Power of which the log tells, and not what it did to these orders.
    untold: Vec<(OrderId, Cue)>,
}

impl Orders {
    /// The orders that a log tells of. `beside` names the process feeders that serve nothing but this equipment.
    pub fn recalling(memory: &[OrderMemory], beside: impl Fn(AssetId) -> Vec<MeterId>) -> Orders {
        let mut orders = Orders::default();
        for OrderMemory { order, given, stand, after, power } in memory {
            let stand = stand.unwrap_or_else(|| Stand::issued(given));
            orders.take(CutOff::standing(order.clone(), stand), &beside);
            orders.unfinished.extend(after.iter().cloned());
            orders.untold.extend(power.map(|power| (order.id, power)));
        }
        orders.look_up();
        orders
    }

    /// Each order with how it stands.
    pub fn iter(&self) -> impl Iterator<Item = &CutOff> {
        self.all.iter().map(Execution::cut)
    }

    /// Whether any order looks at this meter.
    pub fn watches(&self, meter: MeterId) -> bool {
        self.watched.binary_search(&meter).is_ok()
    }

    /// Whether power at this meter is behind a cut.
    pub fn isolates(&self, meter: MeterId) -> bool {
        self.all.iter().any(|execution| execution.isolated().any(|isolated| isolated == meter))
    }

    /// Whether an act about an order has a place here, now; what it names is looked at elsewhere.
    ///
    /// # Errors
    /// Why not.
    pub fn may(&self, at: &Stamp, act: &OrderAct) -> Result<(), Unfit> {
        let named = |execution: &&Execution| {
            let order = execution.cut().order();
            Some(order.id) == act.order && order.asset == act.asset
        };
        match (&act.deed, self.all.iter().find(named)) {
            (Deed::Reset, _) => Ok(()),
            (Deed::Order(order), None) => {
                let is_taken = self.place(order.id).is_some();
                let is_full = self.iter().filter(|cut| !cut.stand().rung.is_over()).count() >= MAX_ORDERS;
                match (is_taken, is_full) {
                    // The same order on other equipment.
                    (true, _) => Err(Unfit::UnknownOrder),
                    (false, true) => Err(Unfit::TooMany),
                    (false, false) => Ok(()),
                }
            }
            (_, None) => Err(Unfit::UnknownOrder),
            (_, Some(known)) => known.cut().may_take(at, act),
        }
    }

    /// Acts whose outcome the log does not tell yet.
    pub fn unfinished(&mut self) -> Vec<OrderAct> {
        std::mem::take(&mut self.unfinished)
    }

    /// Whether anything that the log tells has not been done yet.
    pub fn has_unfinished(&self) -> bool {
        !self.unfinished.is_empty() || !self.untold.is_empty()
    }

    /// Power that the log tells of ends the hold that it came into, though the witness was stopped before it said so.
    pub fn finish_power(&mut self, at: &Stamp, say: &mut dyn FnMut(Finding)) {
        for (order, power) in std::mem::take(&mut self.untold) {
            let meant = self.all.iter_mut().filter(|execution| execution.cut().order().id == order);
            meant.for_each(|execution| execution.on_power(at, power, &mut |said| say(finding(said))));
        }
    }

    /// Takes an act that has a place here; one that has none changes nothing.
    pub fn on_act(
        &mut self,
        at: &Stamp,
        act: &OrderAct,
        beside: impl Fn(AssetId) -> Vec<MeterId>,
        say: &mut dyn FnMut(Finding),
    ) {
        let say = &mut |said| say(finding(said));
        if let Deed::Order(order) = &act.deed
            && self.place(order.id).is_none()
        {
            self.take(CutOff::given(order.clone(), at), &beside);
        } else {
            for execution in &mut self.all {
                if act.is_about(execution.cut().order())
                    && execution.on_act(at, act, say).is_ok()
                    && let Deed::Order(order) = &act.deed
                {
                    execution.name_points(at, order, beside(order.asset).into_iter());
                }
            }
        }
        self.look_up();
    }

    /// Takes what a meter shows.
    pub fn on_seen(&mut self, seen: &Seen, say: &mut dyn FnMut(Finding)) {
        for execution in self.all.iter_mut().filter(|execution| execution.concerns(seen.meter)) {
            if execution.on_seen(seen, &mut |said| say(finding(said))) {
                let order = execution.cut().order();
                let (order, asset, meter) = (order.id, order.asset, seen.meter);
                say(Finding::Event(Event::FedBehindCut { order, asset, meter }));
            }
        }
    }

    /// Takes what a meter shows of the time in which the witness was dark.
    /// `possible` is the most that can have passed it meanwhile.
    pub fn on_dark(
        &mut self,
        at: &Stamp,
        told: &DarkMeter,
        possible: WattHours,
        say: &mut dyn FnMut(Finding),
    ) {
        for execution in self.all.iter_mut().filter(|execution| execution.concerns(told.meter)) {
            execution.on_dark(at, told, possible, &mut |said| say(finding(said)));
        }
    }

    /// Recalls the register of a meter at both ends of an interval, in their order. `error_ppm` is what the meter and its
    /// transformers may err.
    pub fn recall_interval(&mut self, meter: MeterId, error_ppm: i64, ends: (&Mark, &Mark)) {
        for execution in &mut self.all {
            execution.recall_interval(meter, error_ppm, ends);
        }
    }

    /// Takes the passing of time.
    pub fn on_tick(&mut self, at: &Stamp, is_awake: bool, say: &mut dyn FnMut(Finding)) {
        for execution in &mut self.all {
            execution.on_tick(at, is_awake, &mut |said| say(finding(said)));
        }
    }

    /// The wall clock was moved.
    pub fn on_clock_step(&mut self, now: &Stamp, say: &mut dyn FnMut(Finding)) {
        for execution in &mut self.all {
            execution.on_clock_step(now, &mut |said| say(finding(said)));
        }
    }

    fn place(&self, id: OrderId) -> Option<usize> {
        self.all.iter().position(|execution| execution.cut().order().id == id)
    }

    fn take(&mut self, cut: CutOff, beside: &impl Fn(AssetId) -> Vec<MeterId>) {
        if self.all.len() >= MAX_ORDERS {
            // The oldest that has ended makes room.
            let ended = self.all.iter().position(|execution| execution.cut().stand().rung.is_over());
            let Some(ended) = ended else { return };
            self.all.remove(ended);
        }
        let beside = beside(cut.order().asset);
        self.all.push(Execution::new(cut, beside.into_iter()));
    }

    fn look_up(&mut self) {
        self.watched = self.all.iter().flat_map(Execution::meters).collect();
        self.watched.sort_unstable();
        self.watched.dedup();
    }
}

fn finding(said: Said) -> Finding {
    match said {
        Said::Note(note) => Finding::Event(Event::Hold(note)),
        Said::Step(step) => Finding::Transition(step),
        Said::Day(day) => Finding::Event(Event::Reconcile(day)),
    }
}
