//! A replayer's side of the machine: it takes what a log says and refuses what cannot be.
//!
//! What a reading of the supplier came to is not taken on the log's word: what it says itself is the most that anybody
//! can agree with.

use super::{
    AGENT, CutOff, Transition,
    agreed::Agreed,
    deed::{Deed, OrderAct},
    fitness::Unfit,
    growth::Between,
    hold::{Hold, Lack},
    machine::{cue_of, step},
    order::{Carrier, Point},
    reading::{Agreement, Offer, UtilityReading},
    reconcile::Reconciliation,
    rung::Rung,
    stand::{HoldNote, Stand},
    table::{self, Cue, Way},
    window::Stretch,
};
use crate::{
    judge::{DarkMeter, State, Verdict},
    terms::{Digest, MeterId, Name, Stamp},
};

/// Acts a replayer remembers until a step names them.
const MAX_OPEN_ACTS: usize = 64;
/// Readings of the supplier a replayer remembers, of the newest.
const MAX_OFFERS: usize = 64;

/// What a reading may come to.
const OF_A_READING: [Cue; 3] = [Cue::ReadingAgrees, Cue::ReadingTellsNothing, Cue::ReadingDiffers];

/// An act of the log that a step may name yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenAct {
    cue: Cue,
    actor: Name,
    hash: Digest,
    taken: Stamp,
    /// When the log first told how the order stands after it.
    heard: Option<Stamp>,
}

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
    /// A hold goes on over power that the log itself tells of.
    Power,
    /// An act that a gateway refuses as it stands here.
    Unfit(Unfit),
    /// An act for another gateway.
    NotForHere,
    /// An act whose time was over, or that came while the clock was not set.
    Expired,
    /// An act that had been taken, or of which a later version had.
    NotNewer,
    /// It takes over an order otherwise than the log tells it that it goes on after.
    Continued,
}

