//! A meter of any family that a profile describes: it sees a flow, counts energy, and answers with registers.

mod answer;

use std::{collections::BTreeMap, sync::Arc};

use coldhearth::{
    metering::{Function, Profile, Quantity, profile::Times},
    terms::{MilliAmps, Ratio, WattHours},
};

use crate::{
    accuracy::{Classes, Errors},
    chance::Chance,
    counter::Counter,
    demand::Demand,
    factor::Instrument,
    feeder::Flow,
    layout::Layout,
    life::Life,
    measure::{Elements, Measured, Noise, Terminals},
    phasor::Phasor,
    pretence::{Pretence, Recording},
    rounding::real,
    who::Who,
    wiring::Wiring,
};

/// Starting current through a transformer: 0.2 % of its rating (vendor sheet, METERING.md C).
const STARTING_OF_CT: f64 = 0.002;
/// Starting current of a direct meter: 0.4 % of 10 A (same sheet).
const STARTING_DIRECT_AMPS: f64 = 0.04;
/// The current a direct meter is rated for.
const DIRECT_AMPS: f64 = 10.0;
/// Noise of a meter unless told otherwise, in millionths: far inside the class of any of them.
const NOISE_PPM: u32 = 100;

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

/// The moment of a question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now_ms: u64,
    pub(crate) frequency_hz: f64,
}

/// One energy register of a map.
#[derive(Clone, Copy, Debug)]
struct Register {
    quantity: Quantity,
    times: Times,
    counter: Counter,
}

/// A simulated meter. Fed from an auxiliary supply: it answers while its own line is dead, unless it is made dark.
#[derive(Clone, Debug)]
pub struct SimMeter {
    pub(crate) who: Who,
    layout: Layout,
    max_regs: u16,
    instrument: Instrument,
    classes: Classes,
    terminals: Terminals,
    unmapped: Unmapped,
    wrap: Option<u64>,
    registers: Vec<Register>,
    demand: Demand,
    absent: Vec<Quantity>,
    overrides: BTreeMap<(Function, u16), u16>,
    pretence: Pretence,
    recording: Option<Recording>,
    life: Life,
    /// What it measures, and what its registers show of it until the next beat.
    measured: Measured,
    shown: Option<Measured>,
    beat_ms: Option<u64>,
    save_ms: Option<u64>,
}

impl SimMeter {
    /// A meter of a profile, connected directly, wired right, its registers at zero.
    pub fn new(profile: &Arc<Profile>) -> SimMeter {
        let registers = profile.rows.iter().filter_map(|row| {
            let counter = Counter::of(row.quantity)?;
            Some(Register { quantity: row.quantity, times: row.times, counter })
        });
        let noise = Noise::new(NOISE_PPM, Chance::new(0));
        let who = Who::of(profile);
        let instrument = Instrument {
            ct: Ratio::DIRECT,
            pt: Ratio::DIRECT,
            told_ct: Ratio::DIRECT,
            told_pt: Ratio::DIRECT,
            gain_ppm: 1_000_000,
        };
        SimMeter {
            layout: Layout::of(profile, who.runs(), &instrument),
            who,
            registers: registers.collect(),
            max_regs: profile.max_regs,
            instrument,
            classes: Classes::default(),
            terminals: Terminals {
                wiring: Wiring::Right,
                elements: Elements::Three,
                starting_amps: STARTING_DIRECT_AMPS,
                errors: Errors::draw(Classes::default(), DIRECT_AMPS, noise.chance()),
                noise,
            },
            unmapped: Unmapped::Refused,
            wrap: None,
            demand: Demand::default(),
            absent: Vec::new(),
            overrides: BTreeMap::new(),
            pretence: Pretence::None,
            recording: None,
            life: Life::new(),
            measured: Measured::default(),
            shown: None,
            beat_ms: None,
            save_ms: None,
        }
    }

