//! Before the doors open: the plant at its moment, what is yet to happen, and the configuration of whoever asks.

use std::{
    net::SocketAddr,
    ops::Range,
    path::{Path, PathBuf},
};

use coldhearth::host::{Exit, Failure};

use super::{OpenOrders, Served, failed};
use crate::{
    fault::{Faults, Spell, WireFault},
    plant::Plant,
    scenario::{Deed, Due, Scenario, shipped, time},
    timeline::Timeline,
};

/// How long before the onset of a cheat the plant is opened, where that is asked for, in milliseconds.
const BEFORE_ONSET_MS: u64 = 60_000;
/// The folder of profiles beside a written configuration.
const PROFILES: &str = "meters";

/// Where in its time line a plant is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    /// Where the scenario switches its gateway on.
    #[default]
    Gateway,
    /// A minute before the cheat begins.
    Onset,
    /// At this plant time, in milliseconds.
    At(u64),
}

impl Begin {
    /// Reads `onset` or a plant time.
    pub fn parse(text: &str) -> Option<Begin> {
        if text == "onset" { Some(Begin::Onset) } else { time::milliseconds(text).map(Begin::At) }
    }
}

/// A fault as ordered: `3=late:1500@22:00..23:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultOrder {
    unit: u8,
    fault: WireFault,
    from: Moment,
    to: Moment,
}

/// A moment of plant time, or so long after the doors opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    At(u64),
    After(u64),
}

impl Moment {
    fn parse(text: &str) -> Option<Moment> {
        match text.strip_prefix('+') {
            Some(after) => time::milliseconds(after).map(Moment::After),
            None => time::milliseconds(text).map(Moment::At),
        }
    }

    fn in_plant_time(self, from_ms: u64) -> u64 {
        match self {
            Moment::At(ms) => ms,
            Moment::After(ms) => from_ms.saturating_add(ms),
        }
    }
}

impl FaultOrder {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it, and what is right.
    pub fn parse(text: &str) -> Result<FaultOrder, String> {
        let wrong = |what: &str| {
            let right =
                "write UNIT=NAME, with @FROM..TO of plant time (22:00, 1d 03:00, or +90s after the start)";
            format!("{what}; {right}; NAME is one of {}", WireFault::NAMES)
        };
        let (unit, rest) = text.split_once('=').ok_or_else(|| wrong("no unit is named"))?;
        let (name, when) = rest.split_once('@').map_or((rest, None), |(name, when)| (name, Some(when)));
        let unit = unit.parse().map_err(|_| wrong(&format!("`{unit}` is no unit")))?;
        let fault = WireFault::parse(name).ok_or_else(|| wrong(&format!("`{name}` is no fault")))?;
        let always = (Moment::At(0), Moment::At(u64::MAX));
        let (from, to) = match when {
            None => always,
            Some(when) => {
                let ends = when.split_once("..").and_then(|(a, b)| Moment::parse(a).zip(Moment::parse(b)));
                ends.ok_or_else(|| wrong(&format!("`{when}` is no span of time")))?
            }
        };
        let order = FaultOrder { unit, fault, from, to };
        match (from, to) {
            (Moment::At(_), Moment::At(_)) | (Moment::After(_), Moment::After(_)) => {
                order.spell(0).map(|_| order)
            }
            // It depends on when the doors open.
            (Moment::At(_), Moment::After(_)) | (Moment::After(_), Moment::At(_)) => Ok(order),
        }
    }

    /// When it acts, if the doors open at `from_ms`.
    fn spell(&self, from_ms: u64) -> Result<Spell, String> {
        let when = self.from.in_plant_time(from_ms)..self.to.in_plant_time(from_ms);
        if when.is_empty() {
            return Err(format!(
                "a fault of unit {} would end at {} and begin at {}; write the next day as 1d 02:00",
                self.unit,
                time::shown(when.end).trim(),
                time::shown(when.start).trim()
            ));
        }
        Ok(Spell { unit: self.unit, fault: self.fault, when })
    }
}

