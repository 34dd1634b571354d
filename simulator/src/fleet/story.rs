//! PURE file: what one gateway of the fleet has to say, and when: a checkpoint every five minutes, an interval and a
//! verdict every quarter of an hour, a state and a verdict when its furnace starts or stops. What is said is made up;
//! at which pace it is said, how it is sealed, sent and kept is the agent's.

use coldhearth::{
    agent::run::CHECKPOINT_MS,
    catalogue::{Phase, Standing},
    evidence::{Body, Checkpoint},
    judge::{
        Finding, Grounds, Inspections, Interval, Mark, Measured, Parameters, Shares, SignSet, State,
        StateFinding, Verdict, VoltagePoint, Window, Windows, ledger::INTERVAL_MS,
    },
    metering::{
        Register, Scan,
        scan::{Block, Function},
    },
    terms::{AssetId, Digest, LegalDay, MeterId, MilliAmps, MilliVolts, MilliWatts, Stamp, WattHours},
};

use crate::Chance;

/// The last lawful day of every furnace of the fleet.
const LAST_DAY: &str = "2011-12-31";
/// One gateway in so many has a furnace that runs after its last day; the others' run lawfully.
const CHEATS_ONE_IN: u32 = 16;
/// Chance that a furnace starts or stops in a quarter of an hour.
const TURNS: f64 = 0.125;
/// Energy of a quarter of an hour at work, in watt-hours.
const QUARTER_WH: i64 = 625_000;
/// Polls of a quarter of an hour.
const POLLS: u32 = 900;
/// How long after its end an interval is closed at most, in milliseconds: the reading that closes it comes with the
/// pace of the plant's own polls.
const CLOSES_WITHIN_MS: f64 = 30_000.0;

/// What the plant's papers say of its one metering point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    /// The meter.
    pub meter: MeterId,
    /// What it serves.
    pub asset: AssetId,
    /// What was declared of it.
    pub commissioning: Digest,
}

/// What a gateway has said so far, as far as that decides what it says next.
#[derive(Debug)]
pub(super) struct Story {
    point: Point,
    chance: Chance,
    cheats: bool,
    beat_ms: u64,
    opened: Stamp,
    closes: (i64, u64),
    runs: bool,
    since: Stamp,
    violation_since_unix_ms: Option<i64>,
    energy_wh: i64,
    overdue_wh: i64,
    reads: u64,
}

impl Story {
    /// A gateway that starts to look at this moment.
    pub(super) fn begin(number: u32, point: Point, chance: Chance, now: &Stamp) -> Story {
        let mut story = Story {
            point,
            chance,
            cheats: number % CHEATS_ONE_IN == 1,
            beat_ms: now.uptime_ms + spread(chance.branch(1).unit(0), CHECKPOINT_MS),
            opened: *now,
            closes: (0, 0),
            runs: false,
            since: *now,
            violation_since_unix_ms: None,
            energy_wh: 918_273_645_000 + i64::from(number) * 10,
            overdue_wh: 0,
            reads: 0,
        };
        story.closes = story.next_close(now);
        story
    }

    /// When there is something to say next, by the plant's uptime in milliseconds.
    pub(super) fn next_ms(&self) -> u64 {
        self.beat_ms.min(self.closes.1)
    }

    /// Says everything that is due.
    pub(super) fn on_time(&mut self, now: &Stamp, say: &mut dyn FnMut(Body)) {
        while now.uptime_ms >= self.closes.1 {
            self.close(now, say);
        }
        if now.uptime_ms >= self.beat_ms {
            // One sign of life is enough, however late it is.
            self.beat_ms = now.uptime_ms + CHECKPOINT_MS;
            let (reads_ok, reads_failed) = (self.reads, 0);
            say(Body::Checkpoint(Checkpoint {
                entries: 0,
                reads_ok,
                reads_failed,
                first_unreceipted_seq: 0,
            }));
        }
    }

