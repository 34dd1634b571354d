//! Whole lives at random: honest ones are never convicted, a melt in one is always seen.

use proptest::prelude::*;

use super::{
    doubt::with_phases,
    permits::{asset, permit},
    *,
};
use crate::{
    judge::{Inspect, Permitted, Turn},
    metering::{Identity, identity::Label},
};

/// How a plant is wired and metered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// Three elements, one register.
    #[default]
    Plain,
    /// Three elements with registers of their own, refreshed some seconds after the total's.
    Phases,
    /// Two elements.
    Aron,
    /// A crane that feeds back in between, as declared.
    Crane,
    /// The feeder serves a second piece of equipment too: it convicts neither, whatever it draws.
    Shared,
}

/// What a life keeps of its plant besides the meter's import register.
#[derive(Debug, Default)]
pub(super) struct Plant {
    kind: Kind,
    /// The phases' registers together, as last refreshed.
    lagging: WattHours,
    /// Fed back, in watt-seconds.
    export_ws: i64,
    serial: u64,
}

/// Seconds between two refreshes of the phases' registers.
const PHASE_BEAT_S: u64 = 4;
/// What the crane feeds back, in watts, while its lamps would draw 5 kW.
const FED_BACK_W: i64 = 40_000;

/// Something that happens at an honest plant.
#[derive(Clone, Copy, Debug)]
enum Honest {
    /// Polled for so many seconds.
    Polled(u64),
    /// Polls fail for so many seconds while time goes on.
    Outage(u64),
    /// The agent is stopped and started again after so many seconds.
    Restarted(u64),
    /// The machine was off for so many seconds; the clock comes back with this quality and error.
    Rebooted(u64, ClockQuality, i64),
    /// The wall clock is moved by so many milliseconds.
    ClockMoved(i64),
    /// One reading shows a register of zero.
    ZeroOnce,
    /// The line is lawfully cut for so many minutes: exact zeros, a meter that is still.
    Cut(u64),
    /// The meter was without power for so many seconds and lost so many watt-hours it had not kept.
    Cycled(u64, i64),
    /// A gateway answers out of its cache for so many seconds.
    Cached(u64),
    /// One reading shows a register too high by so many watt-hours: torn between two words.
    HighOnce(i64),
    /// The meter tells who it is, as it always did.
    Told,
    /// The meter is exchanged under a paper for one whose register stands at so many watt-hours.
    Exchanged(i64),
}

fn honest() -> impl Strategy<Value = (i64, Honest)> {
    let quality = prop_oneof![Just(ClockQuality::Ntp), Just(ClockQuality::Rtc), Just(ClockQuality::Unset)];
    let what = prop_oneof![
        4 => (1_u64..1_500).prop_map(Honest::Polled),
        2 => (1_u64..1_500).prop_map(Honest::Outage),
        1 => (1_u64..4_000).prop_map(Honest::Restarted),
        1 => (1_u64..90_000, quality, -7_200_000_i64..7_200_000).prop_map(|(s, q, e)| Honest::Rebooted(s, q, e)),
        1 => (-90_000_000_i64..90_000_000).prop_map(Honest::ClockMoved),
        1 => Just(Honest::ZeroOnce),
        1 => (1_i64..2_000_000).prop_map(Honest::HighOnce),
        1 => (1_u64..600).prop_map(Honest::Cut),
        1 => (5_u64..600, 1_i64..5_000).prop_map(|(s, lost)| Honest::Cycled(s, lost)),
        1 => (1_u64..55).prop_map(Honest::Cached),
        1 => Just(Honest::Told),
        1 => (0_i64..2_000_000_000).prop_map(Honest::Exchanged),
    ];
    let load = prop::sample::select(vec![0_i64, 5_000, 20_000, 60_000, 90_000, 98_000]);
    (load, what)
}

impl Story {
    /// One second with a load, its register refreshed every `beat_s` seconds.
    fn second(&mut self, true_ws: &mut i64, watts: i64, beat_s: u64) {
        self.now_ms += 1_000;
        if self.feeds_back(watts) {
            self.plant.export_ws += FED_BACK_W;
        } else {
            *true_ws += watts;
        }
        if (self.now_ms / 1_000).is_multiple_of(PHASE_BEAT_S) {
            self.plant.lagging = self.energy;
        }
        if (self.now_ms / 1_000).is_multiple_of(beat_s) {
            self.energy = WattHours(*true_ws / 3_600);
        }
    }

