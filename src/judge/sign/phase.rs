//! One phase has current and no voltage: a blown fuse of the voltage transformer, or one that was pulled.

use super::{Figure, Figures, figure::figures};
use crate::{
    judge::{
        commission::{Commissioned, Wiring},
        line::{DEAD_VOLTAGE_PERCENT, LIVE_VOLTAGE_PERCENT},
    },
    metering::{Quantity, Reading},
    terms::{MilliVolts, Stamp},
};

/// An earth fault on an isolated network may stand so long, in milliseconds: 2 h. [K: DL/T 620 and operating rules,
/// from memory, 2026]
pub const EARTH_FAULT_MS: i64 = 7_200_000;
/// The healthy phases of an earth fault stand at the root of three of their nominal voltage to earth; above this part
/// of it, in percent, they count as risen.
pub const RISEN_PERCENT: i64 = 150;
/// So many readings one after another decide: voltage and current may come with two requests.
pub const READINGS: u8 = 3;

/// What was seen of the phases.
#[derive(Clone, Copy, Debug, Default)]
pub struct Phases {
    times: u8,
    earthed_since: Option<Stamp>,
}

impl Phases {
    /// Takes a reading; the figures of a lost phase once it is certain.
    pub fn look(&mut self, terms: &Commissioned, reading: &Reading) -> Option<Figures> {
        if is_earth_fault(terms, reading) {
            let since = *self.earthed_since.get_or_insert(reading.at);
            self.times = 0;
            let lasted_ms = reading.at.since_ms(&since);
            return (lasted_ms > EARTH_FAULT_MS).then(|| figures([(Figure::Span, lasted_ms)]));
        }
        self.earthed_since = None;
        let lost = lost(terms, reading);
        self.times = if lost.is_some() { self.times.saturating_add(1) } else { 0 };
        lost.filter(|_| self.times >= READINGS).map(|(phase, volts, amps)| {
            figures([(Figure::Phase, phase), (Figure::Voltage, volts), (Figure::Current, amps)])
        })
    }
}

const PHASES: [(Quantity, Quantity, i64); 3] = [
    (Quantity::VoltageL1, Quantity::CurrentL1, 1),
    (Quantity::VoltageL2, Quantity::CurrentL2, 2),
    (Quantity::VoltageL3, Quantity::CurrentL3, 3),
];
/// Line voltages with the current that flows into their first, or last, phase.
const LINES: [(Quantity, Quantity, i64); 3] = [
    (Quantity::VoltageL12, Quantity::CurrentL1, 12),
    (Quantity::VoltageL23, Quantity::CurrentL3, 23),
    (Quantity::VoltageL31, Quantity::CurrentL1, 31),
];

/// Whether the phases stand at 0, root of three and root of three of their nominal voltage to earth. What is between
/// the phases is as ever: use the line voltages.
pub fn is_earth_fault(terms: &Commissioned, reading: &Reading) -> bool {
    let volts = PHASES.map(|(volts, _, _)| reading.value(volts));
    let [Some(a), Some(b), Some(c)] = volts else { return false };
    let mut volts = [a.abs(), b.abs(), c.abs()];
    volts.sort_unstable();
    let phase = phase_nominal(terms).0;
    let [earthed, risen, highest] = volts;
    earthed < phase / 2 && risen > phase / 100 * RISEN_PERCENT && highest > phase / 100 * RISEN_PERCENT
}

/// Nominal voltage from a phase to the neutral or to earth.
pub fn phase_nominal(terms: &Commissioned) -> MilliVolts {
    match terms.wiring {
        Wiring::FourWire | Wiring::Aron => MilliVolts(terms.nominal.0 / 1_732 * 1_000),
        Wiring::SinglePhase => terms.nominal,
    }
}

/// A voltage below the dead threshold beside a live one, with current in its phase: which, its voltage, the current.
fn lost(terms: &Commissioned, reading: &Reading) -> Option<(i64, i64, i64)> {
    let lost_of = |nominal: i64, all: [(Quantity, Quantity, i64); 3]| {
        let is_live = |volts: Quantity| {
            reading.value(volts).is_some_and(|v| v.abs() >= nominal / 100 * LIVE_VOLTAGE_PERCENT)
        };
        let one_lives = all.iter().any(|(volts, _, _)| is_live(*volts));
        all.into_iter().filter(|_| one_lives).find_map(|(volts, amps, name)| {
            let (volts, amps) = (reading.value(volts)?.abs(), reading.value(amps)?.abs());
            let dead = volts < nominal / 100 * DEAD_VOLTAGE_PERCENT;
            (dead && amps > terms.floor.current.0).then_some((name, volts, amps))
        })
    };
    match terms.wiring {
        Wiring::FourWire => {
            lost_of(phase_nominal(terms).0, PHASES).or_else(|| lost_of(terms.nominal.0, LINES))
        }
        Wiring::Aron => lost_of(terms.nominal.0, LINES),
        Wiring::SinglePhase => None,
    }
}
