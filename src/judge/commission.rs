//! What was declared and measured at commissioning, before anything is judged.

use crate::{
    catalogue::Standing,
    terms::{AssetId, MeterId, MilliAmps, MilliVolts, MilliWatts, Name, Stamp, WattHours},
};

/// Most itemised allowances of one feeder.
pub const MAX_ALLOWANCES: usize = 16;
/// Starting current of a meter behind current transformers, parts per million of their primary rating:
/// 0.2 % In, a vendor's sheet in METERING.md C.
pub const STARTING_CURRENT_CT_PPM: i64 = 2_000;
/// Starting current of a directly connected meter, parts per million of its rated current: 0.4 % Ib, same source.
pub const STARTING_CURRENT_DIRECT_PPM: i64 = 4_000;
/// How old a register's value may be when it is read: meters refresh them in beats, and gateways cache. Each sum of
/// energy is allowed what the allowances draw in this time besides its own span, in milliseconds.
pub const REGISTER_AGE_MS: i64 = 60_000;
/// Overload a current transformer passes on to its meter, in percent of its rating.
pub const OVERLOAD_PERCENT: i64 = 120;
/// What the meter's class may add to a declared allowance of energy, in parts per million.
pub const CLASS_ERROR_PPM: i64 = 10_000;

/// Something that may lawfully draw from a decommissioned feeder: lamps, crane, heaters, barring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// What it is for.
    pub name: Name,
    /// The power it may draw at any moment.
    pub power: MilliWatts,
    /// The energy it may draw in a calendar month.
    pub monthly: WattHours,
}

/// Below this the meter cannot tell anything from nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Three-phase power at the starting current and nominal voltage.
    pub power: MilliWatts,
    /// The starting current, primary side.
    pub current: MilliAmps,
    /// The most the metering point can pass at all: rated current with overload at nominal voltage.
    pub capacity: MilliWatts,
}

impl Floor {
    /// The floor of a meter with this rated primary current (amperes) on a line of this nominal voltage.
    /// `ppm` is its starting current in parts per million of the rated current.
    pub fn of(rated_amps: u32, nominal: MilliVolts, ppm: i64) -> Floor {
        let rated = i64::from(rated_amps).saturating_mul(1_000);
        let current = MilliAmps(i64::from(rated_amps).saturating_mul(ppm) / 1_000);
        let overload = MilliAmps(rated / 100 * OVERLOAD_PERCENT);
        Floor { power: three_phase(nominal, current), current, capacity: three_phase(nominal, overload) }
    }
}

/// P = sqrt(3) U I.
fn three_phase(line: MilliVolts, current: MilliAmps) -> MilliWatts {
    // mV * mA is a microwatt, so mW = mV * mA / 1000.
    let milliwatts = i128::from(line.0) * i128::from(current.0) * 17_321 / 10_000 / 1_000;
    MilliWatts(i64::try_from(milliwatts).unwrap_or(i64::MAX))
}

/// Which values the meter's map promises, so that a missing one is missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promised {
    /// Line voltages (or phase voltages they are computed from).
    pub voltages: u8,
    /// Phase currents.
    pub currents: u8,
}

/// A feeder as commissioned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commissioned {
    /// The meter that watches it.
    pub meter: MeterId,
    /// The equipment it serves, and serves alone.
    pub serves: AssetId,
    /// Nominal line-to-line voltage.
    pub nominal: MilliVolts,
    /// Rated power of the equipment.
    pub rated: MilliWatts,
    /// No-load loss of its transformer.
    pub no_load: MilliWatts,
    /// Itemised allowances.
    pub allowances: heapless::Vec<Allowance, MAX_ALLOWANCES>,
    /// What the meter cannot see.
    pub floor: Floor,
    /// Time between two polls, in milliseconds.
    pub poll_ms: u64,
    /// What the meter's map promises.
    pub promised: Promised,
}

impl Commissioned {
    /// Power up to which nothing but no-load losses is seen.
    pub fn idle_limit(&self) -> MilliWatts {
        MilliWatts(self.floor.power.0.saturating_add(self.no_load.0))
    }

    /// Power up to which the feeder stays within its allowances.
    pub fn limit(&self) -> MilliWatts {
        MilliWatts(self.allowances.iter().fold(self.idle_limit().0, |sum, a| sum.saturating_add(a.power.0)))
    }

