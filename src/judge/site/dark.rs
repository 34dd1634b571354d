//! What the meters show of the time in which the witness was dark: each once, with its first good reading.

use super::Site;
use crate::{
    judge::{
        Event, Finding,
        dark::{Dark, DarkMeter},
        memory::{Mark, Memory},
    },
    metering::Reading,
    terms::{MeterId, Stamp},
};

/// A dark time, and the meters that have not shown yet what passed in it.
#[derive(Debug)]
pub(super) struct Waking {
    dark: Dark,
    last: Vec<(MeterId, Mark)>,
}

impl Waking {
    pub(super) fn of(memory: &Memory) -> Option<Waking> {
        let last = memory.meters.iter().filter_map(|meter| Some((meter.meter, meter.mark?)));
        Some(Waking { dark: memory.dark?, last: last.collect() })
    }
}

impl Site {
    /// Tells what a meter shows of the dark time, after what that means to orders: a hold that is broken by it is over
    /// before anybody reads why.
    pub(super) fn wake(
        &mut self,
        place: usize,
        at: &Stamp,
        reading: Option<&Reading>,
        say: &mut dyn FnMut(Finding),
    ) {
        let (Some(waking), Some(feeder)) = (&mut self.waking, self.feeders.get(place)) else { return };
        let (terms, after) = (feeder.terms(), feeder.mark());
        let Some(after) = after.filter(|mark| reading.is_some_and(|reading| mark.at == reading.at)) else {
            return;
        };
        let Some(known) = waking.last.iter().position(|(meter, _)| *meter == terms.meter) else { return };
        let (meter, before) = waking.last.swap_remove(known);
        let possible = terms.possible(after.at.since_ms(&before.at), after.register.step);
        let told = DarkMeter { meter, asset: terms.asset(), dark: waking.dark, before, after };
        if waking.last.is_empty() {
            self.waking = None;
        }
        self.orders.on_dark(at, &told, possible, say);
        self.isolate();
        say(Finding::Event(Event::Dark(told)));
    }
}
