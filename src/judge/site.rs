//! One gateway's site: every feeder and every piece of equipment behind it, and who hears which fact.

mod cuts;
mod dark;
mod law;

use std::collections::BTreeMap;

use super::{
    Fact, Finding,
    balance::{Balances, Corroboration, Group},
    commission::{Commissioned, Equipment},
    cutoff::Orders,
    edge,
    event::{Event, MeterTold, RegisterEvent},
    feeder::{Change, Feeder},
    grounds::Grounds,
    memory::{EquipmentMemory, Memory, MeterMemory},
    permit::{Permit, Permitted},
    shown::Untold,
    sign::{Sign, SignFinding, Signs, Turns, neighbours::Neighbours},
    verdict::{Docket, Verdict},
};
use crate::{
    catalogue::Roster,
    metering::{Reading, Sample, Scan},
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
    /// By meter.
    feeders: Box<[Feeder]>,
    /// By equipment.
    dockets: Box<[Docket]>,
    neighbours: Neighbours,
    balances: Balances,
    /// What the signs of one feeder turned to with one fact.
    turns: Box<Turns>,
    /// Which dockets each feeder serves, and which feeders serve each docket.
    links: Links,
    last: Option<Stamp>,
    last_tick: Option<Stamp>,
    day: Option<LegalDay>,
    roster: Option<Roster>,
    orders: Orders,
    waking: Option<dark::Waking>,
    reads: Reads,
}

/// Who serves whom, by position.
#[derive(Debug, Default)]
struct Links {
    dockets_of: Box<[Box<[usize]>]>,
    feeders_of: Box<[Box<[usize]>]>,
}

impl Links {
    fn of(feeders: &[Feeder], dockets: &[Docket]) -> Links {
        let served = |feeder: &Feeder| {
            let place = |asset: &AssetId| dockets.binary_search_by_key(asset, Docket::id).ok();
            feeder.terms().serves.iter().filter_map(place).collect::<Box<[usize]>>()
        };
        let dockets_of: Box<[Box<[usize]>]> = feeders.iter().map(served).collect();
        let mut serving = vec![Vec::new(); dockets.len()];
        for (feeder, served) in dockets_of.iter().enumerate() {
            for docket in served {
                if let Some(serving) = serving.get_mut(*docket) {
                    serving.push(feeder);
                }
            }
        }
        Links { dockets_of, feeders_of: serving.into_iter().map(Vec::into_boxed_slice).collect() }
    }

    fn dockets_of(&self, feeder: usize) -> &[usize] {
        self.dockets_of.get(feeder).map_or(&[], |served| served)
    }

    /// The feeders that serve a docket.
    fn serving<'f>(
        &'f self,
        docket: usize,
        feeders: &'f [Feeder],
    ) -> impl Iterator<Item = &'f Feeder> + Clone {
        let places = self.feeders_of.get(docket).map_or(&[][..], |serving| serving);
        places.iter().filter_map(|place| feeders.get(*place))
    }
}

