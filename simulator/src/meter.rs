//! A meter of any family that a profile describes: it sees a flow, counts energy, and answers with registers.

use std::{collections::BTreeMap, sync::Arc};

use coldhearth::{
    metering::{Block, Function, Profile, Quantity, profile::Times},
    terms::{MilliAmps, Ratio, WattHours},
};

use crate::{
    chance::Chance,
    counter::Counter,
    encode::{self, Value},
    exception::{ILLEGAL_ADDRESS, ILLEGAL_VALUE, NO_ANSWER_FROM_UNIT},
    factor::Instrument,
    feeder::Flow,
    layout::{Layout, Shows},
    rounding::real,
    view::{Clocks, Noise, View},
    wiring::{Wiring, seen},
};

/// Starting current through a transformer: 0.2 % of its rating (vendor sheet, METERING.md C).
const STARTING_OF_CT: f64 = 0.002;
/// Starting current of a direct meter: 0.4 % of 10 A (same sheet).
const STARTING_DIRECT_AMPS: f64 = 0.04;
/// Noise of a meter unless told otherwise, in millionths: far inside the class of any of them.
const NOISE_PPM: u32 = 100;
/// Plant time 0 on the meter's clock unless told otherwise: 2027-01-01 00:00 in China.
const CLOCK_START_UNIX_S: i64 = 1_798_732_800;

/// What a meter answers for registers its profile does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmapped {
    /// Exception 2, but zeros for the small gaps inside its tables.
    Refused,
    /// Exception 2, for gaps as well: families that cannot be read across holes.
    HolesRefused,
    /// Zeros everywhere, as Eastron does.
    Zeros,
}

/// The feeder's side of one reading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at_ms: u64,
    pub(crate) flow: Flow,
    pub(crate) frequency_hz: f64,
}

/// A simulated meter. Fed from an auxiliary supply: it answers while its own line is dead, unless it is made dark.
#[derive(Clone, Debug)]
pub struct SimMeter {
    layout: Layout,
    max_regs: u16,
    instrument: Instrument,
    wiring: Wiring,
    starting_amps: f64,
    noise: Noise,
    unmapped: Unmapped,
    wrap: Option<u64>,
    counters: BTreeMap<Quantity, (Times, Counter)>,
    absent: Vec<Quantity>,
    overrides: BTreeMap<(Function, u16), u16>,
    frozen: Option<BTreeMap<(Function, u16), u16>>,
    powered_since_ms: Option<u64>,
    powered_ms: u64,
    clock_start_s: i64,
    run_hours: u32,
}

impl SimMeter {
    /// A meter of a profile, connected directly, wired right, its registers at zero.
    pub fn new(profile: &Arc<Profile>) -> SimMeter {
        let counters = profile
            .rows
            .iter()
            .filter_map(|row| Some((row.quantity, (row.times, Counter::of(row.quantity)?))));
        SimMeter {
            layout: Layout::of(profile),
            counters: counters.collect(),
            max_regs: profile.max_regs,
            instrument: Instrument {
                ct: Ratio::DIRECT,
                pt: Ratio::DIRECT,
                told_ct: Ratio::DIRECT,
                told_pt: Ratio::DIRECT,
                gain_ppm: 1_000_000,
            },
            wiring: Wiring::Right,
            starting_amps: STARTING_DIRECT_AMPS,
            noise: Noise { ppm: NOISE_PPM, chance: Chance::new(0) },
            unmapped: Unmapped::Refused,
            wrap: None,
            absent: Vec::new(),
            overrides: BTreeMap::new(),
            frozen: None,
            powered_since_ms: Some(0),
            powered_ms: 0,
            clock_start_s: CLOCK_START_UNIX_S,
            run_hours: 1_000,
        }
    }

    /// Behind current transformers it was told of rightly; its starting current becomes 0.2 % of their rating.
    #[must_use]
    pub fn with_ct(mut self, ct: Ratio) -> SimMeter {
        (self.instrument.ct, self.instrument.told_ct) = (ct, ct);
        self.starting_amps = f64::from(ct.primary()) * STARTING_OF_CT;
        self
    }

    /// Behind voltage transformers it was told of rightly.
    #[must_use]
    pub fn with_pt(mut self, pt: Ratio) -> SimMeter {
        (self.instrument.pt, self.instrument.told_pt) = (pt, pt);
        self
    }