    /// Behind current transformers it was told of rightly; its starting current becomes 0.2 % of their rating.
    #[must_use]
    pub fn with_ct(mut self, ct: Ratio) -> SimMeter {
        (self.instrument.ct, self.instrument.told_ct) = (ct, ct);
        self.layout.refit(&self.instrument);
        self.terminals.starting_amps = f64::from(ct.primary()) * STARTING_OF_CT;
        self
    }

    /// Behind voltage transformers it was told of rightly.
    #[must_use]
    pub fn with_pt(mut self, pt: Ratio) -> SimMeter {
        (self.instrument.pt, self.instrument.told_pt) = (pt, pt);
        self.layout.refit(&self.instrument);
        self
    }

    /// Of these classes: each instrument errs by a constant share of its limit, drawn from the plant's seed. Without
    /// classes none of them errs, and the noise alone is left.
    #[must_use]
    pub fn with_classes(self, classes: Classes) -> SimMeter {
        SimMeter { classes, ..self }
    }

    /// With two elements instead of three.
    #[must_use]
    pub fn with_elements(mut self, elements: Elements) -> SimMeter {
        self.terminals.elements = elements;
        self
    }

    /// With registers that take new values only every so many milliseconds.
    #[must_use]
    pub fn with_beat_ms(self, beat_ms: u32) -> SimMeter {
        SimMeter { beat_ms: (beat_ms > 0).then_some(u64::from(beat_ms)), ..self }
    }

    /// With energies that are saved only every so many milliseconds: a loss of supply loses what came after.
    #[must_use]
    pub fn with_saving_every_ms(self, save_ms: u32) -> SimMeter {
        SimMeter { save_ms: (save_ms > 0).then_some(u64::from(save_ms)), ..self }
    }

    /// With another starting current, on the primary side: below it a phase shows nothing and counts nothing.
    #[must_use]
    pub fn with_starting_current(mut self, amps: MilliAmps) -> SimMeter {
        self.terminals.starting_amps = real(amps.0) / 1_000.0;
        self
    }

