//! One gateway's site: every feeder and every piece of equipment behind it, and who hears which fact.

mod law;

use super::{
    Fact, Finding,
    commission::{Commissioned, Equipment},
    event::{Event, RegisterEvent},
    feeder::{Change, Feeder},
    memory::Memory,
    verdict::Docket,
};
use crate::{
    catalogue::Roster,
    metering::{Reading, Sample},
    terms::{AssetId, LegalDay, MeterId, Stamp},
};

/// How often time alone is looked at, in milliseconds.
pub const TICK_MS: u64 = 1_000;
/// A wall clock moved by more than this against the boot clock is an event, in milliseconds.
pub const CLOCK_STEP_MS: i64 = 500;

/// Polls since the site was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Polls that gave a reading.
    pub ok: u64,
    /// Polls that did not.
    pub failed: u64,
}

/// The judge of one gateway. Tables are made once; nothing allocates afterwards but a changed nameplate.
#[derive(Debug)]
pub struct Site {
    feeders: Box<[Feeder]>,
    dockets: Box<[Docket]>,
    last: Option<Stamp>,
    last_tick: Option<Stamp>,
    day: Option<LegalDay>,
    roster: Option<Roster>,
    reads: Reads,
}

impl Site {
    /// A site as commissioned. `memory` is empty on first start and what the journal tells after any stop.
    pub fn new(feeders: Vec<Commissioned>, equipment: Vec<Equipment>, memory: &Memory) -> Site {
        let remembered = |id: MeterId| memory.meters.iter().find(|m| m.meter == id);
        let mut feeders: Box<[Feeder]> =
            feeders.into_iter().map(|terms| Feeder::new(terms.clone(), remembered(terms.meter))).collect();
        feeders.sort_unstable_by_key(|feeder| feeder.terms().meter);
        let remembered = |id: AssetId| memory.equipment.iter().find(|e| e.asset == id);
        let docket = |equipment: Equipment| {
            let serving = feeders.iter().filter(|feeder| feeder.terms().serves(equipment.id));
            let meters: Vec<MeterId> = serving.map(|feeder| feeder.terms().meter).collect();
            Docket::new(equipment, &meters, remembered(equipment.id), &memory.permits)
        };
        let mut dockets: Box<[Docket]> = equipment.into_iter().map(docket).collect();
        dockets.sort_unstable_by_key(Docket::id);
        Site {
            feeders,
            dockets,
            last: memory.last,
            last_tick: None,
            day: None,
            roster: memory.roster.clone(),
            reads: Reads::default(),
        }
    }

    /// Takes a fact and says what follows from it.
    pub fn on(&mut self, at: &Stamp, fact: Fact<'_>, say: &mut dyn FnMut(Finding)) {
        if let Some(by_ms) =
            self.last.and_then(|last| at.step_ms(&last)).filter(|by| by.abs() > CLOCK_STEP_MS)
        {
            say(Finding::Event(Event::ClockStepped { by_ms }));
            self.feeders.iter_mut().for_each(|feeder| feeder.on_clock_step(by_ms, at));
        }
        self.last = Some(*at);
        let day = at.legal_day();
        if self.day.replace(day) != Some(day) {
            self.on_day(at, say);
        }
        match fact {
            Fact::Sample(Sample::Reading(reading)) => self.on_reading(reading, say),
            Fact::Sample(Sample::Miss { meter, at, fault }) => {
                self.reads.failed += 1;
                self.with_feeder(*meter, at, None, say, |feeder| feeder.on_miss(at, *fault));
            }
            Fact::Sample(Sample::Plate { asset, at: _, words }) => self.on_plate(*asset, words, at, say),
            Fact::Sample(Sample::PlateMiss { asset, at: _, fault }) => {
                self.on_plate_fault(*asset, fault.word(), say);
            }
            Fact::Sample(Sample::Identity { .. } | Sample::IdentityMiss { .. }) => {}
            Fact::Tick => self.on_tick(at, say),
            Fact::Permit(permit) => {
                if let Some(docket) = self.docket(permit.asset) {
                    docket.grant(permit);
                }
                self.turn_permits(at);
            }
            Fact::Roster(roster) => self.on_roster(roster, at, say),
            Fact::Reset(asset) => self.reset(asset, at, say),
        }
    }

    /// Uptime in milliseconds at which [`Fact::Tick`] is next wanted.
    pub fn next_due_ms(&self, now: &Stamp) -> u64 {
        now.uptime_ms - now.uptime_ms % TICK_MS + TICK_MS
    }

    /// Polls so far.
    pub fn reads(&self) -> Reads {
        self.reads
    }