    /// With another starting current, on the primary side: below it a phase shows nothing and counts nothing.
    #[must_use]
    pub fn with_starting_current(self, amps: MilliAmps) -> SimMeter {
        SimMeter { starting_amps: real(amps.0) / 1_000.0, ..self }
    }

    /// With another noise, in millionths of each voltage and current.
    #[must_use]
    pub fn with_noise_ppm(mut self, ppm: u32) -> SimMeter {
        self.noise.ppm = ppm;
        self
    }

    /// With another answer for registers that are not mapped.
    #[must_use]
    pub fn with_unmapped(self, unmapped: Unmapped) -> SimMeter {
        SimMeter { unmapped, ..self }
    }

    /// With imported energy from before plant time 0, primary side, a third of it on each phase.
    #[must_use]
    pub fn with_import(mut self, energy: WattHours) -> SimMeter {
        let whole = u128::from(energy.0.max(0).unsigned_abs()) * 3_600_000_000;
        for (quantity, part) in [
            (Quantity::Import, 1),
            (Quantity::Energy, 1),
            (Quantity::ImportL1, 3),
            (Quantity::ImportL2, 3),
            (Quantity::ImportL3, 3),
        ] {
            if let Some((_, counter)) = self.counters.get_mut(&quantity) {
                counter.start(whole / part);
            }
        }
        self
    }

    /// With whole-number counters that start again at this raw number, not only at the width of their type.
    #[must_use]
    pub fn with_wrap_at(self, raw: u64) -> SimMeter {
        SimMeter { wrap: Some(raw), ..self }
    }

    /// With a clock that says this, in seconds since 1970, at plant time 0.
    #[must_use]
    pub fn with_clock(self, start_unix_s: i64) -> SimMeter {
        SimMeter { clock_start_s: start_unix_s, ..self }
    }

    pub(crate) fn with_chance(mut self, chance: Chance) -> SimMeter {
        self.noise.chance = chance;
        self
    }

    /// Counts what flows for a while. A dark meter counts nothing.
    pub(crate) fn count(&mut self, flow: &Flow, span_ms: u64) {
        if self.powered_since_ms.is_none() {
            return;
        }
        self.powered_ms += span_ms;
        let legs = seen(flow, self.wiring, self.starting_amps);
        for (_, counter) in self.counters.values_mut() {
            counter.count(&legs, span_ms);
        }
    }

    /// Answers a read, or refuses with a Modbus exception code.
    pub(crate) fn read(
        &self,
        moment: &Moment,
        function: Function,
        at: u16,
        count: u16,
    ) -> Result<Vec<u16>, u8> {
        if self.powered_since_ms.is_none() {
            return Err(NO_ANSWER_FROM_UNIT);
        }
        if count == 0 || count > self.max_regs {
            return Err(ILLEGAL_VALUE);
        }
        let mut words = vec![None; usize::from(count)];
        let mut put = |of: Function, address: u32, word: u16| {
            let index = address.checked_sub(u32::from(at)).and_then(|index| usize::try_from(index).ok());
            if let Some(slot) = index.filter(|_| of == function).and_then(|index| words.get_mut(index)) {
                *slot = Some(word);
            }
        };
        match &self.frozen {
            Some(frozen) => {
                for ((of, address), word) in frozen {
                    put(*of, u32::from(*address), *word);
                }
            }
            None => self.show(moment, Some(Block { function, at, count }), &mut put),
        }
        for ((of, address), word) in &self.overrides {
            put(*of, u32::from(*address), *word);
        }
        let end = u32::from(at) + u32::from(count);
        let answer = (u32::from(at)..end)
            .zip(words)
            .map(|(address, word)| word.or_else(|| self.fill(function, address)));
        answer.collect::<Option<Vec<u16>>>().ok_or(ILLEGAL_ADDRESS)
    }

    pub(crate) fn rewire(&mut self, wiring: Wiring) {
        self.wiring = wiring;
    }

    /// Changes ratios or gain from now on; what was counted stays counted.
    pub(crate) fn adjust(&mut self, change: impl FnOnce(&mut Instrument)) {
        for (quantity, (times, counter)) in &mut self.counters {
            counter.bank(self.instrument.factor(*quantity, *times));
        }
        change(&mut self.instrument);
    }

    /// Makes a register answer a fixed word, or itself again.
    pub(crate) fn fix_register(&mut self, function: Function, at: u16, word: Option<u16>) {
        match word {
            Some(word) => self.overrides.insert((function, at), word),
            None => self.overrides.remove(&(function, at)),
        };
    }