    /// The verdict as it stands.
    pub(super) fn verdict(&self, shares: Shares) -> Verdict {
        let standing = if self.cheats { LegalDay::parse(LAST_DAY) } else { None };
        Verdict {
            asset: self.point.asset,
            state: self.state(),
            since: self.since,
            standing: Standing::declared(standing),
            phase: standing.map(|_| Phase::Overdue),
            violation_since_unix_ms: self.violation_since_unix_ms,
            energy_overdue: WattHours(self.overdue_wh),
            energy_closed: WattHours(self.overdue_wh),
            shares,
            plate: None,
            permit: None,
            signs: SignSet::default(),
            grounds: Some(Grounds {
                floor: MilliWatts::from_watts(242_487),
                register_floor: WattHours(4_200),
                error_ppm: 8_661,
                bound: WattHours(self.overdue_wh + 12_000),
                voltage_point: Some(VoltagePoint::Line),
                inspect: Inspections::default(),
                meter: None,
                commissioning: self.point.commissioning,
                corroboration: None,
                parameters: Parameters::of(1_000),
            }),
        }
    }

    fn state(&self) -> State {
        if self.runs { State::Drawing } else { State::Energised }
    }

    /// The interval ends; then the furnace may turn.
    fn close(&mut self, now: &Stamp, say: &mut dyn FnMut(Body)) {
        let (ends_unix_ms, _) = self.closes;
        let lasted_ms = ends_unix_ms.saturating_sub(self.opened.wall_unix_ms).max(0);
        let end = Stamp {
            wall_unix_ms: ends_unix_ms,
            uptime_ms: self.opened.uptime_ms.saturating_add_signed(lasted_ms),
            ..*now
        };
        let before = self.mark(self.opened);
        let drawn = if self.runs { QUARTER_WH } else { 0 };
        self.energy_wh += drawn;
        self.overdue_wh += if self.cheats { drawn } else { 0 };
        self.reads += u64::from(POLLS);
        let shares = Shares::of_record(lasted_ms, 0, 0).unwrap_or_default();
        let window = Window { since: self.opened, moved: WattHours(drawn) };
        say(Body::Finding(Finding::Interval(Interval {
            meter: self.point.meter,
            asset: self.point.asset,
            start: self.opened,
            end,
            shares,
            late_bridged_ms: 0,
            energy: Some(WattHours(drawn)),
            bound: WattHours(12_000),
            reads_ok: POLLS,
            reads_failed: 0,
            before: Some(before),
            after: Some(self.mark(end)),
            windows: Some(Windows { interval: window, day: window, month: window }),
            fingerprint: None,
            commissioning: Some(self.point.commissioning),
            plate: None,
        })));
        say(Body::Finding(Finding::Verdict(self.verdict(shares))));
        if self.chance.branch(2).unit(ends_unix_ms.unsigned_abs()) < TURNS {
            self.turn(now, say);
        }
        self.opened = end;
        self.closes = self.next_close(&end);
    }

    fn turn(&mut self, now: &Stamp, say: &mut dyn FnMut(Body)) {
        (self.runs, self.since) = (!self.runs, *now);
        if self.runs && self.cheats {
            self.violation_since_unix_ms = self.violation_since_unix_ms.or(Some(now.wall_unix_ms));
        }
        let milliwatts = if self.runs { 2_500_000_000 } else { 0 };
        let mut scan = Scan::default();
        let words = [0x4A1E, 0x8480, 0x461C, 0x4000, 0x461C, 0x4400, 0x461C, 0x3C00];
        // Eight words fit into any scan.
        let _fits = scan.push(Block { function: Function::Holding, at: 19_000, count: 8 }, &words);
        say(Body::Finding(Finding::State(StateFinding {
            meter: self.point.meter,
            asset: self.point.asset,
            state: self.state(),
            since: self.since,
            proof: None,
            is_cooling: false,
            voltage_point: Some(VoltagePoint::Line),
            limit: MilliWatts::from_watts(242_487),
            floor: MilliWatts::from_watts(242_487),
            power: Some(Measured::Is(MilliWatts(milliwatts))),
            phase_power: [None; 3],
            line_voltages: [Some(MilliVolts(35_012_000)); 3],
            currents: [Some(MilliAmps(milliwatts / 60_622)); 3],
            mark: Some(self.mark(*now)),
            signs: Default::default(),
            fingerprint: None,
            commissioning: Some(self.point.commissioning),
            plate: None,
            scan,
        })));
        say(Body::Finding(Finding::Verdict(self.verdict(Shares::default()))));
    }

