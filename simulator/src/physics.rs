//! What must hold of every load, every wiring and every seed at every moment.

use std::sync::Arc;

use coldhearth::{
    metering::{Profile, Quantity},
    terms::{MilliVolts, MilliWatts, Ratio},
};
use proptest::{
    prelude::*,
    sample::{Index, select},
};

use crate::{
    Auxiliaries, BallMill, BlastFurnace, Capacitors, Change, Class, Classes, Converter, ElectricArcFurnace,
    Elements, Fed, Feeder, FeederIndex, GlassLine, LadleFurnace, Load, PaperMachine, Phase, Place, Plant,
    PotLine, RotaryKiln, ShaftKiln, SimMeter, SubmergedArcFurnace, Trace, Transformer, Wiring,
    load::trace::Row, round_trip::profile, rounding::real,
};

const LOSSES: Transformer = Transformer {
    rated_va: 40_000_000.0,
    no_load_loss_w: 30_000.0,
    no_load_va: 200_000.0,
    load_loss_w: 180_000.0,
    leakage_var: 3_600_000.0,
};

fn loads() -> Vec<Load> {
    let rows = (1..500).map(|n| {
        let vars = (n % 3 == 0).then_some(50_000.0);
        Row { at_ms: n * 1_300, power: MilliWatts(i64::try_from(n % 17).unwrap() * 77_777_777), vars }
    });
    vec![
        Load::Cold,
        Load::ElectricArcFurnace(ElectricArcFurnace::SMALL),
        Load::LadleFurnace(LadleFurnace::MEASURED),
        Load::SubmergedArcFurnace(SubmergedArcFurnace::FERROALLOY),
        Load::BlastFurnace(BlastFurnace::SMALL),
        Load::BlastFurnace(BlastFurnace::STEAM_BLOWN),
        Load::Converter(Converter::SMALL),
        Load::RotaryKiln(RotaryKiln::WET),
        Load::RotaryKiln(RotaryKiln::DRY_HOLLOW),
        Load::ShaftKiln(ShaftKiln::MECHANISED),
        Load::BallMill(BallMill::CEMENT),
        Load::PotLine(PotLine::SMALL),
        Load::GlassLine(GlassLine::SMALL),
        Load::PaperMachine(PaperMachine::NARROW),
        Load::Trace(Trace::new(rows.collect(), true).unwrap()),
    ]
}

fn wirings() -> Vec<Wiring> {
    let phases = [Phase::L1, Phase::L2, Phase::L3];
    let mut all = vec![
        Wiring::Right,
        Wiring::VoltageSwapped,
        Wiring::CtsSaturated { left_per_mille: 300 },
        Wiring::CtShunted { phase: Phase::L2, left_per_mille: 0 },
    ];
    all.extend(phases.map(Wiring::CtReversed));
    all.extend(phases.map(Wiring::PtFuseBlown));
    all.extend(phases.map(Wiring::EarthFault));
    all
}

fn classes() -> impl Strategy<Value = Classes> {
    let class = || select(vec![None, Some("0.2S"), Some("0.5S"), Some("0.5"), Some("1")]);
    let of = |text: Option<&str>| text.and_then(Class::parse);
    (class(), class(), class()).prop_map(move |(meter, ct, pt)| Classes {
        meter: of(meter),
        ct: of(ct),
        pt: of(pt),
    })
}

/// One thing that happens to the first of two feeders, below an incomer.
fn deeds(first: FeederIndex, second: FeederIndex, incomer: FeederIndex) -> Vec<Change> {
    vec![
        Change::StartMelt(first),
        Change::StopLoad(first),
        Change::Level(first, 500),
        Change::Ramp(first, 100, 60_000),
        Change::Feed(first, Fed::Through(incomer)),
        Change::Feed(first, Fed::Through(second)),
        Change::Feed(first, Fed::Elsewhere),
        Change::Feed(first, Fed::Own),
        Change::Cut(first),
        Change::Restore(first),
        Change::Generate(first, Place::BeforeMeter),
        Change::Generate(first, Place::BehindMeter),
        Change::Cut(incomer),
        Change::Restore(incomer),
        Change::Capacitors(second, Some(Capacitors { rated_var: 400_000.0 })),
        Change::Force(second, MilliWatts(-123_456_789)),
        Change::Release(second),
    ]
}

