//! Metering points of every kind: where the voltage is taken, how the meter is wired, what flows backwards, who is served.

use super::*;
use crate::{
    judge::{Event, Inspect, Measured, MeterTold, RegisterEvent},
    metering::{Identity, identity::Label},
    terms::words,
};

pub(super) fn asset() -> AssetId {
    AssetId::new("eaf-1").unwrap()
}

impl Story {
    /// A story at a point that is commissioned otherwise.
    pub(super) fn at_point(change: impl Fn(&mut Commissioned)) -> Story {
        let mut story = Story::new("2026-10-31");
        let mut terms = terms();
        change(&mut terms);
        let standing = Standing::declared(LegalDay::parse("2026-10-31"));
        let equipment = terms.serves.iter().map(|id| Equipment { id: *id, standing }).collect();
        story.site = Site::new(vec![terms], equipment, &Memory::default());
        story
    }

    /// Polls for so many seconds; `change` makes each reading what it is.
    pub(super) fn poll(
        &mut self,
        seconds: i64,
        watts: i64,
        change: impl Fn(i64, &mut Reading),
    ) -> &mut Story {
        for second in 0..seconds {
            self.now_ms += 1_000;
            let mut reading = self.reading(watts, 100, None);
            change(second, &mut reading);
            self.hear(&Sample::Reading(reading));
        }
        self
    }
}

pub(super) fn set(reading: &mut Reading, quantity: Quantity, value: i64) {
    reading.values[quantity.index()] = Some(value);
}

fn without_voltage(second: i64, reading: &mut Reading) {
    for quantity in [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31] {
        set(reading, quantity, 0);
    }
    set(reading, Quantity::RunHours, second / 5);
}

fn meter_told(story: &Story) -> Vec<MeterTold> {
    let told = |f: &Finding| if let Finding::Event(Event::Meter(told)) = f { Some(*told) } else { None };
    story.said.iter().filter_map(told).collect()
}

#[test]
fn a_voltage_taken_at_the_bus_is_never_called_dead_nor_cold() {
    let mut story = Story::at_point(|terms| terms.voltage_point = VoltagePoint::Bus);
    story.run(10, 5_000, 100);
    assert_eq!(story.last_state().state, State::Energised);
    assert_eq!(story.last_state().words(), words::BUS_LIVE);
    assert_eq!(story.verdict().words(), words::BUS_LIVE);
    story.poll(120, 0, without_voltage);
    assert!(!story.states().contains(&State::Dead), "{:?}", story.states());
    assert_eq!(story.last_state().state, State::Unknown(Why::BusSide));
}

#[test]
fn below_the_floor_nothing_is_a_number() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 0, 100);
    let floor = terms().floor.power;
    assert_eq!(story.last_state().power, Some(Measured::UpTo(floor)), "zero watts read are not zero watts");
    let grounds = story.verdict().grounds.unwrap();
    assert_eq!(grounds.floor, floor);
    story.run(70, 90_000, 100);
    assert_eq!(story.last_state().power, Some(Measured::Is(MilliWatts::from_watts(90_000))));
}

#[test]
fn two_elements_are_judged_by_their_sum_alone() {
    let mut story = Story::at_point(|terms| {
        terms.wiring = Wiring::Aron;
        terms.promised.currents = 2;
    });
    // VERDICT.md 1: at 80 degrees the elements read -0.34 and +0.64 of U x I, which is no export.
    let elements = |_: i64, reading: &mut Reading| {
        set(reading, Quantity::PowerL1, -3_400_000_000);
        set(reading, Quantity::PowerL3, 3_405_000_000);
        set(reading, Quantity::PowerL2, 0);
        reading.values[Quantity::CurrentL2.index()] = None;
    };
    story.poll(300, 5_000, elements);
    let states = story.states();
    assert!(!states.contains(&State::Drawing) && !states.contains(&State::Exporting), "{states:?}");
    let mut dead = Story::at_point(|terms| {
        terms.wiring = Wiring::Aron;
        terms.promised.currents = 2;
    });
    dead.poll(90, 0, |second, reading| {
        without_voltage(second, reading);
        reading.values[Quantity::CurrentL2.index()] = None;
    });
    assert_eq!(dead.last_state().state, State::Dead, "no second current is missed where there is none");
}

