//! Itemised allowances: what may lawfully draw from a decommissioned feeder, or feed back into it.

use crate::terms::{MilliWatts, Name, WattHours};

/// Most itemised allowances of one feeder.
pub const MAX_ALLOWANCES: usize = 16;
/// Reactive power of drives, in percent of the active power declared for them: a power factor of 0.7, as a barring drive
/// or a crane has. [K: 0.7 to 0.85 loaded, and less active power with the same reactive power below, 2026]
pub const DRIVES_VAR_PERCENT: i64 = 102;
/// Reactive power of lamps with their ballasts and of heaters with their regulators, in percent of the active power
/// declared for them: a power factor of 0.9. [K: required of compensated lamps, from memory, 2026]
pub const LAMPS_VAR_PERCENT: i64 = 48;
/// Reactive power of what is merely named, in percent of the active power declared for it: a power factor of 0.35, as a
/// welding transformer has. [K: 0.35 to 0.5, from memory, 2026]
pub const OTHER_VAR_PERCENT: i64 = 268;

/// What a drive may draw for seconds while it starts, in percent of the active power declared for it. [K: locked rotor, six times
/// the current at a power factor of 0.3, 2026]
pub const START_PERCENT: i64 = 200;

worded! {
    /// What an allowance is for.
    AllowanceKind {
        /// Lamps and sockets.
        Lamps "lamps"
        /// A crane; it may feed back when it lowers.
        Crane "crane"
        /// Space and trace heaters.
        Heaters "heaters"
        /// Turning a hot drum or kiln until it is cold.
        Barring "barring"
        /// Cooling of a hot furnace until it is cold.
        Cooling "cooling"
        /// Losses of a compensator, filter or capacitor bank.
        Compensation "compensation"
        /// Own generation behind the meter: photovoltaic, waste heat.
        Generation "generation"
        /// Anything else, named.
        Other "other"
    }
}

impl AllowanceKind {
    /// Reactive power it takes where none is declared, in percent of the active power declared for it.
    pub const fn var_percent(self) -> i64 {
        match self {
            AllowanceKind::Crane | AllowanceKind::Barring | AllowanceKind::Cooling => DRIVES_VAR_PERCENT,
            AllowanceKind::Other => OTHER_VAR_PERCENT,
            AllowanceKind::Lamps | AllowanceKind::Heaters => LAMPS_VAR_PERCENT,
            AllowanceKind::Compensation | AllowanceKind::Generation => 0,
        }
    }

    /// Reactive power it takes where none is declared, in var.
    pub const fn var_of(self, power: MilliWatts) -> i64 {
        power.0.saturating_mul(self.var_percent()) / 100_000
    }

    /// What it may draw for seconds while it starts, in percent of the active power declared for it.
    pub const fn start_percent(self) -> i64 {
        match self {
            AllowanceKind::Crane | AllowanceKind::Barring | AllowanceKind::Cooling | AllowanceKind::Other => {
                START_PERCENT
            }
            AllowanceKind::Lamps
            | AllowanceKind::Heaters
            | AllowanceKind::Compensation
            | AllowanceKind::Generation => 100,
        }
    }

    /// Whether it serves only until the equipment has cooled down.
    pub const fn is_cool_down(self) -> bool {
        matches!(self, AllowanceKind::Barring | AllowanceKind::Cooling)
    }
}

/// Something that may lawfully draw from a decommissioned feeder, or feed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// What it is called.
    pub name: Name,
    /// What it is for.
    pub kind: AllowanceKind,
    /// The power it may draw at any moment.
    pub power: MilliWatts,
    /// The reactive power it may take at any moment, in var.
    pub var: i64,
    /// The energy it may draw in a calendar month.
    pub monthly: WattHours,
    /// The power it may feed back at any moment.
    pub back_power: MilliWatts,
    /// The energy it may feed back in a calendar month.
    pub back_monthly: WattHours,
}

impl Allowance {
    /// An allowance that only draws, with the reactive power of its kind.
    pub const fn drawing(
        name: Name,
        kind: AllowanceKind,
        power: MilliWatts,
        monthly: WattHours,
    ) -> Allowance {
        let var = kind.var_of(power);
        Allowance { name, kind, power, var, monthly, back_power: MilliWatts(0), back_monthly: WattHours(0) }
    }

    /// The part of its reactive power that grows while it starts, in var: no more than a drive's.
    pub fn starting_var(&self) -> i64 {
        self.var.min(self.power.watts().saturating_mul(DRIVES_VAR_PERCENT) / 100)
    }
}
