//! PURE file: what the one loop knows of its meters and its equipment, as it goes by. It holds what was said, not what might
//! be said: a screen can show nothing that is not in the log.

use std::sync::Arc;

use crate::{
    agent::config::AgentConfig,
    evidence::Body,
    judge::{
        Finding, Interval, Memory, Reads, Sign, SignSet, Site, State, StateFinding, Verdict, Why,
        cutoff::Rung,
    },
    metering::{Fault, Latencies, Sample},
    terms::{AssetId, LegalDay, MeterId, MilliWatts, Name, OrderId, Stamp, WattHours, words::Words},
};

/// Everything the loop knows, for whoever looks.
#[derive(Clone, Debug)]
pub struct View {
    /// When the loop turned last.
    pub at: Stamp,
    /// When this life began.
    pub began: Stamp,
    /// Polls since then.
    pub reads: Reads,
    /// How long those took that gave a reading.
    pub polls_took: Latencies,
    /// By meter.
    pub meters: Vec<MeterView>,
    /// By equipment.
    pub equipment: Vec<EquipmentView>,
    /// Cut-off orders, ended ones included.
    pub orders: Vec<OrderView>,
}

/// A meter as it was last heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterView {
    /// Which.
    pub meter: MeterId,
    /// The bus it is on.
    pub bus: Name,
    /// The equipment it serves.
    pub asset: AssetId,
    /// Its last good reading in this life.
    pub good: Option<Good>,
    /// That its polls fail, while they do.
    pub trouble: Option<Trouble>,
    /// Polls of this life that gave a reading.
    pub reads_ok: u64,
    /// Polls of this life that did not.
    pub reads_failed: u64,
    /// Its state as said last.
    pub state: State,
    /// What a person reads of that state.
    pub said: Words,
    /// Since when; nothing while nothing was said of it.
    pub since: Option<Stamp>,
    /// Signs of tampering that stand.
    pub signs: SignSet,
    /// How today is accounted for.
    pub today: Option<Today>,
}

/// A reading that was good, with its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Good {
    /// When its last answer came.
    pub at: Stamp,
    /// Total active power, where the meter tells it.
    pub power: Option<MilliWatts>,
    /// The import register, where the meter has one.
    pub energy: Option<WattHours>,
}

/// Polls that fail, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Since when.
    pub since: Stamp,
    /// Why the last one did.
    pub fault: Fault,
    /// How many.
    pub polls: u64,
}

/// How the time of a lawful day is accounted for, by the intervals of this life that ended in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Today {
    /// Which day.
    pub day: LegalDay,
    /// Where the first of them began, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Where the last of them ended, Unix milliseconds.
    pub to_unix_ms: i64,
    /// Between valid readings, in milliseconds.
    pub observed_ms: i64,
    /// Told by the registers on both sides, in milliseconds.
    pub bridged_ms: i64,
    /// Told by nothing, in milliseconds.
    pub unaccounted_ms: i64,
}

/// A piece of equipment as it was last spoken of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EquipmentView {
    /// Which.
    pub asset: AssetId,
    /// The verdict said last in this life.
    pub verdict: Option<Arc<Verdict>>,
    /// Since when its violation is latched, as it was remembered; what a verdict says since goes before it.
    pub latched_unix_ms: Option<i64>,
}

/// A cut-off order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// Which.
    pub order: OrderId,
    /// On which equipment.
    pub asset: AssetId,
    /// Where it stands.
    pub rung: Rung,
}

impl View {
    /// What is known before the first poll.
    pub fn new(config: &AgentConfig, memory: &Memory, now: &Stamp) -> View {
        let mut meters: Vec<MeterView> = config
            .meters
            .iter()
            .map(|meter| MeterView::unread(meter.id, meter.bus, meter.commissioned.asset()))
            .collect();
        meters.sort_unstable_by_key(|view| view.meter);
        let latched = |asset: AssetId| {
            let known = memory.equipment.iter().find(|known| known.asset == asset);
            known.and_then(|known| known.violation_since_unix_ms)
        };
        let ids = config.equipment.iter().map(|furnace| furnace.equipment.id);
        let mut equipment: Vec<EquipmentView> = ids
            .map(|asset| EquipmentView { asset, verdict: None, latched_unix_ms: latched(asset) })
            .collect();
        equipment.sort_unstable_by_key(|view| view.asset);
        View {
            at: *now,
            began: *now,
            reads: Reads::default(),
            polls_took: Latencies::default(),
            meters,
            equipment,
            orders: Vec::new(),
        }
    }

