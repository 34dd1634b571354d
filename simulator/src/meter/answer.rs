//! What a meter answers with: its registers, cell by cell.

#[cfg(test)]
use coldhearth::metering::profile::Times;
use coldhearth::{
    metering::{Block, Function, Quantity},
    terms::Ratio,
};

use super::{Moment, SimMeter, Unmapped};
use crate::{
    counter::{Counter, Held},
    encode::{self, Value},
    exception::{ILLEGAL_ADDRESS, ILLEGAL_VALUE, NO_ANSWER_FROM_UNIT},
    grid::NOMINAL_HZ,
    layout::{Place, Shows},
    pretence::Pretence,
    rounding::real,
    view::View,
};

impl SimMeter {
    /// Answers a read into `words`, which afterwards hold nothing else; or refuses with a Modbus exception code.
    pub(crate) fn read(&self, moment: &Moment, run: Block, words: &mut Vec<u16>) -> Result<(), u8> {
        if !self.is_powered() {
            return Err(NO_ANSWER_FROM_UNIT);
        }
        if run.count == 0 || run.count > self.max_regs {
            return Err(ILLEGAL_VALUE);
        }
        words.clear();
        words.resize(usize::from(run.count), 0);
        // One bit for each word that has been put.
        let mut filled = 0_u128;
        let mut put = |of: Function, address: u32, word: u16| {
            let Some(index) = address.checked_sub(u32::from(run.at)).filter(|_| of == run.function) else {
                return;
            };
            if let Some(slot) = usize::try_from(index).ok().and_then(|index| words.get_mut(index)) {
                *slot = word;
                filled |= 1 << index;
            }
        };
        self.who.put(run, &mut put);
        self.answer(moment, run, &mut put);
        for ((of, address), word) in &self.overrides {
            put(*of, u32::from(*address), *word);
        }
        for (index, slot) in words.iter_mut().enumerate().filter(|(index, _)| filled >> index & 1 == 0) {
            let address = u32::from(run.at) + u32::try_from(index).unwrap_or(0);
            *slot = self.fill(run.function, address).ok_or(ILLEGAL_ADDRESS)?;
        }
        Ok(())
    }

    /// Puts the words of the cells that lie in a run of registers, true or not.
    fn answer(&self, moment: &Moment, run: Block, put: &mut impl FnMut(Function, u32, u16)) {
        let words = match &self.pretence {
            Pretence::None | Pretence::Textbook(..) => None,
            Pretence::Frozen(words) => Some(words.as_ref()),
            Pretence::Replay(recording, since) => recording.at(moment.now_ms.saturating_sub(*since)),
        };
        match words {
            Some(words) => self.layout.put_words(run, words, put),
            None => self.show(moment, Some(run), put),
        }
    }

    /// Puts the words of the cells that lie in a run of registers, or of all of them, in order.
    fn show(&self, moment: &Moment, run: Option<Block>, put: &mut impl FnMut(Function, u32, u16)) {
        let view = self.view(moment);
        for place in self.layout.places(run) {
            let (cell, bits) = (place.pen.cell(), place.pen.bits(self.value(place, &view)));
            for offset in 0..cell.kind.words() {
                put(cell.function, u32::from(cell.at) + u32::from(offset), encode::word(cell, bits, offset));
            }
        }
    }

    /// The words of all cells, in order.
    pub(super) fn words(&self, moment: &Moment) -> Box<[u16]> {
        let mut words = Vec::new();
        self.show(moment, None, &mut |_, _, word| words.push(word));
        words.into()
    }

    fn view(&self, moment: &Moment) -> View<'_> {
        let (measured, frequency_hz) = match &self.pretence {
            Pretence::Textbook(measured, _) => (measured.as_ref(), NOMINAL_HZ),
            Pretence::None | Pretence::Frozen(_) | Pretence::Replay(..) => {
                (self.shown.as_ref().unwrap_or(&self.measured), moment.frequency_hz)
            }
        };
        View { measured, frequency_hz, clocks: self.life.clocks(moment.now_ms) }
    }

    fn value(&self, place: &Place, view: &View<'_>) -> Value {
        let (ct, pt) = (self.instrument.told_ct, self.instrument.told_pt);
        let ratio = |ratio: Ratio| f64::from(ratio.primary()) / f64::from(ratio.secondary());
        match place.shows {
            Shows::Quantity(quantity, _) if self.absent.contains(&quantity) => Value::Absent,
            Shows::Quantity(quantity, _) => {
                if let Some(value) = view.measured(quantity).or_else(|| self.kept(quantity)) {
                    return Value::Real(value * place.gain);
                }
                let held = self.register(quantity);
                held.map_or(Value::Absent, |held| Value::Energy(held.through(place.factor), self.wrap))
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

    /// What it keeps beside its energies: watts.
    fn kept(&self, quantity: Quantity) -> Option<f64> {
        let milliwatts = i64::try_from(self.demand.highest()).unwrap_or(i64::MAX);
        (quantity == Quantity::MaxDemand).then(|| real(milliwatts) / 1_000.0)
    }

    /// What an energy register shows.
    fn register(&self, quantity: Quantity) -> Option<Held> {
        let at = self.registers.iter().position(|register| register.quantity == quantity)?;
        if let Pretence::Textbook(_, held) = &self.pretence {
            return held.get(at).copied();
        }
        self.registers.get(at).map(|register| self.held_of(&register.counter))
    }

    pub(super) fn held_of(&self, counter: &Counter) -> Held {
        if self.beat_ms.is_some() { counter.shown } else { counter.held }
    }

    /// What it holds of a quantity, primary side, unrounded.
    #[cfg(test)]
    pub(crate) fn held(&self, moment: &Moment, quantity: Quantity) -> Option<f64> {
        let energy = || {
            let held = self.register(quantity)?;
            let held = held.through(self.instrument.factor(quantity, Times::default()));
            Some(crate::rounding::real_wide(held.cast_signed()) / 3.6e12)
        };
        self.view(moment).measured(quantity).or_else(|| self.kept(quantity)).or_else(energy)
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
