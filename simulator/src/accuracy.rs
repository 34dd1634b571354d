//! Honest instruments err: each by a constant share of what its class allows, drawn once from the seed.
//!
//! The shape of a class over the load is that of IEC 61869-2 (current transformers), 61869-3 (voltage transformers)
//! and 62053-21 and -22 (meters), from memory: three times the class at the bottom of its range, one and a half in the
//! middle, the class itself at full load; the phase displacement likewise. That an instrument keeps the same share of
//! its limit at every load is an own assumption.

use crate::{chance::Chance, phasor::Phasor};

/// An accuracy class as on a plate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Class {
    /// Error at full load, in per cent.
    per_cent: f64,
    /// The S of 0.5S: it holds at small currents too.
    is_special: bool,
}

impl Class {
    /// Reads `0.2S`, `0.5`, `1`, or the letters A to E of active-energy meters (2, 1, 0.5, 0.2, 0.1).
    pub fn parse(text: &str) -> Option<Class> {
        let (number, is_special) = text.strip_suffix('S').map_or((text, false), |number| (number, true));
        let per_cent = match number {
            "A" => 2.0,
            "B" => 1.0,
            "C" => 0.5,
            "D" => 0.2,
            "E" => 0.1,
            _ => number.parse().ok().filter(|value| (0.01..=10.0).contains(value))?,
        };
        Some(Class { per_cent, is_special })
    }

    /// Limits of a current transformer at a part of its rated current: of its ratio in per cent, of its phase in
    /// minutes of arc.
    fn of_current(self, part: f64) -> (f64, f64) {
        let points = match (self.is_special, self.per_cent > 1.0) {
            (true, _) => [0.01, 0.05, 0.20],
            (false, false) => [0.05, 0.20, 1.00],
            // Classes 3 and 5 are defined from half load on and say nothing of the phase.
            (false, true) => [0.10, 0.20, 0.50],
        };
        let minutes = if self.per_cent > 1.0 { 40.0 } else { 50.0 };
        let times = between(part, points, [3.0, 1.5, 1.0]);
        (self.per_cent * times, self.per_cent * minutes * times)
    }

    /// Limit of a meter's current channel at a part of its rated current, in per cent.
    fn of_meter(self, part: f64) -> f64 {
        let points = if self.is_special { [0.01, 0.05, 0.20] } else { [0.02, 0.05, 0.20] };
        self.per_cent * between(part, points, [2.0, 1.0, 1.0])
    }
}

/// A value between three points, level before the first and after the last.
fn between(at: f64, [a, b, c]: [f64; 3], [x, y, z]: [f64; 3]) -> f64 {
    let along = |from: f64, to: f64, low: f64, high: f64| low + (high - low) * (at - from) / (to - from);
    if at <= a {
        x
    } else if at < b {
        along(a, b, x, y)
    } else if at < c {
        along(b, c, y, z)
    } else {
        z
    }
}

/// The classes of one metering point; an instrument without a class does not err.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Classes {
    /// Of the meter.
    pub meter: Option<Class>,
    /// Of its current transformers.
    pub ct: Option<Class>,
    /// Of its voltage transformers.
    pub pt: Option<Class>,
}

/// The errors of the instruments of one metering point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Errors {
    classes: Classes,
    rated_amps: f64,
    /// By phase, in shares of the limit: ratio and phase of the current transformer, ratio and phase of the voltage
    /// transformer, gain and phase of the meter.
    shares: [[f64; 6]; 3],
}

const MINUTE: f64 = std::f64::consts::PI / 10_800.0;

impl Errors {
    /// Draws them.
    pub(crate) fn draw(classes: Classes, rated_amps: f64, chance: Chance) -> Errors {
        let share = |phase: u64| [0, 1, 2, 3, 4, 5].map(|of| chance.branch(phase).swing(of));
        Errors { classes, rated_amps, shares: [share(1), share(2), share(3)] }
    }

    /// Whether there are any.
    pub(crate) fn are_none(&self) -> bool {
        self.classes == Classes::default()
    }

