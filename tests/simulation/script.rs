//! What happens at one seed: how the plant is metered, what it does, and what goes wrong where.

use coldhearth::{metering::Fault, terms::ClockQuality};

use crate::chance::Chance;

/// Register maps that are tried, each with what its registers can tell.
pub(crate) const PROFILES: [(&str, &str); 3] = [
    ("janitza-19000", include_str!("../../config/meters/janitza-19000.toml")),
    ("acrel-adl400", include_str!("../../config/meters/acrel-adl400.toml")),
    ("sim-cutoff", include_str!("../../simulator/meters/sim-cutoff.toml")),
];
/// Power the allowances cover, in watts: lamps, and no-load losses beside them.
pub(crate) const LAMPS_W: i64 = 30_000;
pub(crate) const NO_LOAD_W: i64 = 20_000;
/// What the process is rated for, in watts.
pub(crate) const RATED_W: i64 = 12_500_000;

/// How answers of one meter go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing comes.
    Silent,
    /// It comes so much later.
    Late(u64),
    /// This comes instead.
    Refused(Fault),
    /// One word of it is another.
    Foreign,
    /// Its second half is of an earlier answer.
    Torn,
    /// All of it is an earlier answer.
    Stale,
}

impl Trouble {
    /// Whether what comes looks like an answer and is not the meter's.
    pub(crate) fn is_wrong(self) -> bool {
        matches!(self, Trouble::Foreign | Trouble::Torn | Trouble::Stale)
    }
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A furnace's feeder draws so many watts from now on.
    Power(usize, i64),
    /// A furnace melts, as arc furnaces do, or stops.
    Melt(usize, bool),
    /// A meter (by unit) loses its supply, or has it again.
    Meter(u8, bool),
    /// Its breaker opens, or closes.
    Supply(usize, bool),
    /// Of so many answers of a meter (by unit) one goes wrong, until then; 1: every one.
    Trouble(u8, Trouble, u64, u64),
    /// The disk takes nothing more until then.
    DiskFull(u64),
    /// The power goes after so many writes of the scribe, with or without the commit.
    DiesWriting(u32, bool),
    /// The broker cannot be reached until then.
    BrokerAway(u64),
    /// The wall clock is set by so much, and is believed so far from then on.
    Clock(i64, ClockQuality),
    /// The agent is killed and started again after so long.
    Killed(u64),
    /// The machine boots again after so long; its clock is off by so much.
    Rebooted(u64, i64, ClockQuality),
    /// The agent is stopped as a service manager does, and started again after so long.
    Stopped(u64),
    /// The authority asks for the verdict on a furnace.
    Asked(usize),
}

/// One seed's life.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// The register map, by its place in [`PROFILES`].
    pub(crate) profile: usize,
    pub(crate) poll_ms: u64,
    pub(crate) length_ms: u64,
    /// Whether the furnaces stay within their allowances.
    pub(crate) is_honest: bool,
    /// Whether answers may be wrong, and not only missing.
    pub(crate) has_lies: bool,
    /// Whether the wall clock is touched.
    pub(crate) moves_clock: bool,
    /// The clock as the machine starts with it: quality, and milliseconds off.
    pub(crate) clock: (ClockQuality, i64),
    pub(crate) deeds: Vec<(u64, Deed)>,
}

/// Milliseconds from 1970 to the simulation's beginning: a clock that was never set starts so much too early.
pub(crate) const BEGINS_UNIX_MS: i64 = 1_795_000_000_000;

impl Script {
    pub(crate) fn of(seed: u64) -> Script {
        let mut chance = Chance::new(seed);
        let poll_ms = chance.pick(&[1_000, 1_000, 5_000, 15_000, 60_000]);
        let length_ms = poll_ms * chance.between(400, 700);
        let (is_honest, has_lies) = (chance.one_in(2), chance.one_in(3));
        let moves_clock = chance.one_in(3);
        let clock = match chance.below(if moves_clock { 4 } else { 2 }) {
            0 => (ClockQuality::Ntp, 0),
            1 => (ClockQuality::Rtc, i64::try_from(chance.below(20_000)).unwrap() - 10_000),
            _ => (ClockQuality::Unset, -BEGINS_UNIX_MS),
        };
        let mut script = Script {
            profile: usize::try_from(chance.below(3)).unwrap(),
            poll_ms,
            length_ms,
            is_honest,
            has_lies,
            moves_clock,
            clock,
            deeds: Vec::new(),
        };
        script.loads(&mut chance);
        script.troubles(&mut chance);
        script.mishaps(&mut chance);
        script.deeds.sort_by_key(|(at_ms, _)| *at_ms);
        script
    }

    fn some_time(&self, chance: &mut Chance) -> u64 {
        // The first polls and the last are left alone, so that there is something to compare with.
        chance.between(self.poll_ms * 10, self.length_ms - self.poll_ms * 30)
    }

