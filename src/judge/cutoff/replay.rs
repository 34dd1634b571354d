//! A replayer's side of the machine: it takes what a log says and refuses what cannot be.
//!
//! What a reading of the supplier came to is not taken on the log's word: what it says itself is the most that anybody
//! can agree with.

use super::{
    AGENT, CutOff, Transition,
    agreed::Agreed,
    deed::{Deed, OrderAct},
    hold::{Hold, Lack},
    machine::{cue_of, step},
    order::{Carrier, Point},
    reading::{AHEAD_MS, Agreement, Offer, UtilityReading},
    rung::Rung,
    stand::{HoldNote, Stand},
    table::{self, Cue, Way},
    window::Stretch,
};
use crate::{
    judge::DarkMeter,
    terms::{Name, Stamp},
};

/// Acts a replayer remembers until a step names them.
const MAX_OPEN_ACTS: usize = 64;
/// Readings of the supplier a replayer remembers, of the newest.
const MAX_OFFERS: usize = 64;

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
    /// A reading tells of a time that had not been yet.
    NotYet,
    /// The supplier is said to agree with more than its readings say.
    Agreed,
    /// A reading that is not signed by the supplier's key which the order names.
    NotTheSupplier,
    /// A hold goes on over a time in which nobody looked and the register moved.
    Dark,
    /// The proof is said to be carried by a meter that the order gives no point to.
    Carrier,
    /// A step is said to be of another time than it can have been.
    Since,
}

impl CutOff {
    /// Takes an act of the log, recorded at a moment; a step that follows may name it.
    ///
    /// # Errors
    /// Why it cannot have been taken then; nothing has changed.
    pub fn replay_act(&mut self, at: &Stamp, act: &OrderAct) -> Result<(), Impossible> {
        if let Deed::Reading(reading) = &act.deed
            && reading.is_not_yet(at.wall_unix_ms)
        {
            return Err(Impossible::NotYet);
        }
        if act.is_a_strangers_reading(&self.order) {
            return Err(Impossible::NotTheSupplier);
        }
        // What a reading came to is told by what follows it.
        let one = [cue_of(&act.deed, Agreement::TellsNothing)];
        let is_reading = matches!(act.deed, Deed::Reading(_));
        let cues = if is_reading { &OF_A_READING[..] } else { &one };
        if cues.iter().all(|cue| table::way(self.stand.rung, *cue) == Way::Refused) {
            return Ok(());
        }
        let is_another_meters =
            matches!(&act.deed, Deed::Reading(reading) if self.order.is_another_meters(reading));
        if is_another_meters {
            return Err(Impossible::NotTheSupplier);
        }
        self.note_act(act);
        if let Deed::Reading(reading) = &act.deed {
            self.note_reading(reading);
        }
        for cue in cues {
            if self.acts.len() == MAX_OPEN_ACTS {
                self.acts.remove(0);
            }
            self.acts.push((*cue, act.actor, act.hash));
        }
        Ok(())
    }

    /// Takes a note of the log, recorded at a moment.
    ///
    /// # Errors
    /// Why it cannot be; nothing has changed.
    pub fn replay_note(&mut self, at: &Stamp, told: &HoldNote) -> Result<(), Impossible> {
        if told.order != self.order.id || told.asset != self.order.asset {
            return Err(Impossible::UnknownOrder);
        }
        // Across boots a clock that was set since tells no order.
        let is_past = |until: &Stamp| until.boot != at.boot || at.since_ms(until) >= -AHEAD_MS;
        let is_past = told.stand.hold.is_none_or(|hold| is_past(&hold.until));
        if !is_past || !self.stand.may_become(&told.stand, &self.order.holds) {
            return Err(Impossible::Stand);
        }
        if !told.stand.hold.is_none_or(|hold| self.order.lets_carry(hold.carrier)) {
            return Err(Impossible::Carrier);
        }
        if !told.stand.hold.is_none_or(|hold| self.is_borne_out(&hold)) {
            return Err(Impossible::Agreed);
        }
        self.stand_at(told.stand);
        Ok(())
    }

    /// Takes what a meter of the log shows of a time in which the witness was dark. A hold that its own register broke is
    /// over before that is told.
    ///
    /// # Errors
    /// A hold goes on over it.
    pub fn replay_dark(&self, told: &DarkMeter) -> Result<(), Impossible> {
        let carries = |point: &Point| point.meter == told.meter && point.carrier == Carrier::Own;
        let began_before = |hold: Hold| {
            let (since, to) = (hold.since, told.dark.to);
            (since.boot, since.uptime_ms) < (to.boot, to.uptime_ms)
        };
        let has_moved = !told.is_still() && self.order.points.iter().any(carries);
        let goes_on = has_moved && self.stand.hold.is_some_and(began_before);
        if goes_on { Err(Impossible::Dark) } else { Ok(()) }
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
        if !self.stand.may_step(&stand.since, at) {
            return Err(Impossible::Since);
        }
        let mut expected = self.stand;
        step(&mut expected, &stand.since, cue, to);
        if expected != stand {
            return Err(Impossible::Stand);
        }
        self.stand_at(stand);
        self.acts.retain(|(_, _, hash)| !told.evidence.contains(hash));
        Ok(())
    }

    /// A denial stands until its hold is over, whatever happens to the witness meanwhile.
    fn stand_at(&mut self, stand: Stand) {
        let goes_on =
            self.stand.hold.zip(stand.hold).is_some_and(|(before, hold)| !hold.restarted_from(&before));
        self.is_denied &= goes_on;
        self.stand = stand;
    }

    /// Takes how an order stood where its log begins, in one that goes on after another.
    pub fn adopt(&mut self, stand: Stand) {
        self.stand = stand;
    }

    /// What a reading says itself: what it can agree with at most, or that no hold runs.
    fn note_reading(&mut self, reading: &UtilityReading) {
        let says = |hold: Hold| reading.says(hold.since.wall_unix_ms);
        self.is_denied |= self.stand.hold.map(says) == Some(Agreement::Differs);
        let place = self.order.points.iter().position(|point| point.meter == reading.meter);
        if let Some(offer) = place.zip(reading.offer()) {
            if self.offers.len() == MAX_OFFERS {
                self.offers.remove(0);
            }
            self.offers.push(offer);
        }
    }

    /// Whether the supplier's readings agree with a hold as far as it says, by what they say themselves.
    fn is_borne_out(&self, later: &Hold) -> bool {
        let before = self.stand.hold.filter(|before| later.follows(before));
        let before = before.map_or(Agreed::default(), |before| before.agreed);
        let is_open = |(_, offer): &&(usize, Offer)| offer.is_open_to(later.since.wall_unix_ms);
        let offers: Vec<(usize, Stretch)> =
            self.offers.iter().filter(is_open).map(|(place, offer)| (*place, offer.rest)).collect();
        later.agreed.is_within(&before, &offers)
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
        let is_denied = self.is_denied;
        let of_hold = |enough: Result<(), Lack>| enough.map_err(Impossible::Hold);
        match cue {
            Cue::Held | Cue::MonthHeld | Cue::SealStands | Cue::Seal if is_denied => Err(Impossible::Agreed),
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
            | Cue::Lapsed
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
