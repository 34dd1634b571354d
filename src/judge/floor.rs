//! Below what a metering point cannot tell anything from nothing.

use super::{
    accuracy::{ASSUMED_CT, Accuracy},
    commission::Wiring,
};
use crate::terms::{MilliAmps, MilliVolts, MilliWatts, WattHours};

/// Starting current of a meter behind current transformers, parts per million of their primary rating:
/// 0.2 % In, a vendor's sheet in METERING.md C.
pub const STARTING_CURRENT_CT_PPM: i64 = 2_000;
/// Starting current of a directly connected meter, parts per million of its rated current: 0.4 % Ib, same source.
pub const STARTING_CURRENT_DIRECT_PPM: i64 = 4_000;
/// Overload a current transformer passes on to its meter, in percent of its rating.
pub const OVERLOAD_PERCENT: i64 = 120;
/// A floor above this part of the process rating makes the meter unfit for its equipment, in percent.
pub const UNFIT_PERCENT: i64 = 5;

/// Below this the meter cannot tell anything from nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Power at the floor's current and nominal voltage: so much could hide.
    pub power: MilliWatts,
    /// The floor's current, primary side.
    pub current: MilliAmps,
    /// The most the metering point can pass at all: rated current with overload at nominal voltage.
    pub capacity: MilliWatts,
}

/// A power as it may be told: below the floor a number would pass for a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// So much.
    Is(MilliWatts),
    /// Not measurable: up to so much, and never zero.
    UpTo(MilliWatts),
}

impl Floor {
    /// A power as it may be told.
    pub fn measure(&self, power: MilliWatts) -> Measured {
        if power.0.saturating_abs() > self.power.0 { Measured::Is(power) } else { Measured::UpTo(self.power) }
    }

    /// The floor of a meter with this rated primary current (amperes) on a line of this nominal voltage.
    /// `ppm` is the smallest current it tells, in parts per million of the rated current.
    pub fn of(wiring: Wiring, rated_amps: u32, nominal: MilliVolts, ppm: i64) -> Floor {
        let rated = i64::from(rated_amps).saturating_mul(1_000);
        let current = MilliAmps(i64::from(rated_amps).saturating_mul(ppm) / 1_000);
        let overload = MilliAmps(rated / 100 * OVERLOAD_PERCENT);
        Floor { power: wiring.power(nominal, current), current, capacity: wiring.power(nominal, overload) }
    }

    /// The floor behind current transformers of this rating (primary amperes) and class: the larger of the meter's
    /// starting current and the zone where the class gives no error.
    pub fn behind_ct(
        wiring: Wiring,
        primary_amps: u32,
        nominal: MilliVolts,
        class: Option<Accuracy>,
    ) -> Floor {
        let zone_ppm = class.unwrap_or(ASSUMED_CT).ct_zone_ppm();
        Floor::of(wiring, primary_amps, nominal, zone_ppm.max(STARTING_CURRENT_CT_PPM))
    }

    /// The floor of a meter connected directly, of this rated current in amperes.
    pub fn direct(wiring: Wiring, rated_amps: u32, nominal: MilliVolts) -> Floor {
        Floor::of(wiring, rated_amps, nominal, STARTING_CURRENT_DIRECT_PPM)
    }

    /// Whether so much could hide below the floor that the meter is unfit for a process of this rating.
    pub fn is_unfit_for(&self, rated: MilliWatts) -> bool {
        self.power.0 > rated.0 / 100 * UNFIT_PERCENT
    }
}

/// What two steps of a register are: energy it cannot tell from none.
pub fn register_floor(step: WattHours) -> WattHours {
    WattHours(step.0.saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIGH: MilliVolts = MilliVolts(35_000_000);

    #[test]
    fn the_floor_of_a_large_current_transformer_is_large() {
        // VERDICT.md 2: 3000/5 A at 35 kV is 182 MVA; a starting current of 0.1 % is 182 kW.
        let floor = Floor::of(Wiring::FourWire, 3_000, HIGH, 1_000);
        assert_eq!(floor.power.watts(), 181_870);
        assert_eq!(floor.current, MilliAmps(3_000));
    }

    #[test]
    fn the_class_of_the_transformer_decides_where_it_gives_no_error() {
        let floor = |class: &str| Floor::behind_ct(Wiring::FourWire, 400, HIGH, Accuracy::parse(class));
        assert_eq!(floor("0.5S").current, MilliAmps(4_000));
        assert_eq!(floor("0.5").current, MilliAmps(20_000));
        assert_eq!(
            Floor::behind_ct(Wiring::FourWire, 400, HIGH, None),
            floor("0.5"),
            "what is missing claims least"
        );
        let rated = MilliWatts::from_watts(12_500_000);
        assert!(!floor("0.5S").is_unfit_for(rated) && floor("0.5").is_unfit_for(rated));
    }

    #[test]
    fn a_single_phase_has_no_root_of_three() {
        let floor = Floor::direct(Wiring::SinglePhase, 100, MilliVolts(220_000));
        assert_eq!((floor.current, floor.power.watts()), (MilliAmps(400), 88));
    }
}
