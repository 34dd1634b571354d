//! A replayer's side of the machine: it takes what a log says and refuses what cannot be.

use super::{
    AGENT, CutOff, Transition,
    deed::{Deed, OrderAct},
    hold::Lack,
    machine::{cue_of, step},
    reading::Agreement,
    rung::Rung,
    stand::{HoldNote, Stand},
    table::{self, Cue, Way},
};
use crate::terms::{Name, Stamp};

/// Acts a replayer remembers until a step names them.
const MAX_OPEN_ACTS: usize = 64;
/// A reading that a hold rests on may have come this much after the loop looked at its clock, in milliseconds.
const AHEAD_MS: i64 = 60_000;

/// What a reading may come to.
const OF_A_READING: [Cue; 3] = [Cue::ReadingAgrees, Cue::ReadingTellsNothing, Cue::ReadingDiffers];

/// Why a log cannot be the work of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// No such order was given.
    UnknownOrder,
    /// It did not stand there.
    From,
    /// The machine knows no such reason.
    Why,
    /// The table has no such way, or what the way asks for did not hold.
    Way,
    /// It names an act that was not taken, or an actor who did not sign it.
    Actor,
    /// The hold is not enough for the rung.
    Hold(Lack),
    /// There is no hold where one must run.
    NoHold,
    /// It says otherwise how the order stands than what came before leaves it.
    Stand,
}

impl CutOff {
    /// Takes an act of the log; a step that follows may name it.
    pub fn replay_act(&mut self, act: &OrderAct) {
        // What a reading came to is told by what follows it.
        let one = [cue_of(&act.deed, Agreement::TellsNothing)];
        let is_reading = matches!(act.deed, Deed::Reading(_));
        let cues = if is_reading { &OF_A_READING[..] } else { &one };
        if cues.iter().all(|cue| table::way(self.stand.rung, *cue) == Way::Refused) {
            return;
        }
        self.note_act(act);
        for cue in cues {
            if self.acts.len() == MAX_OPEN_ACTS {
                self.acts.remove(0);
            }
            self.acts.push((*cue, act.actor, act.hash));
        }
    }

    /// Takes a note of the log, recorded at a moment.
    ///
    /// # Errors
    /// Why it cannot be; nothing has changed.
    pub fn replay_note(&mut self, at: &Stamp, told: &HoldNote) -> Result<(), Impossible> {
        if told.order != self.order.id || told.asset != self.order.asset {
            return Err(Impossible::UnknownOrder);
        }
        let has_reading = self.acts.iter().any(|(cue, ..)| *cue == Cue::ReadingAgrees);
        // Across boots a clock that was set since tells no order.
        let is_past = |until: &Stamp| until.boot != at.boot || at.since_ms(until) >= -AHEAD_MS;
        let is_past = told.stand.hold.is_none_or(|hold| is_past(&hold.until));
        if !is_past || !self.stand.may_become(&told.stand, &self.order.holds, has_reading) {
            return Err(Impossible::Stand);
        }
        self.stand = told.stand;
        Ok(())
    }

    /// Takes a step of the log, recorded at a moment.
    ///
    /// # Errors
    /// Why it cannot be; nothing has changed.
    pub fn replay(&mut self, at: &Stamp, told: &Transition) -> Result<(), Impossible> {
        let cue = Cue::from_word(told.why.as_str()).ok_or(Impossible::Why)?;
        if told.order != self.order.id || told.asset != self.order.asset {
            return Err(Impossible::UnknownOrder);
        }
        if told.from != self.stand.rung {
            return Err(Impossible::From);
        }
        let to = match table::way(told.from, cue) {
            Way::To(to) => to,
            Way::Back => self.stand.way_back(),
            Way::Stays | Way::Refused => return Err(Impossible::Way),
        };
        let stand = told.stand.ok_or(Impossible::Stand)?;
        if told.to != to {
            return Err(Impossible::Way);
        }
        self.is_signed(cue, told)?;
        self.is_earned(at, cue, to)?;
        let mut expected = self.stand;
        step(&mut expected, &stand.since, cue, to);
        if expected != stand {
            return Err(Impossible::Stand);
        }
        self.stand = stand;
        self.acts.retain(|(_, _, hash)| !told.evidence.contains(hash));
        Ok(())
    }

    /// Takes how an order stood where its log begins, in one that goes on after another.
    pub fn adopt(&mut self, stand: Stand) {
        self.stand = stand;
    }

    fn is_signed(&self, cue: Cue, told: &Transition) -> Result<(), Impossible> {
        let named = |(of, actor, hash): &(Cue, Name, _)| {
            *of == cue && *actor == told.actor && told.evidence.contains(hash)
        };
        let is_signed =
            if cue.is_an_act() { self.acts.iter().any(named) } else { told.actor.as_str() == AGENT };
        if is_signed { Ok(()) } else { Err(Impossible::Actor) }
    }

    /// Whether what the way asks for holds, by what the log told before.
    fn is_earned(&self, at: &Stamp, cue: Cue, to: Rung) -> Result<(), Impossible> {
        let Stand { hold, was_seen, is_sealed, month, suspended_until_unix_ms, .. } = &self.stand;
        let (holds, points) = (&self.order.holds, self.order.points.len());
        let of_hold = |enough: Result<(), Lack>| enough.map_err(Impossible::Hold);
        match cue {
            Cue::Held => {
                let hold = hold.ok_or(Impossible::NoHold)?;
                of_hold(if to == Rung::Verified {
                    hold.is_verified(holds, points)
                } else {
                    hold.is_provisional(holds)
                })
            }
            Cue::Dead => hold.map(|_| ()).ok_or(Impossible::NoHold),
            Cue::MonthHeld => {
                let hold = hold.ok_or(Impossible::NoHold)?;
                let is_later = month.is_none_or(|month| hold.until.legal_day().month() > month);
                if is_later {
                    of_hold(hold.is_agreed(holds, points).then_some(()).ok_or(Lack::Utility))
                } else {
                    Err(Impossible::Way)
                }
            }
            Cue::Drawing | Cue::Exporting if !was_seen => Err(Impossible::Way),
            Cue::PowerBack if *was_seen => Err(Impossible::Way),
            Cue::SealStands if !is_sealed => Err(Impossible::Way),
            Cue::SuspensionOver if suspended_until_unix_ms.is_none_or(|until| at.wall_unix_ms < until) => {
                Err(Impossible::Way)
            }
            Cue::Order
            | Cue::Acknowledge
            | Cue::Plan
            | Cue::Claim
            | Cue::Suspend
            | Cue::Resume
            | Cue::Seal
            | Cue::Close
            | Cue::Revoke
            | Cue::Restore
            | Cue::Reset
            | Cue::ReadingAgrees
            | Cue::ReadingTellsNothing
            | Cue::ReadingDiffers
            | Cue::SealStands
            | Cue::Gap
            | Cue::PowerBack
            | Cue::Drawing
            | Cue::Exporting
            | Cue::Masked
            | Cue::NoEvidence
            | Cue::SuspensionOver => Ok(()),
        }
    }
}
