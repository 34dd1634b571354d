//! The signs of one meter: what is seen, what stands, what begins and ends.

use super::{
    Figures, SIGNS, Sign, SignSet, Turn,
    clock::MeterClock,
    count::{self, Count},
    figure::{Figure, figures},
    identity::{Edit, Known, PAPER_WITHIN_MS},
    life::Life,
    pace::Pace,
    phase::Phases,
    quiet::Quiet,
    rating::Rating,
    replay::Replay,
    shape::Shape,
    stuck::{Stillness, print_of, print_of_voltages},
    sums::Sums,
};
use crate::{
    judge::{
        commission::Commissioned,
        line::{self, Sight},
        memory::{Mark, Memory},
        permit::{Permit, Permitted},
        register::redated,
    },
    metering::{Fault, Identity, Reading},
    terms::{MeterId, Name, Stamp, WattHours},
};

/// So many readings in a row decide on current without any voltage: the two may come with two requests, and a line
/// that is switched off loses them one after the other.
pub const READINGS_WITHOUT_VOLTAGE: u8 = 3;
/// Most turns one fact can bring at one feeder: each sign may end and begin, and a paper ends what it began.
pub const MAX_TURNS: usize = 2 * SIGNS;

/// A sign that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingSign {
    /// Which.
    pub sign: Sign,
    /// Since when.
    pub since: Stamp,
}

/// A sign that began or ended with a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// Which.
    pub sign: Sign,
    /// What became of it.
    pub turn: Turn,
    /// Since when it stands, or stood.
    pub since: Stamp,
    /// What it rests on.
    pub figures: Figures,
    /// The paper that covers it.
    pub permit: Option<Name>,
}

/// What a fact turned, in order. Reused from fact to fact.
pub type Turns = heapless::Vec<Turned, MAX_TURNS>;

#[derive(Clone, Copy, Debug)]
struct Stands {
    since: Stamp,
    seen: Stamp,
}

/// Most papers about one meter that are remembered; of more, those that end latest.
const MAX_PAPERS: usize = 8;

/// What is known around a reading.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// The line has just come alive.
    pub is_in_inrush: bool,
    /// The meter may have been without power since the reading before.
    pub was_dark: bool,
    /// Everything the feeder serves must be cold on this day, and no permit lets it run.
    pub must_rest: bool,
}

/// The signs of one meter between two facts.
#[derive(Debug, Default)]
pub struct Signs {
    /// Few ever stand: none takes room before it does.
    stands: [Option<Box<Stands>>; SIGNS],
    /// The authority's papers about this meter, at most [`MAX_PAPERS`]: one for next month takes nothing from today's.
    papers: Vec<Permit>,
    known: Known,
    shape: Shape,
    phases: Phases,
    stillness: Stillness,
    replay: Replay,
    clock: MeterClock,
    life: Life,
    pace: Pace,
    quiet: Quiet,
    rating: Rating,
    count: Count,
    sums: Sums,
    without_voltage: u8,
    /// Stood before a restart: what it was edited from may be forgotten, so only a paper or the authority ends it.
    kept: SignSet,
}

impl Signs {
    /// Goes on with what stood, with what was known of the meter, and with the papers about it.
    pub fn recalling(memory: &Memory, terms: &Commissioned) -> Signs {
        let of_this = |meter: &MeterId| *meter == terms.meter;
        let identity =
            memory.identities.iter().find(|(meter, _)| of_this(meter)).map(|(_, identity)| *identity);
        let mut signs = Signs { known: Known::recalling(identity), ..Signs::default() };
        let mark = memory.meters.iter().find(|known| of_this(&known.meter)).and_then(|known| known.mark);
        signs.count = mark.as_ref().map_or_else(Count::default, Count::recalling);
        for (_, StandingSign { sign, since }) in memory.signs.iter().filter(|(meter, _)| of_this(meter)) {
            if let Some(place) = signs.stands.get_mut(sign.index()) {
                *place = Some(Box::new(Stands { since: *since, seen: *since }));
                signs.kept.add(*sign);
            }
        }
        let about_it =
            |paper: &&Permit| matches!(paper.what, Permitted::MeterReplacement { meter } if of_this(&meter));
        memory.permits.iter().filter(about_it).for_each(|paper| signs.keep(paper));
        signs
    }

