//! Plausibility: does what was read hang together as physics, and as the mains? Marks for a person, never a verdict.

use crate::{metering::Quantity, terms::MilliVolts};

/// Line-to-line voltages of systems in use, in volts (GB/T 156 and IEC 60038); 100 is a voltage transformer's secondary.
pub const SYSTEMS_V: &[i64] =
    &[100, 380, 400, 660, 690, 1_140, 3_000, 6_000, 10_000, 20_000, 35_000, 66_000, 110_000, 220_000];
/// How far a voltage may lie off its nominal value and still be near it, in permille.
const NEAR_PERMILLE: i64 = 150;
/// How far it may lie off a system's voltage where no nominal value was given, in permille: GB/T 12325 allows 10 %.
const SYSTEM_PERMILLE: i64 = 100;
/// Mains frequencies accepted, in thousandths of a hertz: 50 Hz, with room for an islanded plant.
const MAINS_50: std::ops::RangeInclusive<i64> = 49_000..=51_000;
/// The other mains of the world: right somewhere, doubtful here.
const MAINS_60: std::ops::RangeInclusive<i64> = 59_000..=61_000;
/// How far S may lie off V x I, P off the sum of its phases, and P above S, in permille (VERDICT: 5 % between samples).
const AGREE_PERMILLE: i64 = 50;
/// Below these nothing is compared: meters round, in thousandths of an ampere and of a volt-ampere.
const MIN_COMPARED: (i64, i64) = (50, 20_000);
/// A voltage below this part of the system's is none, in permille.
const NO_VOLTAGE_PERMILLE: i64 = 100;
/// Root of three, in ten-thousandths.
const ROOT_3: i64 = 17_321;

/// One quantity as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What.
    pub quantity: Quantity,
    /// Thousandths of its unit.
    pub value: i64,
    /// Whether a transformer ratio is still missing: the value is the meter's own side.
    pub secondary: bool,
}

/// What is remarkable about a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// As a system of so many volts, line to line, has it.
    FitsSystem(i64),
    /// Near the nominal voltage that was given.
    NearNominal,
    /// So many permille of the nominal voltage that was given.
    OffNominal(i64),
    /// No system in use has such a voltage.
    FitsNoSystem,
    /// Next to nothing.
    NoVoltage,
    /// The mains' frequency.
    Mains,
    /// 60 Hz.
    OtherMains,
    /// No mains has such a frequency.
    NoMains,
    /// S agrees with V x I.
    AgreesWithVoltAmperes,
    /// V x I gives this instead, in thousandths of a volt-ampere.
    VoltAmperesAre(i64),
    /// P is greater than S or than V x I.
    AboveApparent(i64),
    /// The phases add up to the total.
    PhasesAddUp,
    /// The phases add up to this instead, in thousandths of the unit.
    PhasesAddUpTo(i64),
    /// P over S agrees with the power factor.
    FactorAgrees,
    /// P over S is this instead, in thousandths.
    FactorIs(i64),
    /// One phase's power runs against the others': a current transformer may be mounted the wrong way round.
    RunsAgainstOthers,
    /// One phase carries next to nothing while the others do: a current transformer may be shorted or open.
    CarriesNothing,
}

impl Note {
    /// Whether it speaks for the reading.
    pub const fn is_good(self) -> bool {
        match self {
            Note::FitsSystem(_)
            | Note::NearNominal
            | Note::Mains
            | Note::AgreesWithVoltAmperes
            | Note::PhasesAddUp
            | Note::FactorAgrees => true,
            Note::OffNominal(_)
            | Note::FitsNoSystem
            | Note::NoVoltage
            | Note::OtherMains
            | Note::NoMains
            | Note::VoltAmperesAre(_)
            | Note::AboveApparent(_)
            | Note::PhasesAddUpTo(_)
            | Note::FactorIs(_)
            | Note::RunsAgainstOthers
            | Note::CarriesNothing => false,
        }
    }

    /// Whether it makes a current transformer suspect.
    pub const fn suspects_ct(self) -> bool {
        matches!(self, Note::RunsAgainstOthers | Note::CarriesNothing)
    }