#[test]
fn phases_are_not_netted_against_each_other() {
    // 170 A in each phase, and neither active nor reactive power to show for it.
    let flows = |reading: &mut Reading| {
        for quantity in [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3] {
            set(reading, quantity, 170_000);
        }
        set(reading, Quantity::Reactive, 0);
    };
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).poll(30, 5_000, |_, reading| {
        flows(reading);
        set(reading, Quantity::PowerL1, 2_700_000_000);
        set(reading, Quantity::PowerL2, -2_700_000_000);
        set(reading, Quantity::PowerL3, 5_000_000);
    });
    assert_eq!(story.last_state().state, State::Drawing);
    let mut story = Story::new("2026-10-31");
    let phases = |second: i64, reading: &mut Reading| {
        flows(reading);
        for (quantity, watts) in
            [(Quantity::ImportL1, 2_700_000), (Quantity::ImportL2, 2_700_000), (Quantity::ImportL3, 0)]
        {
            let energy = WattHours(1_000_000 + second * watts / 3_600);
            let register = Register { energy, step: WattHours(10), modulus: None, raw: 1, raw_words: 2 };
            reading.registers.set(quantity, register);
        }
    };
    story.poll(90, 5_000, phases);
    assert!(story.verdict().violation_since_unix_ms.is_some(), "the phases' registers tell");
}

#[test]
fn what_flows_backwards_is_exported_after_a_minute_and_convicts_nobody() {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100).run(55, -900_000, 100);
    assert_eq!(story.last_state().state, State::Unknown(Why::Reversed));
    story.run(120, -900_000, 100);
    assert_eq!(story.last_state().state, State::Exporting);
    let Some(Proof::Energy(excess)) = story.last_state().proof else { panic!("{:?}", story.last_state()) };
    assert!(excess.moved > excess.bound);
    let verdict = story.verdict();
    assert_eq!((verdict.state, verdict.violation_since_unix_ms), (State::Exporting, None));
    let inspect: Vec<Inspect> = verdict.grounds.unwrap().inspect.iter().collect();
    assert!(inspect.contains(&Inspect::Exporting));
    story.run(1_000, 5_000, 100);
    assert_eq!(story.last_state().state, State::Energised);
}

#[test]
fn a_melt_whose_third_current_is_turned_round_on_two_elements_is_exported_as_soon_as_a_large_load_is_drawn() {
    // 12.5 MW at a power factor of 0.95: its elements show the sine of the angle, backwards.
    const SHOWN_W: i64 = -2_370_000;
    let aron = || {
        Story::at_point(|terms| {
            terms.wiring = Wiring::Aron;
            terms.promised.currents = 2;
        })
    };
    let mut story = aron();
    story.run(10, 5_000, 100).run(5, SHOWN_W, 100);
    assert_eq!(story.last_state().state, State::Unknown(Why::Reversed));
    story.run(1, SHOWN_W, 100);
    assert_eq!(story.last_state().state, State::Exporting);
    let mut brief = aron();
    brief.run(10, 5_000, 100);
    for _ in 0..30 {
        brief.run(5, SHOWN_W, 100).run(1, 5_000, 100).run(5, -1_800_000, 100).run(1_000, 5_000, 100);
    }
    assert!(!brief.states().contains(&State::Exporting), "a drive that runs down");
    let mut lost = aron();
    lost.run(10, 5_000, 100).run(3, SHOWN_W, 100).miss(2, Fault::Timeout).run(1, SHOWN_W, 100);
    assert_eq!(lost.last_state().state, State::Unknown(Why::Reversed), "polls that are missed pause it");
    lost.run(2, SHOWN_W, 100);
    assert_eq!(lost.last_state().state, State::Exporting);
    let mut inrush = aron();
    inrush.run(10, 0, 0).run(29, SHOWN_W, 100).run(100, 5_000, 100);
    assert!(!inrush.states().contains(&State::Exporting), "a transformer that is switched on");
}

