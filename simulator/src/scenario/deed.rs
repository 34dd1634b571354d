//! One thing that is done in a scenario: to the plant, to the wire, to the gateway, or by the authority.

use std::collections::BTreeMap;

use coldhearth::{
    agent::config::Furnace,
    terms::{
        AssetId, ClockQuality, MeterId, Name, WattHours,
        form::{self, Form},
    },
};

use super::{site::MeterPlan, time, verb::VERBS};
use crate::{auxiliary::Auxiliaries, change::Change, equipment::Fed, fault::WireFault, site::FeederIndex};

/// What is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Something in the plant.
    Plant(Change),
    /// A unit's answers get a fault on their way, or none.
    Wire(u8, Option<WireFault>),
    /// A bus can be reached, or not.
    Bus(Name, bool),
    /// The gateway has power, or not: it boots when that comes back.
    Gateway(bool),
    /// The agent runs, or not; its machine stays up.
    Agent(bool),
    /// The broker can be reached, or not: nothing is judged otherwise, it only comes later.
    Broker(bool),
    /// Somebody copies the gateway's disk.
    CopyDisk,
    /// Somebody puts that copy in the place of the gateway's disk, whose gateway should be off.
    PutBackDisk,
    /// The gateway's wall clock is set forward, or back, by so many milliseconds.
    ClockStep(i64),
    /// How far the gateway's clock can be believed from now on.
    ClockQuality(ClockQuality),
    /// The point before the feeders of this equipment should be open from here on, or no longer: a cut-off order was
    /// executed, or taken back.
    Isolated(AssetId, bool),
    /// The authority's paper arrives.
    Paper(Paper),
}

/// A permit as it will be signed when it is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paper {
    /// For which equipment.
    pub asset: AssetId,
    /// What for.
    pub what: PaperFor,
    /// How long after the delivery it begins to hold, in milliseconds; negative: it holds since before.
    pub begins_ms: i64,
    /// How long it holds, in milliseconds.
    pub lasts_ms: u64,
}

/// What a permit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaperFor {
    /// A maintenance run of so much energy.
    Maintenance(WattHours),
    /// A further allowance of so much energy.
    Allowance(WattHours),
    /// The exchange of this meter.
    MeterReplacement(MeterId),
}

/// What deeds may name, and how it was before anything was done.
pub(super) struct Names<'a> {
    pub(super) feeders: &'a BTreeMap<Name, (FeederIndex, Auxiliaries)>,
    pub(super) meters: &'a [MeterPlan],
    pub(super) buses: &'a [Name],
    pub(super) assets: &'a [AssetId],
    pub(super) furnaces: &'a [Furnace],
    pub(super) clock: ClockQuality,
}

/// A deed as written: what, how long after the event began, and for how long until it is undone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) deed: Deed,
    pub(super) after_ms: u64,
    pub(super) until: Option<(u64, Deed)>,
    /// The cheat begins with it.
    pub(super) is_onset: bool,
}

/// Reads one table of an event's `do`.
pub(super) fn step(form: Form<'_>, names: &Names<'_>) -> Option<Step> {
    let mut verbs = VERBS.iter().filter(|(verb, _)| form.has(verb));
    let (Some((verb, read)), None) = (verbs.next(), verbs.next()) else {
        let known: Vec<&str> = VERBS.iter().map(|(verb, _)| *verb).collect();
        form.flaw("do", "one thing is done by each table", format!("one of {}", known.join(", ")));
        return None;
    };
    let deed = read(&form, verb, names);
    let after_ms = form.optional("after", time::on_line).unwrap_or(0);
    let lasts = form.optional("for", time::on_line);
    let undoing = deed.as_ref().and_then(|deed| undo(deed, names));
    if lasts.is_some() && deed.is_some() && undoing.is_none() {
        form.flaw("for", format!("`{verb}` cannot be undone"), "leave `for` out");
    }
    let is_onset = form.optional("onset", form::flag).unwrap_or(false);
    form.close();
    let until = lasts.zip(undoing).map(|(lasts, deed)| (after_ms + lasts, deed));
    Some(Step { deed: deed?, after_ms, until, is_onset })
}