    fn on_reading(&mut self, reading: &Reading, say: &mut dyn FnMut(Finding)) {
        self.reads.ok += 1;
        self.with_feeder(reading.meter, &reading.at, Some(reading), say, |feeder| feeder.on_reading(reading));
        self.close_interval(reading.meter, &reading.at, true, say);
    }

    fn on_tick(&mut self, at: &Stamp, say: &mut dyn FnMut(Finding)) {
        // A gateway that was asleep itself does not blame its meters; the ledger shows the time all the same.
        let asleep_ms = self.last_tick.map_or(0, |last| at.since_ms(&last));
        self.last_tick = Some(*at);
        let awake = asleep_ms <= 2 * TICK_MS.cast_signed();
        self.turn_permits(at);
        for index in 0..self.feeders.len() {
            let Some(meter) = self.feeders.get(index).map(|feeder| feeder.terms().meter) else { continue };
            if awake {
                self.with_feeder(meter, at, None, say, |feeder| feeder.on_tick(at));
            }
            self.close_interval(meter, at, false, say);
        }
    }

    fn with_feeder(
        &mut self,
        meter: MeterId,
        at: &Stamp,
        reading: Option<&Reading>,
        say: &mut dyn FnMut(Finding),
        hear: impl FnOnce(&mut Feeder) -> Change,
    ) {
        let Some(feeder) = find(&mut self.feeders, meter) else { return };
        let change = hear(feeder);
        let asset = feeder.terms().asset();
        if let Some(event) = change.event {
            let docket = self.dockets.iter().find(|docket| docket.id() == asset);
            say(Finding::Event(with_paper(event, docket, at)));
        }
        if change.is_news {
            say(Finding::State(feeder.finding(at, reading)));
        }
        let Some(docket) = self.dockets.iter_mut().find(|docket| docket.id() == asset) else { return };
        if let Some((from, energy)) = change.energy {
            docket.on_energy(meter, &from, energy);
        }
        let serving = self.feeders.iter().filter(|feeder| feeder.terms().serves(asset));
        if let Some(verdict) = docket.review(at, serving) {
            say(Finding::Verdict(verdict));
        }
    }

    /// Permits that came into force or ended: sums begin anew.
    fn turn_permits(&mut self, at: &Stamp) {
        for docket in &mut self.dockets {
            if docket.permit_has_turned(at) {
                let asset = docket.id();
                let serving = self.feeders.iter_mut().filter(|feeder| feeder.terms().serves(asset));
                serving.for_each(Feeder::renew_proof);
            }
        }
    }

    /// Opens the latch. Whoever still draws is proven to do so anew, and latches again.
    fn reset(&mut self, asset: AssetId, at: &Stamp, say: &mut dyn FnMut(Finding)) {
        self.renew_proofs(asset);
        let Some(docket) = self.dockets.iter_mut().find(|docket| docket.id() == asset) else { return };
        docket.duty.reset(at, self.roster.as_ref(), &mut |event| say(Finding::Event(event)));
        say(Finding::Verdict(docket.reset(at)));
    }

    fn renew_proofs(&mut self, asset: AssetId) {
        let serving = self.feeders.iter_mut().filter(|feeder| feeder.terms().serves(asset));
        serving.for_each(Feeder::renew_proof);
    }

    fn close_interval(&mut self, meter: MeterId, at: &Stamp, by_reading: bool, say: &mut dyn FnMut(Finding)) {
        let Some(feeder) = find(&mut self.feeders, meter) else { return };
        let Some(interval) = feeder.close_interval(at, by_reading) else { return };
        say(Finding::Interval(interval));
        if let Some(docket) = self.dockets.iter_mut().find(|docket| docket.id() == interval.asset) {
            say(Finding::Verdict(docket.on_schedule(meter, at, interval.shares)));
        }
    }

    fn docket(&mut self, asset: AssetId) -> Option<&mut Docket> {
        self.dockets.iter_mut().find(|docket| docket.id() == asset)
    }
}

/// Names the authority's paper beside what a register did.
fn with_paper(event: Event, docket: Option<&Docket>, at: &Stamp) -> Event {
    match event {
        Event::Register(event) => {
            let permit = docket.and_then(|docket| docket.paper(event.meter, at));
            Event::Register(RegisterEvent { permit, ..event })
        }
        Event::ClockStepped { .. }
        | Event::Plate(_)
        | Event::PlateUnreadable { .. }
        | Event::PlateDiffers { .. }
        | Event::ClassChanged(_)
        | Event::DeadlineWarning(_)
        | Event::NotOnRoster { .. } => event,
    }
}

fn find(feeders: &mut [Feeder], meter: MeterId) -> Option<&mut Feeder> {
    let index = feeders.binary_search_by_key(&meter, |feeder| feeder.terms().meter).ok()?;
    feeders.get_mut(index)
}

#[cfg(test)]
mod tests;