#[test]
fn a_declared_regeneration_is_no_export() {
    let mut story = Story::at_point(|terms| {
        let mut crane = terms.allowances[0];
        (crane.back_power, crane.back_monthly) = (MilliWatts::from_watts(900_000), WattHours(9_000_000));
        terms.allowances = Box::new([crane]);
    });
    story.run(10, 5_000, 100);
    for _ in 0..20 {
        story.run(40, -900_000, 100).run(40, 60_000, 100);
    }
    let states = story.states();
    assert!(!states.contains(&State::Exporting) && !states.contains(&State::Drawing), "{states:?}");
}

#[test]
fn voltage_behind_a_point_that_should_be_open_is_back_feed_without_any_current() {
    let isolate = |story: &mut Story, is_isolated| {
        let (at, said) = (story.stamp(), &mut story.said);
        story.site.on(&at, Fact::Isolated(asset(), is_isolated), &mut |f| said.push(f));
    };
    let mut story = Story::new("2026-10-31");
    story.run(10, 0, 100);
    isolate(&mut story, true);
    story.run(50, 0, 100);
    assert_eq!(story.last_state().state, State::Energised);
    story.run(20, 0, 100);
    assert_eq!(story.last_state().state, State::Exporting);
    assert!(matches!(story.last_state().proof, Some(Proof::BackFeed { .. })));
    isolate(&mut story, false);
    story.run(2, 0, 100);
    assert_eq!(story.last_state().state, State::Energised);
    let mut bus = Story::at_point(|terms| terms.voltage_point = VoltagePoint::Bus);
    bus.run(10, 0, 100);
    isolate(&mut bus, true);
    bus.run(200, 0, 100);
    assert!(!bus.states().contains(&State::Exporting), "a live bus is no back-feed");
}

#[test]
fn a_run_between_two_polls_leaves_its_mark_in_the_meters_maximum_demand() {
    let demand =
        |watts: i64| move |_: i64, reading: &mut Reading| set(reading, Quantity::MaxDemand, watts * 1_000);
    let mut story = Story::new("2026-10-31");
    story.poll(100, 5_000, demand(40_000)).poll(2, 5_000, demand(3_000_000));
    assert_eq!(story.last_state().state, State::Drawing);
    assert!(matches!(story.last_state().proof, Some(Proof::Demand { .. })), "{:?}", story.last_state().proof);
    assert!(story.verdict().violation_since_unix_ms.is_some());
    let mut honest = Story::new("2026-10-31");
    // A torn value alone, a monthly clear, a lamp that raises the demand within the allowances.
    honest.poll(50, 5_000, demand(40_000)).poll(1, 5_000, demand(3_000_000)).poll(50, 5_000, demand(40_000));
    honest.poll(50, 5_000, demand(0)).poll(50, 5_000, demand(60_000));
    assert!(!honest.states().contains(&State::Drawing), "{:?}", honest.states());
}