    fn feeds_back(&self, watts: i64) -> bool {
        self.plant.kind == Kind::Crane && watts == 5_000
    }

    /// A life at a plant of this kind.
    fn at_plant(kind: Kind) -> Story {
        let mut story = Story::new("2026-10-31");
        story.plant = Plant { kind, lagging: story.energy, export_ws: 0, serial: 1 };
        story.site = story.plant_site(&Memory::default());
        story
    }

    fn plant_site(&self, memory: &Memory) -> Site {
        let mut terms = terms();
        match self.plant.kind {
            Kind::Plain | Kind::Phases => {}
            Kind::Shared => terms.serves = Box::new([asset(), neighbour()]),
            Kind::Aron => terms.wiring = Wiring::Aron,
            Kind::Crane => {
                terms.allowances[0].back_power = MilliWatts::from_watts(FED_BACK_W);
                terms.allowances[0].back_monthly = WattHours(50_000_000);
            }
        }
        let standing = Standing::declared(LegalDay::parse("2026-10-31"));
        let served: Vec<AssetId> = terms.serves.to_vec();
        Site::new(vec![terms], served.into_iter().map(|id| Equipment { id, standing }).collect(), memory)
    }

    /// A reading as this plant's meter shows it.
    fn plant_reading(&self, watts: i64, volts_percent: i64) -> Reading {
        let mut reading = self.reading(watts, volts_percent, None);
        match self.plant.kind {
            Kind::Plain | Kind::Shared => {}
            Kind::Phases => {
                with_phases(&mut reading, self.plant.lagging, 0);
                for quantity in [Quantity::PowerL1, Quantity::PowerL2, Quantity::PowerL3] {
                    reading.values[quantity.index()] = Some(watts * 1_000 / 3);
                }
            }
            Kind::Aron => reading.values[Quantity::CurrentL2.index()] = None,
            Kind::Crane => {
                let energy = WattHours(self.plant.export_ws / 3_600);
                let register = Register { energy, step: WattHours(10), modulus: None, raw: 1, raw_words: 2 };
                reading.registers.set(Quantity::Export, register);
                if self.feeds_back(watts) {
                    reading.values[Quantity::Power.index()] = Some(-FED_BACK_W * 1_000);
                }
            }
        }
        reading
    }

    fn tells_identity(&mut self) {
        let serial = Label::new(self.plant.serial.to_string().as_bytes());
        let identity = Identity { serial, ..Identity::default() };
        let at = self.stamp();
        self.hear(&Sample::Identity { meter: MeterId::new("m1").unwrap(), at, identity });
    }

    fn tick_now(&mut self) {
        let (at, said) = (self.stamp(), &mut self.said);
        self.site.on(&at, Fact::Tick, &mut |f| said.push(f));
    }

    fn live(&mut self, true_ws: &mut i64, watts: i64, beat_s: u64, what: Honest) {
        match what {
            Honest::Polled(seconds) => (0..seconds).for_each(|_| {
                self.second(true_ws, watts, beat_s);
                let reading = self.plant_reading(watts, 100);
                self.hear(&Sample::Reading(reading));
                self.tick_now();
            }),
            Honest::Outage(seconds) => (0..seconds).for_each(|_| {
                self.second(true_ws, watts, beat_s);
                self.hear(&Sample::Miss {
                    meter: MeterId::new("m1").unwrap(),
                    at: self.stamp(),
                    fault: Fault::Timeout,
                });
                self.tick_now();
            }),
            Honest::Restarted(seconds) => {
                let memory = self.memory();
                (0..seconds).for_each(|_| self.second(true_ws, watts, beat_s));
                self.site = self.plant_site(&memory);
            }
            Honest::Rebooted(seconds, quality, error_ms) => {
                let memory = self.memory();
                (0..seconds).for_each(|_| self.second(true_ws, watts, beat_s));
                // A synchronised clock is right; any other is off by what it lost.
                self.wall_offset_ms =
                    if quality == ClockQuality::Ntp { 0 } else { self.wall_offset_ms + error_ms };
                (self.boot, self.quality) = (self.boot + 1, quality);
                self.site = self.plant_site(&memory);
            }
            Honest::ClockMoved(by_ms) => {
                // Somebody set it by hand: it is synchronised no more.
                self.wall_offset_ms += by_ms;
                self.quality = ClockQuality::Rtc;
            }
            Honest::Cut(minutes) => (0..minutes).for_each(|_| {
                self.now_ms += 60_000;
                self.energy = WattHours(*true_ws / 3_600);
                let reading = self.plant_reading(0, 0);
                self.hear(&Sample::Reading(reading));
            }),
            Honest::Cycled(seconds, lost) => {
                self.live(true_ws, 0, beat_s, Honest::Outage(seconds));
                *true_ws -= lost * 3_600;
                self.energy = WattHours(*true_ws / 3_600);
                self.live(true_ws, watts, beat_s, Honest::Polled(5));
            }
            Honest::Cached(seconds) => {
                let kept = self.plant_reading(watts, 100);
                // Together with the meter's own beat no value is older than a minute.
                for _ in 0..seconds.min(56 - beat_s.min(55)) {
                    self.second(true_ws, watts, beat_s);
                    self.hear(&Sample::Reading(Reading { at: self.stamp(), ..kept.clone() }));
                }
            }
            Honest::Told => self.tells_identity(),
            Honest::Exchanged(stands) => self.is_exchanged(true_ws, watts, beat_s, stands),
            Honest::ZeroOnce | Honest::HighOnce(_) => self.is_odd_once(true_ws, watts, beat_s, what),
        }
    }

