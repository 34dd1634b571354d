//! What was declared and measured at commissioning, before anything is judged.

use super::{accuracy::Classes, allowance::Allowance, floor::Floor, floor::register_floor};
use crate::{
    catalogue::Standing,
    metering::{Quantity, decode::Declared},
    terms::{AssetId, Digest, LegalDay, MeterId, MilliAmps, MilliVolts, MilliWatts, Name, Stamp, WattHours},
};

/// Most pieces of equipment one feeder may serve.
pub const MAX_SERVED: usize = 8;
/// How old a register's value may be when it is read: meters refresh them in beats, and gateways cache. Each sum of
/// energy is allowed what the allowances draw in this time besides its own span, in milliseconds.
pub const REGISTER_AGE_MS: i64 = 60_000;

/// Millionths in one.
const PPM: i64 = 1_000_000;

worded! {
    /// What a feeder is for.
    Role {
        /// The process itself: only such a feeder, serving one piece of equipment alone, can convict.
        Process "process"
        /// Fans, pumps, hydraulics, lighting.
        Auxiliary "auxiliary"
        /// Cooling, drainage, ventilation, gas purge and detection, fire water: never judged guilty.
        Safety "safety"
    }
}

worded! {
    /// How the meter is connected.
    Wiring {
        /// Three elements: each phase is measured.
        FourWire "3p4w_3e"
        /// Two elements (Aron) on a three-wire network: only total power, line voltages, I1 and I3 mean anything.
        Aron "3p3w_2e"
        /// One phase.
        SinglePhase "1p"
    }
}

impl Wiring {
    /// Which phases have a current of their own.
    pub const fn has_current(self) -> [bool; 3] {
        match self {
            Wiring::FourWire => [true, true, true],
            Wiring::Aron => [true, false, true],
            Wiring::SinglePhase => [true, false, false],
        }
    }

    /// Whether the power of a single phase means anything.
    pub const fn has_phase_power(self) -> bool {
        matches!(self, Wiring::FourWire)
    }

    /// Power of this current at this voltage: line-to-line for three phases (root of three U I), else U I.
    pub fn power(self, voltage: MilliVolts, current: MilliAmps) -> MilliWatts {
        // mV * mA is a microwatt, so mW = mV * mA / 1000.
        let product = i128::from(voltage.0) * i128::from(current.0) / 1_000;
        let milliwatts = match self {
            Wiring::FourWire | Wiring::Aron => product * 17_321 / 10_000,
            Wiring::SinglePhase => product,
        };
        MilliWatts(i64::try_from(milliwatts).unwrap_or(i64::MAX))
    }
}

worded! {
    /// Where the meter takes its voltage.
    VoltagePoint {
        /// Before the breaker: whether the line behind it is dead cannot be told.
        Bus "bus"
        /// Between breaker and isolator.
        Line "line"
        /// At the equipment.
        Load "load"
    }
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
    /// What it is for.
    pub role: Role,
    /// The equipment it serves, at least one and at most [`MAX_SERVED`]; alone when there is one.
    pub serves: Box<[AssetId]>,
    /// How the meter is connected.
    pub wiring: Wiring,
    /// Where the meter takes its voltage.
    pub voltage_point: VoltagePoint,
    /// Nominal line-to-line voltage; phase voltage for a single phase.
    pub nominal: MilliVolts,
    /// Rated power of what it serves.
    pub rated: MilliWatts,
    /// No-load loss of its transformer.
    pub no_load: MilliWatts,
    /// Reactive power of declared capacitors and filters at nominal voltage, in var; 0: none declared.
    pub compensation_var: i64,
    /// Itemised allowances, at most [`super::allowance::MAX_ALLOWANCES`].
    pub allowances: Box<[Allowance]>,
    /// Ratios on the transformers' plates.
    pub ratios: Declared,
    /// The bus section it hangs on, by a name meters of one voltage share; what is on one bus is compared.
    pub section: Option<Name>,
    /// Accuracy classes on the plates.
    pub classes: Classes,
    /// What the meter cannot see.
    pub floor: Floor,
    /// The register energy is judged by: import, or the combined total where the map has no import.
    pub register: Quantity,
    /// Time between two polls, in milliseconds.
    pub poll_ms: u64,
    /// What the meter's map promises.
    pub promised: Promised,
    /// The feeder the meter itself is fed from, where that is one of the meters here.
    pub powered_by: Option<MeterId>,
    /// SHA-256 over everything declared of this point, its papers included, as the log tells it.
    pub identity: Digest,
}