#[test]
fn counts_that_a_meter_without_power_had_not_kept_are_an_event_and_no_doubt() {
    let mut story = Story::new("2026-10-31");
    story.poll(100, 5_000, |second, reading| set(reading, Quantity::UptimeS, 1_000_000 + second * 1_000));
    story.energy.0 -= 2_000;
    story.poll(100, 5_000, |second, reading| set(reading, Quantity::UptimeS, second * 1_000));
    let quirk = |f: &Finding| match f {
        Finding::Event(Event::Register(RegisterEvent { what, .. })) => Some(*what),
        Finding::State(_)
        | Finding::Interval(_)
        | Finding::Verdict(_)
        | Finding::Transition(_)
        | Finding::Event(_) => None,
    };
    let quirks: Vec<RegisterQuirk> = story.said.iter().filter_map(quirk).collect();
    assert_eq!(quirks, [RegisterQuirk::Unsaved]);
    assert!(!story.states().contains(&State::Unknown(Why::RegisterFell)), "{:?}", story.states());
    assert!(!story.verdict().signs.has_strong(), "no tampering");
}

#[test]
fn a_shared_feeder_convicts_nobody_and_asks_for_a_look() {
    let mut story = Story::at_point(|terms| {
        terms.serves = ["eaf-1", "lf-1"].map(|id| AssetId::new(id).unwrap()).into();
    });
    story.run(10, 5_000, 100);
    assert_eq!(story.verdict().state, State::Energised, "rest is proven for both");
    story.run(60, 8_000_000, 100);
    assert_eq!(story.last_state().state, State::Drawing, "the feeder draws");
    let verdict = story.verdict();
    assert_eq!((verdict.state, verdict.violation_since_unix_ms), (State::Unknown(Why::SharedFeeder), None));
    assert!(verdict.grounds.unwrap().inspect.iter().any(|why| why == Inspect::SharedFeeder));
    let mut safety = Story::at_point(|terms| terms.role = crate::judge::Role::Safety);
    safety.run(10, 5_000, 100).run(60, 8_000_000, 100);
    assert_eq!(safety.verdict().violation_since_unix_ms, None);
    assert_ne!(safety.verdict().state, State::Drawing);
}

#[test]
fn a_meter_tells_who_it_is_and_another_one_begins_a_new_series() {
    let mut story = Story::new("2026-10-31");
    let label = |text: &str| Label::new(text.as_bytes());
    let first = Identity { serial: label("4711"), firmware: label("1.0"), ..Identity::default() };
    let tell = |story: &mut Story, identity: Identity| {
        let meter = MeterId::new("m1").unwrap();
        let sample = Sample::Identity { meter, at: story.stamp(), identity };
        story.hear(&sample);
    };
    tell(&mut story, first);
    story.run(10, 5_000, 100);
    tell(&mut story, first);
    // What it does not tell this time says nothing.
    tell(&mut story, Identity { firmware: None, ..first });
    assert_eq!(meter_told(&story).len(), 1);
    assert_eq!(story.last_state().fingerprint, Some(first.fingerprint()));
    let other = Identity { serial: label("4712"), ..first };
    tell(&mut story, other);
    let told = meter_told(&story);
    assert_eq!((told.len(), told[1].before, told[1].after), (2, Some(first), other));
    // The other meter's count stands far from the first one's: no energy is told between the two.
    story.energy.0 += 3_000_000;
    story.run(100, 5_000, 100);
    assert!(!story.states().contains(&State::Drawing), "{:?}", story.states());
}

#[test]
fn whoever_asks_is_told_with_everything_it_rests_on() {
    let mut story = Story::new("2026-10-31");
    story.run(1_000, 5_000, 100);
    let before = story.said.len();
    let (at, said) = (story.stamp(), &mut story.said);
    story.site.on(&at, Fact::Ask(asset()), &mut |f| said.push(f));
    assert_eq!(story.said.len(), before + 1);
    let verdict = story.verdict();
    let grounds = verdict.grounds.unwrap();
    assert_eq!(grounds.parameters.poll_ms, 1_000);
    assert_eq!(grounds.register_floor, WattHours(20));
    assert!(grounds.bound > verdict.energy_overdue, "what could have passed unseen comes on top");
    assert_eq!(grounds.commissioning, terms().identity);
}