    /// What becomes of a phase's voltage and of its current: each is turned and stretched by a factor.
    pub(crate) fn of(&self, phase: usize, amps: Phasor) -> (Phasor, Phasor) {
        let [ct_ratio, ct_phase, pt_ratio, pt_phase, gain, lag] =
            self.shares.get(phase).copied().unwrap_or_default();
        let part = if self.rated_amps > 0.0 { amps.magnitude() / self.rated_amps } else { 0.0 };
        let (mut current, mut turn) = (0.0, 0.0);
        if let Some(ct) = self.classes.ct {
            let (ratio, minutes) = ct.of_current(part);
            current += ct_ratio * ratio / 100.0;
            turn += ct_phase * minutes * MINUTE;
        }
        if let Some(meter) = self.classes.meter {
            current += gain * meter.of_meter(part) / 100.0;
            // At a power factor of 0.5 the limit grows by a fifth: a tenth of a per cent through the tangent of 60.
            turn += lag * meter.per_cent * 0.001_2;
        }
        let (mut voltage, mut voltage_turn) = (0.0, 0.0);
        if let Some(pt) = self.classes.pt {
            voltage += pt_ratio * pt.per_cent / 100.0;
            voltage_turn += pt_phase * pt.per_cent * 40.0 * MINUTE;
        }
        (turned(voltage, voltage_turn), turned(current, turn))
    }
}

/// A factor of nearly one: so much longer, turned by so small an angle.
fn turned(longer: f64, angle: f64) -> Phasor {
    let length = (1.0 + longer) / (1.0 + angle * angle).sqrt();
    Phasor { re: length, im: length * angle }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> Class {
        Class::parse(text).unwrap()
    }

    #[test]
    fn a_class_is_read_as_on_a_plate() {
        assert_eq!(class("0.5S"), Class { per_cent: 0.5, is_special: true });
        assert_eq!(class("C"), class("0.5"));
        assert!(["", "S", "0", "-1", "F", "nan"].iter().all(|text| Class::parse(text).is_none()));
    }

    #[test]
    fn limits_are_the_standards() {
        let near = |found: (f64, f64), wanted: (f64, f64)| {
            assert!((found.0 - wanted.0).abs() < 1e-9 && found.1 <= wanted.1 + 1e-9, "{found:?} {wanted:?}");
        };
        // IEC 61869-2, tables 201 and 202: ratio error, and phase displacement in minutes at the most.
        near(class("0.5").of_current(0.05), (1.5, 90.0));
        near(class("0.5").of_current(0.20), (0.75, 45.0));
        near(class("0.5").of_current(1.0), (0.5, 30.0));
        near(class("0.5S").of_current(0.01), (1.5, 90.0));
        near(class("0.5S").of_current(0.05), (0.75, 45.0));
        near(class("0.5S").of_current(0.20), (0.5, 30.0));
        near(class("1").of_current(0.05), (3.0, 180.0));
        near(class("0.2").of_current(1.2), (0.2, 10.0));
        assert!((class("0.5S").of_meter(0.02) - 0.875).abs() < 1e-9);
        assert!((class("0.5S").of_meter(0.05) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn drawn_errors_fill_the_class_and_stay_inside() {
        let classes = Classes { meter: None, ct: Some(class("0.5S")), pt: None };
        let ratio = |seed: u64| {
            let errors = Errors::draw(classes, 1_000.0, Chance::new(seed));
            errors.of(1, Phasor { re: 0.0, im: 500.0 }).1.magnitude() - 1.0
        };
        let drawn: Vec<f64> = (0..500).map(ratio).collect();
        let most = drawn.iter().fold(0.0_f64, |most, error| most.max(error.abs()));
        assert!(drawn.iter().all(|error| error.abs() <= 0.005_000_1) && most > 0.004_9, "{most}");
        let angle = |seed: u64| {
            let (_, turn) = Errors::draw(classes, 1_000.0, Chance::new(seed)).of(0, Phasor::ZERO);
            turn.im / turn.re
        };
        assert!((0..500).all(|seed| angle(seed).abs() < 91.0 * MINUTE));
    }
}