    /// A stretch from then on, mostly of a few polls.
    fn span(&self, chance: &mut Chance) -> u64 {
        self.poll_ms * if chance.one_in(3) { chance.between(10, 120) } else { chance.between(1, 10) }
    }

    fn loads(&mut self, chance: &mut Chance) {
        for furnace in 0..2 {
            self.deeds.push((0, Deed::Power(furnace, 5_000)));
            for _ in 0..chance.between(1, 6) {
                let watts = chance.pick(&[0, 5_000, 15_000, 20_000, 45_000]);
                let at_ms = self.some_time(chance);
                self.deeds.push((at_ms, Deed::Power(furnace, watts)));
            }
        }
        if chance.one_in(3) {
            let (at_ms, span) = (self.some_time(chance), self.span(chance));
            self.deeds.extend([(at_ms, Deed::Supply(1, false)), (at_ms + span, Deed::Supply(1, true))]);
        }
        if chance.one_in(4) {
            let (unit, at_ms) = (u8::try_from(chance.between(1, 3)).unwrap(), self.some_time(chance));
            let span = self.span(chance);
            self.deeds.extend([(at_ms, Deed::Meter(unit, false)), (at_ms + span, Deed::Meter(unit, true))]);
        }
        if self.is_honest {
            return;
        }
        if chance.one_in(3) {
            let at_ms = self.some_time(chance);
            let ends_ms = at_ms + chance.between(20 * 60_000, 60 * 60_000).min(self.poll_ms * 150);
            self.deeds.extend([(at_ms, Deed::Melt(0, true)), (ends_ms, Deed::Melt(0, false))]);
        }
        for _ in 0..chance.between(1, 3) {
            let (at_ms, watts) =
                (self.some_time(chance), chance.pick(&[400_000, 3_000_000, 8_000_000, 12_000_000]));
            let ends_ms = at_ms + chance.between(60_000, 40 * 60_000).min(self.poll_ms * 150);
            self.deeds.extend([(at_ms, Deed::Power(0, watts)), (ends_ms, Deed::Power(0, 5_000))]);
        }
    }

    fn troubles(&mut self, chance: &mut Chance) {
        for _ in 0..chance.between(0, 6) {
            let unit = u8::try_from(chance.between(1, 3)).unwrap();
            let (at_ms, span) = (self.some_time(chance), self.span(chance));
            let faults = [
                Fault::Exception(2),
                Fault::Exception(4),
                Fault::Exception(6),
                Fault::Exception(11),
                Fault::WrongLength,
                Fault::Mismatch,
                Fault::Garbage,
                Fault::Closed,
            ];
            let trouble = match chance.below(if self.has_lies { 8 } else { 5 }) {
                0 | 1 => Trouble::Silent,
                2 => Trouble::Late(chance.between(100, 3_000)),
                3 | 4 => Trouble::Refused(chance.pick(&faults)),
                5 => Trouble::Foreign,
                6 => Trouble::Torn,
                _ => Trouble::Stale,
            };
            let one_in = if trouble.is_wrong() { chance.between(2, 20) } else { chance.between(1, 4) };
            self.deeds.push((at_ms, Deed::Trouble(unit, trouble, one_in, at_ms + span)));
        }
    }

    fn mishaps(&mut self, chance: &mut Chance) {
        for _ in 0..chance.between(0, 5) {
            let (at_ms, span) = (self.some_time(chance), self.span(chance));
            let quality = chance.pick(&[ClockQuality::Ntp, ClockQuality::Rtc, ClockQuality::Unset]);
            let by_ms = i64::try_from(chance.below(14_400_000)).unwrap() - 7_200_000;
            let deed = match chance.below(if self.moves_clock { 10 } else { 8 }) {
                0 => {
                    // Without a broker nothing is receipted that could make room.
                    if chance.one_in(2) {
                        self.deeds.push((at_ms / 3, Deed::BrokerAway(at_ms + span)));
                    }
                    Deed::DiskFull(at_ms + span)
                }
                1 | 2 => Deed::DiesWriting(u32::try_from(chance.between(1, 40)).unwrap(), chance.one_in(2)),
                3 => Deed::BrokerAway(at_ms + span),
                4 => Deed::Killed(chance.between(1_000, span.max(1_001))),
                5 => Deed::Stopped(chance.between(1_000, span.max(1_001))),
                6 => Deed::Asked(usize::try_from(chance.below(2)).unwrap()),
                7 | 8 => {
                    let (by_ms, quality) =
                        if self.moves_clock { (by_ms, quality) } else { (0, ClockQuality::Rtc) };
                    Deed::Rebooted(chance.between(5_000, span.max(5_001)), by_ms, quality)
                }
                _ => Deed::Clock(by_ms, quality),
            };
            self.deeds.push((at_ms, deed));
        }
    }
}
