//! Power, voltage and current of one reading, set against each other.

use crate::{
    judge::commission::{Commissioned, Wiring},
    metering::{Quantity, Reading},
};

pub(super) const PHASE_VOLTAGES: [Quantity; 3] =
    [Quantity::VoltageL1, Quantity::VoltageL2, Quantity::VoltageL3];
pub(super) const LINE_VOLTAGES: [Quantity; 3] =
    [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31];
const CURRENTS: [Quantity; 3] = [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3];
const POWERS: [Quantity; 3] = [Quantity::PowerL1, Quantity::PowerL2, Quantity::PowerL3];
const REACTIVES: [Quantity; 3] = [Quantity::ReactiveL1, Quantity::ReactiveL2, Quantity::ReactiveL3];
/// The root of three, in thousandths.
const ROOT_OF_3: i128 = 1_732;

/// Voltages further apart from their mean than this, in percent, are an earth fault or a blown fuse: what the phases
/// show of themselves then means nothing.
pub const UNEVEN_PERCENT: i128 = 20;

/// Most quantities one comparison rests on.
const MAX_USED: usize = 12;

/// What one reading tells of power, from whichever words the meter has. Powers in thousandths of watt, var and
/// volt-ampere.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Active power of all phases.
    pub power: i128,
    /// Active power of each phase, with its sign; none on a three-wire network.
    pub phases: Option<[i128; 3]>,
    /// Reactive power of all phases, where the meter tells it.
    pub reactive: Option<i128>,
    /// Voltage times current: of each phase, or of both elements of an Aron circuit.
    pub apparents: heapless::Vec<i128, 3>,
    /// Line voltage, mean, in millivolts; phase voltage of a single phase.
    pub voltage: i128,
    /// The highest of the line voltages that are told, in millivolts, those that no element needs among them; else what the
    /// highest phase voltage makes of it.
    pub highest: i128,
    /// Whether no voltage lies more than [`UNEVEN_PERCENT`] off the mean: no earth fault, no blown fuse.
    pub is_even: bool,
    /// How far the neutral may be shifted, in millionths of the voltage: what the phases' voltages differ by. A shift
    /// changes them by as much and more. None where the meter tells only those between the phases.
    pub shift_ppm: Option<i128>,
    /// The smallest and the largest current, in milliamperes.
    pub currents: (i64, i64),
    /// Whether all of it came with one answer, so that it belongs to one moment.
    pub is_of_one_moment: bool,
}

impl Shown {
    /// What a reading tells; `None` where a word is missing that the comparison needs.
    pub fn of(terms: &Commissioned, reading: &Reading) -> Option<Shown> {
        let mut used = Used { reading, quantities: heapless::Vec::new() };
        let currents = used.currents(terms.wiring)?;
        let volts = used.voltages(terms.wiring)?;
        let phases = terms.wiring.has_phase_power().then(|| used.three(POWERS)).flatten();
        let power = match used.one(Quantity::Power) {
            Some(power) => power,
            None => phases?.iter().sum(),
        };
        let reactive = used.one(Quantity::Reactive).or_else(|| {
            terms.wiring.has_phase_power().then(|| used.three(REACTIVES)).flatten().map(|q| q.iter().sum())
        });
        let voltage = match terms.wiring {
            Wiring::FourWire => volts.iter().sum::<i128>() * ROOT_OF_3 / 3_000,
            Wiring::Aron => volts.iter().sum::<i128>() / 2,
            Wiring::SinglePhase => volts.first().copied()?,
        };
        let lines = LINE_VOLTAGES.iter().filter_map(|line| reading.value(*line)).map(i128::from).max();
        let by_phases = || volts.iter().max().map_or(0, |highest| highest * ROOT_OF_3 / 1_000);
        let highest = match terms.wiring {
            Wiring::FourWire => lines.unwrap_or_else(by_phases),
            Wiring::Aron => lines.unwrap_or(voltage),
            Wiring::SinglePhase => voltage,
        };
        // mV * mA is a millionth of a volt-ampere, of which a thousand are a thousandth.
        let apparents = volts.iter().zip(&currents).map(|(v, i)| v * i / 1_000).collect();
        let amps = |i: Option<&i128>| i64::try_from(i.copied().unwrap_or(0)).unwrap_or(i64::MAX);
        Some(Shown {
            power,
            phases,
            reactive,
            apparents,
            voltage,
            highest,
            is_even: is_even(&volts),
            shift_ppm: used.quantities.contains(&Quantity::VoltageL1).then(|| shift_ppm(&volts)),
            currents: (amps(currents.iter().min()), amps(currents.iter().max())),
            is_of_one_moment: reading.in_one_request(&used.quantities),
        })
    }

    /// Voltage times current over all phases, in thousandths of a volt-ampere.
    pub fn apparent(&self) -> i128 {
        self.apparents.iter().sum()
    }
}

fn is_even(volts: &[i128]) -> bool {
    let sum: i128 = volts.iter().sum();
    let count = i128::try_from(volts.len()).unwrap_or(3);
    volts.iter().all(|v| (v * count - sum).abs() * 100 <= sum * UNEVEN_PERCENT)
}

fn shift_ppm(volts: &[i128]) -> i128 {
    let most = volts.iter().max().copied().unwrap_or(0);
    let least = volts.iter().min().copied().unwrap_or(0);
    (most - least) * 1_000_000 / least.max(1)
}

/// Takes words out of a reading and notes which.
struct Used<'a> {
    reading: &'a Reading,
    quantities: heapless::Vec<Quantity, MAX_USED>,
}

impl Used<'_> {
    fn one(&mut self, quantity: Quantity) -> Option<i128> {
        let value = self.reading.value(quantity)?;
        self.quantities.push(quantity).ok()?;
        Some(i128::from(value))
    }

    fn three(&mut self, quantities: [Quantity; 3]) -> Option<[i128; 3]> {
        let [a, b, c] = quantities.map(|q| self.reading.value(q).map(i128::from));
        let all = [a?, b?, c?];
        self.quantities.extend_from_slice(&quantities).ok()?;
        Some(all)
    }

    fn currents(&mut self, wiring: Wiring) -> Option<heapless::Vec<i128, 3>> {
        let mut all = heapless::Vec::new();
        for (quantity, has) in CURRENTS.into_iter().zip(wiring.has_current()) {
            if has {
                all.push(self.one(quantity)?.abs()).ok()?;
            }
        }
        Some(all)
    }

    /// The voltages that stand across the measured currents: phase to neutral, or line to line of an Aron circuit.
    fn voltages(&mut self, wiring: Wiring) -> Option<heapless::Vec<i128, 3>> {
        let volts = match wiring {
            Wiring::FourWire => match self.three(PHASE_VOLTAGES) {
                Some(phases) => heapless::Vec::from_slice(&phases),
                None => {
                    let lines = self.three(LINE_VOLTAGES)?;
                    let phase = lines.iter().sum::<i128>() * 1_000 / ROOT_OF_3 / 3;
                    heapless::Vec::from_slice(&[phase; 3])
                }
            },
            Wiring::Aron => {
                let [first, third, _] = LINE_VOLTAGES;
                heapless::Vec::from_slice(&[self.one(first)?, self.one(third)?])
            }
            Wiring::SinglePhase => {
                let volts = self.one(Quantity::VoltageL1).or_else(|| self.one(Quantity::VoltageL12))?;
                heapless::Vec::from_slice(&[volts])
            }
        };
        volts.ok()
    }
}
