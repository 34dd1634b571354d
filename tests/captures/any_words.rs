//! Whatever a meter answers: no panic, no number out of a sentinel, and every type comes back as it was sent.

use coldhearth::{
    metering::{
        Plan, Profile, Quantity, Scan,
        decode::{Declared, decode, guesses, probe},
        profile::{Absent, Cell, Kind, Origin, WordOrder},
    },
    terms::Ratio,
};
use proptest::prelude::*;

use super::{profiles, push};

const DIRECT: Declared = Declared { ct: Some(Ratio::DIRECT), pt: Some(Ratio::DIRECT) };

/// A complete poll of any words, with 1 in every ratio register.
fn poll(profile: &Profile, words: &[u16]) -> Scan {
    let mut scan = Scan::default();
    let mut next = words.iter().copied().cycle();
    for block in Plan::of(profile).unwrap().blocks {
        let words: Vec<u16> = (0..block.count).map(|_| next.next().unwrap()).collect();
        push(&mut scan, block.function, block.at, &words);
    }
    scan
}

/// The bits of every sentinel of a cell.
fn sentinels(cell: &Cell) -> Vec<u64> {
    let ones = cell.kind.ones();
    let Absent { max, sunspec, words } = cell.absent;
    let signed = cell.kind.is_signed();
    let mut all: Vec<u64> = Vec::new();
    match cell.kind {
        Kind::F32 => all.extend([f32::NAN, f32::INFINITY, f32::NEG_INFINITY].map(|f| u64::from(f.to_bits()))),
        Kind::F64 => all.extend([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(f64::to_bits)),
        Kind::U16 | Kind::I16 | Kind::U32 | Kind::I32 | Kind::U64 | Kind::I64 => {
            all.extend(max.then_some(if signed { ones >> 1 } else { ones }));
            all.extend(sunspec.then_some(if signed { (ones >> 1) + 1 } else { ones }));
            all.extend(words.into_iter().flatten().map(|word| word.cast_unsigned() & ones));
        }
    }
    all
}

fn in_order(kind: Kind, order: WordOrder, bits: u64) -> Vec<u16> {
    let mut words: Vec<u16> =
        (0..kind.words()).rev().map(|place| u16::try_from(bits >> (16 * place) & 0xFFFF).unwrap()).collect();
    if order == WordOrder::Little {
        words.reverse();
    }
    words
}

#[test]
fn no_sentinel_of_any_profile_becomes_a_number() {
    let mut checked = 0;
    for profile in profiles() {
        for row in &profile.rows {
            for bits in sentinels(&row.cell) {
                let mut scan = Scan::default();
                push(
                    &mut scan,
                    row.cell.function,
                    row.cell.at,
                    &in_order(row.cell.kind, row.cell.order, bits),
                );
                if let Some(power) = row.cell.pow10_block() {
                    push(&mut scan, power.function, power.at, &[0]);
                }
                let shown = probe(&profile, DIRECT, Origin::FIXED, &scan);
                let shown = shown.iter().find(|shown| shown.quantity == row.quantity).unwrap();
                assert_eq!(shown.value, None, "{} {:?} {bits:X}", profile.id, row.quantity);
                checked += 1;
            }
        }
    }
    assert!(checked > 1_000, "{checked}");
}

fn one_row(kind: Kind, order: WordOrder) -> Profile {
    let order = if order == WordOrder::Big { "big" } else { "little" };
    let text = format!(
        "id = \"one\"\nvendor = \"V\"\nmodels = [\"M\"]\nvalues = \"primary\"\ntested = \"simulated\"\n\
         tested_how = \"by this test\"\n[link]\n[measure]\n\
         power = {{ at = 7, type = \"{}\", order = \"{order}\" }}\n",
        kind.word()
    );
    Profile::parse("one.toml", &text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_words_of_any_profile_decode_to_plausible_numbers_or_to_nothing(
        words in proptest::collection::vec(
            prop_oneof![Just(0), Just(0xFFFF), Just(0x7FFF), Just(0x8000), Just(0x7FC0), any::<u16>()],
            1..200,
        ),
    ) {
        for profile in profiles() {
            let scan = poll(&profile, &words);
            for shown in probe(&profile, DIRECT, Origin::FIXED, &scan) {
                prop_assert!(shown.value.is_none_or(|value| shown.quantity.is_plausible(value)));
                prop_assert!(shown.value.is_some() || shown.problem.is_some());
            }
            let Ok(decoded) = decode(&profile, Declared::default(), Origin::FIXED, &scan) else { continue };
            for (quantity, register) in decoded.registers.iter() {
                prop_assert_eq!(decoded.values[quantity.index()], Some(register.energy.0));
                prop_assert!(register.step.0 >= 1);
                prop_assert!(register.modulus.is_none_or(|modulus| modulus.0 > 0));
            }
        }
        prop_assert!(guesses(&words).len() <= 14 * words.len());
    }

    #[test]
    fn every_whole_type_comes_back_in_both_orders(raw in any::<i64>()) {
        for (_, kind) in Kind::ALL.iter().filter(|(_, kind)| !kind.is_float()) {
            for order in [WordOrder::Big, WordOrder::Little] {
                let bits = raw.cast_unsigned() & kind.ones();
                let unused = 64 - 16 * u32::from(kind.words());
                let number = if kind.is_signed() {
                    i128::from((bits << unused).cast_signed() >> unused)
                } else {
                    i128::from(bits)
                };
                let mut scan = Scan::default();
                push(&mut scan, coldhearth::metering::Function::Holding, 7, &in_order(*kind, order, bits));
                let profile = one_row(*kind, order);
                let decoded = decode(&profile, Declared::default(), Origin::FIXED, &scan).unwrap();
                let expected = i64::try_from(number * 1_000).ok().filter(|v| Quantity::Power.is_plausible(*v));
                prop_assert_eq!(decoded.values[Quantity::Power.index()], expected, "{:?} {:?}", kind, order);
            }
        }
    }

    #[test]
    fn every_float_comes_back_in_both_orders(value in -1e9_f64..1e9) {
        #[expect(clippy::cast_possible_truncation, reason = "a single is what the meter sends")]
        let single = value as f32;
        #[expect(clippy::cast_possible_truncation, reason = "well within")]
        let thousandths = |value: f64| (value * 1_000.0).round() as i64;
        for order in [WordOrder::Big, WordOrder::Little] {
            for (kind, bits, expected) in [
                (Kind::F32, u64::from(single.to_bits()), thousandths(f64::from(single))),
                (Kind::F64, value.to_bits(), thousandths(value)),
            ] {
                let mut scan = Scan::default();
                push(&mut scan, coldhearth::metering::Function::Holding, 7, &in_order(kind, order, bits));
                let decoded = decode(&one_row(kind, order), Declared::default(), Origin::FIXED, &scan).unwrap();
                let found = decoded.values[Quantity::Power.index()].unwrap();
                prop_assert!((found - expected).abs() <= 1, "{:?} {:?} {} {}", kind, order, found, expected);
            }
        }
    }
}