impl Site {
    /// A site as commissioned. `memory` is empty on first start and what the journal tells after any stop.
    pub fn new(feeders: Vec<Commissioned>, equipment: Vec<Equipment>, memory: &Memory) -> Site {
        let meters: BTreeMap<MeterId, &MeterMemory> = memory.meters.iter().map(|m| (m.meter, m)).collect();
        let mut feeders: Box<[Feeder]> = feeders
            .into_iter()
            .map(|terms| {
                let signs = Signs::recalling(memory, &terms);
                Feeder::new(terms.clone(), meters.get(&terms.meter).copied(), signs)
            })
            .collect();
        feeders.sort_unstable_by_key(|feeder| feeder.terms().meter);
        let remembered: BTreeMap<AssetId, &EquipmentMemory> =
            memory.equipment.iter().map(|e| (e.asset, e)).collect();
        let mut serving: BTreeMap<AssetId, Vec<&Commissioned>> = BTreeMap::new();
        for terms in feeders.iter().map(Feeder::terms) {
            terms.serves.iter().for_each(|asset| serving.entry(*asset).or_default().push(terms));
        }
        let docket = |equipment: Equipment| {
            let serving = serving.get(&equipment.id).map_or(&[][..], |serving| serving);
            let ids: Vec<MeterId> = serving.iter().map(|terms| terms.meter).collect();
            let known = |terms: &&Commissioned| untold(terms, meters.get(&terms.meter)?);
            let untold: Vec<Untold> = serving.iter().filter_map(known).collect();
            let (permits, uses) = (&memory.permits, &memory.permit_uses);
            Docket::new(equipment, &ids, remembered.get(&equipment.id).copied(), permits, uses, &untold)
        };
        let mut dockets: Box<[Docket]> = equipment.into_iter().map(docket).collect();
        dockets.sort_unstable_by_key(Docket::id);
        let links = Links::of(&feeders, &dockets);
        Site {
            neighbours: Neighbours::of(feeders.iter().map(Feeder::terms)),
            balances: Balances::default(),
            turns: Box::default(),
            feeders,
            dockets,
            links,
            last: memory.last,
            last_tick: None,
            day: None,
            roster: memory.roster.clone(),
            orders: Orders::default(),
            waking: dark::Waking::of(memory),
            reads: Reads::default(),
        }
        .recall_orders(memory)
    }

    /// Watches balance groups of these meters too.
    #[must_use]
    pub fn balancing(self, groups: Vec<Group>) -> Site {
        let terms: Vec<&Commissioned> = self.feeders.iter().map(Feeder::terms).collect();
        Site { balances: Balances::new(groups, &terms), ..self }
    }

    /// What the meters upstream say of this equipment.
    pub fn corroboration(&self, asset: AssetId, now: &Stamp) -> Option<Corroboration> {
        self.balances.corroboration(asset, now)
    }