/// What ends a deed, where something does.
fn undo(deed: &Deed, names: &Names<'_>) -> Option<Deed> {
    let before = |unit: u8| names.meters.iter().find(|meter| meter.unit == unit);
    let change = match deed {
        Deed::Plant(change) => match change {
            Change::StartMelt(f) => Change::StopLoad(*f),
            Change::StopLoad(f) => Change::StartMelt(*f),
            Change::Level(f, _) | Change::Ramp(f, ..) => Change::Level(*f, 1_000),
            Change::Feed(f, _) => Change::Feed(*f, Fed::Own),
            Change::Cut(f) | Change::Induce(f, _) | Change::Generate(f, _) => Change::Restore(*f),
            Change::Couple(f, ..) => Change::Uncouple(*f),
            Change::Exchange(unit) => Change::Exchange(*unit),
            Change::ShiftClock(unit, by_s) => Change::ShiftClock(*unit, -by_s),
            Change::Restore(f) => Change::Cut(*f),
            Change::Force(f, _) => Change::Release(*f),
            Change::Auxiliaries(f, _) => {
                let (_, auxiliaries) = names.feeders.values().find(|(index, _)| index == f)?;
                Change::Auxiliaries(*f, *auxiliaries)
            }
            Change::Rewire(unit, _) => Change::Rewire(*unit, before(*unit)?.wiring),
            Change::Gain(unit, _) => Change::Gain(*unit, 1_000_000),
            Change::CtRatio(unit, _) => Change::CtRatio(*unit, before(*unit)?.ct),
            Change::PtRatio(unit, _) => Change::PtRatio(*unit, before(*unit)?.pt),
            Change::Register(unit, function, at, Some(_)) => Change::Register(*unit, *function, *at, None),
            Change::Absent(unit, quantity) => Change::Present(*unit, *quantity),
            Change::Freeze(unit) | Change::Textbook(unit) | Change::Replay(unit) | Change::Relay(unit, _) => {
                Change::Thaw(*unit)
            }
            Change::Darken(unit) => Change::Power(*unit),
            Change::Plate(unit, at, _) => {
                let is_it =
                    |furnace: &&Furnace| furnace.plate.is_some_and(|p| (p.unit, p.at) == (*unit, *at));
                let plates = &names.furnaces.iter().find(is_it)?.papers.plates;
                Change::Plate(*unit, *at, plates.declared().clone())
            }
            Change::Load(..)
            | Change::Capacitors(..)
            | Change::Uncouple(_)
            | Change::Record(_)
            | Change::RollBack(..)
            | Change::ClearDemand(_)
            | Change::Release(_)
            | Change::Register(..)
            | Change::Present(..)
            | Change::Thaw(_)
            | Change::Power(_)
            | Change::ResetRegisters(_)
            | Change::Serial(..)
            | Change::Firmware(..)
            | Change::Setting(..) => return None,
        },
        Deed::Wire(unit, Some(_)) => return Some(Deed::Wire(*unit, None)),
        Deed::Bus(bus, is_up) => return Some(Deed::Bus(*bus, !is_up)),
        Deed::Gateway(is_on) => return Some(Deed::Gateway(!is_on)),
        Deed::Agent(is_on) => return Some(Deed::Agent(!is_on)),
        Deed::Broker(is_on) => return Some(Deed::Broker(!is_on)),
        Deed::Isolated(asset, is_isolated) => return Some(Deed::Isolated(*asset, !is_isolated)),
        Deed::ClockStep(by_ms) => return Some(Deed::ClockStep(-by_ms)),
        Deed::ClockQuality(_) => return Some(Deed::ClockQuality(names.clock)),
        Deed::Wire(_, None) | Deed::Paper(_) | Deed::CopyDisk | Deed::PutBackDisk => return None,
    };
    Some(Deed::Plant(change))
}
