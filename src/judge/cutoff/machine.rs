//! The machine of one order. Cues in, transitions out; the same for whoever executes and whoever replays.

use super::{
    AGENT, MAX_EVIDENCE, Transition,
    deed::{Deed, OrderAct},
    fitness::Unfit,
    hold::{Hold, Lack},
    order::{Carrier, Order, Point},
    power::Powers,
    reading::{Agreement, Offer, UtilityReading},
    reconcile::Reconciliation,
    replay::OpenAct,
    rung::Rung,
    stand::{HoldNote, Stand},
    table::{self, Cue, Way},
};
use crate::terms::{Digest, Name, Stamp};

/// An act that has no place where the order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfTurn;

/// What the machine says for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// What changed without a step.
    Note(HoldNote),
    /// A step.
    Step(Transition),
    /// A day as both meters counted it.
    Day(Reconciliation),
}

/// One order, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutOff {
    pub(super) order: Order,
    pub(super) stand: Stand,
    /// How it stood when the log was last told.
    told: Stand,
    /// Acts since the last step that may yet be named by one: a replayer's business.
    pub(super) acts: Vec<OpenAct>,
    /// No hold begins before this: a replayer's business.
    pub(super) floor: Stamp,
    /// Power that the log tells of by its states and verdicts: a replayer's business.
    pub(super) powers: Powers,
    /// What readings can agree with at most, each at the place of its point: a replayer's business.
    pub(super) offers: Vec<(usize, Offer)>,
    /// A reading came that tells the contrary of the hold that runs yet: a replayer's business.
    pub(super) is_denied: bool,
}

impl CutOff {
    /// An order that was just given.
    pub fn given(order: Order, at: &Stamp) -> CutOff {
        CutOff::standing(order, Stand::issued(at))
    }

    /// An order as it stood when it was last told.
    pub fn standing(order: Order, stand: Stand) -> CutOff {
        let (acts, offers, powers) = (Vec::new(), Vec::new(), Powers::default());
        CutOff { order, stand, told: stand, acts, floor: stand.since, powers, offers, is_denied: false }
    }

    /// What it says.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// How it stands.
    pub fn stand(&self) -> &Stand {
        &self.stand
    }

    /// How it stood when the log was last told.
    pub fn told(&self) -> &Stand {
        &self.told
    }

    /// Whether an act has a place here.
    pub fn may(&self, deed: &Deed) -> bool {
        // Of a reading the table refuses all three outcomes alike.
        table::way(self.stand.rung, cue_of(deed, Agreement::TellsNothing)) != Way::Refused
    }

    /// Whether an act about this order may be taken as it stands, at this moment.
    ///
    /// # Errors
    /// Why not.
    pub fn may_take(&self, at: &Stamp, act: &OrderAct) -> Result<(), Unfit> {
        if let Deed::Reading(reading) = &act.deed {
            if !self.order.points.iter().any(|point| point.meter == reading.meter) {
                return Err(Unfit::UnknownPoint);
            }
            if act.is_a_strangers_reading(&self.order) {
                return Err(Unfit::NotTheSupplier);
            }
            if self.order.is_another_meters(reading) {
                return Err(Unfit::AnotherMeter);
            }
            if reading.is_not_yet(at.wall_unix_ms) {
                return Err(Unfit::NotYet);
            }
            if self.is_too_early(reading) {
                return Err(Unfit::OutOfTurn);
            }
        }
        let is_reset = matches!(act.deed, Deed::Reset);
        if is_reset || self.may(&act.deed) { Ok(()) } else { Err(Unfit::OutOfTurn) }
    }

    /// Whether nothing of a reading would be kept: no hold runs yet that it could agree with or deny, and it begins none
    /// by itself.
    fn is_too_early(&self, reading: &UtilityReading) -> bool {
        let Stand { rung, hold, .. } = &self.stand;
        let proves = |point: &Point| point.meter == reading.meter && point.carrier == Carrier::Utility;
        let begins_one = *rung == Rung::CutClaimed && self.order.points.iter().any(proves);
        !begins_one && (rung.is_before_the_cut() || *rung == Rung::CutClaimed && hold.is_none())
    }

