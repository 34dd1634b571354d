//! Phases and phasors of a three-phase four-wire feeder.

/// One of the three phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The first.
    L1,
    /// The second, a third of a turn behind.
    L2,
    /// The third, two thirds of a turn behind.
    L3,
}

impl Phase {
    /// This phase's part of three.
    pub const fn of<T>(self, three: &mut [T; 3]) -> &mut T {
        let [first, second, third] = three;
        match self {
            Phase::L1 => first,
            Phase::L2 => second,
            Phase::L3 => third,
        }
    }
}

/// Effective value and angle of a sinusoid as a complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Phasor {
    /// In phase with L1.
    pub re: f64,
    /// A quarter turn ahead.
    pub im: f64,
}

const HALF_ROOT_3: f64 = 0.866_025_403_784_438_6;

/// One volt on each phase.
pub(crate) const DIRECTIONS: [Phasor; 3] = [
    Phasor { re: 1.0, im: 0.0 },
    Phasor { re: -0.5, im: -HALF_ROOT_3 },
    Phasor { re: -0.5, im: HALF_ROOT_3 },
];

impl Phasor {
    /// Nothing.
    pub const ZERO: Phasor = Phasor { re: 0.0, im: 0.0 };

    /// The effective value.
    pub fn magnitude(self) -> f64 {
        self.square().sqrt()
    }

    /// Square of the effective value.
    pub(crate) fn square(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    pub(crate) fn scaled(self, by: f64) -> Phasor {
        Phasor { re: self.re * by, im: self.im * by }
    }

    /// Turned and stretched as another stands to one.
    pub(crate) fn times(self, by: Phasor) -> Phasor {
        Phasor { re: self.re * by.re - self.im * by.im, im: self.re * by.im + self.im * by.re }
    }

    pub(crate) fn conjugate(self) -> Phasor {
        Phasor { re: self.re, im: -self.im }
    }

    pub(crate) fn plus(self, other: Phasor) -> Phasor {
        Phasor { re: self.re + other.re, im: self.im + other.im }
    }

    pub(crate) fn minus(self, other: Phasor) -> Phasor {
        self.plus(other.scaled(-1.0))
    }

    /// Active and reactive power of this voltage with a current.
    pub(crate) fn power_with(self, amps: Phasor) -> (f64, f64) {
        (self.re * amps.re + self.im * amps.im, self.im * amps.re - self.re * amps.im)
    }

    /// The current that makes this active and reactive power with this voltage; none without voltage.
    pub(crate) fn current_for(self, watts: f64, vars: f64) -> Phasor {
        let square = self.square();
        if square < 1e-6 {
            return Phasor::ZERO;
        }
        Phasor {
            re: (self.re * watts + self.im * vars) / square,
            im: (self.im * watts - self.re * vars) / square,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_current_makes_the_power_it_was_asked_for() {
        for direction in DIRECTIONS {
            let volts = direction.scaled(230.0);
            let amps = volts.current_for(1_000.0, -400.0);
            let (watts, vars) = volts.power_with(amps);
            assert!((watts - 1_000.0).abs() < 1e-9 && (vars + 400.0).abs() < 1e-9);
            assert!((amps.magnitude() - 1_000_f64.hypot(400.0) / 230.0).abs() < 1e-9);
        }
        assert_eq!(Phasor::ZERO.current_for(5.0, 5.0), Phasor::ZERO);
    }
}