    /// Makes the meter answer for ever what it would answer now.
    pub(crate) fn freeze(&mut self, moment: &Moment) {
        let mut words = BTreeMap::new();
        self.show(moment, None, &mut |function, address, word| {
            if let Ok(address) = u16::try_from(address) {
                words.insert((function, address), word);
            }
        });
        self.frozen = Some(words);
    }

    pub(crate) fn thaw(&mut self) {
        self.frozen = None;
    }

    /// Takes or gives the meter its auxiliary supply.
    pub(crate) fn set_powered(&mut self, powered: bool, at_ms: u64) {
        self.powered_since_ms = powered.then(|| self.powered_since_ms.unwrap_or(at_ms));
    }

    pub(crate) fn set_absent(&mut self, quantity: Quantity, absent: bool) {
        self.absent.retain(|q| *q != quantity);
        if absent {
            self.absent.push(quantity);
        }
    }

    pub(crate) fn reset_registers(&mut self) {
        self.counters.values_mut().for_each(|(_, counter)| counter.reset());
    }

    /// Puts the words of the cells that lie in a run of registers.
    fn show(&self, moment: &Moment, run: Option<Block>, put: &mut impl FnMut(Function, u32, u16)) {
        let view = self.view(moment);
        for (cell, shows) in self.layout.cells(run) {
            let bits = encode::bits(cell, self.value(*shows, &view));
            for offset in 0..cell.kind.words() {
                put(cell.function, u32::from(cell.at) + u32::from(offset), encode::word(cell, bits, offset));
            }
        }
    }

    fn view(&self, moment: &Moment) -> View {
        let since = self.powered_since_ms.unwrap_or(moment.at_ms);
        let seconds = |ms: u64| real(i64::try_from(ms / 1_000).unwrap_or(i64::MAX));
        let clocks = Clocks {
            clock_s: real(self.clock_start_s) + seconds(moment.at_ms),
            uptime_s: seconds(moment.at_ms.saturating_sub(since)),
            run_hours: f64::from(self.run_hours) + seconds(self.powered_ms) / 3_600.0,
        };
        let legs = seen(&moment.flow, self.wiring, self.starting_amps);
        let noise = (!moment.flow.is_exact).then_some(self.noise);
        View::of(&legs, noise, moment.at_ms, moment.frequency_hz, clocks)
    }

    fn value(&self, shows: Shows, view: &View) -> Value {
        let (ct, pt) = (self.instrument.told_ct, self.instrument.told_pt);
        let ratio = |ratio: Ratio| f64::from(ratio.primary()) / f64::from(ratio.secondary());
        match shows {
            Shows::Quantity(quantity, _) if self.absent.contains(&quantity) => Value::Absent,
            Shows::Quantity(quantity, times) => {
                let factor = self.instrument.factor(quantity, times);
                match (view.measured(quantity), self.counters.get(&quantity)) {
                    (Some(value), _) => Value::Real(value * factor.as_real()),
                    (None, Some((_, counter))) => Value::Energy(counter.held(factor), self.wrap),
                    (None, None) => Value::Absent,
                }
            }
            Shows::PowerOfTen(power) => Value::Real(f64::from(power)),
            Shows::CtRatio => Value::Real(ratio(ct)),
            Shows::CtPrimary => Value::Real(f64::from(ct.primary())),
            Shows::CtSecondary => Value::Real(f64::from(ct.secondary())),
            Shows::PtRatio => Value::Real(ratio(pt)),
            Shows::PtPrimary => Value::Real(f64::from(pt.primary())),
            Shows::PtSecondary => Value::Real(f64::from(pt.secondary())),
        }
    }

    /// What it holds of a quantity, primary side, unrounded.
    #[cfg(test)]
    pub(crate) fn held(&self, moment: &Moment, quantity: Quantity) -> Option<f64> {
        let energy = || {
            let (_, counter) = self.counters.get(&quantity)?;
            let held = counter.held(self.instrument.factor(quantity, Times::default()));
            Some(crate::rounding::real_wide(held.cast_signed()) / 3.6e12)
        };
        self.view(moment).measured(quantity).or_else(energy)
    }

    /// The answer for a register without a row.
    fn fill(&self, function: Function, address: u32) -> Option<u16> {
        match self.unmapped {
            Unmapped::Zeros => Some(0),
            Unmapped::Refused => self.layout.has_in_table(function, address).then_some(0),
            Unmapped::HolesRefused => None,
        }
    }
}