    /// What came of a poll.
    pub fn on_sample(&mut self, sample: &Sample) {
        match sample {
            Sample::Reading(reading) => {
                self.polls_took.on(reading.took_ms.into());
                let Some(meter) = self.meter_mut(reading.meter) else { return };
                let energy = reading.import.map(|register| register.energy);
                meter.good = Some(Good { at: reading.at, power: reading.power(), energy });
                meter.trouble = None;
                meter.reads_ok += 1;
            }
            Sample::Miss { meter, at, fault } => {
                let Some(meter) = self.meter_mut(*meter) else { return };
                let trouble = meter.trouble.get_or_insert(Trouble { since: *at, fault: *fault, polls: 0 });
                trouble.fault = *fault;
                trouble.polls += 1;
                meter.reads_failed += 1;
            }
            Sample::Plate { .. }
            | Sample::PlateMiss { .. }
            | Sample::Identity { .. }
            | Sample::IdentityMiss { .. } => {}
        }
    }

    /// What is about to be written down.
    pub fn on_said(&mut self, body: &Body) {
        let Body::Finding(finding) = body else { return };
        match finding {
            Finding::State(found) => {
                if let Some(meter) = self.meter_mut(found.meter) {
                    meter.on_state(found);
                }
            }
            Finding::Interval(interval) => {
                if let Some(meter) = self.meter_mut(interval.meter) {
                    meter.on_interval(interval);
                }
            }
            Finding::Verdict(verdict) => {
                let place = self.equipment.binary_search_by_key(&verdict.asset, |view| view.asset);
                if let Some(view) = place.ok().and_then(|place| self.equipment.get_mut(place)) {
                    view.verdict = Some(Arc::new(*verdict));
                }
            }
            Finding::Transition(_) | Finding::Event(_) => {}
        }
    }

    /// The loop has turned.
    pub fn on_turn(&mut self, now: &Stamp, site: &Site) {
        self.at = *now;
        self.reads = site.reads();
        self.orders.clear();
        self.orders.extend(site.orders().map(|cut| OrderView {
            order: cut.order().id,
            asset: cut.order().asset,
            rung: cut.stand().rung,
        }));
    }

    /// One meter.
    pub fn meter(&self, meter: MeterId) -> Option<&MeterView> {
        let place = self.meters.binary_search_by_key(&meter, |view| view.meter).ok()?;
        self.meters.get(place)
    }

    fn meter_mut(&mut self, meter: MeterId) -> Option<&mut MeterView> {
        let place = self.meters.binary_search_by_key(&meter, |view| view.meter).ok()?;
        self.meters.get_mut(place)
    }
}

impl MeterView {
    fn unread(meter: MeterId, bus: Name, asset: AssetId) -> MeterView {
        let state = State::Unknown(Why::NotYetRead);
        MeterView {
            meter,
            bus,
            asset,
            good: None,
            trouble: None,
            reads_ok: 0,
            reads_failed: 0,
            state,
            said: state.words(),
            since: None,
            signs: SignSet::default(),
            today: None,
        }
    }

    fn on_state(&mut self, found: &StateFinding) {
        self.state = found.state;
        self.said = found.words();
        self.since = Some(found.since);
        self.signs = SignSet::default();
        found.signs.iter().for_each(|standing| self.signs.add(standing.sign));
    }

    /// An interval that ended with the stroke of midnight belongs to the day that it ended.
    fn on_interval(&mut self, interval: &Interval) {
        let (start, end) = (interval.start.wall_unix_ms, interval.end.wall_unix_ms);
        let day = LegalDay::of_unix_ms(end.saturating_sub(1));
        let fresh = Today {
            day,
            from_unix_ms: start,
            to_unix_ms: end,
            observed_ms: 0,
            bridged_ms: 0,
            unaccounted_ms: 0,
        };
        let mut today = self.today.filter(|today| today.day == day).unwrap_or(fresh);
        // Told as unaccounted before, and bridged by this interval's registers after all.
        let late = interval.late_bridged_ms.clamp(0, today.unaccounted_ms);
        today.to_unix_ms = end;
        today.observed_ms += interval.shares.observed_ms();
        today.bridged_ms += interval.shares.bridged_ms() + late;
        today.unaccounted_ms += interval.shares.unaccounted_ms() - late;
        self.today = Some(today);
    }

    /// The signs that stand, strong ones first.
    pub fn standing(&self) -> impl Iterator<Item = Sign> {
        self.signs.iter()
    }
}

impl EquipmentView {
    /// Its state as said last; before anything was said there is no proof of anything.
    pub fn state(&self) -> State {
        self.verdict.as_ref().map_or(State::Unknown(Why::NotYetRead), |verdict| verdict.state)
    }

    /// Since when its violation is latched.
    pub fn violation_since_unix_ms(&self) -> Option<i64> {
        match &self.verdict {
            Some(verdict) => verdict.violation_since_unix_ms,
            None => self.latched_unix_ms,
        }
    }
}