    /// The word for machines.
    pub const fn word(self) -> &'static str {
        match self {
            Note::FitsSystem(_) => "fits_system",
            Note::NearNominal => "near_nominal",
            Note::OffNominal(_) => "off_nominal",
            Note::FitsNoSystem => "fits_no_system",
            Note::NoVoltage => "no_voltage",
            Note::Mains => "mains",
            Note::OtherMains => "mains_60_hz",
            Note::NoMains => "no_mains",
            Note::AgreesWithVoltAmperes => "agrees_with_volt_amperes",
            Note::VoltAmperesAre(_) => "volt_amperes_differ",
            Note::AboveApparent(_) => "power_above_apparent",
            Note::PhasesAddUp => "phases_add_up",
            Note::PhasesAddUpTo(_) => "phases_differ",
            Note::FactorAgrees => "factor_agrees",
            Note::FactorIs(_) => "factor_differs",
            Note::RunsAgainstOthers => "runs_against_others",
            Note::CarriesNothing => "carries_nothing",
        }
    }
}

/// A note on one quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// On which.
    pub quantity: Quantity,
    /// What.
    pub note: Note,
}

const PHASE_VOLTS: [Quantity; 3] = [Quantity::VoltageL1, Quantity::VoltageL2, Quantity::VoltageL3];
const LINE_VOLTS: [Quantity; 3] = [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31];
const AMPS: [Quantity; 3] = [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3];
const WATTS: [Quantity; 3] = [Quantity::PowerL1, Quantity::PowerL2, Quantity::PowerL3];
const APPARENT: [Quantity; 3] = [Quantity::ApparentL1, Quantity::ApparentL2, Quantity::ApparentL3];
const REACTIVE: [Quantity; 3] = [Quantity::ReactiveL1, Quantity::ReactiveL2, Quantity::ReactiveL3];

/// Every mark, in the order of the quantities. `nominal` is line to line, on the primary side.
pub fn marks(seen: &[Seen], nominal: Option<MilliVolts>) -> Vec<Mark> {
    let sheet = Sheet { seen, nominal };
    let mut marks = Vec::new();
    for of_seen in seen {
        if let Some(note) = sheet.alone(of_seen) {
            marks.push(Mark { quantity: of_seen.quantity, note });
        }
    }
    for phase in 0..3 {
        marks.extend(sheet.phase(phase));
    }
    marks.extend(sheet.totals());
    marks.extend(sheet.transformers());
    marks.sort_by_key(|mark| mark.quantity);
    marks
}

/// Line-to-line voltage of the system a phase or line voltage, in millivolts, belongs to, in volts.
pub fn system_of(quantity: Quantity, millivolts: i64) -> Option<i64> {
    let line = line_to_line(quantity, millivolts)?;
    let off = |system: &i64| (line - system * 1_000).abs();
    SYSTEMS_V.iter().copied().filter(|v| off(v) <= v * SYSTEM_PERMILLE).min_by_key(off)
}

/// A voltage seen line to line, in millivolts; `None` for what is no voltage.
fn line_to_line(quantity: Quantity, millivolts: i64) -> Option<i64> {
    if PHASE_VOLTS.contains(&quantity) {
        return Some(millivolts.checked_mul(ROOT_3)? / 10_000);
    }
    LINE_VOLTS.contains(&quantity).then_some(millivolts)
}

struct Sheet<'a> {
    seen: &'a [Seen],
    nominal: Option<MilliVolts>,
}

