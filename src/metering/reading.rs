//! What one poll of one meter told, with its own time; or that it told nothing, and why.

use super::{
    Fault, Identity, Profile, Scan,
    decode::Applied,
    profile::Origin,
    quantity::{QUANTITIES, Quantity, REGISTERS},
};
use crate::terms::{AssetId, MeterId, MilliAmps, MilliVolts, MilliWatts, Stamp, WattHours};

/// An energy register at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Primary-side energy; of reactive registers var-hours.
    pub energy: WattHours,
    /// Smallest advance it can show at its present value, rounded up to a watt-hour, never zero.
    pub step: WattHours,
    /// Where it wraps to zero; `None` where that is not known (floats).
    pub modulus: Option<WattHours>,
    /// The register's words, high word first, packed to the right.
    pub raw: u64,
    /// How many words `raw` holds.
    pub raw_words: u8,
}

/// The energy registers of one poll: import, export, combined and reactive ones, totals and phases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers([Option<Register>; REGISTERS]);

impl Registers {
    /// A register; `None` when the map has none, when it showed no value, or when the quantity does not count.
    pub fn get(&self, quantity: Quantity) -> Option<&Register> {
        self.0.get(quantity.register_index()?)?.as_ref()
    }

    /// Notes a register; a quantity that does not count is left out.
    pub fn set(&mut self, quantity: Quantity, register: Register) {
        if let Some(slot) = quantity.register_index().and_then(|index| self.0.get_mut(index)) {
            *slot = Some(register);
        }
    }

    /// Every register that showed a value.
    pub fn iter(&self) -> impl Iterator<Item = (Quantity, &Register)> {
        let counters = Quantity::ALL.iter().copied();
        counters.filter_map(|quantity| Some((quantity, self.get(quantity)?)))
    }
}

/// All values of one poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whose.
    pub meter: MeterId,
    /// When the last answer of the poll arrived.
    pub at: Stamp,
    /// How long the poll took, first question to last answer, in milliseconds.
    pub took_ms: u32,
    /// Thousandths of each quantity's unit, primary side; absent is absent.
    pub values: [Option<i64>; QUANTITIES],
    /// Every energy register of the map that showed a value.
    pub registers: Registers,
    /// The import register, or the combined total where the meter has no import register.
    pub import: Option<Register>,
    /// Which request of the poll each value came with; [`NO_REQUEST`] where it came with none.
    pub requests: [u8; QUANTITIES],
    /// The ratios that multiplied what needed multiplying.
    pub ratios: Applied,
    /// The words everything above was decoded from.
    pub scan: Scan,
}

/// No request asked for this quantity.
pub const NO_REQUEST: u8 = u8::MAX;

/// Which request of a scan each quantity of a profile came with.
pub fn requests(profile: &Profile, origin: Origin, scan: &Scan) -> [u8; QUANTITIES] {
    let mut requests = [NO_REQUEST; QUANTITIES];
    for row in &profile.rows {
        let cell = &row.cell;
        let at = origin.address(cell.at);
        let place = at.and_then(|at| scan.request_of(cell.function, at, cell.kind.words()));
        if let (Some(slot), Some(place)) = (requests.get_mut(row.quantity.index()), place) {
            *slot = place;
        }
    }
    requests
}

impl Reading {
    /// Whether one answer of the meter carried all of these, so that they belong to one moment. False where one of
    /// them was not read.
    pub fn in_one_request(&self, quantities: &[Quantity]) -> bool {
        let mut places =
            quantities.iter().map(|q| self.requests.get(q.index()).copied().unwrap_or(NO_REQUEST));
        let Some(first) = places.next() else { return true };
        first != NO_REQUEST && places.all(|place| place == first)
    }

    /// One value, in thousandths of the quantity's unit.
    pub fn value(&self, quantity: Quantity) -> Option<i64> {
        self.values.get(quantity.index()).copied().flatten()
    }

    /// One energy register, with its raw words, its width and its step at its present value.
    pub fn register(&self, quantity: Quantity) -> Option<&Register> {
        self.registers.get(quantity)
    }

    /// Total active power; the sum of the phases where the meter has no total.
    pub fn power(&self) -> Option<MilliWatts> {
        let phases = [Quantity::PowerL1, Quantity::PowerL2, Quantity::PowerL3];
        self.value(Quantity::Power)
            .or_else(|| phases.iter().try_fold(0_i64, |sum, q| sum.checked_add(self.value(*q)?)))
            .map(MilliWatts)
    }

    /// Active power per phase.
    pub fn phase_power(&self) -> [Option<MilliWatts>; 3] {
        [Quantity::PowerL1, Quantity::PowerL2, Quantity::PowerL3].map(|q| self.value(q).map(MilliWatts))
    }

    /// Current per phase.
    pub fn currents(&self) -> [Option<MilliAmps>; 3] {
        [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3].map(|q| self.value(q).map(MilliAmps))
    }

    /// Line-to-line voltages; computed from the phase voltages (times the root of three) where only these are mapped.
    pub fn line_voltages(&self) -> [Option<MilliVolts>; 3] {
        let lines = [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31].map(|q| self.value(q));
        let phases = [Quantity::VoltageL1, Quantity::VoltageL2, Quantity::VoltageL3].map(|q| self.value(q));
        let lines = if lines.iter().any(Option::is_some) {
            lines
        } else {
            // 1.7321 to four places: half a part in ten thousand, far below any threshold applied to it.
            phases.map(|v| v.and_then(|v| Some(v.checked_mul(17_321)? / 10_000)))
        };
        lines.map(|v| v.map(MilliVolts))
    }

    /// A word that moves while the meter lives, whatever its line does: clock, uptime or run hours.
    pub fn liveness(&self) -> Option<i64> {
        [Quantity::Clock, Quantity::UptimeS, Quantity::RunHours].into_iter().find_map(|q| self.value(q))
    }
}

/// What one due poll came to: every due poll yields exactly one reading or miss. Nameplates and identities come beside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "samples pass through a bounded channel by value: no allocation a poll"
)]
pub enum Sample {
    /// The meter told.
    Reading(Reading),
    /// It did not; the time is when that was certain.
    Miss {
        /// Whose poll.
        meter: MeterId,
        /// When.
        at: Stamp,
        /// Why.
        fault: Fault,
    },
    /// The words of an equipment's nameplate block.
    Plate {
        /// Whose nameplate.
        asset: AssetId,
        /// When it was read.
        at: Stamp,
        /// The whole block, header included.
        words: Vec<u16>,
    },
    /// The nameplate could not be read.
    PlateMiss {
        /// Whose nameplate.
        asset: AssetId,
        /// When.
        at: Stamp,
        /// Why.
        fault: Fault,
    },
    /// Who the meter says it is, and how it is set up.
    Identity {
        /// Whose.
        meter: MeterId,
        /// When its last word came.
        at: Stamp,
        /// What it told.
        identity: Identity,
    },
    /// It should have told and did not.
    IdentityMiss {
        /// Whose.
        meter: MeterId,
        /// When.
        at: Stamp,
        /// Why.
        fault: Fault,
    },
}