impl Commissioned {
    /// A process feeder that serves one piece of equipment alone, of which nothing else is declared.
    pub fn process_feeder(
        meter: MeterId,
        asset: AssetId,
        nominal: MilliVolts,
        rated: MilliWatts,
        floor: Floor,
    ) -> Commissioned {
        Commissioned {
            meter,
            role: Role::Process,
            serves: Box::new([asset]),
            wiring: Wiring::FourWire,
            voltage_point: VoltagePoint::Bus,
            nominal,
            rated,
            no_load: MilliWatts(0),
            compensation_var: 0,
            allowances: Box::default(),
            ratios: Declared::default(),
            section: None,
            classes: Classes::default(),
            floor,
            register: Quantity::Import,
            poll_ms: 1_000,
            promised: Promised { voltages: 3, currents: 3 },
            powered_by: None,
            identity: Digest::of(b""),
        }
    }

    /// The equipment whose records its findings are filed under: the first it serves.
    ///
    /// A feeder that serves nothing cannot be configured; such a one files under its meter's name.
    pub fn asset(&self) -> AssetId {
        self.serves.first().copied().unwrap_or(AssetId(self.meter.0))
    }

    /// Whether it serves this equipment.
    pub fn serves(&self, asset: AssetId) -> bool {
        self.serves.contains(&asset)
    }

    /// Whether what it draws can convict: a process feeder that serves one piece of equipment and no other.
    pub fn convicts(&self) -> bool {
        self.role == Role::Process && self.serves.len() == 1
    }

    /// Whether so much could hide below the floor that the meter is unfit for its equipment.
    pub fn is_unfit(&self) -> bool {
        self.floor.is_unfit_for(self.rated)
    }

    /// What meter and transformers may err together, in parts per million of what passed.
    pub fn error_ppm(&self) -> i64 {
        self.classes.error_ppm(self.ratios.ct.is_some(), self.ratios.pt.is_some())
    }

    /// What meter and transformers may turn the angle between voltage and current by, in millionths of a radian.
    pub fn angle_ppm(&self) -> i64 {
        self.classes.angle_ppm(self.ratios.ct.is_some(), self.ratios.pt.is_some())
    }

    /// What an error of angle at declared capacitors and filters may show as power, in either direction.
    pub fn angle_error(&self) -> MilliWatts {
        MilliWatts(self.compensation_var.saturating_mul(self.angle_ppm()) / 1_000)
    }

    /// What shows without anything running: no-load losses, and the error of angle.
    fn standing_loss(&self) -> MilliWatts {
        MilliWatts(self.no_load.0.saturating_add(self.angle_error().0))
    }

    /// Power up to which nothing but no-load losses is seen.
    pub fn idle_limit(&self) -> MilliWatts {
        MilliWatts(self.floor.power.0.saturating_add(self.standing_loss().0))
    }

    /// Power up to which the feeder stays within its allowances, with what the class may err over them.
    pub fn limit(&self) -> MilliWatts {
        self.with_error(
            self.allowances.iter().fold(self.idle_limit().0, |sum, a| sum.saturating_add(a.power.0)),
        )
    }

    /// What flows at least where so much shows, whatever the class errs.
    pub fn least(&self, power: MilliWatts) -> MilliWatts {
        MilliWatts(power.0.saturating_sub(self.class_error(power.0)))
    }

    /// What of a power stands for certain above the limit; negative: nothing does.
    pub fn beyond(&self, power: MilliWatts) -> MilliWatts {
        MilliWatts(self.least(power).0.saturating_sub(self.limit().0))
    }

    /// As [`Commissioned::beyond`], and above what drives draw that start.
    pub fn beyond_starts(&self, power: MilliWatts) -> MilliWatts {
        let starting = |a: &Allowance| a.power.0 / 100 * a.kind.start_percent();
        let most = self.allowances.iter().fold(self.idle_limit().0, |sum, a| sum.saturating_add(starting(a)));
        MilliWatts(self.least(power).0.saturating_sub(self.with_error(most).0.max(self.limit().0)))
    }

    /// While it draws, power must fall to this before it can be said to have ended: half the floor above what is allowed.
    pub fn off_limit(&self) -> MilliWatts {
        MilliWatts(self.limit().0.saturating_sub(self.floor.power.0 / 2))
    }