impl Sheet<'_> {
    fn get(&self, quantity: Quantity) -> Option<Seen> {
        self.seen.iter().copied().find(|seen| seen.quantity == quantity)
    }

    /// Values that stand on one side of the transformers; others cannot be compared.
    fn together<const N: usize>(&self, wanted: [Quantity; N]) -> Option<[i64; N]> {
        let seen: Vec<Seen> = wanted.iter().map(|q| self.get(*q)).collect::<Option<_>>()?;
        let first = seen.first()?.secondary;
        if seen.iter().any(|one| one.secondary != first) {
            return None;
        }
        let values: Vec<i64> = seen.iter().map(|one| one.value).collect();
        values.try_into().ok()
    }

    fn alone(&self, seen: &Seen) -> Option<Note> {
        if seen.quantity == Quantity::Frequency {
            return Some(match seen.value {
                hertz if MAINS_50.contains(&hertz) => Note::Mains,
                hertz if MAINS_60.contains(&hertz) => Note::OtherMains,
                _ => Note::NoMains,
            });
        }
        let line = line_to_line(seen.quantity, seen.value)?;
        let lowest = SYSTEMS_V.first().copied().unwrap_or(100) * NO_VOLTAGE_PERMILLE;
        match self.nominal.filter(|nominal| !seen.secondary && nominal.0 > 0) {
            Some(nominal) => {
                let permille = line.checked_mul(1_000)? / nominal.0;
                Some(match permille {
                    p if p < NO_VOLTAGE_PERMILLE => Note::NoVoltage,
                    p if (p - 1_000).abs() <= NEAR_PERMILLE => Note::NearNominal,
                    p => Note::OffNominal(p),
                })
            }
            None if line.abs() < lowest => Some(Note::NoVoltage),
            None => Some(system_of(seen.quantity, seen.value).map_or(Note::FitsNoSystem, Note::FitsSystem)),
        }
    }

    /// S against V x I, and P against both, in one phase.
    fn phase(&self, phase: usize) -> Vec<Mark> {
        let pick = |of: [Quantity; 3]| of.get(phase).copied();
        let (Some(volts), Some(amps), Some(watts), Some(apparent)) =
            (pick(PHASE_VOLTS), pick(AMPS), pick(WATTS), pick(APPARENT))
        else {
            return Vec::new();
        };
        let product = self.together([volts, amps]).and_then(|[v, i]| volt_amperes(v, i));
        let mut marks = Vec::new();
        if let Some(product) = product {
            marks
                .extend(self.against(apparent, volts, product).map(|note| Mark { quantity: apparent, note }));
        }
        let bound = self.together([watts, apparent]).map(|[_, s]| s);
        let bound = bound.or_else(|| self.together([watts, volts]).and(product));
        marks.extend(bound.and_then(|s| self.above(watts, s)));
        marks
    }

    fn totals(&self) -> Vec<Mark> {
        let mut marks = Vec::new();
        let product: Option<i64> = (0..3)
            .map(|phase| self.together([*PHASE_VOLTS.get(phase)?, *AMPS.get(phase)?]))
            .map(|pair| pair.and_then(|[v, i]| i.checked_mul(v)?.checked_div(1_000)))
            .sum();
        if let Some(product) = product.filter(|va| *va >= MIN_COMPARED.1) {
            let note = self.against(Quantity::Apparent, Quantity::VoltageL1, product);
            marks.extend(note.map(|note| Mark { quantity: Quantity::Apparent, note }));
        }
        let bound = self.together([Quantity::Power, Quantity::Apparent]).map(|[_, s]| s);
        let bound = bound.or_else(|| self.together([Quantity::Power, Quantity::VoltageL1]).and(product));
        marks.extend(bound.and_then(|s| self.above(Quantity::Power, s)));
        marks.extend(self.sum(Quantity::Power, WATTS));
        marks.extend(self.sum(Quantity::Reactive, REACTIVE));
        marks.extend(self.factor());
        marks
    }

    /// A volt-ampere reading against V x I, if both stand on one side.
    fn against(&self, apparent: Quantity, volts: Quantity, product: i64) -> Option<Note> {
        let [said, _] = self.together([apparent, volts])?;
        Some(if agree(said.abs(), product, said.abs().max(product)) {
            Note::AgreesWithVoltAmperes
        } else {
            Note::VoltAmperesAre(product)
        })
    }

    fn above(&self, watts: Quantity, bound: i64) -> Option<Mark> {
        let power = self.get(watts)?.value.abs();
        let most = bound.abs().checked_add(bound.abs() / 1_000 * AGREE_PERMILLE)?;
        (bound.abs() >= MIN_COMPARED.1 && power > most)
            .then_some(Mark { quantity: watts, note: Note::AboveApparent(bound.abs()) })
    }

    fn sum(&self, total: Quantity, phases: [Quantity; 3]) -> Option<Mark> {
        let [a, b, c] = phases;
        let [said, a, b, c] = self.together([total, a, b, c])?;
        let sum = a.checked_add(b)?.checked_add(c)?;
        let size = [a, b, c].iter().map(|p| p.abs()).max()?.max(said.abs());
        if size < MIN_COMPARED.1 {
            return None;
        }
        let note = if agree(said, sum, size) { Note::PhasesAddUp } else { Note::PhasesAddUpTo(sum) };
        Some(Mark { quantity: total, note })
    }

    fn factor(&self) -> Option<Mark> {
        let [power, apparent] = self.together([Quantity::Power, Quantity::Apparent])?;
        let said = self.get(Quantity::Pf)?.value.abs();
        if apparent.abs() < MIN_COMPARED.1 {
            return None;
        }
        let is = power.abs().checked_mul(1_000)? / apparent.abs();
        let note = if (said - is).abs() <= AGREE_PERMILLE { Note::FactorAgrees } else { Note::FactorIs(is) };
        Some(Mark { quantity: Quantity::Pf, note })
    }

    /// Signs of a current transformer that is mounted wrong, shorted or open.
    fn transformers(&self) -> Vec<Mark> {
        let mut marks = Vec::new();
        if let Some(watts) = self.together(WATTS) {
            let size: i64 = watts.iter().map(|w| w.abs()).max().unwrap_or(0);
            let counted = |sign: i64| watts.iter().filter(|w| **w * sign > size / 10).count();
            for (quantity, power) in WATTS.into_iter().zip(watts) {
                let alone = power.abs() > size / 10 && counted(power.signum()) == 1;
                if size >= MIN_COMPARED.1 && alone && counted(-power.signum()) == 2 {
                    marks.push(Mark { quantity, note: Note::RunsAgainstOthers });
                }
            }
        }
        if let Some(amps) = self.together(AMPS) {
            let size: i64 = amps.iter().map(|i| i.abs()).max().unwrap_or(0);
            let carrying = amps.iter().filter(|i| i.abs() > size / 2).count();
            for (quantity, current) in AMPS.into_iter().zip(amps) {
                if size >= 10 * MIN_COMPARED.0 && carrying == 2 && current.abs() < size / 50 {
                    marks.push(Mark { quantity, note: Note::CarriesNothing });
                }
            }
        }
        marks
    }
}