/// A meter's quantity, unrounded.
fn held(plant: &Plant, unit: u8, quantity: Quantity) -> f64 {
    plant.held(unit, quantity).unwrap()
}

fn near(found: f64, wanted: f64, off: f64) -> Result<(), TestCaseError> {
    prop_assert!((found - wanted).abs() <= off, "{} is not {} within {}", found, wanted, off);
    Ok(())
}

/// Powers of a meter agree with its voltages and currents, phase by phase and in total.
fn agrees(plant: &Plant, unit: u8, is_aron: bool, is_distorted: bool) -> Result<(), TestCaseError> {
    let of = |quantity| held(plant, unit, quantity);
    let phases = [
        [Quantity::PowerL1, Quantity::ReactiveL1, Quantity::ApparentL1, Quantity::PfL1],
        [Quantity::PowerL2, Quantity::ReactiveL2, Quantity::ApparentL2, Quantity::PfL2],
        [Quantity::PowerL3, Quantity::ReactiveL3, Quantity::ApparentL3, Quantity::PfL3],
    ];
    let volts_amps = [
        (Quantity::VoltageL1, Quantity::CurrentL1),
        (Quantity::VoltageL2, Quantity::CurrentL2),
        (Quantity::VoltageL3, Quantity::CurrentL3),
    ];
    let (mut power, mut reactive, mut apparent) = (0.0, 0.0, 0.0);
    for ([p, q, s, pf], (volts, amps)) in phases.into_iter().zip(volts_amps) {
        let (p, q, s, pf) = (of(p), of(q), of(s), of(pf));
        let off = 0.01 + s * 1e-6;
        if !is_aron {
            near(p, of(volts) * of(amps) * pf, off)?;
        }
        near(p, s * pf, off)?;
        if is_distorted {
            prop_assert!((p * p + q * q).sqrt() <= s + off);
        } else {
            near((p * p + q * q).sqrt(), s, off)?;
        }
        (power, reactive, apparent) = (power + p, reactive + q, apparent + s);
    }
    near(of(Quantity::Power), power, 0.01)?;
    near(of(Quantity::Reactive), reactive, 0.01)?;
    let total = of(Quantity::Apparent);
    prop_assert!(total <= apparent * (1.0 + 1e-9) + 0.01 || is_aron);
    near(of(Quantity::Pf) * total, power, 0.01 + total * 1e-6)
}

