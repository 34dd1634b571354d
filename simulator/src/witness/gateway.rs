//! The agent without its runtime: schedules, judge, and what a journal would have kept of what was said.

use coldhearth::{
    catalogue::plate,
    judge::{Fact, Memory, Permit, Site},
    metering::{PlatePoint, Sample, Schedule},
    terms::{Name, Stamp},
};

use super::{
    Seen,
    line::{Faults, Line},
    tick::{self, Around},
    wall::Wall,
};
use crate::{chance::Chance, plant::Plant, scenario::Scenario};

/// How long a nameplate's answer may take, in milliseconds.
const PLATE_TIMEOUT_MS: u32 = 1_000;

/// How long somebody waits for the members of a balance after an hour, in milliseconds: when a look at the time may
/// matter.
const BALANCE_GRACE_MS: i64 = 300_000;
/// Balances are told by the hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// A gateway that is switched on.
#[derive(Debug)]
pub(super) struct Gateway {
    site: Site,
    lines: Vec<Line>,
    now_ms: u64,
    /// When the judge looked at the time last, and when it heard something last.
    ticked_ms: Option<u64>,
    heard_ms: u64,
    /// When it looks at the time next.
    tick_ms: u64,
    period_ms: u64,
    graces_ms: Vec<i64>,
    permits: Vec<Permit>,
    balances: bool,
}

impl Gateway {
    /// Switched on with what its journal tells.
    pub(super) fn new(scenario: &Scenario, memory: &Memory, now_ms: u64, uptime_ms: u64) -> Gateway {
        let config = &scenario.config;
        let feeders = config.meters.iter().map(|meter| meter.commissioned.clone()).collect();
        let equipment = config.equipment.iter().map(|furnace| furnace.equipment).collect();
        let papers = config.equipment.iter().map(|furnace| furnace.papers.clone()).collect();
        let site = Site::new(feeders, equipment, memory)
            .with_papers(papers, memory)
            .balancing(config.balances.clone());
        let lines = scenario.buses().iter().zip(0..);
        let lines = lines.map(|(bus, phase)| Line::new(*bus, schedule(scenario, *bus, uptime_ms, phase)));
        let polls = config.meters.iter().map(|meter| 2 * meter.poll_ms.cast_signed());
        let mut graces_ms: Vec<i64> = polls.chain([0, BALANCE_GRACE_MS]).collect();
        graces_ms.sort_unstable();
        graces_ms.dedup();
        Gateway {
            site,
            lines: lines.collect(),
            now_ms,
            ticked_ms: None,
            heard_ms: now_ms,
            tick_ms: now_ms,
            period_ms: 0,
            graces_ms,
            permits: memory.permits.clone(),
            balances: !config.balances.is_empty(),
        }
    }

    /// Polls so often from now on.
    pub(super) fn poll_every(&mut self, period_ms: u64, uptime_ms: u64) {
        if std::mem::replace(&mut self.period_ms, period_ms) != period_ms {
            self.lines.iter_mut().for_each(|line| line.poll_every(period_ms, uptime_ms));
        }
    }

    /// When something happens next, in plant time; something else happens at `other_ms`. Puts the questions that are due.
    pub(super) fn next_ms(
        &mut self,
        wall: &Wall,
        faults: &Faults,
        (chance, other_ms): (Chance, u64),
        every_tick: bool,
    ) -> u64 {
        let now_ms = self.now_ms;
        let lines = self.lines.iter_mut().zip(0..);
        let next = lines.map(|(line, label)| line.next_ms(now_ms, wall, faults, chance.branch(label)));
        let next_ms = next.min().unwrap_or(u64::MAX).min(other_ms);
        self.tick_ms = match self.ticked_ms {
            None => now_ms,
            Some(last_ms) => {
                let next_ms = if every_tick { last_ms } else { next_ms };
                let (graces_ms, permits) = (&self.graces_ms, &self.permits);
                let heard_ms = self.heard_ms;
                tick::next_ms(&Around { now_ms, last_ms, heard_ms, next_ms, graces_ms, permits }, wall)
            }
        };
        next_ms.min(self.tick_ms)
    }

    /// Takes what came by now, and the time.
    pub(super) fn on_time(
        &mut self,
        now_ms: u64,
        wall: &Wall,
        plant: &Plant,
        say: &mut dyn FnMut(&Stamp, Seen<'_>),
    ) {
        self.now_ms = now_ms;
        let at = wall.at(now_ms);
        for line in &mut self.lines {
            let Some(told) = line.on_time(now_ms, &at, plant) else { continue };
            for sample in &told {
                if is_attended(sample, self.balances) {
                    self.heard_ms = now_ms;
                }
                if let Sample::Reading(reading) = sample {
                    say(&at, Seen::Reading(reading));
                }
                self.site.on(&at, Fact::Sample(sample), &mut |finding| say(&at, Seen::Finding(&finding)));
            }
        }
        if now_ms >= self.tick_ms {
            self.site.on(&at, Fact::Tick, &mut |finding| say(&at, Seen::Finding(&finding)));
            self.ticked_ms = Some(now_ms);
        }
    }

    /// The wall clock was moved.
    pub(super) fn on_clock(&mut self, now_ms: u64) {
        self.heard_ms = now_ms;
    }

    /// Takes a fact that came otherwise.
    pub(super) fn on_fact(
        &mut self,
        now_ms: u64,
        at: &Stamp,
        fact: Fact<'_>,
        say: &mut dyn FnMut(&Stamp, Seen<'_>),
    ) {
        self.heard_ms = now_ms;
        if let Fact::Permit(permit) = fact {
            self.permits.push(*permit);
        }
        self.site.on(at, fact, &mut |finding| say(at, Seen::Finding(&finding)));
    }
}

/// Whether a look at the time may add something to a sample: to a reading only where it may complete the hour of a
/// balance, which is told with the next tick.
fn is_attended(sample: &Sample, balances: bool) -> bool {
    match sample {
        Sample::Reading(reading) => {
            balances && reading.at.wall_unix_ms.rem_euclid(HOUR_MS) <= BALANCE_GRACE_MS
        }
        Sample::Miss { .. }
        | Sample::Plate { .. }
        | Sample::PlateMiss { .. }
        | Sample::Identity { .. }
        | Sample::IdentityMiss { .. } => true,
    }
}

/// The polls of one bus, as the agent plans them.
fn schedule(scenario: &Scenario, bus: Name, start_ms: u64, phase: u64) -> Schedule {
    let config = &scenario.config;
    let meters = config.meters.iter().filter(|meter| meter.bus == bus).map(|meter| meter.point());
    let plates = config.equipment.iter().filter_map(|furnace| {
        let plate = furnace.plate.filter(|plate| plate.bus == bus)?;
        Some(PlatePoint {
            asset: furnace.equipment.id,
            unit: plate.unit,
            at: plate.at,
            header_words: plate::HEADER_WORDS,
            size_of: plate::size_of,
            timeout_ms: PLATE_TIMEOUT_MS,
        })
    });
    Schedule::new(meters.collect(), plates.collect(), start_ms, phase)
}