/// V x I in thousandths of a volt-ampere; `None` where the current is too small to compare by.
fn volt_amperes(millivolts: i64, milliamps: i64) -> Option<i64> {
    let product = millivolts.checked_mul(milliamps)?.checked_div(1_000)?.abs();
    (milliamps.abs() >= MIN_COMPARED.0 && product >= MIN_COMPARED.1).then_some(product)
}

fn agree(a: i64, b: i64, size: i64) -> bool {
    (a - b).abs() <= size / 1_000 * AGREE_PERMILLE + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(values: &[(Quantity, i64)]) -> Vec<Seen> {
        values
            .iter()
            .map(|(quantity, value)| Seen { quantity: *quantity, value: *value, secondary: false })
            .collect()
    }

    fn words(values: &[(Quantity, i64)], nominal: Option<i64>) -> Vec<(&'static str, &'static str)> {
        let marks = marks(&seen(values), nominal.map(MilliVolts));
        marks.into_iter().map(|mark| (mark.quantity.word(), mark.note.word())).collect()
    }

    #[test]
    fn volts_are_known_by_their_system_or_by_the_nominal_given() {
        let volts = |mv| words(&[(Quantity::VoltageL1, mv)], None);
        assert_eq!(volts(230_400), [("voltage_l1", "fits_system")]);
        assert_eq!(system_of(Quantity::VoltageL1, 230_400), Some(400));
        assert_eq!(system_of(Quantity::VoltageL1, 57_700), Some(100));
        assert_eq!(system_of(Quantity::VoltageL12, 10_200_000), Some(10_000));
        assert_eq!(volts(150_000), [("voltage_l1", "fits_no_system")]);
        assert_eq!(volts(0), [("voltage_l1", "no_voltage")]);
        let nominal = |mv| words(&[(Quantity::VoltageL1, mv)], Some(400_000));
        assert_eq!(nominal(230_400), [("voltage_l1", "near_nominal")]);
        assert_eq!(nominal(57_700), [("voltage_l1", "off_nominal")]);
        assert_eq!(nominal(1_000), [("voltage_l1", "no_voltage")]);
    }

    #[test]
    fn the_mains_is_50_hertz() {
        for (hertz, word) in
            [(50_020, "mains"), (60_000, "mains_60_hz"), (0, "no_mains"), (500_000, "no_mains")]
        {
            assert_eq!(words(&[(Quantity::Frequency, hertz)], None), [("frequency", word)]);
        }
    }

    #[test]
    fn apparent_power_is_held_against_volts_times_amperes() {
        let of = |s, p| {
            let values = [
                (Quantity::VoltageL1, 230_000),
                (Quantity::CurrentL1, 10_000),
                (Quantity::ApparentL1, s),
                (Quantity::PowerL1, p),
            ];
            words(&values, None)
                .into_iter()
                .filter(|(quantity, _)| *quantity != "voltage_l1")
                .collect::<Vec<_>>()
        };
        assert_eq!(of(2_300_000, 2_000_000), [("apparent_l1", "agrees_with_volt_amperes")]);
        // METERING.md A.2: the frame whose source states 0.001 A is proved to be 0.01 A by S = V x I.
        assert!(of(23_000_000, 2_000_000).contains(&("apparent_l1", "volt_amperes_differ")));
        assert!(of(2_300_000, 9_000_000).contains(&("power_l1", "power_above_apparent")));
    }

    #[test]
    fn sides_are_not_mixed() {
        let mut values = seen(&[
            (Quantity::VoltageL1, 10_000_000),
            (Quantity::CurrentL1, 1_000),
            (Quantity::ApparentL1, 100_000),
        ]);
        values[1].secondary = true;
        values[2].secondary = true;
        let on_apparent = marks(&values, None).into_iter().filter(|m| m.quantity == Quantity::ApparentL1);
        assert_eq!(on_apparent.count(), 0);
    }

    #[test]
    fn phases_add_up_or_say_what_they_add_up_to() {
        let of = |total| {
            let values = [
                (Quantity::Power, total),
                (Quantity::PowerL1, 1_000_000),
                (Quantity::PowerL2, 1_100_000),
                (Quantity::PowerL3, 900_000),
            ];
            marks(&seen(&values), None)
        };
        assert_eq!(of(3_000_000), [Mark { quantity: Quantity::Power, note: Note::PhasesAddUp }]);
        assert_eq!(
            of(30_000_000),
            [Mark { quantity: Quantity::Power, note: Note::PhasesAddUpTo(3_000_000) }]
        );
    }

    #[test]
    fn a_transformer_mounted_the_wrong_way_round_or_shorted_is_suspected() {
        let reversed =
            [(Quantity::PowerL1, 1_000_000), (Quantity::PowerL2, -1_000_000), (Quantity::PowerL3, 1_000_000)];
        assert_eq!(words(&reversed, None), [("power_l2", "runs_against_others")]);
        let shorted =
            [(Quantity::CurrentL1, 100_000), (Quantity::CurrentL2, 98_000), (Quantity::CurrentL3, 10)];
        let marks = marks(&seen(&shorted), None);
        assert!(marks.iter().all(|mark| mark.note.suspects_ct()), "{marks:?}");
        assert_eq!(marks.len(), 1);
        let one_phase = [(Quantity::CurrentL1, 100_000), (Quantity::CurrentL2, 0), (Quantity::CurrentL3, 0)];
        assert_eq!(words(&one_phase, None), [], "a single-phase load is no sign");
    }

    #[test]
    fn a_factor_is_power_over_apparent() {
        let of = |pf| {
            words(&[(Quantity::Power, 800_000), (Quantity::Apparent, 1_000_000), (Quantity::Pf, pf)], None)
        };
        assert_eq!(of(800), [("pf", "factor_agrees")]);
        assert_eq!(of(8), [("pf", "factor_differs")]);
    }
}
