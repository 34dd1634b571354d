//! Everything is frozen, clock, voltage, frequency and energy, and yet the link answers.

use super::{
    Figure, Figures,
    figure::figures,
    power::{LINE_VOLTAGES, PHASE_VOLTAGES},
};
use crate::{metering::Reading, terms::Stamp};

/// All values must have been the same for so long, in milliseconds: gateways that cache refresh within a minute, and
/// the voltage of a live line never stands to its last digit for five.
pub const STUCK_MS: i64 = 300_000;
/// And over at least so many readings.
pub const STUCK_READINGS: i64 = 10;

/// A short print of everything a reading says: its words, its values, its registers. Not a digest; whoever can
/// choose it chooses the readings themselves.
pub fn print_of(reading: &Reading) -> u64 {
    let mut print = Print(0xcbf2_9ce4_8422_2325);
    for (_, words) in reading.scan.blocks() {
        words.iter().for_each(|word| print.add(u64::from(*word)));
    }
    for value in reading.values.iter().flatten() {
        print.add(value.cast_unsigned());
    }
    if let Some(register) = &reading.import {
        print.add(register.raw);
        print.add(register.energy.0.cast_unsigned());
    }
    print.0
}

/// A short print of the voltages alone. A reading is several answers, and what changes between two of them gives it a
/// print of its own; the voltages stand in one answer, and are never the same for long.
pub fn print_of_voltages(reading: &Reading) -> u64 {
    let mut print = Print(0xcbf2_9ce4_8422_2325);
    for quantity in PHASE_VOLTAGES.into_iter().chain(LINE_VOLTAGES) {
        if let Some(value) = reading.value(quantity) {
            print.add(value.cast_unsigned());
        }
    }
    print.0
}

struct Print(u64);

impl Print {
    /// As FNV-1a, over whole numbers instead of bytes.
    fn add(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }
}

/// How long nothing has moved.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stillness {
    print: u64,
    since: Option<Stamp>,
    readings: i64,
}

impl Stillness {
    /// Takes a reading with its print. `is_live` says that its line has voltage: a dead line is lawfully still.
    pub fn look(&mut self, reading: &Reading, print: u64, is_live: bool) -> Option<Figures> {
        if !is_live || print != self.print {
            *self = Stillness { print, since: Some(reading.at), readings: 1 };
            return None;
        }
        self.readings = self.readings.saturating_add(1);
        let lasted_ms = reading.at.since_ms(self.since.get_or_insert(reading.at));
        (lasted_ms >= STUCK_MS && self.readings >= STUCK_READINGS)
            .then(|| figures([(Figure::Span, lasted_ms), (Figure::Readings, self.readings)]))
    }
}