/// What an incomer carries beyond its feeders is what its transformer loses.
fn loses(plant: &Plant, below: &[FeederIndex], incomer: FeederIndex) -> Result<(), TestCaseError> {
    let legs = |feeder| plant.flow(feeder).legs;
    let carried: f64 =
        below.iter().flat_map(|feeder| legs(*feeder)).map(|leg| real(leg.milliwatts) / 1e3).sum();
    let vars: f64 = below.iter().flat_map(|feeder| legs(*feeder)).map(|leg| leg.vars).sum();
    let lost = real(plant.truth(incomer).power.0) / 1e3 - carried;
    let square = (carried * carried + vars * vars) / (LOSSES.rated_va * LOSSES.rated_va);
    // The voltage wanders by 1 %, which both losses feel in square; the incomer's magnetising power adds a little to S.
    let wanted = LOSSES.no_load_loss_w + LOSSES.load_loss_w * square;
    near(lost, wanted, wanted * 0.05)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn registers_follow_from_one_model(
        seed: u64,
        kinds in (select(loads()), select(loads())),
        wiring in select(wirings()),
        two_elements: bool,
        classes in classes(),
        what in prop::collection::vec((any::<Index>(), 0..20_000_u64), 0..6),
        begin in 0..200_u64,
    ) {
        let ratio = |primary, secondary| Ratio::new(primary, secondary).unwrap();
        let profile: Arc<Profile> = profile("sim-cutoff");
        let meter = || SimMeter::new(&profile).with_ct(ratio(2_000, 5)).with_pt(ratio(10_000, 100)).with_classes(classes);
        let lamps = Auxiliaries { lamps_w: 30_000, heaters_w: 20_000, crane_w: 60_000, regeneration_w: 90_000, barring_w: 9_000, welding_w: 7_000 };
        let mut plant = Plant::new(seed);
        let first = Feeder::new(MilliVolts(10_000_000), kinds.0).running();
        let first = plant.add_feeder(first.with_transformer(Transformer::of_rating(6_300_000.0)));
        let second = Feeder::new(MilliVolts(10_000_000), kinds.1).with_auxiliaries(lamps).running();
        let second = plant.add_feeder(second);
        let incomer = Feeder::new(MilliVolts(35_000_000), Load::Cold).with_transformer(LOSSES);
        let incomer = plant.add_incomer(incomer, &[first, second]);
        let elements = if two_elements { Elements::Two } else { Elements::Three };
        plant.add_meter(1, meter().with_elements(elements), first);
        plant.add_meter(2, meter(), second);
        prop_assert!(plant.apply(Change::Rewire(1, wiring)));
        let deeds = deeds(first, second, incomer);
        plant.advance_to(begin * 977_000);
        for (which, at_ms) in what {
            plant.follow(crate::Timeline::new().at(plant.now_ms() + at_ms, which.get(&deeds).clone()));
        }
        let is_distorted = matches!(wiring, Wiring::CtsSaturated { .. });
        let register = |plant: &Plant, unit| held(plant, unit, Quantity::Import) - held(plant, unit, Quantity::Export);
        let before = [1, 2].map(|unit| register(&plant, unit));
        let truths = |plant: &Plant| {
            let exact = |truth: crate::Truth| truth.exact_energy.cast_signed() - truth.exact_energy_out.cast_signed();
            let of = |feeder| exact(plant.truth(feeder));
            [of(first), of(second), of(incomer), exact(plant.equipment(first))]
        };
        let begun = truths(&plant);
        let (mut measured, mut flowed) = ([0.0; 2], [0_i128; 4]);
        // Between two looks nothing changes.
        while plant.now_ms() < begin * 977_000 + 25_000 {
            agrees(&plant, 1, two_elements, is_distorted)?;
            agrees(&plant, 2, false, false)?;
            if [first, second, incomer].iter().all(|feeder| plant.hangs_on_the_grid(*feeder)) {
                loses(&plant, &[first, second], incomer)?;
            }
            let powers = [first, second, incomer].map(|feeder| plant.truth(feeder).power.0);
            let all = [powers[0], powers[1], powers[2], plant.equipment(first).power.0];
            let seen = [1, 2].map(|unit| held(&plant, unit, Quantity::Power));
            let passed = plant.held_until_ms().max(plant.now_ms() + 1) - plant.now_ms();
            plant.advance_to(plant.now_ms() + passed);
            for (sum, power) in flowed.iter_mut().zip(all) {
                *sum += i128::from(power) * i128::from(passed);
            }
            for (sum, power) in measured.iter_mut().zip(seen) {
                *sum += power * real(i64::try_from(passed).unwrap()) / 3.6e9;
            }
        }
        let passed: Vec<i128> = truths(&plant).iter().zip(begun).map(|(after, before)| after - before).collect();
        prop_assert_eq!(passed, flowed.to_vec(), "the truth's energy is the integral of its power");
        for ((unit, before), energy) in [1, 2].into_iter().zip(before).zip(measured) {
            let counted = register(&plant, unit) - before;
            near(counted, energy, 1e-6 + energy.abs() * 1e-6)?;
        }
    }
}