    /// Takes a fact and says what follows from it.
    pub fn on(&mut self, at: &Stamp, fact: Fact<'_>, say: &mut dyn FnMut(Finding)) {
        if let Some(by_ms) =
            self.last.and_then(|last| at.step_ms(&last)).filter(|by| by.abs() > CLOCK_STEP_MS)
        {
            say(Finding::Event(Event::ClockStepped { by_ms }));
            self.feeders.iter_mut().for_each(|feeder| feeder.on_clock_step(by_ms, at));
            self.balances.on_clock_step();
            self.dockets.iter_mut().for_each(Docket::on_clock_step);
            self.orders.on_clock_step(at, say);
        }
        self.finish_orders(at, say);
        self.last = Some(*at);
        let day = edge::earliest_day(at);
        if self.day.replace(day) != Some(day) {
            self.on_day(at, say);
        }
        match fact {
            Fact::Sample(Sample::Reading(reading)) => self.on_reading(reading, say),
            Fact::Sample(Sample::Miss { meter, at, fault }) => {
                self.reads.failed += 1;
                self.at_meter(*meter, at, None, say, |feeder, turns| feeder.on_miss(at, *fault, turns));
            }
            Fact::Sample(Sample::Plate { asset, at: _, words }) => self.on_plate(*asset, words, at, say),
            Fact::Sample(Sample::PlateMiss { asset, at: _, fault }) => {
                self.on_plate_fault(*asset, fault.word(), say);
            }
            Fact::Sample(Sample::Identity { meter, at, identity }) => {
                self.at_meter(*meter, at, None, say, |feeder, turns| feeder.on_identity(at, identity, turns));
            }
            // What a meter does not tell of itself says nothing; its polls tell whether it answers.
            Fact::Sample(Sample::IdentityMiss { .. }) => {}
            Fact::Tick => self.on_tick(at, say),
            Fact::Permit(permit) => self.on_permit(permit, at, say),
            Fact::Roster(roster) => self.on_roster(roster, at, say),
            Fact::Reset(asset) => self.reset(asset, at, say),
            Fact::Order(act) => self.on_order(act, at, say),
            Fact::Isolated(asset, is_isolated) => {
                self.each_serving(asset, |feeder| feeder.isolate(is_isolated));
            }
            Fact::Ask(asset) => {
                if let Some(place) = self.place(asset)
                    && let Some(docket) = self.dockets.get_mut(place)
                {
                    let verdict = docket.ask(at, &self.links.serving(place, &self.feeders));
                    say(corroborated(&self.balances, at, verdict));
                }
            }
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
        let Some(place) = self.meter(reading.meter) else { return };
        self.expect_rest(place, &reading.at);
        self.with_feeder(place, &reading.at, Some(reading), say, |feeder, turns| {
            feeder.on_reading(reading, turns)
        });
        if self.feeders.get(place).is_some_and(|feeder| feeder.was_dark(&reading.at)) {
            // What others counted meanwhile it did not.
            self.balances.on_break(reading.meter);
        }
        if let Some(point) = self.feeders.get(place).and_then(|feeder| feeder.accepted(reading)) {
            self.balances.on_point(reading.meter, point);
        }
        self.close_interval(place, &reading.at, true, say);
    }

    fn on_tick(&mut self, at: &Stamp, say: &mut dyn FnMut(Finding)) {
        // A gateway that was asleep itself does not blame its meters; the ledger shows the time all the same.
        let asleep_ms = self.last_tick.map_or(0, |last| at.since_ms(&last));
        self.last_tick = Some(*at);
        let awake = asleep_ms <= 2 * TICK_MS.cast_signed();
        self.turn_permits(at);
        for place in 0..self.feeders.len() {
            if awake {
                self.with_feeder(place, at, None, say, |feeder, _| feeder.on_tick(at));
            }
            self.close_interval(place, at, false, say);
        }
        self.tick_orders(at, awake, say);
        self.compare(at, say);
    }

    fn on_permit(&mut self, permit: &Permit, at: &Stamp, say: &mut dyn FnMut(Finding)) {
        if let Some(docket) = self.docket(permit.asset) {
            docket.grant(permit);
        }
        self.turn_permits(at);
        if let Permitted::MeterReplacement { meter } = permit.what {
            self.at_meter(meter, at, None, say, |feeder, turns| feeder.on_paper(permit, at, turns));
        }
    }

    /// Sets meters beside each other: those of one bus, those of one grid, those of one balance.
    fn compare(&mut self, at: &Stamp, say: &mut dyn FnMut(Finding)) {
        let turns = &mut self.turns;
        self.neighbours.compare(at.uptime_ms, &mut self.feeders, |sign, figures, feeder| {
            turns.clear();
            if feeder.on_compared(sign, at, figures, turns).is_news {
                tell(feeder.terms(), turns, None, say);
                say(Finding::State(feeder.finding(at, None)));
            }
        });
        let feeders = &mut self.feeders;
        self.balances.on_tick(at, |balance, incomer| {
            say(Finding::Event(Event::Balance(*balance)));
            let Some(feeder) = find(feeders, incomer) else { return };
            turns.clear();
            if let Some(figures) = balance.figures()
                && feeder.on_compared(Sign::Residual, at, figures, turns).is_news
            {
                tell(feeder.terms(), turns, None, say);
                say(Finding::State(feeder.finding(at, None)));
            }
        });
    }

    fn at_meter(
        &mut self,
        meter: MeterId,
        at: &Stamp,
        reading: Option<&Reading>,
        say: &mut dyn FnMut(Finding),
        hear: impl FnOnce(&mut Feeder, &mut Turns) -> Change,
    ) {
        if let Some(place) = self.meter(meter) {
            self.with_feeder(place, at, reading, say, hear);
        }
    }

    fn with_feeder(
        &mut self,
        place: usize,
        at: &Stamp,
        reading: Option<&Reading>,
        say: &mut dyn FnMut(Finding),
        hear: impl FnOnce(&mut Feeder, &mut Turns) -> Change,
    ) {
        let Some(feeder) = self.feeders.get_mut(place) else { return };
        self.turns.clear();
        let change = hear(feeder, &mut self.turns);
        let meter = feeder.terms().meter;
        if let Some(event) = change.event {
            if event.begins_a_count() {
                self.balances.on_break(meter);
            }
            let first = self.links.dockets_of(place).first().and_then(|docket| self.dockets.get(*docket));
            say(Finding::Event(with_paper(event, first, at)));
        }
        tell(feeder.terms(), &self.turns, reading, say);
        if change.is_news {
            say(Finding::State(feeder.finding(at, reading)));
        }
        for docket_place in self.links.dockets_of(place) {
            let Some(docket) = self.dockets.get_mut(*docket_place) else { continue };
            if let Some(terms) = self.feeders.get(place).map(Feeder::terms).filter(|t| t.convicts()) {
                if let Some(reading) = reading {
                    docket.on_power(terms, reading);
                }
                if let Some((from, energy)) = change.energy {
                    docket.on_energy(terms, &from, at, energy);
                    docket.tell_uses(&mut |event| say(Finding::Event(event)));
                }
            }
            if let Some(verdict) = docket.review(at, &self.links.serving(*docket_place, &self.feeders)) {
                say(corroborated(&self.balances, at, verdict));
            }
        }
        self.wake(place, at, reading, say);
        self.show_orders(place, at, reading, say);
    }

    /// Permits that came into force or ended: sums begin anew.
    fn turn_permits(&mut self, at: &Stamp) {
        for (docket, serving) in self.dockets.iter_mut().zip(&self.links.feeders_of) {
            if docket.permit_has_turned(at) {
                for place in serving {
                    if let Some(feeder) = self.feeders.get_mut(*place) {
                        feeder.renew_proof(at);
                    }
                }
            }
        }
    }

    /// Opens the latch. Whoever still draws is proven to do so anew, and latches again.
    fn reset(&mut self, asset: AssetId, at: &Stamp, say: &mut dyn FnMut(Finding)) {
        self.each_serving(asset, |feeder| feeder.renew_proof(at));
        let Some(place) = self.place(asset) else { return };
        for serving in 0..self.links.feeders_of.get(place).map_or(0, |serving| serving.len()) {
            let feeder = self.links.feeders_of.get(place).and_then(|all| all.get(serving)).copied();
            if let Some(feeder) = feeder {
                self.with_feeder(feeder, at, None, say, |feeder, turns| feeder.on_reset(at, turns));
            }
        }
        let Some(docket) = self.dockets.get_mut(place) else { return };
        docket.duty.reset(at, self.roster.as_ref(), &mut |event| say(Finding::Event(event)));
        let verdict = docket.reset(at, &self.links.serving(place, &self.feeders));
        say(corroborated(&self.balances, at, verdict));
    }

    fn close_interval(&mut self, place: usize, at: &Stamp, by_reading: bool, say: &mut dyn FnMut(Finding)) {
        let Some(feeder) = self.feeders.get_mut(place) else { return };
        let Some(interval) = feeder.close_interval(at, by_reading) else { return };
        say(Finding::Interval(interval));
        for docket_place in self.links.dockets_of(place) {
            if let Some(docket) = self.dockets.get_mut(*docket_place) {
                let serving = self.links.serving(*docket_place, &self.feeders);
                let verdict = docket.on_schedule(at, &interval, &serving);
                docket.tell_uses(&mut |event| say(Finding::Event(event)));
                say(corroborated(&self.balances, at, verdict));
            }
        }
    }

    /// Tells a feeder whether everything it serves must be cold: what may run may idle, at any power factor.
    fn expect_rest(&mut self, place: usize, at: &Stamp) {
        let mut served = self.links.dockets_of(place).iter().filter_map(|docket| self.dockets.get(*docket));
        let must_rest = served.all(|docket| docket.must_rest(at));
        if let Some(feeder) = self.feeders.get_mut(place) {
            feeder.expect_rest(must_rest);
        }
    }

    fn each_serving(&mut self, asset: AssetId, mut act: impl FnMut(&mut Feeder)) {
        let serving = self.place(asset).and_then(|place| self.links.feeders_of.get(place));
        for place in serving.into_iter().flatten() {
            if let Some(feeder) = self.feeders.get_mut(*place) {
                act(feeder);
            }
        }
    }

    fn place(&self, asset: AssetId) -> Option<usize> {
        self.dockets.binary_search_by_key(&asset, Docket::id).ok()
    }

    fn docket(&mut self, asset: AssetId) -> Option<&mut Docket> {
        let place = self.place(asset)?;
        self.dockets.get_mut(place)
    }

    fn meter(&self, meter: MeterId) -> Option<usize> {
        self.feeders.binary_search_by_key(&meter, |feeder| feeder.terms().meter).ok()
    }
}

/// What a meter's register may tell again of what its power told, where it was not read for more than two polls.
fn untold(terms: &Commissioned, known: &MeterMemory) -> Option<Untold> {
    let meter = terms.meter;
    let ms = known.untold_ms()?;
    let polls_ms = i64::try_from(terms.poll_ms).unwrap_or(i64::MAX).saturating_mul(2);
    let is_untold = terms.convicts() && ms > polls_ms;
    is_untold.then(|| Untold { meter, most: terms.capacity().over_ms(ms) })
}

/// A verdict with what corroborates it.
fn corroborated(balances: &Balances, at: &Stamp, verdict: Verdict) -> Finding {
    let corroboration = balances.corroboration(verdict.asset, at);
    let grounds = verdict.grounds.map(|grounds| Grounds { corroboration, ..grounds });
    Finding::Verdict(Verdict { grounds, ..verdict })
}

/// Names the authority's paper beside what a meter or its register did.
fn with_paper(event: Event, docket: Option<&Docket>, at: &Stamp) -> Event {
    let paper = |meter| docket.and_then(|docket| docket.paper(meter, at));
    match event {
        Event::Register(event) => Event::Register(RegisterEvent { permit: paper(event.meter), ..event }),
        Event::Meter(event) => Event::Meter(MeterTold { permit: paper(event.meter), ..event }),
        Event::ClockStepped { .. }
        | Event::Sign(_)
        | Event::Balance(_)
        | Event::Hold(_)
        | Event::Reconcile(_)
        | Event::FedBehindCut { .. }
        | Event::Dark(_)
        | Event::Plate(_)
        | Event::PlateUnreadable { .. }
        | Event::PlateDiffers { .. }
        | Event::ClassChanged(_)
        | Event::DeadlineWarning(_)
        | Event::NotOnRoster { .. }
        | Event::PermitUsed { .. } => event,
    }
}

/// Says which signs began and ended.
fn tell(terms: &Commissioned, turns: &Turns, reading: Option<&Reading>, say: &mut dyn FnMut(Finding)) {
    for turned in turns {
        say(Finding::Event(Event::Sign(SignFinding {
            meter: terms.meter,
            asset: terms.asset(),
            sign: turned.sign,
            turn: turned.turn,
            since: turned.since,
            figures: turned.figures.clone(),
            permit: turned.permit,
            scan: reading.map_or_else(Scan::default, |reading| reading.scan.clone()),
        })));
    }
}

fn find(feeders: &mut [Feeder], meter: MeterId) -> Option<&mut Feeder> {
    let index = feeders.binary_search_by_key(&meter, |feeder| feeder.terms().meter).ok()?;
    feeders.get_mut(index)
}

#[cfg(test)]
mod tests;