    /// Energy that may show on the register between two readings without anything but allowances, losses and the
    /// floor: sum of min(power x span, monthly x months touched), plus two register steps and the class error.
    pub fn energy_bound(&self, from: &Stamp, to: &Stamp, step: WattHours) -> WattHours {
        let span_ms = to.since_ms(from).max(0).saturating_add(REGISTER_AGE_MS);
        let months = i64::from(to.legal_day().month().saturating_sub(from.legal_day().month())).max(0) + 1;
        let allowed = self.allowances.iter().fold(self.idle_limit().over_ms(span_ms).0, |sum, a| {
            sum.saturating_add(a.power.over_ms(span_ms).0.min(a.monthly.0.saturating_mul(months)))
        });
        let class_error = allowed / (1_000_000 / CLASS_ERROR_PPM);
        WattHours(allowed.saturating_add(class_error).saturating_add(step.0.saturating_mul(2)))
    }

    /// Energy that may have passed unseen while the meter stood at or below its floor.
    pub fn unseen_bound(&self, span_ms: i64, step: WattHours) -> WattHours {
        WattHours(self.floor.power.over_ms(span_ms).0.saturating_add(step.0.saturating_mul(2)))
    }

    /// Energy that may show between two readings while nothing but no-load losses and the floor is drawn.
    pub fn idle_bound(&self, span_ms: i64, step: WattHours) -> WattHours {
        let span_ms = span_ms.max(0).saturating_add(REGISTER_AGE_MS);
        WattHours(self.idle_limit().over_ms(span_ms).0.saturating_add(step.0.saturating_mul(2)))
    }

    /// The most the register can have advanced: what the metering point can pass, whatever rating was declared.
    pub fn possible(&self, span_ms: i64, step: WattHours) -> WattHours {
        let span_ms = span_ms.max(0).saturating_add(REGISTER_AGE_MS);
        let most = MilliWatts(self.floor.capacity.0.max(self.rated.0.saturating_add(self.rated.0 / 4)));
        WattHours(most.over_ms(span_ms).0.saturating_add(step.0.saturating_mul(2)))
    }
}

/// A piece of equipment as commissioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Equipment {
    /// Its identifier.
    pub id: AssetId,
    /// Its standing under the law.
    pub standing: Standing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::ClockQuality;

    pub(crate) fn feeder() -> Commissioned {
        let allowance = Allowance {
            name: Name::new("lamps").unwrap(),
            power: MilliWatts::from_watts(10_000),
            monthly: WattHours(2_000_000),
        };
        Commissioned {
            meter: MeterId::new("m1").unwrap(),
            serves: AssetId::new("eaf-1").unwrap(),
            nominal: MilliVolts(35_000_000),
            rated: MilliWatts::from_watts(12_500_000),
            no_load: MilliWatts::from_watts(20_000),
            allowances: heapless::Vec::from_slice(&[allowance]).unwrap(),
            floor: Floor::of(400, MilliVolts(35_000_000), STARTING_CURRENT_CT_PPM),
            poll_ms: 1_000,
            promised: Promised { voltages: 3, currents: 3 },
        }
    }

    #[test]
    fn the_floor_of_a_large_current_transformer_is_large() {
        // VERDICT.md 2: 3000/5 A at 35 kV is 182 MVA; a starting current of 0.1 % is 182 kW.
        let floor = Floor::of(3_000, MilliVolts(35_000_000), 1_000);
        assert_eq!(floor.power.watts(), 181_870);
        assert_eq!(floor.current, MilliAmps(3_000));
    }

    #[test]
    fn a_monthly_cap_bounds_what_a_power_alone_would_allow() {
        let at = |wall_unix_ms| Stamp {
            wall_unix_ms,
            uptime_ms: u64::try_from(wall_unix_ms).unwrap(),
            boot: 1,
            clock: ClockQuality::Unset,
            error_ms: 0,
        };
        let feeder = feeder();
        let hour = feeder.energy_bound(&at(0), &at(3_600_000), WattHours(5)).0;
        let watts_for_an_hour_and_a_minute = |watts: i64| (watts * 61 + 59) / 60;
        let allowed = watts_for_an_hour_and_a_minute(68_498) + watts_for_an_hour_and_a_minute(10_000);
        assert!((hour - (allowed * 101 / 100 + 10)).abs() <= 2, "{hour}");
        let days = |n: i64| feeder.energy_bound(&at(0), &at(n * 86_400_000), WattHours(0)).0;
        let idle = feeder.idle_limit().over_ms(20 * 86_400_000 + REGISTER_AGE_MS).0;
        assert_eq!(
            days(20),
            idle + 2_000_000 + (idle + 2_000_000) / 100,
            "20 days of lamps stop at the monthly cap"
        );
    }
}
