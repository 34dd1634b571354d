//! What flows through a feeder at one moment, phase by phase.

use coldhearth::terms::MilliWatts;

use crate::{
    phasor::Phasor,
    rounding::{nearest, real},
};

/// One phase at the metering point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Leg {
    /// Phase voltage.
    pub volts: Phasor,
    /// Phase current.
    pub amps: Phasor,
    /// Active power.
    pub milliwatts: i64,
    /// Reactive power in var; positive is inductive.
    pub vars: f64,
}

/// What flows through a feeder at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flow {
    /// The three phases.
    pub legs: [Leg; 3],
    /// The load was forced to an exact power, which no error and no noise of a meter must blur.
    pub is_exact: bool,
}

impl Flow {
    pub(crate) const NONE: Flow = Flow {
        legs: [Leg { volts: Phasor::ZERO, amps: Phasor::ZERO, milliwatts: 0, vars: 0.0 }; 3],
        is_exact: false,
    };

    /// Active power of all phases.
    pub fn power(&self) -> MilliWatts {
        MilliWatts(self.legs.iter().map(|leg| leg.milliwatts).sum())
    }

    pub(crate) fn of(volts: [Phasor; 3], powers: &Powers, is_exact: bool) -> Flow {
        let ([u1, u2, u3], [p1, p2, p3], [q1, q2, q3]) = (volts, powers.milliwatts, powers.vars);
        let leg = |volts: Phasor, milliwatts: i64, vars: f64| Leg {
            volts,
            amps: volts.current_for(real(milliwatts) / 1_000.0, vars),
            milliwatts,
            vars,
        };
        Flow { legs: [leg(u1, p1, q1), leg(u2, p2, q2), leg(u3, p3, q3)], is_exact }
    }
}

/// Active and reactive power by phase.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Powers {
    pub(crate) milliwatts: [i64; 3],
    pub(crate) vars: [f64; 3],
}

impl Powers {
    pub(crate) const NONE: Powers = Powers { milliwatts: [0; 3], vars: [0.0; 3] };

    pub(crate) fn plus(self, other: Powers) -> Powers {
        let ([p1, p2, p3], [q1, q2, q3]) = (self.milliwatts, self.vars);
        let ([a, b, c], [x, y, z]) = (other.milliwatts, other.vars);
        Powers { milliwatts: [p1 + a, p2 + b, p3 + c], vars: [q1 + x, q2 + y, q3 + z] }
    }

    /// What is left of it.
    pub(crate) fn minus(self, other: Powers) -> Powers {
        let negative = Powers { milliwatts: other.milliwatts.map(|p| -p), vars: other.vars.map(|q| -q) };
        self.plus(negative)
    }

    /// A share of it, to the nearest milliwatt.
    pub(crate) fn shared(self, share: f64) -> Powers {
        Powers {
            milliwatts: self.milliwatts.map(|p| nearest(real(p) * share)),
            vars: self.vars.map(|q| q * share),
        }
    }

    /// Active power of all phases in milliwatts.
    pub(crate) fn total(&self) -> i64 {
        self.milliwatts.iter().sum()
    }

    /// Square of the apparent power of all phases.
    pub(crate) fn apparent_square(&self) -> f64 {
        let (watts, vars) = (real(self.total()) / 1_000.0, self.vars.iter().sum::<f64>());
        watts * watts + vars * vars
    }
}

/// The line a feeder hangs on at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// The moment whose powers are held.
    pub(crate) held_ms: u64,
    /// Plant time: where a recording stands.
    pub(crate) now_ms: u64,
    /// Phase voltages in parts of nominal.
    pub(crate) per_unit: [f64; 3],
    /// Whether the line is live up to the feeder's breaker.
    pub(crate) is_live: bool,
}