impl Impossible {
    /// An act that the gateway would have refused.
    pub const fn unfit(unfit: Unfit) -> Impossible {
        match unfit {
            Unfit::NotYet => Impossible::NotYet,
            Unfit::NotTheSupplier | Unfit::AnotherMeter => Impossible::NotTheSupplier,
            Unfit::UnknownOrder => Impossible::UnknownOrder,
            Unfit::NoLegalBasis
            | Unfit::NoSafeState
            | Unfit::UnknownPoint
            | Unfit::NeverToBeCut
            | Unfit::OutOfTurn
            | Unfit::TooMany
            | Unfit::CannotTell => Impossible::Unfit(unfit),
        }
    }
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
            let (actor, hash) = (act.actor, act.hash);
            self.acts.push(OpenAct { cue: *cue, actor, hash, taken: *at, heard: None });
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
        self.settle(at);
        let covered = told.stand.hold.map_or(Vec::new(), |hold| self.covered(&hold));
        let may = |covered: &[Stretch]| {
            self.stand.may_become(&told.stand, &Between { at, order: &self.order, covered }, &self.floor)
        };
        if !may(&covered) {
            // Time that only the supplier could prove, and does not.
            let is_the_suppliers = may(&[(i64::MIN, i64::MAX)]) && self.has_utility();
            return Err(if is_the_suppliers { Impossible::Agreed } else { Impossible::Stand });
        }
        if told.stand.hold.is_some_and(|hold| self.powers.end(&hold)) {
            return Err(Impossible::Power);
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

    /// Takes a day as both meters counted it. One on which they differ ends the hold.
    pub fn replay_day(&mut self, day: &Reconciliation) {
        self.is_denied |= !day.agrees() && self.stand.hold.is_some();
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
        self.settle(at);
        let taken = self.taken(cue, told)?;
        if taken.is_some_and(|taken| stand.since.is_before(&taken)) {
            return Err(Impossible::Since);
        }
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
        if taken.is_some() {
            self.floor = stand.since;
        }
        self.acts.retain(|act| !told.evidence.contains(&act.hash));
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
        (self.stand, self.floor) = (stand, stand.since);
    }

    /// Takes the state of a meter that the log tells: since when it is said to be so, and when that was recorded.
    /// `is_beside` says that it feeds the equipment and nothing else.
    pub fn replay_state(
        &mut self,
        (meter, state): (MeterId, State),
        (since, recorded): (&Stamp, &Stamp),
        is_beside: bool,
    ) {
        self.powers.on_state(&self.order, (meter, state), (since, recorded), is_beside);
    }

    /// Takes a verdict on the equipment that the log tells.
    pub fn replay_verdict(&mut self, told: &Verdict) {
        self.powers.on_verdict(told);
    }

    /// An act was answered: no step that is told later follows from it.
    pub fn replay_answer(&mut self, act: Digest) {
        self.acts.retain(|open| open.hash != act);
    }

    /// A life of the witness begins: what the power took of an act is executed now.
    pub fn replay_boot(&mut self) {
        self.acts.iter_mut().for_each(|act| act.heard = None);
    }

    /// What follows from an act is told at one moment, of each life of the witness that executes it: once that is past,
    /// nothing more does.
    fn settle(&mut self, at: &Stamp) {
        let is_past = |heard: &Stamp| heard.boot == at.boot && heard.is_before(at);
        self.acts.retain(|act| !act.heard.as_ref().is_some_and(is_past));
        self.acts.iter_mut().for_each(|act| act.heard = Some(*at));
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
        let before = self.stand.hold.filter(|before| !later.restarted_from(before));
        let before = before.map_or(Agreed::default(), |before| before.agreed);
        let is_open = |(_, offer): &&(usize, Offer)| offer.is_open_to(later.since.wall_unix_ms);
        let offers: Vec<(usize, Stretch)> =
            self.offers.iter().filter(is_open).map(|(place, offer)| (*place, offer.rest)).collect();
        later.agreed.is_within(&before, &offers)
    }

    /// On which readings of points that only the supplier can tell show nothing: time that no meter of ours saw.
    fn covered(&self, later: &Hold) -> Vec<Stretch> {
        let is_theirs = |place: usize| self.order.points.get(place).is_some_and(is_the_suppliers);
        let offers = self.offers.iter().filter(|(place, _)| is_theirs(*place));
        let open = offers.filter(|(_, offer)| offer.is_open_to(later.since.wall_unix_ms));
        open.map(|(_, offer)| offer.rest).collect()
    }

    fn has_utility(&self) -> bool {
        self.order.points.iter().any(is_the_suppliers)
    }

    /// When the act was taken that gives a cue; none where the witness itself does.
    fn taken(&self, cue: Cue, told: &Transition) -> Result<Option<Stamp>, Impossible> {
        if !cue.is_an_act() {
            return if told.actor.as_str() == AGENT { Ok(None) } else { Err(Impossible::Actor) };
        }
        let is_named =
            |act: &&OpenAct| act.cue == cue && act.actor == told.actor && told.evidence.contains(&act.hash);
        self.acts.iter().find(is_named).map(|act| Some(act.taken)).ok_or(Impossible::Actor)
    }

    /// Whether what the way asks for holds, by what the log told before.
    fn is_earned(&self, at: &Stamp, cue: Cue, to: Rung) -> Result<(), Impossible> {
        let Stand { hold, was_seen, is_sealed, month, suspended_until_unix_ms, .. } = &self.stand;
        let (holds, points) = (&self.order.holds, self.order.points.len());
        let is_denied = self.is_denied;
        let is_powered = hold.is_some_and(|hold| self.powers.speak_against(&hold));
        let of_hold = |enough: Result<(), Lack>| enough.map_err(Impossible::Hold);
        match cue {
            Cue::Held | Cue::MonthHeld | Cue::SealStands | Cue::Seal if is_denied => Err(Impossible::Agreed),
            Cue::Held | Cue::MonthHeld | Cue::SealStands | Cue::Seal if is_powered => Err(Impossible::Power),
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

/// Whether only the supplier can tell that a point is without power.
fn is_the_suppliers(point: &Point) -> bool {
    point.carrier == Carrier::Utility
}