    /// With another noise, in millionths of each voltage and current.
    #[must_use]
    pub fn with_noise_ppm(mut self, ppm: u32) -> SimMeter {
        self.terminals.noise = self.terminals.noise.with_ppm(ppm);
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
        let whole = primary(energy);
        for register in &mut self.registers {
            if matches!(register.quantity, Quantity::Import | Quantity::Energy) {
                register.counter.start(whole);
            } else if matches!(
                register.quantity,
                Quantity::ImportL1 | Quantity::ImportL2 | Quantity::ImportL3
            ) {
                register.counter.start(whole / 3);
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
    pub fn with_clock(mut self, start_unix_s: i64) -> SimMeter {
        self.life.set_clock(start_unix_s);
        self
    }

    /// Whether it lives.
    pub(crate) fn is_powered(&self) -> bool {
        self.life.is_powered()
    }

    /// At a place of its own: its errors, and its serial number unless it has one.
    pub(crate) fn placed(mut self, number: u32, chance: Chance) -> SimMeter {
        self.who.place(number);
        let ct = self.instrument.ct;
        let rated_amps = if ct == Ratio::DIRECT { DIRECT_AMPS } else { f64::from(ct.primary()) };
        self.terminals.noise = self.terminals.noise.with_chance(chance);
        self.terminals.errors = Errors::draw(self.classes, rated_amps, chance.branch(7));
        self
    }

    /// Looks at what flows from now on.
    pub(crate) fn see(&mut self, flow: &Flow, held_ms: u64, now_ms: u64) {
        self.measured = Measured::of(flow, &self.terminals, held_ms);
        let is_beat = self.beat_ms.is_some_and(|beat| now_ms.is_multiple_of(beat) || self.shown.is_none());
        if is_beat {
            self.shown = Some(self.measured);
        }
    }

    /// Counts what it sees for a while from now on. A dark meter counts nothing.
    pub(crate) fn count(&mut self, now_ms: u64, span_ms: u64) {
        if !self.life.is_powered() {
            return;
        }
        let rates = self.measured.rates();
        self.demand.count(rates.power, self.life.clock_unix_ms(now_ms), span_ms);
        self.life.live(span_ms);
        // How far into the while the last full period ends, if one does.
        let into = |period: Option<u64>| {
            let last = (now_ms + span_ms) / period? * period?;
            (last > now_ms).then(|| last - now_ms)
        };
        let (beat, save) = (into(self.beat_ms), into(self.save_ms));
        for Register { counter, .. } in &mut self.registers {
            if let Some(into_ms) = beat {
                counter.show_at(&rates, into_ms);
            }
            if let Some(into_ms) = save {
                counter.save_at(&rates, into_ms);
            }
            counter.count(&rates, span_ms);
        }
        if beat.is_some() {
            self.shown = Some(self.measured);
        }
    }

    pub(crate) fn rewire(&mut self, wiring: Wiring) {
        self.terminals.wiring = wiring;
    }

    /// Changes ratios or gain from now on; what was counted stays counted.
    pub(crate) fn adjust(&mut self, change: impl FnOnce(&mut Instrument)) {
        for Register { quantity, times, counter } in &mut self.registers {
            counter.bank(self.instrument.factor(*quantity, *times));
        }
        change(&mut self.instrument);
        self.layout.refit(&self.instrument);
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
        self.pretence = Pretence::Frozen(self.words(moment));
    }

    /// Puts a page of a textbook in the meter's place: nominal voltages, no current, energy standing still.
    pub(crate) fn pretend_textbook(&mut self, volts: [Phasor; 3]) {
        let measured = Measured::textbook(volts, self.terminals.elements);
        let held = self.registers.iter().map(|register| self.held_of(&register.counter)).collect();
        self.pretence = Pretence::Textbook(Box::new(measured), held);
    }

    /// Begins to record its own answers.
    pub(crate) fn record(&mut self, now_ms: u64) {
        self.recording = Some(Recording::begin(now_ms));
    }

    /// Whether it wants [`SimMeter::sample`].
    pub(crate) fn is_recording(&self) -> bool {
        self.recording.is_some()
    }

    /// Adds its answers of now to its recording.
    pub(crate) fn sample(&mut self, moment: &Moment) {
        let words = self.words(moment);
        if let Some(recording) = &mut self.recording {
            recording.add(moment.now_ms, words);
        }
    }

    /// Plays what it recorded, over and over; `None` if it recorded nothing.
    pub(crate) fn replay(&mut self, now_ms: u64) -> Option<()> {
        let recording = self.recording.take()?;
        recording.at(0)?;
        self.pretence = Pretence::Replay(recording, now_ms);
        Some(())
    }

    pub(crate) fn thaw(&mut self) {
        (self.pretence, self.recording) = (Pretence::None, None);
    }

    /// Takes or gives the meter its auxiliary supply.
    pub(crate) fn set_powered(&mut self, powered: bool, now_ms: u64) {
        let returns = self.life.set_powered(powered, now_ms);
        if returns && self.save_ms.is_some() {
            self.registers.iter_mut().for_each(|register| register.counter.fall_back());
        }
    }

    /// Moves its clock.
    pub(crate) fn shift_clock(&mut self, seconds: i64) {
        self.life.shift_clock(seconds);
    }

    pub(crate) fn set_absent(&mut self, quantity: Quantity, absent: bool) {
        self.absent.retain(|q| *q != quantity);
        if absent {
            self.absent.push(quantity);
        }
    }

    pub(crate) fn reset_registers(&mut self) {
        self.registers.iter_mut().for_each(|register| register.counter.reset());
    }

    /// Turns its total of imported energy back, at most to zero.
    pub(crate) fn roll_back(&mut self, energy: WattHours) {
        for Register { quantity, times, counter } in &mut self.registers {
            if matches!(quantity, Quantity::Import | Quantity::Energy) {
                counter.roll_back(primary(energy), self.instrument.factor(*quantity, *times));
            }
        }
    }

    pub(crate) fn clear_demand(&mut self) {
        self.demand.clear();
    }
}

/// An energy in milliwatts times milliseconds.
fn primary(energy: WattHours) -> u128 {
    u128::from(energy.0.max(0).unsigned_abs()) * 3_600_000_000
}