    fn mark(&self, at: Stamp) -> Mark {
        let register = Register {
            energy: WattHours(self.energy_wh),
            step: WattHours(2_100),
            modulus: Some(WattHours(42_949_672_960_000)),
            raw: self.energy_wh.unsigned_abs() & 0xFFFF_FFFF,
            raw_words: 2,
        };
        Mark { at, register }
    }

    /// The wall time at which the interval that begins now ends, and the uptime at which that is noticed.
    fn next_close(&self, begins: &Stamp) -> (i64, u64) {
        let ends_unix_ms = (begins.wall_unix_ms.div_euclid(INTERVAL_MS) + 1) * INTERVAL_MS;
        let late_ms = self.chance.branch(3).unit(ends_unix_ms.unsigned_abs()) * CLOSES_WITHIN_MS;
        let ahead_ms = (ends_unix_ms - begins.wall_unix_ms).unsigned_abs();
        (ends_unix_ms, begins.uptime_ms + ahead_ms + whole(late_ms))
    }
}

fn spread(unit: f64, over_ms: u64) -> u64 {
    #[expect(clippy::cast_precision_loss, reason = "minutes in milliseconds are far below 2^52")]
    whole(unit * over_ms as f64)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of some minutes, never negative"
)]
fn whole(ms: f64) -> u64 {
    ms as u64
}

#[cfg(test)]
mod tests {
    use coldhearth::terms::ClockQuality;

    use super::*;

    fn at(plant_ms: u64) -> Stamp {
        Stamp {
            wall_unix_ms: 1_795_000_000_000 + plant_ms.cast_signed(),
            uptime_ms: plant_ms,
            boot: 1,
            clock: ClockQuality::Rtc,
            error_ms: 0,
        }
    }

    #[test]
    fn a_day_has_its_intervals_and_signs_of_life_and_a_cheat_is_a_violation() {
        let point = Point {
            meter: MeterId::new("eaf-1-feeder").unwrap(),
            asset: AssetId::new("eaf-1").unwrap(),
            commissioning: Digest::of(b"x"),
        };
        for (number, convicted) in [(0, false), (1, true)] {
            let mut story = Story::begin(number, point, Chance::new(3), &at(0));
            let (mut intervals, mut beats, mut states, mut violations) = (0, 0, 0, 0);
            while story.next_ms() < 86_400_000 {
                story.on_time(&at(story.next_ms()), &mut |body| {
                    let Body::Finding(finding) = body else {
                        beats += 1;
                        return;
                    };
                    match finding {
                        Finding::Interval(interval) => {
                            intervals += 1;
                            assert_eq!(interval.end.wall_unix_ms % INTERVAL_MS, 0);
                            assert_eq!(interval.shares.total_ms(), interval.end.since_ms(&interval.start));
                        }
                        Finding::State(_) => states += 1,
                        Finding::Verdict(verdict) => {
                            violations += u32::from(verdict.violation_since_unix_ms.is_some());
                        }
                        Finding::Event(event) => panic!("{event:?}"),
                        Finding::Transition(step) => panic!("{step:?}"),
                    }
                });
            }
            assert_eq!((intervals, beats), (96, 288));
            assert!(states > 4, "{states}");
            assert_eq!(violations > 0, convicted);
        }
    }
}