    /// Power that may flow backwards: declared generation and regeneration, and the floor, with what the class may err.
    pub fn back_limit(&self) -> MilliWatts {
        self.with_error(
            self.allowances.iter().fold(self.idle_back().0, |sum, a| sum.saturating_add(a.back_power.0)),
        )
    }

    /// Power that may show backwards while nothing flows back.
    fn idle_back(&self) -> MilliWatts {
        MilliWatts(self.floor.power.0.saturating_add(self.angle_error().0))
    }

    fn with_error(&self, allowed: i64) -> MilliWatts {
        MilliWatts(allowed.saturating_add(self.class_error(allowed)))
    }

    /// Energy that may flow backwards between two readings, as [`Commissioned::energy_bound`] for what is drawn.
    pub fn back_bound(&self, from: &Stamp, to: &Stamp, step: WattHours) -> WattHours {
        self.bound(self.idle_back(), |a| (a.back_power, a.back_monthly), from, to, step)
    }

    /// Energy that may show on the register between two readings without anything but allowances, losses and the
    /// floor: sum of min(power x span, monthly x months touched), plus two register steps and the class error.
    pub fn energy_bound(&self, from: &Stamp, to: &Stamp, step: WattHours) -> WattHours {
        self.bound(self.idle_limit(), |a| (a.power, a.monthly), from, to, step)
    }

    fn bound(
        &self,
        always: MilliWatts,
        of: impl Fn(&Allowance) -> (MilliWatts, WattHours),
        from: &Stamp,
        to: &Stamp,
        step: WattHours,
    ) -> WattHours {
        let span_ms = to.since_ms(from).max(0).saturating_add(REGISTER_AGE_MS);
        let months = months_touched(from.legal_day(), to.legal_day());
        let allowed = self.allowed(always, of, span_ms, months);
        let with_error = allowed.saturating_add(self.class_error(allowed));
        WattHours(with_error.saturating_add(register_floor(step).0))
    }

    /// Energy that may show beside what a permit covers, from its first moment up to another, both Unix milliseconds: the
    /// allowances and no-load losses of that time, what the class may err over them and over the permitted energy, and two
    /// register steps. Not the floor: what is permitted is far above it.
    pub fn beside_permit(
        &self,
        permitted: WattHours,
        from_unix_ms: i64,
        to_unix_ms: i64,
        step: WattHours,
    ) -> WattHours {
        let span_ms = to_unix_ms.saturating_sub(from_unix_ms).max(0).saturating_add(REGISTER_AGE_MS);
        let months = months_touched(LegalDay::of_unix_ms(from_unix_ms), LegalDay::of_unix_ms(to_unix_ms));
        let allowed = self.allowed(self.standing_loss(), |a| (a.power, a.monthly), span_ms, months);
        let class_error = self.class_error(permitted.0.saturating_add(allowed));
        WattHours(allowed.saturating_add(class_error).saturating_add(register_floor(step).0))
    }

    /// Energy that allowances and no-load losses may show between two moments, both Unix milliseconds, with what the
    /// class may err over them; nothing where the second is not the later one.
    pub fn allowed_between(&self, from_unix_ms: i64, to_unix_ms: i64) -> WattHours {
        let span_ms = to_unix_ms.saturating_sub(from_unix_ms);
        if span_ms <= 0 {
            return WattHours(0);
        }
        let months = months_touched(LegalDay::of_unix_ms(from_unix_ms), LegalDay::of_unix_ms(to_unix_ms));
        let allowed = self.allowed(self.standing_loss(), |a| (a.power, a.monthly), span_ms, months);
        WattHours(allowed.saturating_add(self.class_error(allowed)))
    }

    fn allowed(
        &self,
        always: MilliWatts,
        of: impl Fn(&Allowance) -> (MilliWatts, WattHours),
        span_ms: i64,
        months: i64,
    ) -> i64 {
        self.allowances.iter().fold(always.over_ms(span_ms).0, |sum, a| {
            let (power, monthly) = of(a);
            sum.saturating_add(power.over_ms(span_ms).0.min(monthly.0.saturating_mul(months)))
        })
    }

    /// What the class may err over so much energy or power.
    fn class_error(&self, amount: i64) -> i64 {
        let error_ppm = self.error_ppm();
        // In two parts, so that it fits: a wide division is dear.
        (amount / PPM).saturating_mul(error_ppm).saturating_add(amount % PPM * error_ppm / PPM)
    }

