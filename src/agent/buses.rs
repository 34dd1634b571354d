//! The buses of a gateway: what hangs on each, and when its turns begin.

use std::{collections::BTreeMap, sync::Arc};

use tokio::task::JoinSet;

use super::{
    bus::{self, Manners, Outlet, Terms, dialler},
    config::{AgentConfig, Meter},
};
use crate::{
    catalogue::plate,
    host::{Clock, exit::Failure, keys, watchdog::Watchdog},
    metering::{Phase, PlatePoint, Schedule},
    terms::Name,
};

/// So many buses begin their turns together. One wake-up costs as much as several polls, so that meters of one moment are
/// cheap; but each of them waits until those before it are done.
const BUSES_TOGETHER: u64 = 20;
/// The same where somebody looks on at every scan, and would wait with them.
const BUSES_LOOKED_AT_TOGETHER: u64 = 4;
/// How long a nameplate's answer may take, in milliseconds.
const PLATE_TIMEOUT_MS: u32 = 1_000;

/// Begins to poll every bus.
///
/// # Errors
/// The machine gives no random bits.
pub(super) fn spawn(
    (clock, watchdog): (&Arc<dyn Clock>, &Watchdog),
    config: &AgentConfig,
    outlet: &Outlet,
    polls: &mut JoinSet<()>,
) -> Result<(), Failure> {
    // One beginning for all of them: whoever is due at the same moment shares a wake-up.
    let (start_ms, buses) = (clock.uptime_ms(), config.buses.len() as u64);
    let together = if outlet.live.is_some() { BUSES_LOOKED_AT_TOGETHER } else { BUSES_TOGETHER };
    let mut on_buses = OnBus::of(config);
    for (place, bus) in (0..).zip(&config.buses) {
        let on_bus = on_buses.remove(&bus.id).unwrap_or_default();
        let [first, second, chance @ ..] = keys::entropy::<10>()?;
        let manners = Manners {
            id: Some(bus.id),
            connect_pause_ms: bus.connect_pause_ms,
            gap_ms: bus.gap_ms,
            close_idle_ms: bus.close_idle_ms,
            random: u64::from_le_bytes(chance),
        };
        let terms = Terms {
            tls: bus.tls.clone(),
            answer_ms: on_bus.slowest_answer_ms(),
            first_transaction: u16::from_le_bytes([first, second]),
        };
        let dial = dialler(&bus.endpoint, &terms);
        let schedule = on_bus.schedule(start_ms, Phase::of_bus(place, buses, together));
        let (pulse, outlet) = (watchdog.pulse(format!("bus {}", bus.id), clock), outlet.clone());
        polls.spawn(async move { bus::run(&*pulse, &*dial, manners, schedule, outlet).await });
    }
    Ok(())
}

/// What hangs on one bus; gathered once for all, so that ten thousand buses do not each look through everything.
#[derive(Default)]
struct OnBus<'c> {
    meters: Vec<&'c Meter>,
    plates: Vec<PlatePoint>,
}

impl OnBus<'_> {
    fn of(config: &AgentConfig) -> BTreeMap<Name, OnBus<'_>> {
        let mut all: BTreeMap<Name, OnBus<'_>> = BTreeMap::new();
        for meter in &config.meters {
            all.entry(meter.bus).or_default().meters.push(meter);
        }
        for furnace in &config.equipment {
            let Some(plate) = furnace.plate else { continue };
            all.entry(plate.bus).or_default().plates.push(PlatePoint {
                asset: furnace.equipment.id,
                unit: plate.unit,
                at: plate.at,
                header_words: plate::HEADER_WORDS,
                size_of: plate::size_of,
                timeout_ms: PLATE_TIMEOUT_MS,
            });
        }
        all
    }

    /// How long the slowest meter may take to answer, in milliseconds.
    fn slowest_answer_ms(&self) -> u32 {
        let answers = self.meters.iter().map(|meter| meter.timeout_ms.unwrap_or(meter.profile.timeout_ms));
        answers.max().unwrap_or(bus::DEFAULT_ANSWER_MS)
    }

    /// Its polls.
    fn schedule(self, start_ms: u64, phase: Phase) -> Schedule {
        let meters = self.meters.into_iter().map(Meter::point).collect();
        Schedule::sharing(meters, self.plates, start_ms, phase)
    }
}