#[test]
fn the_same_facts_give_the_same_findings_bit_for_bit_whatever_lies_between() {
    let tell = |story: &mut Story| {
        let mut chance = 88_172_645_463_325_252_u64;
        let mut next = |most: u64| {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            chance % most
        };
        for _ in 0..60 {
            let watts = [0, 5_000, 90_000, 8_000_000, -900_000][usize::try_from(next(5)).unwrap()];
            story.run(next(90), watts, 100).miss(next(9), Fault::Timeout).tick(next(40));
        }
    };
    let (mut one, mut other) = (Story::new("2026-10-31"), Story::new("2026-10-31"));
    tell(&mut one);
    tell(&mut other);
    assert_eq!(one.said, other.said);
    assert!(one.said.len() > 50);
    let memory = one.memory();
    let after = |story: &Story| {
        let mut after = Story::new("2026-10-31");
        after.site = site("2026-10-31", &memory);
        (after.now_ms, after.energy) = (story.now_ms, story.energy);
        tell(&mut after);
        after.said
    };
    assert_eq!(after(&one), after(&other));
}

#[test]
fn energy_beyond_the_month_is_shown_though_every_poll_is_far_from_the_next() {
    let mut story = Story::at_point(|terms| {
        terms.allowances[0].monthly = WattHours(100_000);
        terms.poll_ms = 1_000_000;
    });
    story.poll(3, 95_000, |_, _| ());
    for _ in 0..40 {
        story.now_ms += 999_000;
        story.energy.0 += 95_000 * 1_000 / 3_600;
        story.poll(1, 95_000, |_, _| ());
    }
    assert!(story.states().contains(&State::Drawing), "{:?}", story.states());
    assert!(story.verdict().violation_since_unix_ms.is_some());
}

#[test]
fn silence_on_any_path_that_could_feed_it_is_no_rest() {
    let mut story = Story::new("2026-10-31");
    let standing = Standing::declared(LegalDay::parse("2026-10-31"));
    let neighbour = AssetId::new("eaf-2").unwrap();
    let m2 = MeterId::new("m2").unwrap();
    let shared = Commissioned { meter: m2, serves: Box::new([asset(), neighbour]), ..terms() };
    let equipment = vec![Equipment { id: asset(), standing }, Equipment { id: neighbour, standing }];
    story.site = Site::new(vec![terms(), shared], equipment, &Memory::default());
    // Its own feeder is dead all the time; what the shared one does changes.
    let (mut second, mut shared_ws) = (0, 0);
    let mut polled = |story: &mut Story, seconds: i64, watts: Option<i64>| {
        for _ in 0..seconds {
            second += 1;
            story.poll(1, 0, |_, reading| without_voltage(second, reading));
            let still = story.energy;
            match watts {
                Some(watts) => {
                    shared_ws += watts;
                    story.energy = WattHours(1_000_000 + shared_ws / 3_600);
                    let mut reading = story.reading(watts, 100, None);
                    reading.meter = m2;
                    story.hear(&Sample::Reading(reading));
                }
                None => story.hear(&Sample::Miss { meter: m2, at: story.stamp(), fault: Fault::Timeout }),
            }
            story.energy = still;
        }
        let at = story.stamp();
        let mut state = None;
        story.site.on(&at, Fact::Ask(asset()), &mut |f| {
            if let Finding::Verdict(verdict) = f {
                state = Some((verdict.state, verdict.is_rest()));
            }
        });
        state.unwrap()
    };
    assert_eq!(polled(&mut story, 120, Some(5_000)), (State::Dead, true));
    assert_eq!(polled(&mut story, 60, None), (State::Unknown(Why::Fault(Fault::Timeout)), false));
    assert_eq!(polled(&mut story, 120, Some(5_000)), (State::Dead, true), "it is heard again");
    let (state, _) = polled(&mut story, 60, Some(8_000_000));
    assert_eq!(state, State::Dead, "what a shared feeder draws is looked into, and is not this equipment's");
}