    /// What stands, strong signs first.
    pub fn standing(&self) -> impl Iterator<Item = StandingSign> + '_ {
        let all = Sign::ALL.iter().zip(&self.stands);
        all.filter_map(|(sign, stands)| {
            stands.as_ref().map(|stands| StandingSign { sign: *sign, since: stands.since })
        })
    }

    /// The strong sign that stands longest.
    pub fn strongest(&self) -> Option<Sign> {
        let strong = self.standing().filter(|standing| standing.sign.is_strong());
        strong.min_by_key(|s| (s.since.boot, s.since.uptime_ms)).map(|standing| standing.sign)
    }

    /// Who the meter was before anybody edited it.
    pub fn identity(&self) -> Option<&Identity> {
        self.known.baseline()
    }

    /// Takes a reading.
    pub fn on_reading(&mut self, terms: &Commissioned, reading: &Reading, around: Around, turns: &mut Turns) {
        let at = reading.at;
        let sight = line::sight(terms, reading);
        let is_live = sight.is_some_and(|sight| !sight.is_dead);
        if let Some(register) = &reading.import {
            self.count.on_register(register);
        }
        let edit = self.known.on_reading(reading);
        self.hear_edit(edit, &at, turns);
        let is_quiet = reading.power().is_some_and(|power| power.0.abs() <= terms.limit().0);
        let shapes = self.shape.look(terms, reading, around, is_quiet);
        let print = print_of(reading);
        // Both are looked at with every reading.
        let stepped =
            [self.clock.look(reading), self.life.look(reading, around.was_dark)].into_iter().flatten().next();
        let seen = [
            (Sign::VoltageSwapped, shapes.swapped),
            (Sign::CurrentReversed, shapes.reversed),
            (Sign::ReactiveExcess, shapes.reactive),
            (Sign::PowerMismatch, shapes.mismatch),
            (Sign::CurrentWithoutVoltage, self.without_voltage(terms, reading, sight)),
            (Sign::PhaseLost, self.phases.look(terms, reading)),
            (Sign::Stuck, self.stillness.look(reading, print, is_live)),
            (Sign::Replayed, is_live.then(|| self.replay.look(print, print_of_voltages(reading))).flatten()),
            (Sign::ClockStepped, stepped),
            (Sign::PaceChanged, self.pace.look(reading.took_ms, at)),
            (Sign::TooQuiet, self.quiet.look(terms, reading, is_live)),
            (Sign::RegistersDisagree, self.sums.look(terms, reading)),
            (Sign::BeyondRating, self.rating.look(terms, reading)),
        ];
        for (sign, figures) in seen {
            if let Some(figures) = figures {
                self.see(sign, &at, figures, turns);
            }
        }
        // Another meter with its paper has another life.
        self.hear_paper(Sign::ClockStepped, &at, turns);
        self.let_go(&at, turns);
    }

    /// Takes a failed poll.
    pub fn on_miss(&mut self, at: &Stamp, fault: Fault, turns: &mut Turns) {
        if fault == Fault::RatioDiffers {
            let edit = self.known.on_ratio_fault();
            self.hear_edit(edit, at, turns);
        }
    }

    /// Takes what the meter says of itself.
    pub fn on_identity(&mut self, at: &Stamp, identity: &Identity, turns: &mut Turns) {
        for edit in self.known.on_identity(identity) {
            if edit.sign == Sign::SerialChanged && edit.is_there {
                // How high another meter's count stood says nothing of this one's.
                (self.count, self.sums) = (Count::default(), Sums::default());
                (self.clock, self.life) = (MeterClock::default(), Life::default());
            }
            self.hear_edit(edit, at, turns);
        }
    }

    /// A count began anew after `before`: two readings agree on it. `unsaved` is the most that its meter may have lost
    /// without power since, if it was.
    pub fn on_rebased(&mut self, unsaved: WattHours, before: &Mark, after: &Mark, turns: &mut Turns) {
        self.sums = Sums::default();
        if let Some(figures) = self.count.look(unsaved, before, after) {
            self.see(Sign::RegisterFell, &after.at, figures, turns);
            self.hear_paper(Sign::RegisterFell, &after.at, turns);
        } else if let Some(figures) = count::leap(before, after) {
            self.see(Sign::RegisterLeapt, &after.at, figures, turns);
            self.hear_paper(Sign::RegisterLeapt, &after.at, turns);
        }
    }

    /// Whether the authority's paper lets another meter come in at a moment.
    pub fn has_paper(&self, at: &Stamp) -> bool {
        self.papers.iter().any(|paper| paper.covers(at))
    }

    /// A count went on from lower, as a meter's does that was without power, or one that may have gone round: it stands no
    /// higher from here on.
    pub fn on_lower(&mut self) {
        (self.count, self.sums) = (Count::default(), Sums::default());
    }

    /// A sign that is seen by looking at several meters.
    pub fn on_compared(&mut self, sign: Sign, at: &Stamp, figures: Figures, turns: &mut Turns) {
        self.see(sign, at, figures, turns);
    }

    /// A paper about this meter is journalled: it takes back what it covers.
    pub fn on_paper(&mut self, permit: &Permit, at: &Stamp, turns: &mut Turns) {
        self.keep(permit);
        let mut covered = false;
        for sign in Sign::ALL {
            let Some(stands) = self.stands(*sign) else { continue };
            let in_time = at.since_ms(&stands.since) <= PAPER_WITHIN_MS;
            if sign.stays_ms().is_none() && permit.covers(&stands.since) && in_time {
                self.end(*sign, Turn::Permitted, Some(permit.id), turns);
                covered = true;
            }
        }
        if covered {
            self.known.adopt();
        }
    }

    /// The authority resets what stands: from here on the meter is what it says it is.
    pub fn on_reset(&mut self, turns: &mut Turns) {
        for sign in Sign::ALL {
            self.end(*sign, Turn::Reset, None, turns);
        }
        self.known.adopt();
    }

    /// The wall clock was moved: what began in this boot is dated anew.
    pub fn on_clock_step(&mut self, now: &Stamp) {
        for stands in self.stands.iter_mut().flatten() {
            stands.since = redated(&stands.since, now);
            stands.seen = redated(&stands.seen, now);
        }
    }

    fn without_voltage(
        &mut self,
        terms: &Commissioned,
        reading: &Reading,
        sight: Option<Sight>,
    ) -> Option<Figures> {
        let most = reading.currents().iter().flatten().map(|i| i.0.saturating_abs()).max().unwrap_or(0);
        let seen = sight.is_some_and(|sight| sight.is_dead) && most > terms.floor.current.0;
        self.without_voltage = if seen { self.without_voltage.saturating_add(1) } else { 0 };
        (self.without_voltage >= READINGS_WITHOUT_VOLTAGE).then(|| figures([(Figure::Current, most)]))
    }

    /// An edit is there, or is undone. A paper in force covers it at once; both are told.
    fn hear_edit(&mut self, edit: Edit, at: &Stamp, turns: &mut Turns) {
        let Edit { sign, is_there, figures } = edit;
        if is_there {
            self.see(sign, at, figures, turns);
            self.hear_paper(sign, at, turns);
        } else if !self.kept.has(sign) {
            self.end(sign, Turn::Undone, None, turns);
        }
    }

    fn keep(&mut self, paper: &Permit) {
        self.papers.retain(|known| known.id != paper.id);
        self.papers.push(*paper);
        if self.papers.len() > MAX_PAPERS {
            self.papers.sort_by_key(|paper| std::cmp::Reverse(paper.to_unix_ms));
            self.papers.truncate(MAX_PAPERS);
        }
    }

    fn hear_paper(&mut self, sign: Sign, at: &Stamp, turns: &mut Turns) {
        let stands = self.stands(sign);
        let is_new = stands.is_some_and(|stands| stands.since == *at);
        let paper = self.papers.iter().find(|paper| is_new && paper.covers(at)).map(|paper| paper.id);
        if paper.is_some() {
            self.end(sign, Turn::Permitted, paper, turns);
            self.known.adopt();
        }
    }

    fn stands(&self, sign: Sign) -> Option<Stands> {
        self.stands.get(sign.index())?.as_deref().copied()
    }

    fn see(&mut self, sign: Sign, at: &Stamp, figures: Figures, turns: &mut Turns) {
        let Some(place) = self.stands.get_mut(sign.index()) else { return };
        match place {
            Some(stands) => stands.seen = *at,
            None => {
                *place = Some(Box::new(Stands { since: *at, seen: *at }));
                say(turns, Turned { sign, turn: Turn::Begins, since: *at, figures, permit: None });
            }
        }
    }

    fn end(&mut self, sign: Sign, turn: Turn, permit: Option<Name>, turns: &mut Turns) {
        let Some(stands) = self.stands.get_mut(sign.index()).and_then(Option::take) else { return };
        self.kept.remove(sign);
        say(turns, Turned { sign, turn, since: stands.since, figures: Figures::new(), permit });
    }

    fn let_go(&mut self, at: &Stamp, turns: &mut Turns) {
        for sign in Sign::ALL {
            let stands = self.stands(*sign);
            let is_over =
                |stands: Stands| sign.stays_ms().is_some_and(|stays| at.since_ms(&stands.seen) >= stays);
            if stands.is_some_and(is_over) {
                self.end(*sign, Turn::Over, None, turns);
            }
        }
    }
}

fn say(turns: &mut Turns, turned: Turned) {
    // One fact turns each sign at most twice, and for that there is room.
    let said = turns.push(turned);
    debug_assert!(said.is_ok(), "more turns than signs");
}