/// A plant about to be opened.
pub(super) struct Begun {
    pub(super) plant: Plant,
    pub(super) from_ms: u64,
    pub(super) faults: Faults,
    /// What is yet to happen, in time.
    pub(super) deeds: Vec<Due>,
}

/// The plant at its moment.
pub(super) fn begin(orders: &OpenOrders) -> Result<Begun, Failure> {
    let scenario = &orders.scenario;
    let deeds = scenario.deeds(orders.seed);
    let onset = || deeds.iter().find(|due| due.is_onset).map(|due| due.at_ms);
    let from_ms = match orders.begin {
        Begin::Gateway => scenario.from_ms,
        Begin::At(ms) => ms,
        Begin::Onset => {
            let none = || {
                Failure::new(Exit::Usage, format!("{}: nobody cheats, so there is no onset", scenario.name))
            };
            onset().ok_or_else(none)?.saturating_sub(BEFORE_ONSET_MS)
        }
    };
    if from_ms > scenario.until_ms {
        let (from, until) = (time::shown(from_ms), time::shown(scenario.until_ms));
        let (from, until) = (from.trim(), until.trim());
        let late = format!("--from {from}: {} ends at {until}; begin before that", scenario.name);
        return Err(Failure::new(Exit::Usage, late));
    }
    let ordered: Result<Vec<Spell>, String> =
        orders.faults.iter().map(|order| order.spell(from_ms)).collect();
    let ordered = ordered.map_err(|wrong| Failure::new(Exit::Usage, format!("--fault: {wrong}")))?;
    let mut timeline = Timeline::new();
    for due in &deeds {
        if let Deed::Plant(change) = &due.deed {
            timeline.add(due.at_ms, change.clone());
        }
    }
    let mut plant = scenario.plant(orders.seed);
    plant.follow(timeline);
    plant.advance_to(from_ms);
    let faults = Faults::of_time(ordered.into_iter().chain(spells(scenario, &deeds)));
    let deeds = deeds.into_iter().filter(|due| due.at_ms >= from_ms).collect();
    Ok(Begun { plant, from_ms, faults, deeds })
}

/// What a scenario does to the wire. Nobody is reached on a bus that is down.
fn spells(scenario: &Scenario, deeds: &[Due]) -> Vec<Spell> {
    let mut spells = Vec::new();
    for (index, due) in deeds.iter().enumerate() {
        let until = |ends: &dyn Fn(&Deed) -> bool| {
            let end = deeds.iter().skip(index + 1).find(|later| ends(&later.deed));
            end.map_or(u64::MAX, |end| end.at_ms)
        };
        match &due.deed {
            Deed::Wire(unit, Some(fault)) => {
                let when = due.at_ms..until(&|deed| matches!(deed, Deed::Wire(of, _) if of == unit));
                spells.push(Spell { unit: *unit, fault: *fault, when });
            }
            Deed::Bus(bus, false) => {
                let when: Range<u64> =
                    due.at_ms..until(&|deed| matches!(deed, Deed::Bus(of, true) if of == bus));
                let units =
                    scenario.config.meters.iter().filter(|meter| meter.bus == *bus).map(|meter| meter.unit);
                spells.extend(units.map(|unit| Spell { unit, fault: WireFault::Close, when: when.clone() }));
            }
            Deed::Wire(_, None)
            | Deed::Bus(_, true)
            | Deed::Plant(_)
            | Deed::Gateway(_)
            | Deed::Agent(_)
            | Deed::Broker(_)
            | Deed::Isolated(..)
            | Deed::CopyDisk
            | Deed::PutBackDisk
            | Deed::ClockStep(_)
            | Deed::ClockQuality(_)
            | Deed::Paper(_) => {}
        }
    }
    spells
}