    /// Takes an act; `agreement` is what a reading comes to, and of no other act's matter.
    ///
    /// # Errors
    /// It has no place here; nothing has changed.
    pub fn act(
        &mut self,
        at: &Stamp,
        act: &OrderAct,
        agreement: Agreement,
        say: &mut dyn FnMut(Said),
    ) -> Result<(), OutOfTurn> {
        let cue = cue_of(&act.deed, agreement);
        if table::way(self.stand.rung, cue) == Way::Refused {
            return Err(OutOfTurn);
        }
        self.note_act(act);
        self.agree(&act.deed, agreement);
        let has_moved = self.hear(at, cue, Some((act.actor, act.hash)), say);
        let is_anew = matches!(act.deed, Deed::Order(_));
        if is_anew || cue == Cue::ReadingDiffers && !has_moved {
            // Where no hold is shown one may run all the same, as in a suspension: not past what the supplier saw. Nor is
            // what was held of one order held of its next version, which may name other points.
            self.break_off(say);
        }
        self.tell(say);
        Ok(())
    }

    /// A reading that agrees adds to the hold that runs, at its point.
    pub(super) fn agree(&mut self, deed: &Deed, agreement: Agreement) {
        if let (Deed::Reading(reading), Agreement::Agrees { from_unix_ms, to_unix_ms }) = (deed, agreement)
            && let Some(place) = self.order.points.iter().position(|point| point.meter == reading.meter)
            && let Some(hold) = &mut self.stand.hold
        {
            hold.agree(place, (from_unix_ms, to_unix_ms));
        }
    }

    /// Tells what changed without a step since the log was last told, if anything did.
    pub(super) fn tell(&mut self, say: &mut dyn FnMut(Said)) {
        if self.told != self.stand {
            self.told = self.stand;
            say(Said::Note(HoldNote { order: self.order.id, asset: self.order.asset, stand: self.stand }));
        }
    }

    /// The hold ends without a step. What it came to is told first: whoever replays must have heard of all that is kept.
    pub(super) fn break_off(&mut self, say: &mut dyn FnMut(Said)) {
        if self.stand.hold.is_some() {
            self.tell(say);
            self.stand.end_hold();
        }
    }

    /// What an act leaves behind whether or not it moves the order. The same for whoever replays.
    pub(super) fn note_act(&mut self, act: &OrderAct) {
        match &act.deed {
            Deed::Order(order) => {
                self.order = order.clone();
                // Whoever read before may be nobody's supplier now.
                self.offers.clear();
            }
            Deed::Suspend { until_unix_ms } => self.stand.suspended_until_unix_ms = *until_unix_ms,
            Deed::Seal { .. } => self.stand.is_sealed = true,
            Deed::Reading(reading) => self.order.bind(reading),
            Deed::Acknowledge
            | Deed::Plan { .. }
            | Deed::Claim(_)
            | Deed::Resume
            | Deed::Close { .. }
            | Deed::Revoke
            | Deed::Restore
            | Deed::Reset => {}
        }
    }

    /// Hears a cue; true when it led to a step. `by` names actor and act where one gave it. What changed without a step
    /// is told before, so that whoever replays knows all that a step rests on.
    pub(super) fn hear(
        &mut self,
        at: &Stamp,
        cue: Cue,
        by: Option<(Name, Digest)>,
        say: &mut dyn FnMut(Said),
    ) -> bool {
        let from = self.stand.rung;
        let to = match table::way(from, cue) {
            Way::To(to) => to,
            Way::Back => self.stand.way_back(),
            Way::Stays | Way::Refused => return false,
        };
        let (Some(why), Some(agent)) = (Name::new(cue.word()), Name::new(AGENT)) else { return false };
        self.tell(say);
        step(&mut self.stand, at, cue, to);
        self.told = self.stand;
        let (actor, act) = by.map_or((agent, None), |(actor, hash)| (actor, Some(hash)));
        let mut evidence = Vec::with_capacity(MAX_EVIDENCE);
        evidence.extend(act);
        let (order, asset) = (self.order.id, self.order.asset);
        say(Said::Step(Transition { order, asset, from, to, actor, why, evidence, stand: Some(self.stand) }));
        true
    }

