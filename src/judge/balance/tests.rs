//! Balance groups told hour by hour.

use super::{
    group::Position,
    result::{blind_at, skew_error},
    *,
};
use crate::{
    judge::{
        Accuracy, Classes, Wiring,
        beside::BackCount,
        floor::{Floor, STARTING_CURRENT_CT_PPM},
    },
    metering::decode::Declared,
    terms::{ClockQuality, MilliVolts, Ratio, WattHours},
};

const START_MS: i64 = 1_795_000_000_000 / HOUR_MS * HOUR_MS;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn meter(text: &str) -> MeterId {
    MeterId::new(text).unwrap()
}

/// A metering point of class 0.5 with transformers of class 0.5.
fn terms(id: &str) -> Commissioned {
    let nominal = MilliVolts(35_000_000);
    let floor = Floor::of(Wiring::FourWire, 1_200, nominal, STARTING_CURRENT_CT_PPM);
    let class = Accuracy::parse("0.5");
    let rated = MilliWatts::from_watts(60_000_000);
    Commissioned {
        classes: Classes { meter: class, ct: class, pt: class },
        ratios: Declared { ct: Ratio::new(1_200, 5), pt: Ratio::new(35_000, 100) },
        ..Commissioned::process_feeder(
            meter(id),
            AssetId::new(&format!("eaf-{id}")).unwrap(),
            nominal,
            rated,
            floor,
        )
    }
}

fn group(id: &str, incomer: &str, feeders: &[&str]) -> Group {
    Group {
        id: name(id),
        incomers: Box::new([meter(incomer)]),
        feeders: feeders.iter().map(|id| meter(id)).collect(),
        losses: Losses::default(),
        coupler: None,
    }
}