/// Writes the configuration of an agent that asks every bus where it is served.
pub(super) fn write_configuration(orders: &OpenOrders, served: &Served) -> Result<(), Failure> {
    let Some(path) = &orders.agent_config else { return Ok(()) };
    let endpoint = |bus| {
        let (_, at) = served.iter().find(|(known, _)| *known == bus)?;
        Some(format!("tcp://{}", reachable(*at)))
    };
    let folder = path.parent().unwrap_or(Path::new("")).join(PROFILES);
    std::fs::create_dir_all(&folder)
        .map_err(|e| failed(Exit::Permission, &folder.display().to_string(), &e))?;
    write(path, &orders.scenario.configuration(&endpoint, PROFILES))?;
    for (id, text) in profiles(&orders.scenario) {
        write(&profile_path(path, id), text)?;
    }
    Ok(())
}

/// The first file that writing a configuration would change what is in, where one is there.
pub fn overwritten(scenario: &Scenario, agent_config: &Path) -> Option<PathBuf> {
    if agent_config.exists() {
        return Some(agent_config.to_owned());
    }
    let mut there = profiles(scenario).map(|(id, text)| (profile_path(agent_config, id), text));
    let changes = |(path, text): &(PathBuf, &str)| {
        path.exists() && !std::fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes())
    };
    there.find(changes).map(|(path, _)| path)
}

/// The profiles its meters are read with: name and text.
fn profiles(scenario: &Scenario) -> impl Iterator<Item = (&'static str, &'static str)> {
    let wanted = |id: &str| scenario.config.meters.iter().any(|meter| meter.profile.id.as_str() == id);
    shipped::profile_texts().filter(move |(id, _)| wanted(id))
}

fn profile_path(agent_config: &Path, id: &str) -> PathBuf {
    agent_config.parent().unwrap_or(Path::new("")).join(PROFILES).join(format!("{id}.toml"))
}

/// Where a listener on every address is reached from this machine.
fn reachable(at: SocketAddr) -> SocketAddr {
    let loopback = match at {
        SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    if at.ip().is_unspecified() { SocketAddr::new(loopback, at.port()) } else { at }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|e| failed(Exit::Permission, &path.display().to_string(), &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_people_order_them() {
        let of = |text: &str, from_ms| FaultOrder::parse(text).unwrap().spell(from_ms).unwrap();
        assert_eq!(of("3=silent", 9), Spell { unit: 3, fault: WireFault::Silent, when: 0..u64::MAX });
        let late = of("3=late:1500@22:00..1d 01:00", 9);
        assert_eq!((late.fault, late.when), (WireFault::LateMs(1_500), 79_200_000..90_000_000));
        assert_eq!(of("1=busy@+90s..+2m", 1_000).when, 91_000..121_000);
        for wrong in ["silent", "x=silent", "300=silent", "1=quiet", "1=silent@now", "1=silent@22:00"] {
            assert!(FaultOrder::parse(wrong).unwrap_err().contains("UNIT=NAME"), "{wrong}");
        }
    }

    #[test]
    fn a_fault_that_would_never_act_is_refused() {
        for never in ["1=busy@23:00..22:00", "1=busy@22:00..22:00", "1=busy@+2m..+90s"] {
            assert!(FaultOrder::parse(never).unwrap_err().contains("the next day as 1d 02:00"), "{never}");
        }
        assert!(FaultOrder::parse("1=busy@23:00..1d 22:00").is_ok());
        let mixed = FaultOrder::parse("1=busy@22:00..+5m").unwrap();
        assert!(mixed.spell(79_000_000).is_ok() && mixed.spell(0).is_err());
    }

    #[test]
    fn the_onset_can_be_waited_for_from_a_minute_before() {
        assert_eq!(Begin::parse("onset"), Some(Begin::Onset));
        assert_eq!(Begin::parse("1d 02:00"), Some(Begin::At(93_600_000)));
        assert_eq!(Begin::parse("dawn"), None);
    }
}