    /// Whether the hold that runs is enough for the next rung.
    pub fn is_due(&self) -> bool {
        let enough = |hold: &Hold| match self.stand.rung {
            Rung::Observing => hold.is_provisional(&self.order.holds).is_ok(),
            Rung::Provisional => hold.is_verified(&self.order.holds, self.order.points.len()).is_ok(),
            Rung::Issued
            | Rung::Acknowledged
            | Rung::Scheduled
            | Rung::CutClaimed
            | Rung::Verified
            | Rung::Maintained
            | Rung::Violated
            | Rung::Indeterminate
            | Rung::Suspended
            | Rung::Closed
            | Rung::Cancelled
            | Rung::Restored => false,
        };
        self.stand.hold.as_ref().is_some_and(enough)
    }

    /// Whether the supplier's readings end too long ago for a cut that is said to be verified.
    pub fn has_lapsed(&self) -> bool {
        let stand = &self.stand;
        let lapsed = |hold: &Hold| hold.has_lapsed(self.order.points.len());
        matches!(stand.rung, Rung::Verified | Rung::Maintained) && stand.hold.as_ref().is_some_and(lapsed)
    }

    /// What the hold that runs lacks now for what was said to be verified: the predicate is asked as long as that is said.
    ///
    /// # Errors
    /// What it lacks.
    pub fn holds_now(&self) -> Result<(), Lack> {
        let (holds, points) = (&self.order.holds, self.order.points.len());
        let Some(hold) = &self.stand.hold else { return Err(Lack::Time) };
        match hold.is_verified(holds, points) {
            Ok(()) if !hold.is_covered(holds) => Err(Lack::Coverage),
            enough => enough,
        }
    }

    /// Whether another month is to be told: it was held, and the supplier's readings agree.
    pub fn is_month_due(&self) -> bool {
        let stand = &self.stand;
        let due = |hold: &Hold| {
            let month = hold.until.legal_day().month();
            stand.month.is_none_or(|told| month > told)
                && hold.is_agreed(&self.order.holds, self.order.points.len())
        };
        stand.rung == Rung::Maintained && stand.hold.as_ref().is_some_and(due)
    }
}

/// What a step changes besides the rung.
pub(super) fn step(stand: &mut Stand, at: &Stamp, cue: Cue, to: Rung) {
    match to {
        Rung::Issued | Rung::Acknowledged | Rung::Scheduled | Rung::CutClaimed => {
            stand.end_hold();
            (stand.was_seen, stand.is_sealed, stand.month) = (false, false, None);
        }
        Rung::Violated => {
            stand.end_hold();
            stand.is_sealed = false;
        }
        Rung::Indeterminate | Rung::Closed | Rung::Cancelled | Rung::Restored => stand.end_hold(),
        Rung::Suspended => (stand.before, stand.is_fed_again) = (Some(stand.rung), false),
        // The hold that was broken is over; the next begins with what is proven now.
        Rung::Observing if cue == Cue::Gap => stand.end_hold(),
        Rung::Maintained => stand.month = stand.hold.map(|hold| hold.until.legal_day().month()),
        Rung::Observing | Rung::Provisional | Rung::Verified => {}
    }
    if matches!(cue, Cue::Resume | Cue::SuspensionOver) {
        (stand.before, stand.suspended_until_unix_ms, stand.is_fed_again) = (None, None, false);
    }
    (stand.rung, stand.since) = (to, *at);
}

/// The cue an act gives.
pub(super) fn cue_of(deed: &Deed, agreement: Agreement) -> Cue {
    match deed {
        Deed::Order(_) => Cue::Order,
        Deed::Acknowledge => Cue::Acknowledge,
        Deed::Plan { .. } => Cue::Plan,
        Deed::Claim(_) => Cue::Claim,
        Deed::Suspend { .. } => Cue::Suspend,
        Deed::Resume => Cue::Resume,
        Deed::Seal { .. } => Cue::Seal,
        Deed::Close { .. } => Cue::Close,
        Deed::Revoke => Cue::Revoke,
        Deed::Restore => Cue::Restore,
        Deed::Reset => Cue::Reset,
        Deed::Reading(_) => match agreement {
            Agreement::Agrees { .. } => Cue::ReadingAgrees,
            Agreement::TellsNothing => Cue::ReadingTellsNothing,
            Agreement::Differs => Cue::ReadingDiffers,
        },
    }
}
