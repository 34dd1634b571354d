//! Registers that are parts of one total must add up to it: those of the phases, and those of the tariffs.

use super::{Figure, Figures, figure::figures};
use crate::{
    judge::commission::Commissioned,
    metering::{Quantity, Reading},
    terms::Stamp,
};

/// Parts and total may differ by so many of the coarsest register's steps: each is cut off by itself.
pub const STEPS: i64 = 5;
/// Registers of one meter may be refreshed one after the other within this time, in milliseconds.
pub const REFRESH_MS: i64 = 1_000;
/// So many readings in a row decide.
pub const READINGS: u8 = 3;

const PHASES: &[Quantity] = &[Quantity::ImportL1, Quantity::ImportL2, Quantity::ImportL3];
const EXPORTS: &[Quantity] = &[Quantity::ExportL1, Quantity::ExportL2, Quantity::ExportL3];
const TARIFFS: &[Quantity] =
    &[Quantity::ImportT1, Quantity::ImportT2, Quantity::ImportT3, Quantity::ImportT4];

/// Counts at a moment, in watt-hours.
#[derive(Clone, Copy, Debug)]
struct Counts {
    at: Stamp,
    total: i64,
    parts: i64,
    step: i64,
}

/// One total beside its parts, since a moment.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    base: Option<Counts>,
    times: u8,
}

/// Both ways in which a total is divided.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    phases: Sum,
    tariffs: Sum,
}

impl Sums {
    /// Takes a reading; both advances where they do not agree.
    pub fn look(&mut self, terms: &Commissioned, reading: &Reading) -> Option<Figures> {
        let phases = if is_forward(reading) { counts(reading, PHASES, 3) } else { None };
        // Meters with fewer than four tariffs leave the last out.
        let tariffs = counts(reading, TARIFFS, 2);
        let skew_ms = i64::from(reading.took_ms).saturating_add(REFRESH_MS).saturating_mul(2);
        let skew = terms.floor.capacity.over_ms(skew_ms).0;
        let phases = self.phases.look(phases, skew);
        self.tariffs.look(tariffs, skew).or(phases)
    }
}

impl Sum {
    fn look(&mut self, now: Option<Counts>, skew: i64) -> Option<Figures> {
        let Some(now) = now else {
            *self = Sum::default();
            return None;
        };
        let base = *self.base.get_or_insert(now);
        let (total, parts) = (now.total - base.total, now.parts - base.parts);
        if total < 0 || parts < 0 {
            // A roll-over, or a count that began anew: what that means is told elsewhere.
            *self = Sum { base: Some(now), times: 0 };
            return None;
        }
        let most = now.step.max(base.step).saturating_mul(STEPS).saturating_add(skew);
        let differ = (total - parts).abs() > most;
        self.times = if differ { self.times.saturating_add(1) } else { 0 };
        (self.times >= READINGS).then(|| {
            figures([
                (Figure::Total, total),
                (Figure::Parts, parts),
                (Figure::Error, most),
                (Figure::Span, now.at.since_ms(&base.at)),
            ])
        })
    }
}

/// Whether no energy flows, or ever flowed, backwards in a phase: a meter that balances its phases then counts less in
/// its total than the phases do.
fn is_forward(reading: &Reading) -> bool {
    let backwards = reading.phase_power().iter().flatten().any(|power| power.0 < 0);
    let exported = EXPORTS.iter().filter_map(|q| reading.register(*q)).any(|e| e.energy.0 > e.step.0);
    !backwards && !exported
}

/// The import total and the sum of its parts, of which the first so many must be told.
fn counts(reading: &Reading, parts: &[Quantity], least: usize) -> Option<Counts> {
    let total = reading.register(Quantity::Import)?;
    let (mut sum, mut step) = (0_i64, total.step.0);
    for (place, part) in parts.iter().enumerate() {
        match reading.register(*part) {
            Some(register) => {
                sum = sum.checked_add(register.energy.0)?;
                step = step.max(register.step.0);
            }
            None if place < least => return None,
            None => {}
        }
    }
    Some(Counts { at: reading.at, total: total.energy.0, parts: sum, step })
}
