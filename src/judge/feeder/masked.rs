//! A feeder's signs of tampering: what they turn to, and how they show in its state.

use super::{Change, Feeder, Mark, Passage, State, Why, line};
use crate::{
    judge::{
        balance::hour::Point,
        commission::Commissioned,
        permit::Permit,
        sign::{
            Around, Figures, Sign, Signs, Turns,
            neighbours::{Beside, Trace},
        },
    },
    metering::{Quantity, Reading},
    terms::{Stamp, WattHours},
};

impl Feeder {
    /// Takes a paper about this meter.
    pub fn on_paper(&mut self, permit: &Permit, at: &Stamp, turns: &mut Turns) -> Change {
        self.signs.on_paper(permit, at, turns);
        Change { is_news: self.after_turns(at, turns), ..Change::default() }
    }

    /// Takes a sign that shows only beside other meters.
    pub fn on_compared(&mut self, sign: Sign, at: &Stamp, figures: Figures, turns: &mut Turns) -> Change {
        self.signs.on_compared(sign, at, figures, turns);
        Change { is_news: self.after_turns(at, turns), ..Change::default() }
    }

    /// The authority resets the signs that stand.
    pub fn on_reset(&mut self, at: &Stamp, turns: &mut Turns) -> Change {
        self.signs.on_reset(turns);
        Change { is_news: self.after_turns(at, turns), ..Change::default() }
    }

    /// Whether everything it serves must be cold now, and no permit lets it run.
    pub fn expect_rest(&mut self, must_rest: bool) {
        self.must_rest = must_rest;
    }

    /// Its signs.
    pub fn signs(&self) -> &Signs {
        &self.signs
    }

    /// Whether its meter tells with this reading that it was without power.
    pub fn was_dark(&self, at: &Stamp) -> bool {
        self.cycle.is_told_at(at)
    }

    /// Its registers, where the last reading was accepted as their baseline: all that it showed.
    pub fn accepted(&self, reading: &Reading) -> Option<Point> {
        let import = self.track.anchor().filter(|mark| mark.at == reading.at)?;
        // Phases' registers of what flows backwards are no counterpart to a total that nets them.
        let tells = reading.register(Quantity::Export).is_some();
        let export = self.export.accepted(&reading.at).filter(|_| tells);
        let is_whole = export.is_some() == tells;
        is_whole.then(|| Point::of(&import, export, reading.power()))
    }

    /// Shows a strong sign at once, whatever else is not told; true when a sign began or ended.
    pub(super) fn after_turns(&mut self, at: &Stamp, turns: &Turns) -> bool {
        let masks = self.shown.severity() < State::Drawing.severity();
        if let Some(sign) = self.signs.strongest().filter(|_| masks) {
            self.show(State::Masked(sign), at);
        }
        !turns.is_empty()
    }

    /// What silence is shown as: a strong sign that stands is not hidden by it.
    pub(super) fn doubted(&self, why: Why) -> State {
        self.signs.strongest().map_or(State::Unknown(why), State::Masked)
    }

    pub(super) fn hear_signs(
        &mut self,
        reading: &Reading,
        told: Option<(&Mark, &Passage)>,
        unsaved: WattHours,
        turns: &mut Turns,
    ) {
        let around = Around {
            is_in_inrush: self.line.is_in_inrush(&reading.at),
            was_dark: self.cycle.may_be_at(&reading.at),
            must_rest: self.must_rest,
        };
        self.signs.on_reading(&self.terms, reading, around, turns);
        if let Some((_, Passage::Unsaved { .. } | Passage::FellOrRolledOver { .. })) = told {
            self.signs.on_lower();
        }
        if let Some((after, Passage::Rebased { before })) = told {
            self.signs.on_rebased(unsaved, before, after, turns);
            if let Some(ledger) = self.ledger.as_mut().filter(|_| !self.signs.has_paper(&after.at)) {
                ledger.on_leap(before, after);
            }
        }
        let is_live = line::sight(&self.terms, reading).is_some_and(|sight| sight.is_live);
        self.trace.on_reading(reading, is_live);
    }
}

impl Beside for Feeder {
    fn terms(&self) -> &Commissioned {
        &self.terms
    }

    fn trace(&self) -> &Trace {
        &self.trace
    }

    fn trace_mut(&mut self) -> &mut Trace {
        &mut self.trace
    }
}
