//! Balance groups told hour by hour.

use super::{
    group::Position,
    result::{blind_at, skew_error},
    *,
};
use crate::{
    judge::{
        Accuracy, Classes, Wiring,
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
                    energy: WattHours(energy / 1_000 * 1_000),
                    step: WattHours(1_000),
                    power: MilliWatts::from_watts(load),
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