    fn is_exchanged(&mut self, true_ws: &mut i64, watts: i64, beat_s: u64, stands: i64) {
        self.tells_identity();
        let meter = MeterId::new("m1").unwrap();
        let paper = permit(self, 3_600, Permitted::MeterReplacement { meter });
        self.fact(Fact::Permit(&paper));
        self.live(true_ws, 0, beat_s, Honest::Outage(300));
        *true_ws = stands * 3_600;
        (self.energy, self.plant.lagging) = (WattHours(stands), WattHours(stands));
        self.plant.serial += 1;
        self.tells_identity();
        self.live(true_ws, watts, beat_s, Honest::Polled(5));
    }

    fn is_odd_once(&mut self, true_ws: &mut i64, watts: i64, beat_s: u64, what: Honest) {
        self.second(true_ws, watts, beat_s);
        let odd = if let Honest::HighOnce(by) = what { WattHours(self.energy.0 + by) } else { WattHours(0) };
        let true_energy = std::mem::replace(&mut self.energy, odd);
        let reading = self.plant_reading(watts, 100);
        self.hear(&Sample::Reading(reading));
        self.energy = true_energy;
        // Odd readings stand alone; two that agree are a new count, and an event says so.
        self.live(true_ws, watts, beat_s, Honest::Polled(2));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(400),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever happens at a plant that draws no more than its allowances, it is never called drawing, no strong sign is raised, and the
    /// shares of its intervals are never negative and sum to the time they span.
    #[test]
    fn an_honest_plant_is_never_convicted(
        beat_s in prop::sample::select(vec![1_u64, 1, 7, 15, 55]),
        kind in kind(),
        life in prop::collection::vec(honest(), 1..14),
    ) {
        let mut story = Story::at_plant(kind);
        let mut true_ws = story.energy.0 * 3_600;
        for (watts, what) in life {
            story.live(&mut true_ws, watts, beat_s, what);
        }
        prop_assert!(!story.states().contains(&State::Drawing), "{:?}", story.said.iter().rev().find(|f| matches!(f, Finding::State(s) if s.state == State::Drawing)));
        prop_assert!(!story.states().contains(&State::Exporting));
        // An exchange is told, and its paper takes it back at once.
        let is_alarm = |s: &&SignFinding| s.sign.is_strong() && s.sign != Sign::SerialChanged;
        let strong = story.said.iter().filter_map(sign_told).find(is_alarm);
        let exchanges = |turn| {
            let of_exchange = |s: &&SignFinding| s.sign == Sign::SerialChanged && s.turn == turn;
            story.said.iter().filter_map(sign_told).filter(of_exchange).count()
        };
        prop_assert_eq!(exchanges(Turn::Begins), exchanges(Turn::Permitted));
        prop_assert!(strong.is_none(), "{strong:?}");
        for finding in &story.said {
            if let Finding::Interval(interval) = finding {
                let shares = interval.shares;
                prop_assert!(shares.observed_ms() >= 0 && shares.bridged_ms() >= 0 && shares.unaccounted_ms() >= 0);
                if interval.start.boot == interval.end.boot {
                    let steps = shares.total_ms() - interval.end.since_ms(&interval.start);
                    prop_assert!(steps >= 0, "{interval:?}");
                }
            }
        }
    }
}

fn neighbour() -> AssetId {
    AssetId::new("eaf-9").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(200), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever shares a feeder may melt on it, polled, in outages and across restarts: neither piece of equipment is
    /// said to draw, none is convicted, and somebody is asked to look.
    #[test]
    fn a_shared_feeder_convicts_nobody_whatever_it_draws(
        before in prop::collection::vec(honest(), 0..5),
        melt in 70_u64..1_500,
        after in prop::collection::vec((prop::sample::select(vec![5_000_i64, 90_000, 8_000_000]), honest()), 0..6),
    ) {
        let mut story = Story::at_plant(Kind::Shared);
        let mut true_ws = story.energy.0 * 3_600;
        for (watts, what) in before {
            story.live(&mut true_ws, watts, 1, what);
        }
        story.live(&mut true_ws, 8_000_000, 1, Honest::Polled(melt));
        for (watts, (_, what)) in after {
            story.live(&mut true_ws, watts, 1, what);
        }
        let verdicts = || story.said.iter().filter_map(|f| if let Finding::Verdict(v) = f { Some(v) } else { None });
        prop_assert!(verdicts().all(|v| v.violation_since_unix_ms.is_none() && v.state != State::Drawing));
        let asks = |v: &&Verdict| v.grounds.is_some_and(|g| g.inspect.iter().any(|why| why == Inspect::SharedFeeder));
        for id in [asset(), neighbour()] {
            let asked: Vec<&Verdict> = verdicts().filter(|v| v.asset == id).filter(asks).collect();
            prop_assert!(!asked.is_empty(), "{id}: nobody is asked to look");
            prop_assert!(asked.iter().all(|v| v.state == State::Unknown(Why::SharedFeeder)), "{id}: {asked:?}");
        }
    }
}

fn sign_told(finding: &Finding) -> Option<&SignFinding> {
    if let Finding::Event(Event::Sign(told)) = finding { Some(told) } else { None }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![Kind::Plain, Kind::Phases, Kind::Aron, Kind::Crane])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(400), failure_persistence: None, ..ProptestConfig::default() })]

    /// A melt within one boot of the machine is seen, whether it was polled, fell into an outage, or happened while
    /// the agent was stopped, and whatever honest life went before and comes after.
    #[test]
    fn a_melt_is_always_seen_and_stays_latched(
        kind in kind(),
        before in prop::collection::vec(honest_in_one_boot(), 0..6),
        melt in prop_oneof![
            (60_u64..2_000).prop_map(Honest::Polled),
            (200_u64..2_000).prop_map(Honest::Outage),
            (200_u64..2_000).prop_map(Honest::Restarted),
        ],
        after in prop::collection::vec(honest_in_one_boot(), 0..3),
    ) {
        let mut story = Story::at_plant(kind);
        let mut true_ws = story.energy.0 * 3_600;
        // Time enough for a first interval, so that a restart has something to remember.
        story.live(&mut true_ws, 5_000, 1, Honest::Polled(1_000));
        for (watts, what) in before {
            story.live(&mut true_ws, watts, 1, what);
            story.live(&mut true_ws, watts, 1, Honest::Polled(2));
        }
        story.live(&mut true_ws, 8_000_000, 1, melt);
        story.live(&mut true_ws, 5_000, 1, Honest::Polled(5));
        prop_assert!(story.states().contains(&State::Drawing));
        prop_assert!(story.verdict().violation_since_unix_ms.is_some());
        for (watts, what) in after {
            if !matches!(what, Honest::Restarted(_)) {
                story.live(&mut true_ws, watts, 1, what);
            }
        }
        prop_assert!(story.verdict().violation_since_unix_ms.is_some());
    }
}

fn honest_in_one_boot() -> impl Strategy<Value = (i64, Honest)> {
    let what = prop_oneof![
        (1_u64..1_500).prop_map(Honest::Polled),
        (1_u64..1_500).prop_map(Honest::Outage),
        (1_u64..4_000).prop_map(Honest::Restarted),
        // One odd reading between good ones; two odd ones that agree are a new count, and an event says so.
        Just(Honest::ZeroOnce),
    ];
    (prop::sample::select(vec![0_i64, 5_000, 60_000, 90_000]), what)
}