    /// Energy that may have passed unseen while the meter stood at or below its floor.
    pub fn unseen_bound(&self, span_ms: i64, step: WattHours) -> WattHours {
        WattHours(self.floor.power.over_ms(span_ms).0.saturating_add(register_floor(step).0))
    }

    /// Energy that may show between two readings while nothing but no-load losses and the floor is drawn.
    pub fn idle_bound(&self, span_ms: i64, step: WattHours) -> WattHours {
        let span_ms = span_ms.max(0).saturating_add(REGISTER_AGE_MS);
        WattHours(self.idle_limit().over_ms(span_ms).0.saturating_add(register_floor(step).0))
    }

    /// The most power the metering point can pass, whatever rating was declared.
    pub fn capacity(&self) -> MilliWatts {
        MilliWatts(self.floor.capacity.0.max(self.rated.0.saturating_add(self.rated.0 / 4)))
    }

    /// The most the register can have advanced: what the metering point can pass, whatever rating was declared.
    pub fn possible(&self, span_ms: i64, step: WattHours) -> WattHours {
        let span_ms = span_ms.max(0).saturating_add(REGISTER_AGE_MS);
        WattHours(self.capacity().over_ms(span_ms).0.saturating_add(register_floor(step).0))
    }
}

/// Calendar months that a span touches, at least one.
fn months_touched(from: LegalDay, to: LegalDay) -> i64 {
    let turns = if from == to { 0 } else { to.month().saturating_sub(from.month()).max(0) };
    i64::from(turns) + 1
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
    use crate::{
        judge::{Accuracy, AllowanceKind, floor::STARTING_CURRENT_CT_PPM},
        terms::{ClockQuality, Name},
    };

    fn feeder() -> Commissioned {
        let nominal = MilliVolts(35_000_000);
        let lamps = Allowance::drawing(
            Name::new("lamps").unwrap(),
            AllowanceKind::Lamps,
            MilliWatts::from_watts(10_000),
            WattHours(2_000_000),
        );
        let floor = Floor::of(Wiring::FourWire, 400, nominal, STARTING_CURRENT_CT_PPM);
        let rated = MilliWatts::from_watts(12_500_000);
        let (meter, asset) = (MeterId::new("m1").unwrap(), AssetId::new("eaf-1").unwrap());
        Commissioned {
            no_load: MilliWatts::from_watts(20_000),
            allowances: Box::new([lamps]),
            ..Commissioned::process_feeder(meter, asset, nominal, rated, floor)
        }
    }

    #[test]
    fn only_a_process_feeder_that_serves_one_alone_convicts() {
        let convicts = |change: fn(&mut Commissioned)| {
            let mut terms = feeder();
            change(&mut terms);
            terms.convicts()
        };
        assert!(convicts(|_| ()));
        assert!(!convicts(|terms| terms.role = Role::Safety));
        assert!(!convicts(|terms| terms.role = Role::Auxiliary));
        assert!(!convicts(|terms| terms.serves = ["a", "b"].map(|id| AssetId::new(id).unwrap()).into()));
    }

    #[test]
    fn what_is_allowed_may_be_drawn_in_full_whatever_a_meter_of_its_class_shows_of_it() {
        // Heaters of 60 kW behind a direct meter of class 2.
        let nominal = MilliVolts(400_000);
        let power = MilliWatts::from_watts(60_000);
        let name = Name::new("heaters").unwrap();
        let heaters = Allowance {
            back_power: power,
            ..Allowance::drawing(name, AllowanceKind::Heaters, power, WattHours(44_640_000))
        };
        let (meter, asset) = (MeterId::new("m1").unwrap(), AssetId::new("kiln-1").unwrap());
        let floor = Floor::direct(Wiring::FourWire, 100, nominal);
        let terms = Commissioned {
            classes: Classes { meter: Accuracy::parse("2"), ..Classes::default() },
            allowances: Box::new([heaters]),
            ..Commissioned::process_feeder(meter, asset, nominal, power, floor)
        };
        let shown = power.0 + power.0 / 50;
        assert!(terms.limit().0 >= shown + floor.power.0 && terms.off_limit() < terms.limit());
        assert!(terms.back_limit().0 >= shown + floor.power.0);
        assert!(terms.limit().0 < shown + floor.power.0 * 51 / 50 + 2, "and no more than that");
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