/// Meters with what they have counted, read every ten seconds.
struct Plant {
    balances: Balances,
    now_ms: i64,
    counted: Vec<(&'static str, i64)>,
    told: Vec<BalanceFinding>,
    /// The meter that is read so much later than the others.
    late: Option<(&'static str, i64)>,
    silent: Option<&'static str>,
}

impl Plant {
    fn new(groups: Vec<Group>, meters: &[&'static str]) -> Plant {
        let terms: Vec<Commissioned> = meters.iter().map(|id| terms(id)).collect();
        Plant {
            balances: Balances::new(groups, &terms.iter().collect::<Vec<_>>()),
            now_ms: START_MS,
            counted: meters.iter().map(|id| (*id, 0)).collect(),
            told: Vec::new(),
            late: None,
            silent: None,
        }
    }

    fn stamp(ms: i64) -> Stamp {
        let uptime_ms = u64::try_from(ms - START_MS).unwrap();
        Stamp { wall_unix_ms: ms, uptime_ms, boot: 1, clock: ClockQuality::Ntp, error_ms: 0 }
    }

    /// So many seconds in which each meter counts so many watts.
    fn run(&mut self, seconds: i64, watts: &[(&str, i64)]) -> &mut Plant {
        for _ in 0..seconds / 10 {
            self.now_ms += 10_000;
            for (id, counted) in &mut self.counted {
                let load = watts.iter().find(|(of, _)| of == id).map_or(0, |(_, load)| *load);
                // In watt-milliseconds, so that nothing is lost.
                *counted += load * 10_000;
                if self.silent == Some(id) {
                    continue;
                }
                let late_ms = self.late.filter(|(of, _)| of == id).map_or(0, |(_, ms)| ms);
                let energy = (*counted + load * late_ms) / 3_600_000;
                let point = Point {
                    at: Plant::stamp(self.now_ms + late_ms),
                    import: WattHours(energy / 1_000 * 1_000),
                    export: None,
                    step: WattHours(1_000),
                    power: Some(MilliWatts::from_watts(load)),
                };
                self.balances.on_point(meter(id), point);
            }
            let told = &mut self.told;
            self.balances.on_tick(&Plant::stamp(self.now_ms), |finding, _| told.push(*finding));
        }
        self
    }

    fn outcomes(&self) -> Vec<Outcome> {
        self.told.iter().map(|finding| finding.outcome).collect()
    }
}

const FEEDERS: [&str; 12] =
    ["f01", "f02", "f03", "f04", "f05", "f06", "f07", "f08", "f09", "f10", "f11", "f12"];

/// A 60 MW incomer with twelve feeders of 5 MW, and so much that passes by all of them.
fn sixty_megawatts(bypass: i64) -> Plant {
    let mut meters = vec!["in"];
    meters.extend(FEEDERS);
    let mut plant = Plant::new(vec![group("bus-1", "in", &FEEDERS)], &meters);
    let mut loads: Vec<(&str, i64)> = FEEDERS.iter().map(|id| (*id, 5_000_000)).collect();
    loads.push(("in", 60_000_000 + bypass));
    plant.run(2 * 3_600 + 600, &loads);
    plant
}

#[test]
fn a_group_says_what_it_cannot_see() {
    let class = terms("in").error_ppm();
    let blind = blind_at(MilliWatts::from_watts(60_000_000), class).watts();
    assert!((519_000..=521_000).contains(&blind), "{blind}");
    let plant = sixty_megawatts(0);
    assert_eq!(plant.outcomes(), [Outcome::Agrees, Outcome::Agrees]);
    let told = plant.told[1];
    let blind = told.blind.watts();
    assert!(
        (540_000..=590_000).contains(&blind),
        "twelve feeders and the registers' steps add a little: {blind}"
    );
    assert!((3_580_000..=3_620_000).contains(&told.covered_ms) && told.told == 13, "{told:?}");
}

#[test]
fn what_hides_inside_the_error_is_not_seen_and_what_does_not_asks_for_an_inspection() {
    assert_eq!(sixty_megawatts(400_000).outcomes(), [Outcome::Agrees, Outcome::Agrees]);
    let plant = sixty_megawatts(900_000);
    assert_eq!(plant.outcomes(), [Outcome::Residual, Outcome::Residual]);
    let told = plant.told[1];
    assert!((895_000..=905_000).contains(&told.residual.0), "{told:?}");
    assert!(told.figures().is_some() && plant.told[0].residual > plant.told[0].error);
    assert_eq!(
        sixty_megawatts(-900_000).outcomes(),
        [Outcome::Residual, Outcome::Residual],
        "more out than in"
    );
}

#[test]
fn a_skew_of_a_minute_is_208_kilowatt_hours_of_a_melt_that_begins() {
    assert_eq!(skew_error(MilliWatts::from_watts(12_500_000), 60_000), WattHours(208_334));
    let mut plant = Plant::new(vec![group("bus-1", "in", &["f01"])], &["in", "f01"]);
    plant.late = Some(("f01", 59_000));
    let load = |watts| [("in", watts), ("f01", watts)];
    plant.run(600, &load(100_000));
    for _ in 0..3 {
        plant.run(2_970, &load(100_000)).run(630, &load(12_500_000));
    }
    assert!(plant.outcomes().iter().all(|outcome| *outcome == Outcome::Agrees), "{:?}", plant.told);
    let error = plant.told[1].error.0;
    assert!(error > 208_000, "what the reads lie apart, and a minute of age: {error}");
}

#[test]
fn losses_are_taken_off_and_count_as_error_once_more() {
    let watts = MilliWatts::from_watts;
    let mut lossy = group("bus-1", "in", &["f01"]);
    lossy.losses = Losses { fixed: watts(50_000), at_load: watts(150_000), load: watts(20_000_000) };
    let mut plant = Plant::new(vec![lossy], &["in", "f01"]);
    plant.run(2 * 3_600 + 600, &[("in", 20_000_000), ("f01", 19_800_000)]);
    let told = plant.told[1];
    assert_eq!(told.outcome, Outcome::Agrees);
    assert!((199_000..=201_000).contains(&told.lost.0) && told.residual.0.abs() < 5_000, "{told:?}");
}

#[test]
fn with_a_coupler_closed_or_unknown_the_groups_are_one_and_say_nothing() {
    // A neighbour melts through our bus: each group alone would miss, or have, 10 MW.
    let loads = [("in-1", 30_000_000), ("f01", 20_000_000), ("in-2", 5_000_000), ("f02", 15_000_000)];
    let outcomes = |position| {
        let second = group("bus-2", "in-2", &["f02"]);
        let coupler = Some(Coupler { with: name("bus-1"), position, source: Some(name("drawing-7")) });
        let groups = vec![group("bus-1", "in-1", &["f01"]), Group { coupler, ..second }];
        let mut plant = Plant::new(groups, &["in-1", "f01", "in-2", "f02"]);
        plant.late = Some(("f02", 9_000));
        plant.run(3_600 + 600, &loads);
        plant.told
    };
    let closed = outcomes(Position::Closed);
    assert_eq!(
        closed.iter().map(|t| t.outcome).collect::<Vec<_>>(),
        [Outcome::Unknown(Doubt::CouplerClosed)]
    );
    assert!(closed[0].residual.0.abs() < closed[0].error.0 && closed[0].figures().is_none(), "{closed:?}");
    assert_eq!(outcomes(Position::Unknown)[0].outcome, Outcome::Unknown(Doubt::CouplerUnknown));
    let open = outcomes(Position::Open);
    assert!(open.len() == 2 && open.iter().all(|told| told.outcome == Outcome::Residual), "{open:?}");
}

#[test]
fn a_silent_member_leaves_the_balance_unknown_and_the_next_one_spans_its_silence() {
    let mut plant = Plant::new(vec![group("bus-1", "in", &["f01"])], &["in", "f01"]);
    let load = [("in", 10_000_000), ("f01", 10_000_000)];
    plant.run(3_600 + 600, &load);
    plant.silent = Some("f01");
    plant.run(3_600, &load);
    assert_eq!(plant.outcomes(), [Outcome::Agrees, Outcome::Unknown(Doubt::MemberSilent)]);
    assert_eq!((plant.told[1].told, plant.told[1].members), (1, 2));
    plant.silent = None;
    plant.run(3_600, &load);
    assert_eq!(plant.outcomes()[2], Outcome::Agrees);
    assert!(plant.told[2].covered_ms > 7_000_000, "{:?}", plant.told[2]);
}

#[test]
fn a_count_that_began_anew_and_a_clock_that_was_moved_begin_the_balance_anew() {
    let load = [("in", 10_000_000), ("f01", 10_000_000)];
    let mut plant = Plant::new(vec![group("bus-1", "in", &["f01"])], &["in", "f01"]);
    plant.run(5_400, &load);
    plant.counted[1].1 = 0;
    plant.balances.on_break(meter("f01"));
    plant.run(5_400, &load);
    assert!(!plant.outcomes().contains(&Outcome::Residual), "{:?}", plant.told);
    plant.balances.on_clock_step();
    plant.run(7_200, &load);
    assert_eq!(plant.outcomes().last(), Some(&Outcome::Agrees));
    assert!(!plant.outcomes().contains(&Outcome::Residual));
}

#[test]
fn a_balance_that_agrees_corroborates_its_feeders_for_two_hours() {
    let mut plant = Plant::new(vec![group("bus-1", "in", &["f01"])], &["in", "f01"]);
    let asset = AssetId::new("eaf-f01").unwrap();
    let now = |plant: &Plant| Plant::stamp(plant.now_ms);
    assert_eq!(plant.balances.corroboration(asset, &now(&plant)), None);
    plant.run(3_600 + 600, &[("in", 10_000_000), ("f01", 10_000_000)]);
    let said = plant.balances.corroboration(asset, &now(&plant)).unwrap();
    assert!(said.group == name("bus-1") && said.blind.watts() > 100_000, "{said:?}");
    let other = AssetId::new("eaf-in").unwrap();
    assert_eq!(plant.balances.corroboration(other, &now(&plant)), None, "an incomer is no feeder");
    assert_eq!(plant.balances.corroboration(asset, &Plant::stamp(plant.now_ms + 3 * HOUR_MS)), None);
    plant.run(3_600, &[("in", 12_000_000), ("f01", 10_000_000)]);
    assert_eq!(plant.balances.corroboration(asset, &now(&plant)), None, "a residual corroborates nothing");
}

/// Two meters of class 0.2S, an incomer and its one feeder, read at moments of their own.
struct Pair {
    balances: Balances,
    told: Vec<BalanceFinding>,
}

impl Pair {
    fn new() -> Pair {
        let class = Accuracy::parse("0.2S");
        let fine = |id| Commissioned { classes: Classes { meter: class, ct: class, pt: class }, ..terms(id) };
        let meters = [fine("in"), fine("f01")];
        let groups = vec![group("bus-1", "in", &["f01"])];
        Pair { balances: Balances::new(groups, &meters.iter().collect::<Vec<_>>()), told: Vec::new() }
    }

    /// So many seconds after the beginning a meter shows so many watt-hours, and so many watts.
    fn read(&mut self, id: &str, second: i64, energy: i64, watts: i64) {
        self.read_both(id, second, (energy, None), watts);
    }

    fn read_both(&mut self, id: &str, second: i64, (import, export): (i64, Option<(i64, u32)>), watts: i64) {
        let at = Plant::stamp(START_MS + second * 1_000);
        let export =
            export.map(|(energy, count)| BackCount { energy: WattHours(energy), step: WattHours(10), count });
        let power = Some(MilliWatts::from_watts(watts));
        let point = Point { at, import: WattHours(import), export, step: WattHours(10), power };
        self.balances.on_point(meter(id), point);
    }

    fn tick(&mut self, second: i64) {
        let told = &mut self.told;
        self.balances.on_tick(&Plant::stamp(START_MS + second * 1_000), |finding, _| told.push(*finding));
    }

    fn last(&self) -> BalanceFinding {
        *self.told.last().unwrap()
    }
}

#[test]
fn a_meter_that_is_read_late_at_one_end_has_counted_for_longer_and_not_more() {
    let mut pair = Pair::new();
    let watt_hours = |second: i64| 12_500_000 * second / 3_600;
    for second in (1..7_300).step_by(10) {
        pair.read("in", second, watt_hours(second), 12_500_000);
        // It did not answer for four minutes around the full hour.
        if !(7_190..7_430).contains(&second) {
            pair.read("f01", second, watt_hours(second), 12_500_000);
        }
        pair.tick(second);
    }
    pair.read("f01", 7_435, watt_hours(7_435), 12_500_000);
    pair.tick(7_436);
    let told = pair.last();
    assert_eq!((told.outcome, told.told), (Outcome::Agrees, 2), "{told:?}");
    assert!(told.residual.0.abs() < 1_000, "both ran evenly: {told:?}");
    assert!(told.error.0 > 60_000, "and what was not seen of it may have changed: {told:?}");
}

#[test]
fn a_melt_that_begins_while_an_hour_is_told_is_known_as_a_change_in_the_next() {
    let mut pair = Pair::new();
    let begins = 3_645;
    let watts = |second: i64| if second < begins { 100_000 } else { 12_500_000 };
    let watt_hours = |second: i64| (100_000 * second + 12_400_000 * (second - begins).max(0)) / 3_600;
    for minute in 0..125 {
        let second = minute * 60;
        pair.read("in", second, watt_hours(second), watts(second));
        pair.tick(second);
        let later = second + 50;
        pair.read("f01", later, watt_hours(later), watts(later));
        pair.tick(later);
    }
    assert!(pair.told.iter().all(|told| told.outcome == Outcome::Agrees), "{:?}", pair.told);
    assert_eq!(pair.told.len(), 2);
}

#[test]
fn what_flows_backwards_is_netted_and_errs_as_much_and_a_missing_word_is_no_zero() {
    let mut pair = Pair::new();
    // A crane hall feeds back half of what it draws; the feeder's meter errs by 0.2 %, as it may.
    let read = |pair: &mut Pair, second: i64, tells: bool| {
        let (import, export) = (20_000_000 * second / 3_600, 10_000_000 * second / 3_600);
        pair.read("in", second, import - export, 10_000_000);
        let export = export + export / 500;
        let back = tells.then_some((50_000_000 + export, 1));
        pair.read_both("f01", second, (import + import / 500, back), 10_000_000);
        pair.tick(second);
    };
    // At the second full hour the export word cannot be read for some minutes.
    (1..10_900).step_by(10).for_each(|second| read(&mut pair, second, !(7_195..7_300).contains(&second)));
    let outcomes: Vec<Outcome> = pair.told.iter().map(|told| told.outcome).collect();
    assert_eq!(outcomes, [Outcome::Agrees; 3], "{:?}", pair.told);
    assert!(pair.told.iter().all(|told| told.residual.0.abs() < 30_000), "{:?}", pair.told);
    // The meter was exchanged, or its count began anew: energies of two counts are not compared.
    let (import, export) = (20_000_000 * 11_400 / 3_600, 7);
    pair.read_both("f01", 11_400, (import, Some((export, 2))), 10_000_000);
    (11_410..14_500).step_by(10).for_each(|second| {
        pair.read("in", second, 10_000_000 * second / 3_600, 10_000_000);
        let export = 10_000_000 * (second - 11_400) / 3_600;
        pair.read_both("f01", second, (20_000_000 * second / 3_600, Some((export, 2))), 10_000_000);
        pair.tick(second);
    });
    assert_eq!(pair.last().outcome, Outcome::Unknown(Doubt::TooShort), "{:?}", pair.last());
}

#[test]
fn what_rests_below_the_floors_may_add_up_at_the_incomer() {
    let floor = terms("f01").floor.power.watts();
    let idle = floor * 9 / 10;
    let mut meters = vec!["in"];
    meters.extend(FEEDERS);
    let mut plant = Plant::new(vec![group("bus-1", "in", &FEEDERS)], &meters);
    // Transformers at no load: each feeder's meter does not start, the incomer's counts them all.
    plant.run(2 * 3_600 + 600, &[("in", idle * 12)]);
    assert_eq!(plant.outcomes(), [Outcome::Agrees, Outcome::Agrees]);
    assert!(plant.told[1].blind.watts() > idle * 12, "{:?}", plant.told[1]);
    let mut plant = Plant::new(vec![group("bus-1", "in", &FEEDERS)], &meters);
    plant.run(2 * 3_600 + 600, &[("in", floor * 12 + 900_000)]);
    assert_eq!(plant.outcomes(), [Outcome::Residual, Outcome::Residual], "{:?}", plant.told);
}

#[test]
fn a_run_in_an_outage_is_a_change_that_nobody_saw() {
    let mut pair = Pair::new();
    // The feeder's meter is silent for two hours and a half; a melt runs meanwhile and ends as it comes back.
    let (begins, ends) = (4_000, 10_920);
    let watts = |second: i64| if (begins..ends).contains(&second) { 12_500_000 } else { 100_000 };
    let watt_hours =
        |second: i64| (100_000 * second + 12_400_000 * (second.min(ends) - begins).max(0)) / 3_600;
    for second in (1..11_100).step_by(10) {
        pair.read("in", second, watt_hours(second), watts(second));
        if !(2_000..10_950).contains(&second) {
            pair.read("f01", second, watt_hours(second), watts(second));
        }
        pair.tick(second);
    }
    let told = pair.last();
    assert_eq!((told.told, told.outcome), (2, Outcome::Agrees), "{told:?}");
    assert!(told.covered_ms > 2 * HOUR_MS);
}
